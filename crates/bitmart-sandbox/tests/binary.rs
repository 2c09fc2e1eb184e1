//! The program: ready line, options and exit.

mod common;

use std::process::Stdio;

use common::DEADLINE;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
    time::timeout,
};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bitmart-sandbox"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

#[tokio::test]
async fn the_ready_line_has_the_documented_form_and_its_addresses_respond() {
    let mut child =
        program().args(["--spot", "127.0.0.1:0", "--seed=5", "--no-limits"]).spawn().expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = timeout(DEADLINE, lines.next_line())
        .await
        .expect("in time")
        .expect("reads")
        .expect("a line");
    let ready: Value = serde_json::from_str(&line).expect("JSON");
    for host in ["spot", "futures"] {
        let rest = ready[host]["rest"].as_str().expect("text");
        let address = rest.strip_prefix("http://127.0.0.1:").expect("local");
        assert_eq!(ready[host]["ws_public"], format!("ws://127.0.0.1:{address}/api?protocol=1.1"));
        assert_eq!(
            ready[host]["ws_private"],
            format!("ws://127.0.0.1:{address}/user?protocol=1.1")
        );
        tokio::net::TcpStream::connect(common::authority(rest)).await.expect("listens");
    }
    for field in ["key", "secret", "memo"] {
        assert!(ready["credentials"][field].is_string(), "{field}");
    }
    assert_eq!(ready["root_certificate"], Value::Null);
    let names: Vec<_> = ready.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["credentials", "futures", "root_certificate", "spot"]);
}

/// Starts the program and reads its ready line. The program ends when the child is dropped.
async fn ready(args: &[&str]) -> (tokio::process::Child, Value) {
    let mut child = program().args(args).spawn().expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = timeout(DEADLINE, lines.next_line()).await.expect("in time").expect("reads");
    let ready = serde_json::from_str(&line.expect("a line")).expect("JSON");
    (child, ready)
}

#[tokio::test]
async fn the_ready_line_has_the_admin_api_if_enabled_and_its_snapshot_restores() {
    let (child, first) = ready(&[
        "--admin",
        "127.0.0.1:0",
        "--clock",
        "1700000000000",
        "--seed",
        "5",
        "--no-market",
    ])
    .await;
    let request = async |ready: &Value, method: &str, path: &str, body: &'static str| {
        let admin = ready["admin"].as_str().expect("an address");
        assert!(admin.starts_with("http://127.0.0.1:"), "{admin}");
        let response = common::call_admin(ready, method, path, body).await;
        assert_eq!(response.status, 200, "{}", response.text);
        response.text
    };
    request(&first, "POST", "/clock/advance", r#"{"ms":5000}"#).await;
    request(&first, "POST", "/accounts", "").await;
    let (ledger, snapshot) = (
        request(&first, "GET", "/ledger", "").await,
        request(&first, "GET", "/snapshots/current", "").await,
    );
    drop(child);
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/admin-snapshot.json");
    std::fs::write(file, &snapshot).expect("writes");
    let (_child, second) = ready(&["--admin=127.0.0.1:0", "--restore", file]).await;
    assert_eq!(second["credentials"], first["credentials"]);
    assert_eq!(request(&second, "GET", "/ledger", "").await, ledger);
    assert_eq!(request(&second, "GET", "/snapshots/current", "").await, snapshot);
}

#[tokio::test]
async fn only_the_selected_markets_are_listed() {
    let (_child, ready) =
        ready(&["--pairs", "ADA_USDT,BTC_USDT", "--contracts=", "--no-market"]).await;
    let request = async |host: &str, path: &str| {
        let rest = ready[host]["rest"].as_str().expect("an address");
        let request = hyper::Request::get(path).header("host", "here").body("".into());
        common::send_to(rest, request.expect("a request")).await.expect("a response").data()
    };
    let pairs = request("spot", "/spot/v1/symbols").await;
    assert_eq!(pairs["symbols"], serde_json::json!(["ADA_USDT", "BTC_USDT"]));
    let contracts = request("futures", "/contract/public/details").await;
    assert_eq!(contracts["symbols"], serde_json::json!([]));
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_and_sigterm_end_the_program_with_success() {
    for signal in ["-INT", "-TERM"] {
        let mut child = program().spawn().expect("runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line = timeout(DEADLINE, lines.next_line()).await.expect("in time").expect("reads");
        line.expect("a line");
        let id = child.id().expect("running").to_string();
        let sent = Command::new("kill").args([signal, &id]).status().await.expect("kill runs");
        assert!(sent.success());
        let status = timeout(DEADLINE, child.wait()).await.expect("in time").expect("ends");
        assert!(status.success(), "{signal}: {status}");
    }
}

/// Sends a request that is rejected, stops the program, and returns its standard error.
async fn stderr_of_a_rejection(args: &[&str]) -> String {
    let (mut child, ready) =
        ready(&[args, &["--admin", "127.0.0.1:0", "--no-market"]].concat()).await;
    let rest = ready["futures"]["rest"].as_str().expect("an address");
    let request =
        hyper::Request::post("/spot/v2/submit_order").header("host", "here").body("".into());
    let response = common::send_to(rest, request.expect("a request")).await.expect("a response");
    assert_eq!(response.code(), 30000);
    assert!(response.headers.contains_key("x-sandbox-reason"));
    assert_eq!(common::call_admin(&ready, "POST", "/stop", "{}").await.status, 200);
    let mut text = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut text).await.expect("reads");
    text
}

#[tokio::test]
async fn reasons_are_on_stderr_unless_quiet() {
    let stderr = stderr_of_a_rejection(&[]).await;
    let message = "bitmart-sandbox: POST /spot/v2/submit_order rejected with 30000: this is a path of the spot";
    assert!(stderr.starts_with(message) && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(stderr_of_a_rejection(&["--quiet"]).await, "");
}

#[tokio::test]
async fn invalid_options_are_reported_on_stderr() {
    for (args, message) in [
        (["--sed", "1"], "unknown option \"--sed\""),
        (["--tls=no", "--seed=1"], "--tls takes no value"),
        (["--seed", "x"], "--seed needs a whole number"),
        (["--spot", "here"], "\"here\" is not an address"),
        (["--pairs", "BTC_USDT,BTC"], "\"BTC\" is not listed; listed are BTC_USDT, ETH_USDT"),
        (["--clock", "noon"], "--clock needs a whole number"),
        (["--fund", "BTC"], "--fund: \"BTC\" does not have the form CURRENCY=AMOUNT"),
        (["--fund", "BTC=-1"], "--fund: \"-1\" is not an amount of BTC"),
        (["--fund=BTX=1", "--pairs=BTC_USDT"], "no listed market uses the currency \"BTX\""),
        (["--restore", "nowhere"], "cannot read \"nowhere\""),
        (["--restore", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")], "not a snapshot"),
    ] {
        let mut child = program().args(args).spawn().expect("runs");
        let mut text = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut text).await.expect("reads");
        let status = timeout(DEADLINE, child.wait()).await.expect("in time").expect("ends");
        assert_eq!(status.code(), Some(2));
        assert!(text.contains(message), "{text}");
    }
}
