//! `guard`: whatever ends the program, its orders are cancelled.
#![cfg(unix)]

mod common;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bitmart::sandbox::Fault;
use common::{Place, bitmart, sandbox};

const GUARD: [&str; 4] = ["guard", "BTC_USDT", "BTCUSDT", "--yes"];
const CANCEL: &str = "/spot/v4/cancel_all";

fn place_order(place: &Place) {
    let order = ["spot", "submit-order", "BTC_USDT", "buy", "limit", "--size", "0.01"];
    let done = bitmart(place, &[&order[..], &["--price", "50000", "--yes"]].concat());
    assert_eq!(done.code, 0, "{}", done.err);
}

fn open_orders(place: &Place) -> String {
    let open = bitmart(place, &["spot", "open-orders", "--symbol", "BTC_USDT"]);
    assert_eq!(open.code, 0, "{}", open.err);
    open.out
}

fn guard(place: &Place, more: &[&str]) -> common::Outcome {
    let ready = place.ready_file();
    let env = ["--env", ready.to_str().expect("a name in UTF-8")];
    // Before the words of the program.
    common::at_home(place.home(), &[&GUARD[..], &env, more].concat(), "")
}

#[test]
fn the_end_of_the_program_cancels() {
    let place = sandbox();
    place_order(&place);
    assert!(open_orders(&place).contains("50000"));
    let done = guard(&place, &["--", "true"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.contains("guarding") && done.err.contains("the program ended"),
        "{}",
        done.err
    );
    assert!(!open_orders(&place).contains("50000"));
}

#[test]
fn a_program_that_no_longer_touches_its_file_is_killed_and_its_orders_are_cancelled() {
    let place = sandbox();
    place_order(&place);
    let file = place.home().join("alive");
    std::fs::write(&file, "").expect("a file");
    let file = file.to_str().expect("a name in UTF-8");
    let begin = Instant::now();
    let done = guard(&place, &["--file", file, "--within", "1", "--", "sleep", "600"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("was not touched"), "{}", done.err);
    assert!(begin.elapsed() < Duration::from_secs(300), "the program was killed");
    assert!(!open_orders(&place).contains("50000"));
}

#[test]
fn orders_that_may_be_open_are_no_success() {
    let place = sandbox();
    place_order(&place);
    place.sandbox.inject(Fault::DropBefore.on(CANCEL).times(u32::MAX));
    place.sandbox.inject(Fault::Banned.on("/spot/v4/query/open-orders").times(1));
    // The key is tried before the program starts.
    let done = guard(&place, &["--", "true"]);
    assert_ne!(done.code, 0, "{}", done.err);
    assert!(!done.err.contains("guarding"), "{}", done.err);
}

#[test]
fn without_a_yes_and_a_terminal_nothing_is_guarded() {
    let place = sandbox();
    let done = bitmart(&place, &["guard", "BTC_USDT"]);
    assert_eq!(done.code, 9, "{}", done.err);
}

#[test]
fn a_polite_kill_cancels() {
    let place = sandbox();
    place_order(&place);
    let mut child = Command::new(env!("CARGO_BIN_EXE_bitmart"))
        .args(GUARD)
        .args(["--env", place.ready_file().to_str().expect("a name in UTF-8")])
        .env_clear()
        .env("HOME", place.home())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut err = std::io::BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("guarding") {
        line.clear();
        let read = std::io::BufRead::read_line(&mut err, &mut line).expect("text");
        assert!(read > 0, "it ended before it guarded");
    }
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("a process"), rustix::process::Signal::TERM)
        .expect("sent");
    // Read to the end, so that it is not held up.
    std::io::copy(&mut err, &mut std::io::sink()).expect("text");
    assert!(child.wait().expect("it ends").success());
    assert!(!open_orders(&place).contains("50000"));
}
