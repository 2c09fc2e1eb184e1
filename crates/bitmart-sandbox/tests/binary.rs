//! The program: its ready line, its options, its end.

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
async fn ready_line_has_the_promised_shape_and_the_addresses_answer() {
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
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_it_cleanly() {
    let mut child = program().spawn().expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    timeout(DEADLINE, lines.next_line()).await.expect("in time").expect("reads").expect("a line");
    let id = child.id().expect("running").to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().await.expect("kill runs").success());
    let status = timeout(DEADLINE, child.wait()).await.expect("in time").expect("ends");
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn wrong_options_are_named_on_stderr() {
    for (args, words) in [
        (["--sed", "1"], "unknown option \"--sed\""),
        (["--tls=no", "--seed=1"], "--tls takes no value"),
        (["--seed", "x"], "--seed needs a whole number"),
        (["--spot", "here"], "\"here\" is not an address"),
    ] {
        let mut child = program().args(args).spawn().expect("runs");
        let mut text = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut text).await.expect("reads");
        let status = timeout(DEADLINE, child.wait()).await.expect("in time").expect("ends");
        assert_eq!(status.code(), Some(2));
        assert!(text.contains(words), "{text}");
    }
}
