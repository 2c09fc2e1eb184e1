//! The Rust code that the console copies: it compiles, runs against the sandbox that shows it, and sends the request
//! again for which the console shows the same code, also one that the library would not send.

use std::{env, error::Error, io, net::Ipv4Addr, process::Command};

use bitmart::sandbox::{Config, Sandbox};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::spawn_blocking,
};

/// A copied program as a module.
macro_rules! snippet {
    ($name:ident, $file:literal) => {
        mod $name {
            use super::address;

            pub(super) const TEXT: &str = include_str!($file);

            include!($file);

            #[test]
            #[ignore = "another test runs it as a program of its own, with an environment"]
            fn snippet() -> Result<(), Box<dyn std::error::Error>> {
                main()
            }
        }
    };
}

/// The variable with the address of the sandbox.
const ADDRESS: &str = "BITMART_TEST_SNIPPET_ADDRESS";

/// The files call this in place of the address of the sandbox, which is another one each time.
fn address() -> String {
    env::var(ADDRESS).expect("the address")
}

snippet!(get, "console_snippets/get.rs");
snippet!(post, "console_snippets/post.rs");
snippet!(futures, "console_snippets/futures.rs");
snippet!(without_price, "console_snippets/without_price.rs");
snippet!(broken_json, "console_snippets/broken_json.rs");
snippet!(unknown_path, "console_snippets/unknown_path.rs");

/// Runs a copied program as its user does, with the environment of `bitmart sandbox env`. Returns whether it succeeds,
/// and what it prints.
async fn run(
    sandbox: &Sandbox,
    name: &str,
    address: &str,
) -> Result<(bool, String), Box<dyn Error>> {
    let key = sandbox.credentials();
    let mut program = Command::new(env::current_exe()?);
    program
        .args(["--ignored", "--exact", "--nocapture", &format!("{name}::snippet")])
        .env(ADDRESS, address)
        .env("BITMART_ENVIRONMENT", sandbox.ready_line())
        .env("BITMART_API_KEY", &key.key)
        .env("BITMART_API_SECRET", &key.secret)
        .env("BITMART_API_MEMO", &key.memo);
    let output = spawn_blocking(move || program.output()).await??;
    let text = String::from_utf8([output.stdout, output.stderr].concat())?;
    Ok((output.status.success(), text))
}

/// Reads a page of the console. Returns head and body.
async fn page(host: &str, path: &str, cookie: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(host).await?;
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Ok(text)
}

/// The text of an element of a page.
fn element(page: &str, id: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("id=\"{id}\""))?;
    let text = rest.split_once('>')?.1.split_once('<')?.0;
    let marks = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    Some(marks.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)))
}

#[tokio::test]
async fn copied_rust_compiles_and_sends_the_request_again() -> Result<(), Box<dyn Error>> {
    let free = (Ipv4Addr::LOCALHOST, 0).into();
    let sandbox = Sandbox::start(Config::new().admin(free).console(true)).await?;
    let url = sandbox.console_login_url().ok_or("no console")?;
    let (host, path) = url.trim_start_matches("http://").split_once('/').ok_or("no path")?;
    let opened = page(host, &format!("/{path}"), "").await?;
    let cookie = opened.split_once("set-cookie: ").ok_or("no cookie")?.1;
    let cookie = cookie.split(';').next().unwrap_or_default();
    let snippets = [
        ("get", get::TEXT, true, "\"symbol\":\"BTC_USDT\""),
        ("post", post::TEXT, true, "order_id"),
        ("futures", futures::TEXT, true, "order_id"),
        ("without_price", without_price::TEXT, false, "50011"),
        ("broken_json", broken_json::TEXT, false, "30018"),
        ("unknown_path", unknown_path::TEXT, false, "30000"),
    ];
    for (number, (name, text, is_accepted, printed)) in (1..).zip(snippets) {
        let hosts = if name == "futures" { sandbox.futures() } else { sandbox.spot() };
        let (succeeds, output) = run(&sandbox, name, &hosts.rest).await?;
        assert_eq!(succeeds, is_accepted, "{name}: {output}");
        assert!(output.contains(printed), "{name}: {output}");
        let shown = page(host, &format!("/console/traffic/{number}"), cookie).await?;
        let shown = element(&shown, "as-rust").ok_or("no Rust")?;
        assert_eq!(
            shown,
            text.replace("address()", &format!("{:?}", hosts.rest)),
            "{name}: the file of this test is no longer what the console copies"
        );
    }
    assert_eq!(sandbox.orders().len(), 2, "both orders were placed");
    Ok(())
}
