//! Proxies: which commands reach one, and what is told of it.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bitmart_net::testing::TestProxy;
use common::sandbox;
use tokio::runtime::Runtime;

const PASSWORD: &str = "CANARYpassword";

/// Runs the program with these variables and no others; gives exit code and all of its output. One
/// that goes on for ever, such as a watch, is ended when `enough` says so.
async fn run(
    home: &Path,
    variables: &[(&str, &str)],
    words: &[&str],
    enough: impl AsyncFn() -> bool,
) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bitmart"))
        .args(words)
        .env_clear()
        .env("HOME", home)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    loop {
        let ended = child.try_wait().expect("a process");
        if ended.is_some() || enough().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let _ = child.kill();
    let output = child.wait_with_output().expect("it ends");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn live_commands_reach_the_proxy_of_the_environment_and_loopback_does_not() {
    let (place, runtime) = (sandbox(), Runtime::new().expect("threads"));
    runtime.block_on(async {
        let proxy = TestProxy::http().user("me", PASSWORD).start().await.expect("a proxy");
        let address = format!("http://me:{PASSWORD}@{}", proxy.address());
        let variables = [("HTTPS_PROXY", address.as_str())];
        let home = tempfile::tempdir().expect("a folder");

        let words = ["--env", "live", "system", "time"];
        let (code, text) = run(home.path(), &variables, &words, async || false).await;
        assert_eq!(proxy.requested_hosts(), ["api-cloud.bitmart.com:443"], "{text}");
        assert_eq!(code, Some(3), "nothing was sent: {text}");
        assert!(text.contains("502") && !text.contains(PASSWORD), "{text}");

        let words = ["--env", "live", "watch", "ticker", "BTC_USDT"];
        let stream = "ws-manager-compress.bitmart.com:443".to_owned();
        let seen = async || proxy.requested_hosts().contains(&stream);
        let (_, text) = run(home.path(), &variables, &words, seen).await;
        assert!(proxy.requested_hosts().contains(&stream), "{:?} {text}", proxy.requested_hosts());
        assert!(!text.contains(PASSWORD), "{text}");

        let before = proxy.requested_hosts().len();
        let ready = place.ready_file();
        let words = ["--env", ready.to_str().expect("UTF-8"), "system", "time"];
        let all = [("ALL_PROXY", address.as_str()), ("http_proxy", address.as_str())];
        let (code, text) = run(home.path(), &all, &words, async || false).await;
        assert_eq!((code, proxy.requested_hosts().len()), (Some(0), before), "{text}");

        let except = [variables[0], ("NO_PROXY", "*.example, bitmart.com")];
        let words = ["--env", "https://api.bitmart.com.invalid", "system", "time"];
        let (_, text) = run(home.path(), &except, &words, async || false).await;
        assert_eq!(
            proxy.requested_hosts().len(),
            before + 1,
            "another host is not excepted: {text}"
        );
    });
}

#[test]
fn doctor_says_which_proxy_and_who_named_it() {
    let runtime = Runtime::new().expect("threads");
    runtime.block_on(async {
        let proxy = TestProxy::http().start().await.expect("a proxy");
        let address = format!("http://me:{PASSWORD}@{}", proxy.address());
        let home = tempfile::tempdir().expect("a folder");
        let words = ["--env", "https://spot.example", "doctor", "-o", "ndjson"];
        let variables = [("ALL_PROXY", address.as_str())];
        let (code, text) = run(home.path(), &variables, &words, async || false).await;
        assert_eq!(code, Some(3), "{text}");
        let shown = format!("http://{}", proxy.address());
        assert!(text.contains(&shown) && text.contains("ALL_PROXY"), "{text}");
        assert!(!text.contains(PASSWORD), "{text}");

        let plain = format!("http://{}", proxy.address());
        let words = [&words[..], &["--proxy", plain.as_str()]].concat();
        let (_, text) = run(home.path(), &[], &words, async || false).await;
        assert!(text.contains("named by --proxy"), "{text}");

        let words = ["--env", "live", "system", "time", "--proxy", address.as_str()];
        let (code, text) = run(home.path(), &[], &words, async || false).await;
        assert!(code == Some(2) && text.contains("ALL_PROXY"), "{code:?} {text}");
        assert!(!text.contains(PASSWORD), "{text}");
    });
}
