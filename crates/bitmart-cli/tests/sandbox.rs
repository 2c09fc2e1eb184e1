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
    // One that runs goes on from where the snapshot stood, and not from today.
    for words in [&["--running"][..], &["--speed", "60"]] {
        let running = Up::start(&[&["--restore", file], words].concat());
        let mut passed = 0;
        while passed == 0 {
            passed = now(&running, &["sandbox", "clock"]) - 1_700_000_006_000;
        }
        assert!(passed < 86_400_000, "{words:?}: {passed}");
    }
    assert_eq!(first.run(&["sandbox", "up", "--running"]).code, 2, "without a snapshot");
}

#[test]
fn a_deposit_arrives_after_its_time() {
    let up = Up::start(&["--no-market", "--clock", "1700000000000", "--fund", "BTC=1"]);
    let told = up.row(&["sandbox", "deposit", "btc", "2.5"]);
    assert!(told["deposit_id"].is_string() && told["currency"] == "BTC", "{told}");
    let balance = || up.row(&["account", "wallet", "--currency", "BTC"])["available"].clone();
    assert_eq!(balance(), "1.00000000");
    up.row(&["sandbox", "clock", "--advance", "31000"]);
    assert_eq!(balance(), "3.50000000");
    for words in [["NOPE", "1"], ["BTC", "0"]] {
        let refused = up.run(&["sandbox", "deposit", words[0], words[1]]);
        assert!(refused.code == 4 && refused.err.contains("no deposit"), "{}", refused.err);
    }
}

#[test]
fn its_addresses_and_key_are_given_to_programs() {
    let up = Up::start(&[]);
    let value = |form: &str| {
        let given = up.run(&["sandbox", "env", form]);
        assert_eq!(given.code, 0, "{}", given.err);
        given.out
    };
    let object: Value = serde_json::from_str(&value("--json")).expect("JSON");
    assert_eq!(object["secret"], up.ready["credentials"]["secret"]);
    assert_eq!(object["spot"], up.ready["spot"]);
    let secret = up.ready["credentials"]["secret"].as_str().expect("a text");
    let spot = up.ready["spot"]["rest"].as_str().expect("a text");
    let python = value("--python");
    assert!(python.contains(&format!("BITMART_API_SECRET = \"{secret}\"\n")), "{python}");
    let node = value("--node");
    assert!(node.contains(&format!("const BITMART_SPOT_URL = \"{spot}\";\n")), "{node}");
    assert_eq!(value("--shell"), up.run(&["sandbox", "env"]).out);
    assert_eq!(up.run(&["sandbox", "env", "--node", "--json"]).code, 2);
}

/// What a shell takes from `sandbox env` names the sandbox to the program, too.
#[cfg(unix)]
#[test]
fn a_shell_with_its_variables_uses_the_sandbox() {
    let up = Up::start(&[]);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = up.home.path().join("env.sh");
    fs::write(&file, up.run(&["sandbox", "env", "--shell"]).out).expect("a file");
    let line =
        format!(". '{}'; '{}' account wallet", file.display(), env!("CARGO_BIN_EXE_bitmart"));
    let output = Command::new("sh")
        .args(["-c", &line])
        .env_clear()
        .env("HOME", elsewhere.path())
        .output()
        .expect("a shell");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(err.contains("BITMART_ENVIRONMENT") && !err.contains("this process"), "{err}");
}

/// The key of the exchange is no matter of a sandbox, and an environment can be read for as long as its
/// process runs.
#[cfg(target_os = "linux")]
#[test]
fn one_in_the_background_does_not_inherit_a_key() {
    let home = tempfile::tempdir().expect("a folder");
    let canary = "tw5Kd8canaryenvironment2Zr";
    let up = Command::new(env!("CARGO_BIN_EXE_bitmart"))
        .args(["sandbox", "up", "--detach", "--no-market", "--pairs", "BTC_USDT"])
        .env_clear()
        .env("HOME", home.path())
        .envs(["KEY", "SECRET", "MEMO"].map(|name| (format!("BITMART_API_{name}"), canary)))
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    let home_text = home.path().to_str().expect("text");
    let (mut found, mut shown) = (false, false);
    for process in fs::read_dir("/proc").expect("processes").flatten() {
        // Those of others, and those that have ended, cannot be read.
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment);
        found |= environment.contains(home_text);
        shown |= environment.contains(canary);
    }
    assert_eq!(at_home(home.path(), &["sandbox", "down"], "").code, 0);
    assert!(found && !shown, "found {found}, shown {shown}");
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
