//! `sandbox`: a running sandbox and the commands that use it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

#[cfg(unix)]
use crate::common::process::Running;
use crate::common::{LIMIT_ORDER, Outcome, at_home, program, with_yes};

/// A running `sandbox up` with its own home folder. It ends when this is dropped.
struct Up {
    home: tempfile::TempDir,
    child: Child,
    ready: Value,
}

impl Drop for Up {
    fn drop(&mut self) {
        // It may have ended already.
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

    /// The row that a successful command prints.
    fn row(&self, words: &[&str]) -> Value {
        let outcome = self.run(words);
        assert_eq!(outcome.code, 0, "{words:?}: {}", outcome.err);
        serde_json::from_str(&outcome.out).expect("JSON")
    }
}

fn up(home: &Path, words: &[&str]) -> Command {
    let mut command = program(home);
    command
        .args(["sandbox", "up", "--pairs", "BTC_USDT", "--contracts", "BTCUSDT"])
        .args(words)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

#[test]
fn commands_share_the_running_sandbox() {
    let up = Up::start(&[]);
    let placed = up.row(&with_yes(&LIMIT_ORDER));
    let open = up.row(&["spot", "open-orders", "--env", "sandbox"]);
    assert_eq!(open["orderId"], placed["order_id"]);

    let status = up.row(&["sandbox", "status"]);
    assert_eq!(status["spot"], up.ready["spot"]["rest"]);
    assert_eq!(status["orders"], 1);
    assert!(!status.to_string().contains("secret"), "{status}");
    let keys = up.row(&["sandbox", "keys"]);
    assert_eq!(keys, up.ready["credentials"]);
    let second = up.run(&["sandbox", "up", "--open"]);
    assert!(second.code == 2 && second.err.contains("`bitmart sandbox console`"), "{}", second.err);
}

#[test]
fn without_a_running_sandbox_commands_share_its_saved_state() {
    let home = tempfile::tempdir().expect("a folder");
    let run = |words: &[&str]| {
        let outcome = at_home(home.path(), words, "");
        assert_eq!(outcome.code, 0, "{words:?}: {}", outcome.err);
        outcome.out
    };
    run(&with_yes(&LIMIT_ORDER));
    let open = ["spot", "open-orders"];
    let listed = run(&open);
    assert!(listed.contains("orderId"), "{listed}");

    run(&["sandbox", "up", "--detach"]);
    assert_eq!(run(&open), listed, "also in the background");
    assert_eq!(at_home(home.path(), &["sandbox", "reset", "--yes"], "").code, 2, "it is running");
    run(&["sandbox", "down"]);
    run(&["sandbox", "reset", "--yes"]);
    assert_eq!(run(&open), "");

    let taken = ["sandbox", "up", "--detach", "--spot", "192.0.2.1:80"];
    let refused = at_home(home.path(), &taken, "");
    assert!(refused.code == 1 && refused.err.contains("192.0.2.1:80"), "{}", refused.err);
}

/// `sandbox down` returns before the former sandbox has released its data folder.
#[cfg(unix)]
#[test]
fn a_start_waits_for_a_data_folder_that_is_in_use() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let data = data.to_str().expect("a path");
    let former = Up::start(&["--data", data]);
    let home = tempfile::tempdir().expect("a folder");
    let mut next = Running::start_at_home(
        home.path(),
        &["sandbox", "up", "--pairs", "BTC_USDT", "--contracts", "BTCUSDT", "--data", data],
    );
    next.wait_for("waiting for the data folder");
    assert_eq!(former.run(&["sandbox", "down"]).code, 0);
    next.wait_for("commands without keys now use this sandbox");
    let down = at_home(home.path(), &["sandbox", "down"], "");
    assert_eq!(down.code, 0, "{}", down.err);
    assert_eq!(next.end().code, 0);
}

#[test]
fn it_starts_with_the_given_balances() {
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
    for (words, text) in [
        (["sandbox", "up", "--fund", "BTC"], "does not have the form CURRENCY=AMOUNT"),
        (["sandbox", "up", "--fund", "BTC=-1"], "is not an amount of BTC"),
        (["sandbox", "up", "--fund", "NOPE=1"], "no listed market uses the currency"),
    ] {
        let home = tempfile::tempdir().expect("a folder");
        let refused = at_home(home.path(), &words, "");
        assert!(refused.code == 2 && refused.err.contains(text), "{}", refused.err);
    }
}

#[test]
fn wallets_faults_and_keys_can_be_set() {
    let up = Up::start(&["--no-market"]);
    let wallet = up.row(&["sandbox", "fund", "USDT", "250.5", "--wallet", "funding"]);
    assert_eq!(wallet["available"], "250.5", "{wallet}");
    let wrong = up.run(&["sandbox", "fund", "NOPE", "1"]);
    assert!(wrong.code == 4 && wrong.err.contains("NOPE"), "{}", wrong.err);

    let new = ["sandbox", "keys", "--new", "--account", "2", "--permissions", "Read-only"];
    let key = up.row(&new);
    assert_eq!((&key["account"], &key["permissions"][0]), (&2.into(), &"Read-only".into()));

    up.row(&["sandbox", "fault", "maintenance", "/spot/v2/submit_order"]);
    assert_eq!(up.run(&with_yes(&LIMIT_ORDER)).code, 7);
    up.row(&["sandbox", "fault", "maintenance", "/spot/v2/submit_order", "--times", "9"]);
    assert_eq!(up.run(&["sandbox", "fault", "--clear"]).code, 0);
    assert_eq!(up.run(&with_yes(&LIMIT_ORDER)).code, 0);
    assert_eq!(up.run(&["sandbox", "fault"]).code, 2);
}

/// Commands that follow from the calls of the operator.
#[test]
fn every_call_of_the_operator_is_a_command() {
    let up = Up::start(&["--no-market"]);
    let order = with_yes(&LIMIT_ORDER);
    assert_eq!(up.row(&["sandbox", "halt-market", "btc_usdt"])["halted"], true);
    assert_ne!(up.run(&order).code, 0, "the market is halted");
    up.row(&["sandbox", "halt-market", "BTC_USDT", "--halted", "false"]);
    up.row(&["sandbox", "freeze-account"]);
    let frozen = up.run(&order);
    assert!(frozen.code != 0 && frozen.err.contains("53000"), "{}", frozen.err);
    up.row(&["sandbox", "freeze-account", "--frozen", "false"]);
    assert_eq!(up.run(&order).code, 0);
    let book = up.row(&["sandbox", "book", "BTC_USDT"]);
    assert_eq!(book["bids"].as_array().map(Vec::len), Some(1), "{book}");
    let terms = up.row(&["sandbox", "set-network", "USDT-TRC20", "--fee", "2", "--memo", "true"]);
    assert_eq!((&terms["terms.fee"], &terms["terms.memo"]), (&"2".into(), &true.into()));
    let unknown = up.run(&["sandbox", "halt-market", "NOPE"]);
    assert!(unknown.code == 4 && unknown.err.contains("there is no market"), "{}", unknown.err);
    assert_eq!(up.run(&["sandbox", "halt-market"]).code, 2, "without a symbol");
}

#[test]
fn a_stopped_clock_is_moved_and_a_snapshot_is_restored() {
    let first = Up::start(&["--clock", "1700000000000"]);
    let now = |up: &Up, words: &[&str]| up.row(words)["now_ms"].as_u64().expect("a number");
    assert_eq!(now(&first, &["sandbox", "clock", "--advance", "5000"]), 1_700_000_005_000);
    assert_eq!(now(&first, &["sandbox", "clock", "--steps", "10"]), 1_700_000_006_000);
    let file = first.home.path().join("saved.json");
    let file = file.to_str().expect("a path");
    assert_eq!(first.run(&["sandbox", "snapshot", file]).code, 0);
    let second = Up::start(&["--restore", file]);
    assert_eq!(now(&second, &["sandbox", "clock"]), 1_700_000_006_000);
    // A running clock continues from the time of the snapshot.
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
fn a_deposit_is_credited_after_its_delay() {
    let up = Up::start(&["--no-market", "--clock", "1700000000000", "--fund", "BTC=1"]);
    let deposit = up.row(&["sandbox", "deposit", "btc", "2.5"]);
    assert!(deposit["deposit_id"].is_string() && deposit["currency"] == "BTC", "{deposit}");
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
fn addresses_and_key_are_printed_for_programs() {
    let up = Up::start(&[]);
    let value = |language: &str| {
        let given = up.run(&["sandbox", "env", language]);
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

/// The variables of `sandbox env` select the sandbox for the program as well.
#[cfg(unix)]
#[test]
fn a_shell_with_the_variables_uses_the_sandbox() {
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

/// A sandbox does not need the key of the exchange, and the environment of a process stays readable while it
/// runs.
#[cfg(target_os = "linux")]
#[test]
fn a_detached_sandbox_does_not_inherit_a_key() {
    let home = tempfile::tempdir().expect("a folder");
    let canary = "tw5Kd8canaryenvironment2Zr";
    let up = program(home.path())
        .args(["sandbox", "up", "--detach", "--no-market", "--pairs", "BTC_USDT"])
        .envs(["KEY", "SECRET", "MEMO"].map(|name| (format!("BITMART_API_{name}"), canary)))
        .output()
        .expect("it runs");
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    let home_text = home.path().to_str().expect("text");
    let (mut found, mut shown) = (false, false);
    for process in fs::read_dir("/proc").expect("processes").flatten() {
        // Processes of other users, and ended ones, cannot be read.
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment);
        found |= environment.contains(home_text);
        shown |= environment.contains(canary);
    }
    assert_eq!(at_home(home.path(), &["sandbox", "down"], "").code, 0);
    assert!(found && !shown, "found {found}, shown {shown}");
}

#[test]
fn down_stops_it_and_removes_the_ready_file() {
    let mut up = Up::start(&["--tls"]);
    let ready = up.home.path().join(".bitmart/sandbox/ready.json");
    assert!(ready.exists());
    let second = up.run(&["sandbox", "up"]);
    assert_eq!(second.code, 2, "{}", second.err);
    assert_eq!(up.run(&["spot", "ticker", "BTC_USDT"]).code, 0, "over TLS");
    assert_eq!(up.run(&["sandbox", "down"]).code, 0);
    assert!(up.child.wait().expect("it ends").success());
    assert!(!ready.exists());
    assert_eq!(up.run(&["sandbox", "down"]).code, 3, "none is running");
}

#[test]
fn a_stale_ready_file_is_ignored() {
    let mut up = Up::start(&[]);
    up.child.kill().expect("it is killed");
    up.child.wait().expect("it ends");
    let ready = up.home.path().join(".bitmart/sandbox/ready.json");
    assert!(ready.exists(), "nothing removed it");
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
    let mut up = Up::start(&[]);
    crate::common::process::send_signal(&up.child, rustix::process::Signal::INT);
    assert!(up.child.wait().expect("it ends").success());
    assert!(!up.home.path().join(".bitmart/sandbox/ready.json").exists());
}
