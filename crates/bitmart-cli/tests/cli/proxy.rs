//! Proxies: which connections use them, and how they are reported.

use std::path::Path;
use std::process::Stdio;

use bitmart_net::testing::TestProxy;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tokio::runtime::Runtime;

use crate::common::{program, sandbox};

const PASSWORD: &str = "CANARYpassword";

/// Runs the program with these variables until it ends. Returns the exit code and all of its output.
async fn run(home: &Path, variables: &[(&str, &str)], words: &[&str]) -> (Option<i32>, String) {
    let output = command(home, variables, words).output().await.expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

/// Runs the program until its standard error has a line with `text`. Returns what it has written there.
async fn run_until(home: &Path, variables: &[(&str, &str)], words: &[&str], text: &str) -> String {
    let mut child = command(home, variables, words).spawn().expect("it runs");
    let mut err = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut read = String::new();
    while !read.contains(text) && err.read_line(&mut read).await.expect("text") > 0 {}
    child.kill().await.expect("it is killed");
    err.read_to_string(&mut read).await.expect("text");
    read
}

fn command(home: &Path, variables: &[(&str, &str)], words: &[&str]) -> Command {
    let mut command = Command::from(program(home));
    command
        .args(words)
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

#[test]
fn live_commands_use_the_proxy_of_the_environment_and_loopback_does_not() {
    let (place, runtime) = (sandbox(), Runtime::new().expect("threads"));
    runtime.block_on(async {
        let proxy = TestProxy::http().user("me", PASSWORD).start().await.expect("a proxy");
        let address = format!("http://me:{PASSWORD}@{}", proxy.address());
        let variables = [("HTTPS_PROXY", address.as_str())];
        let home = tempfile::tempdir().expect("a folder");

        let words = ["--env", "live", "system", "time"];
        let (code, text) = run(home.path(), &variables, &words).await;
        assert_eq!(proxy.requested_hosts(), ["api-cloud.bitmart.com:443"], "{text}");
        assert_eq!(code, Some(3), "nothing was sent: {text}");
        assert!(text.contains("502") && !text.contains(PASSWORD), "{text}");

        let words = ["--env", "live", "watch", "ticker", "BTC_USDT", "-o", "table"];
        let stream = "ws-manager-compress.bitmart.com:443".to_owned();
        let text = run_until(home.path(), &variables, &words, "reconnecting").await;
        assert!(proxy.requested_hosts().contains(&stream), "{:?} {text}", proxy.requested_hosts());
        assert!(!text.contains(PASSWORD), "{text}");

        let before = proxy.requested_hosts().len();
        let ready = place.ready_file();
        let words = ["--env", ready.to_str().expect("UTF-8"), "system", "time"];
        let all = [("ALL_PROXY", address.as_str()), ("http_proxy", address.as_str())];
        let (code, text) = run(home.path(), &all, &words).await;
        assert_eq!((code, proxy.requested_hosts().len()), (Some(0), before), "{text}");

        let except = [variables[0], ("NO_PROXY", "*.example, bitmart.com")];
        let words = ["--env", "https://api.bitmart.com.invalid", "system", "time"];
        let (_, text) = run(home.path(), &except, &words).await;
        assert_eq!(
            proxy.requested_hosts().len(),
            before + 1,
            "another host is not excepted: {text}"
        );
    });
}

#[test]
fn doctor_reports_the_proxy_and_its_origin() {
    let runtime = Runtime::new().expect("threads");
    runtime.block_on(async {
        let proxy = TestProxy::http().start().await.expect("a proxy");
        let address = format!("http://me:{PASSWORD}@{}", proxy.address());
        let home = tempfile::tempdir().expect("a folder");
        let words = ["--env", "https://spot.example", "doctor", "-o", "ndjson"];
        let variables = [("ALL_PROXY", address.as_str())];
        let (code, text) = run(home.path(), &variables, &words).await;
        assert_eq!(code, Some(3), "{text}");
        let shown = format!("http://{}", proxy.address());
        assert!(text.contains(&shown) && text.contains("ALL_PROXY"), "{text}");
        assert!(!text.contains(PASSWORD), "{text}");

        let plain = format!("http://{}", proxy.address());
        let words = [&words[..], &["--proxy", plain.as_str()]].concat();
        let (_, text) = run(home.path(), &[], &words).await;
        assert!(text.contains("named by --proxy"), "{text}");

        let words = ["--env", "live", "system", "time", "--proxy", address.as_str()];
        let (code, text) = run(home.path(), &[], &words).await;
        assert!(code == Some(2) && text.contains("ALL_PROXY"), "{code:?} {text}");
        assert!(!text.contains(PASSWORD), "{text}");
    });
}
