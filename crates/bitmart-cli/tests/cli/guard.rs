//! `guard`: the orders of a program are canceled, whatever ends it.

use std::time::{Duration, Instant};

use bitmart::sandbox::Fault;
use rustix::process::Signal;

use crate::common::process::Running;
use crate::common::{LIMIT_ORDER, Outcome, Place, at_home, bitmart, sandbox, with_yes};

const GUARD: [&str; 4] = ["guard", "BTC_USDT", "BTCUSDT", "--yes"];
const CANCEL: &str = "/spot/v4/cancel_all";

fn place_order(place: &Place) {
    let done = bitmart(place, &with_yes(&LIMIT_ORDER));
    assert_eq!(done.code, 0, "{}", done.err);
}

fn open_orders(place: &Place) -> String {
    let open = bitmart(place, &["spot", "open-orders", "--symbol", "BTC_USDT"]);
    assert_eq!(open.code, 0, "{}", open.err);
    open.out
}

fn guard(place: &Place, more: &[&str]) -> Outcome {
    let ready = place.ready_file();
    let env = ["--env", ready.to_str().expect("a name in UTF-8")];
    // Before the arguments of the program.
    at_home(place.home(), &[&GUARD[..], &env, more].concat(), "")
}

#[test]
fn orders_are_canceled_when_the_program_ends() {
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
fn a_program_that_no_longer_touches_its_file_is_killed_and_its_orders_are_canceled() {
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
fn guarding_does_not_start_if_the_key_check_fails() {
    let place = sandbox();
    place_order(&place);
    place.sandbox.inject(Fault::DropBefore.on(CANCEL).times(u32::MAX));
    place.sandbox.inject(Fault::Banned.on("/spot/v4/query/open-orders").times(1));
    // The key is checked before the program starts.
    let done = guard(&place, &["--", "true"]);
    assert_ne!(done.code, 0, "{}", done.err);
    assert!(!done.err.contains("guarding"), "{}", done.err);
}

#[test]
fn guarding_needs_a_confirmation() {
    let place = sandbox();
    let done = bitmart(&place, &["guard", "BTC_USDT"]);
    assert_eq!(done.code, 9, "{}", done.err);
}

#[test]
fn orders_are_canceled_at_sigterm() {
    let place = sandbox();
    place_order(&place);
    let mut guard = Running::start(&place, &GUARD);
    guard.wait_for("guarding");
    guard.signal(Signal::TERM);
    let done = guard.end();
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(!open_orders(&place).contains("50000"));
}

#[test]
fn what_the_program_started_is_killed_with_it() {
    let place = sandbox();
    place_order(&place);
    let file = place.home().join("alive");
    let file = file.to_str().expect("a name in UTF-8");
    // Its child keeps standard error open: the test waits for both.
    let begin = Instant::now();
    let done =
        guard(&place, &["--file", file, "--within", "1", "--", "sh", "-c", "sleep 600 & wait"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(begin.elapsed() < Duration::from_secs(300), "its child was killed");
    // Also if the program itself has ended.
    let begin = Instant::now();
    let done = guard(&place, &["--", "sh", "-c", "sleep 600 &"]);
    assert!(done.code == 0 && done.err.contains("the program ended"), "{}", done.err);
    assert!(begin.elapsed() < Duration::from_secs(300), "its child was killed");
}

#[test]
fn a_file_with_a_time_in_the_future_has_to_be_touched_again() {
    let place = sandbox();
    let path = place.home().join("alive");
    let file = std::fs::File::create(&path).expect("a file");
    let tomorrow = std::time::SystemTime::now() + Duration::from_secs(86_400);
    file.set_modified(tomorrow).expect("a time");
    let path = path.to_str().expect("a name in UTF-8");
    let begin = Instant::now();
    let done = guard(&place, &["--file", path, "--within", "1", "--", "sleep", "600"]);
    assert!(done.code == 0 && done.err.contains("was not touched"), "{}", done.err);
    assert!(begin.elapsed() < Duration::from_secs(300), "the program was killed");
}

#[test]
fn a_signal_is_forwarded_to_the_program() {
    let place = sandbox();
    place_order(&place);
    let ready = place.ready_file();
    let env = ["--env", ready.to_str().expect("a name in UTF-8")];
    let script =
        "trap 'echo ended by itself >&2; exit' INT; echo started >&2; while :; do sleep 0.1; done";
    let words = [&GUARD[..], &env, &["--", "sh", "-c", script]].concat();
    let mut guard = Running::start_at_home(place.home(), &words);
    guard.wait_for("started");
    guard.signal(Signal::INT);
    let done = guard.end();
    assert!(done.code == 0 && done.err.contains("ended by itself"), "{}", done.err);
    assert!(!open_orders(&place).contains("50000"));
}
