//! A sandbox that runs beside the commands that use it.

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{Outcome, at_home};
use serde_json::Value;

/// `sandbox up`, with a home of its own. It ends with this.
struct Up {
    home: tempfile::TempDir,
    child: Child,
    ready: Value,
}

impl Drop for Up {
    fn drop(&mut self) {
        // One that has ended already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Up {
    fn start(words: &[&str]) -> Self {
        Self::start_at(tempfile::tempdir().expect("a folder"), words)
    }

    fn start_at(home: tempfile::TempDir, words: &[&str]) -> Self {
        let mut child = up(home.path(), words).spawn().expect("it runs");
        let mut line = String::new();
        let out = child.stdout.take().expect("a pipe");
        BufReader::new(out).read_line(&mut line).expect("it is ready");
        let ready = serde_json::from_str(&line).expect("JSON");
        Self { home, child, ready }
    }

    fn run(&self, words: &[&str]) -> Outcome {
        at_home(self.home.path(), words, "")
    }

    /// The row that a command prints.
    fn row(&self, words: &[&str]) -> Value {
        let outcome = self.run(words);
        assert_eq!(outcome.code, 0, "{words:?}: {}", outcome.err);
        serde_json::from_str(&outcome.out).expect("JSON")
    }
}

fn up(home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bitmart"));
    command
        .args(["sandbox", "up", "--pairs", "BTC_USDT", "--contracts", "BTCUSDT"])
        .args(words)
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

const ORDER: [&str; 9] =
    ["spot", "submit-order", "BTC_USDT", "buy", "limit", "--size", "0.01", "--price", "50000"];

#[test]
fn commands_share_the_running_sandbox() {
    let up = Up::start(&[]);
    let placed = up.row(&[&ORDER[..], &["--yes"]].concat());
    let open = up.row(&["spot", "open-orders", "--env", "sandbox"]);
    assert_eq!(open["orderId"], placed["order_id"]);

    let status = up.row(&["sandbox", "status"]);
    assert_eq!(status["spot"], up.ready["spot"]["rest"]);
    assert_eq!(status["orders"], 1);
    assert!(!status.to_string().contains("secret"), "{status}");
    let keys = up.row(&["sandbox", "keys"]);
    assert_eq!(keys, up.ready["credentials"]);
}

#[test]
fn while_none_runs_commands_share_the_one_that_is_kept() {
    let home = tempfile::tempdir().expect("a folder");
    let run = |words: &[&str]| {
        let outcome = at_home(home.path(), words, "");
        assert_eq!(outcome.code, 0, "{words:?}: {}", outcome.err);
        outcome.out
    };
    run(&[&ORDER[..], &["--yes"]].concat());
    let open = ["spot", "open-orders"];
    let listed = run(&open);
    assert!(listed.contains("orderId"), "{listed}");

    run(&["sandbox", "up", "--detach"]);
    assert_eq!(run(&open), listed, "also in the background");
    assert_eq!(at_home(home.path(), &["sandbox", "reset", "--yes"], "").code, 2, "it runs");
    run(&["sandbox", "down"]);
    run(&["sandbox", "reset", "--yes"]);
    assert_eq!(run(&open), "");

    let taken = ["sandbox", "up", "--detach", "--spot", "192.0.2.1:80"];
    let refused = at_home(home.path(), &taken, "");
    assert!(refused.code == 1 && refused.err.contains("192.0.2.1:80"), "{}", refused.err);
}

#[test]
fn it_starts_with_the_balances_that_are_asked_for() {
    let up = Up::start(&["--no-market", "--fund", "BTC=12.5,USDT=7"]);
    let sell = |size: &str| {
        up.run(&[
            "spot",
            "submit-order",
            "BTC_USDT",
            "sell",
            "limit",
            "--size",
            size,
            "--price",
            "500000",
            "-y",
        ])
    };
    let (all, more) = (sell("12.5"), sell("0.01"));
    assert_eq!(all.code, 0, "{}", all.err);
    assert!(more.code != 0 && more.err.contains("50020"), "{}", more.err);
    for (words, told) in [
        (["sandbox", "up", "--fund", "BTC"], "is no CURRENCY=AMOUNT"),
        (["sandbox", "up", "--fund", "BTC=-1"], "is no amount of BTC"),
        (["sandbox", "up", "--fund", "NOPE=1"], "no listed market uses the currency"),
    ] {
        let home = tempfile::tempdir().expect("a folder");
        let refused = at_home(home.path(), &words, "");
        assert!(refused.code == 2 && refused.err.contains(told), "{}", refused.err);
    }
}

#[test]
fn it_is_funded_broken_and_given_keys() {
    let up = Up::start(&["--no-market"]);
    let wallet = up.row(&["sandbox", "fund", "USDT", "250.5", "--wallet", "funding"]);
    assert_eq!(wallet["available"], "250.5", "{wallet}");
    let wrong = up.run(&["sandbox", "fund", "NOPE", "1"]);
    assert!(wrong.code == 4 && wrong.err.contains("NOPE"), "{}", wrong.err);

    let new = ["sandbox", "keys", "--new", "--account", "2", "--permissions", "Read-only"];
    let key = up.row(&new);
    assert_eq!((&key["account"], &key["permissions"][0]), (&2.into(), &"Read-only".into()));

    up.row(&["sandbox", "fault", "maintenance", "/spot/v2/submit_order"]);
    assert_eq!(up.run(&[&ORDER[..], &["-y"]].concat()).code, 7);
    up.row(&["sandbox", "fault", "maintenance", "/spot/v2/submit_order", "--times", "9"]);
    assert_eq!(up.run(&["sandbox", "fault", "--clear"]).code, 0);
    assert_eq!(up.run(&[&ORDER[..], &["-y"]].concat()).code, 0);
    assert_eq!(up.run(&["sandbox", "fault"]).code, 2);
}

#[test]
fn a_clock_that_stands_is_moved_and_a_snapshot_goes_on() {
    let first = Up::start(&["--clock", "1700000000000"]);
    let now = |up: &Up, words: &[&str]| up.row(words)["now_ms"].as_u64().expect("a number");
    assert_eq!(now(&first, &["sandbox", "clock", "--advance", "5000"]), 1_700_000_005_000);
    assert_eq!(now(&first, &["sandbox", "clock", "--beats", "10"]), 1_700_000_006_000);
    let file = first.home.path().join("saved.json");
    let file = file.to_str().expect("a path");
    assert_eq!(first.run(&["sandbox", "snapshot", file]).code, 0);
    let second = Up::start(&["--restore", file]);
    assert_eq!(now(&second, &["sandbox", "clock"]), 1_700_000_006_000);
}

#[test]
fn down_stops_it_and_leaves_nothing() {
    let mut up = Up::start(&["--tls"]);
    let ready = up.home.path().join(".bitmart/sandbox/ready.json");
    assert!(ready.exists());
    let second = up.run(&["sandbox", "up"]);
    assert_eq!(second.code, 2, "{}", second.err);
    assert_eq!(up.run(&["spot", "ticker", "BTC_USDT"]).code, 0, "over TLS");
    assert_eq!(up.run(&["sandbox", "down"]).code, 0);
    assert!(up.child.wait().expect("it ends").success());
    assert!(!ready.exists());
    assert_eq!(up.run(&["sandbox", "down"]).code, 3, "none runs");
}

#[test]
fn what_a_killed_one_left_behind_counts_for_nothing() {
    let mut up = Up::start(&[]);
    up.child.kill().expect("it is killed");
    up.child.wait().expect("it ends");
    let ready = up.home.path().join(".bitmart/sandbox/ready.json");
    assert!(ready.exists(), "nobody took it away");
    assert_eq!(up.run(&["sandbox", "status"]).code, 3);
    let alone = up.run(&["spot", "ticker", "BTC_USDT"]);
    assert!(alone.code == 0 && alone.err.contains("in this process"), "{}", alone.err);

    let home = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(home.path().join(".bitmart/sandbox")).expect("a folder");
    fs::copy(&ready, home.path().join(".bitmart/sandbox/ready.json")).expect("a file");
    let again = Up::start_at(home, &[]);
    assert_eq!(again.row(&["sandbox", "status"])["admin"], again.ready["admin"]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_it_cleanly() {
    use rustix::process::{Pid, Signal, kill_process};

    let mut up = Up::start(&[]);
    kill_process(Pid::from_child(&up.child), Signal::INT).expect("it is there");
    assert!(up.child.wait().expect("it ends").success());
    assert!(!up.home.path().join(".bitmart/sandbox/ready.json").exists());
}
