//! A full disk: a tmpfs in a separate mount namespace, which Linux allows without root.
#![cfg(target_os = "linux")]

mod common;

use std::{
    fs::File,
    io::Write as _,
    path::PathBuf,
    process::Stdio,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bitmart_sandbox::ApiKey;
use common::{DEADLINE, call_admin, send_to, sign};
use hyper::Request;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

/// Runs a command in a mount namespace in which `folder` is a small tmpfs.
fn in_namespace(folder: &str, command: &str) -> Command {
    let script = format!("mount -t tmpfs -o size=48m tmpfs {folder} && {command}");
    let mut unshare = Command::new("unshare");
    unshare.args(["--map-root-user", "--mount", "sh", "-c", &script]).kill_on_drop(true);
    unshare
}

struct Program {
    child: Child,
    ready: Value,
    /// The path of the tmpfs as seen from this process.
    disk: PathBuf,
}

/// Starts the program; `None` if no file system can be mounted.
async fn program() -> Option<Program> {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/full-disk");
    std::fs::create_dir_all(folder).expect("a folder");
    let probe = in_namespace(folder, "true").stderr(Stdio::null()).status().await;
    if !probe.is_ok_and(|status| status.success()) {
        println!("skipped: this machine does not allow mounting a file system");
        return None;
    }
    let program = env!("CARGO_BIN_EXE_bitmart-sandbox");
    let options = "--pairs BTC_USDT --contracts= --admin 127.0.0.1:0 --no-limits";
    let mut command =
        in_namespace(folder, &format!("exec {program} {options} --data {folder}/data"));
    let mut child = command.stdout(Stdio::piped()).spawn().expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = timeout(DEADLINE, lines.next_line()).await.expect("in time").expect("reads");
    let ready = serde_json::from_str(&line.expect("a ready line")).expect("JSON");
    let id = child.id().expect("it runs");
    Some(Program { child, ready, disk: PathBuf::from(format!("/proc/{id}/root{folder}")) })
}

/// Writes until there is no free space.
fn fill(mut file: &File) {
    for size in [1 << 20, 4_096, 1] {
        while file.write(&vec![7; size]).is_ok_and(|written| written > 0) {}
    }
}

/// A step of a scenario is rejected as the same call is over HTTP.
#[cfg(feature = "console")]
async fn a_scenario_is_rejected(ready: &Value) {
    let halt = json!({ "symbol": "BTC_USDT", "halted": true }).to_string();
    assert_eq!(call_admin(ready, "POST", "/market/halt", &halt).await.status, 503);
    let text =
        "name = \"a\"\n[[step]]\ncall = \"halt_market\"\nsymbol = \"BTC_USDT\"\nhalted = true";
    let body = json!({ "text": text }).to_string();
    // Neither is a change of the exchange; the response waits for changes before.
    call_admin(ready, "POST", "/scenarios", &body).await;
    let end = Instant::now() + DEADLINE;
    loop {
        let state = call_admin(ready, "GET", "/scenarios", "").await;
        let state: Value = serde_json::from_str(&state.text).expect("JSON");
        if state["playing"] == false && state["number"] != 0 {
            let error = "step 1, halt_market: the data folder cannot be written to";
            return assert_eq!(state["error"], error, "{state}");
        }
        assert!(Instant::now() < end, "{state}");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_full_disk_rejects_writes_but_not_reads_until_there_is_free_space() {
    let Some(Program { mut child, ready, disk }) = program().await else { return };
    let host = |name: &str| ready[name]["rest"].as_str().expect("an address").to_owned();
    let credential = |name: &str| ready["credentials"][name].as_str().expect("text").to_owned();
    let key = ApiKey::new(credential("key"), credential("secret"), credential("memo"));
    let spot = host("spot");
    let order = async || {
        let body = json!({
            "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "1000", "size": "0.01",
        });
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let (body, now) = (body.to_string(), since.as_millis().to_string());
        let request = Request::post("/spot/v2/submit_order")
            .header("host", "sandbox")
            .header("content-type", "application/json")
            .header("x-bm-key", &key.key)
            .header("x-bm-timestamp", &now)
            .header("x-bm-sign", sign(&key, &now, &body))
            .body(body.into())
            .expect("a request");
        send_to(&spot, request).await.expect("a response").status
    };
    let read = async || {
        let ledger = call_admin(&ready, "GET", "/ledger", "").await;
        assert_eq!(ledger.status, 200, "{}", ledger.text);
        ledger.json()["orders"].as_array().expect("a list").len()
    };
    let mut placed = 0;
    for _ in 0..5 {
        assert_eq!(order().await, 200);
        placed += 1;
    }
    for round in 0..2 {
        let filler = disk.join("filler");
        let file = File::create(&filler).expect("a file");
        let end = Instant::now() + DEADLINE;
        loop {
            // Also fills the space that a commit has freed.
            fill(&file);
            match order().await {
                200 => placed += 1,
                503 => break,
                status => panic!("{status}"),
            }
            assert!(Instant::now() < end, "the disk is not full after {placed} orders");
        }
        for _ in 0..3 {
            assert_eq!(order().await, 503);
            assert!(read().await >= placed, "acknowledged orders are listed");
        }
        #[cfg(feature = "console")]
        a_scenario_is_rejected(&ready).await;
        drop(file);
        std::fs::remove_file(&filler).expect("the file exists");
        let end = Instant::now() + DEADLINE;
        while order().await != 200 {
            assert!(
                Instant::now() < end,
                "round {round}: the sandbox does not resume although there is free space"
            );
            sleep(Duration::from_millis(20)).await;
        }
        placed += 1;
    }
    assert!(read().await >= placed);
    assert_eq!(call_admin(&ready, "POST", "/stop", "").await.status, 200);
    let status = timeout(DEADLINE, child.wait()).await.expect("in time").expect("ends");
    assert!(status.success(), "{status}");
}
