//! A real disk that is full: a file system in memory, which Linux lets the test make for its program alone.
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
use common::{DEADLINE, ask_admin, send_to, sign};
use hyper::Request;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

/// Runs a command where `folder` is a file system of its own.
fn apart(folder: &str, command: &str) -> Command {
    let script = format!("mount -t tmpfs -o size=48m tmpfs {folder} && {command}");
    let mut apart = Command::new("unshare");
    apart.args(["--map-root-user", "--mount", "sh", "-c", &script]).kill_on_drop(true);
    apart
}

struct Program {
    child: Child,
    ready: Value,
    /// The full disk as this process sees it.
    disk: PathBuf,
}

/// None where no file system can be made.
async fn program() -> Option<Program> {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/full-disk");
    std::fs::create_dir_all(folder).expect("a folder");
    let probe = apart(folder, "true").stderr(Stdio::null()).status().await;
    if !probe.is_ok_and(|status| status.success()) {
        println!("skipped: this machine lets nobody make a file system");
        return None;
    }
    let program = env!("CARGO_BIN_EXE_bitmart-sandbox");
    let options = "--pairs BTC_USDT --contracts= --admin 127.0.0.1:0 --no-limits";
    let mut command = apart(folder, &format!("exec {program} {options} --data {folder}/data"));
    let mut child = command.stdout(Stdio::piped()).spawn().expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = timeout(DEADLINE, lines.next_line()).await.expect("in time").expect("reads");
    let ready = serde_json::from_str(&line.expect("a ready line")).expect("JSON");
    let id = child.id().expect("it runs");
    Some(Program { child, ready, disk: PathBuf::from(format!("/proc/{id}/root{folder}")) })
}

/// Writes until there is no room.
fn fill(mut file: &File) {
    for size in [1 << 20, 4_096, 1] {
        while file.write(&vec![7; size]).is_ok_and(|written| written > 0) {}
    }
}

#[tokio::test]
async fn a_full_disk_costs_writes_and_no_reads_until_there_is_room() {
    let Some(Program { mut child, ready, disk }) = program().await else { return };
    let host = |name: &str| ready[name]["rest"].as_str().expect("an address").to_owned();
    let word = |name: &str| ready["credentials"][name].as_str().expect("text").to_owned();
    let key = ApiKey::new(word("key"), word("secret"), word("memo"));
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
        send_to(&spot, request).await.expect("an answer").status
    };
    let read = async || {
        let ledger = ask_admin(&ready, "GET", "/ledger", "").await;
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
            // What a commit has freed is taken as well.
            fill(&file);
            match order().await {
                200 => placed += 1,
                503 => break,
                status => panic!("{status}"),
            }
            assert!(Instant::now() < end, "{placed} orders did not fill it");
        }
        for _ in 0..3 {
            assert_eq!(order().await, 503);
            assert!(read().await >= placed, "what was answered is there");
        }
        drop(file);
        std::fs::remove_file(&filler).expect("is there");
        let end = Instant::now() + DEADLINE;
        while order().await != 200 {
            assert!(Instant::now() < end, "round {round}: there is room and it does not go on");
            sleep(Duration::from_millis(20)).await;
        }
        placed += 1;
    }
    assert!(read().await >= placed);
    assert_eq!(ask_admin(&ready, "POST", "/stop", "").await.status, 200);
    let status = timeout(DEADLINE, child.wait()).await.expect("in time").expect("ends");
    assert!(status.success(), "{status}");
}
