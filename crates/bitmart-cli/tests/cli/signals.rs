//! Signals and lost responses: the outcome of a request with an effect is always reported, also by the exit code.

use std::process::Stdio;

use bitmart::sandbox::{Config, Fault};
use rustix::process::Signal;
use serde_json::Value;

use crate::common::process::Running;
use crate::common::{
    LIMIT_ORDER, Outcome, Place, at_sandbox, bitmart, sandbox, sandbox_of, with_yes,
};

const SUBMIT: &str = "/spot/v2/submit_order";
const WITHDRAWAL: [&str; 7] = [
    "account",
    "withdraw",
    "USDT-ERC20",
    "100",
    "--address",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "-y",
];
const APPLY: &str = "/account/v1/withdraw/apply";

/// Starts the program and waits until its request has reached the exchange, where it is held back.
fn start_held(place: &Place, words: &[&str], fault: Fault, path: &str) -> Running {
    place.sandbox.inject(fault.on(path));
    let running = Running::start(place, words);
    place.wait_until_held(path);
    running
}

fn row(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.out)
        .unwrap_or_else(|error| panic!("{error}: {:?} {}", outcome.out, outcome.err))
}

fn withdrawals(place: &Place) -> usize {
    let history = bitmart(place, &["account", "funding-history", "withdraw", "100"]);
    assert_eq!(history.code, 0, "{}", history.err);
    history.out.lines().count()
}

#[test]
fn after_a_signal_the_program_waits_for_the_response() {
    for signal in [Signal::INT, Signal::TERM] {
        let place = sandbox();
        let mut run = start_held(&place, &with_yes(&LIMIT_ORDER), Fault::HoldAfter, SUBMIT);
        run.signal(signal);
        run.wait_for("waiting for the response");
        place.sandbox.clear_faults();
        let done = run.end();
        assert_eq!(done.code, 0, "{}", done.err);
        assert_eq!(row(&done)["order_id"], place.sandbox.orders()[0].order_id);
    }
}

#[test]
fn a_signal_does_not_hide_a_rejection() {
    let place = sandbox();
    let order = [
        "spot",
        "submit-order",
        "BTC_USDT",
        "sell",
        "limit",
        "--size",
        "900000",
        "--price",
        "50000",
        "-y",
    ];
    let mut run = start_held(&place, &order, Fault::HoldAfter, SUBMIT);
    run.signal(Signal::INT);
    run.wait_for("waiting for the response");
    place.sandbox.clear_faults();
    let rejected = run.end();
    assert_eq!((rejected.code, rejected.out.as_str()), (4, ""), "{}", rejected.err);
}

#[test]
fn a_second_signal_stops_waiting_and_prints_how_to_query_the_outcome() {
    for (fault, arrived) in [(Fault::HoldAfter, 1), (Fault::HoldBefore, 0)] {
        let place = sandbox();
        let mut run = start_held(&place, &with_yes(&LIMIT_ORDER), fault, SUBMIT);
        run.signal(Signal::INT);
        run.wait_for("waiting for the response");
        run.signal(Signal::TERM);
        let unknown = run.end();
        assert_eq!(unknown.code, 8, "{}", unknown.err);
        let row = row(&unknown);
        assert_eq!(row["outcome"], "unknown");
        let id = row["client_order_id"].as_str().expect("a text");
        let advice = format!("bitmart spot order-by-client-id {id}");
        assert!(unknown.err.contains(&advice), "{}", unknown.err);
        place.wait_until_free(SUBMIT);
        assert_eq!(place.sandbox.orders().len(), arrived);
        if arrived == 1 {
            assert_eq!(place.sandbox.orders()[0].client_order_id, id);
            let found = bitmart(&place, &["spot", "order-by-client-id", id]);
            assert_eq!(found.code, 0, "{}", found.err);
        }
    }
}

#[test]
fn an_order_with_a_lost_response_is_found_and_its_ids_are_printed() {
    for fault in [Fault::DropAfter, Fault::HtmlAfter(502), Fault::TruncatedJson] {
        let place = sandbox();
        place.sandbox.inject(fault.on(SUBMIT));
        let lost = bitmart(&place, &with_yes(&LIMIT_ORDER));
        assert_eq!(lost.code, 11, "{fault:?}: {}", lost.err);
        let order = &place.sandbox.orders()[0];
        assert_eq!(row(&lost)["order_id"], order.order_id, "{}", lost.out);
        assert_eq!(row(&lost)["client_order_id"], order.client_order_id);
        assert!(lost.err.contains("do not send it again"), "{}", lost.err);
    }
    // A rejection has another code.
    let place = sandbox();
    let rejected = bitmart(&place, &["spot", "cancel-order", "BTC_USDT", "--order-id", "1", "-y"]);
    assert_eq!((rejected.code, rejected.out.as_str()), (4, ""), "{}", rejected.err);
}

#[test]
fn a_futures_order_with_a_lost_response_is_found() {
    let place = sandbox();
    place.lose_next_response("/contract/private/submit-order");
    let order = [
        "futures",
        "submit-order",
        "BTCUSDT",
        "1",
        "1",
        "--type",
        "limit",
        "--price",
        "50000",
        "--leverage",
        "10",
        "--open-type",
        "cross",
        "-y",
    ];
    let lost = bitmart(&place, &order);
    assert_eq!(lost.code, 11, "{}", lost.err);
    assert_eq!(row(&lost)["order_id"], place.sandbox.orders()[0].order_id);
}

#[test]
fn a_withdrawal_with_a_lost_response_is_found_in_the_history() {
    let place = sandbox();
    // An earlier equal withdrawal is not confused with it.
    let first = bitmart(&place, &WITHDRAWAL);
    assert_eq!(first.code, 0, "{}", first.err);
    place.lose_next_response(APPLY);
    let lost = bitmart(&place, &WITHDRAWAL);
    assert_eq!(lost.code, 11, "{}", lost.err);
    assert_ne!(row(&lost)["withdraw_id"], row(&first)["withdraw_id"]);
    assert_eq!(withdrawals(&place), 2);
}

#[test]
fn a_withdrawal_whose_response_cannot_be_printed_is_not_reported_as_a_failure() {
    let place = sandbox();
    let (closed, open) = std::io::pipe().expect("a pipe");
    drop(closed);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("it exists");
    for (number, out) in [(1, Stdio::from(full)), (2, Stdio::from(open))] {
        let child = at_sandbox(&place, &WITHDRAWAL).stdout(out).stderr(Stdio::piped()).spawn();
        let done = child.and_then(std::process::Child::wait_with_output).expect("it runs");
        let err = String::from_utf8(done.stderr).expect("text");
        assert_eq!(done.status.code(), Some(11), "{err}");
        assert!(err.contains("withdraw_id") && err.contains("do not send it again"), "{err}");
        assert_eq!(withdrawals(&place), number);
    }
}

#[test]
fn a_lost_transfer_to_another_account_is_never_called_safe_to_send_again() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    let now = u64::try_from(now.as_millis()).expect("a time");
    let place = sandbox_of(Config::new().stepped_clock(now));
    place.sandbox.inject(Fault::DropBefore.on(APPLY));
    let words = ["account", "withdraw", "USDT", "5", "--type", "1", "--value", "2", "-y"];
    let mut run = Running::start(&place, &words);
    run.wait_for("querying the exchange");
    place.sandbox.advance(std::time::Duration::from_secs(90));
    let lost = run.end();
    assert_eq!(lost.code, 8, "{}", lost.err);
}

#[test]
fn a_withdrawal_that_never_arrived_is_reported_once_its_signature_has_expired() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    let now = u64::try_from(now.as_millis()).expect("a time");
    let place = sandbox_of(Config::new().stepped_clock(now));
    place.sandbox.inject(Fault::DropBefore.on(APPLY));
    let mut run = Running::start(&place, &WITHDRAWAL);
    run.wait_for("querying the exchange");
    place.sandbox.advance(std::time::Duration::from_secs(90));
    let lost = run.end();
    assert_eq!((lost.code, lost.out.as_str()), (3, ""), "{}", lost.err);
    assert!(lost.err.contains("safe to send it again"), "{}", lost.err);
    assert_eq!(withdrawals(&place), 0);
}

#[test]
fn the_query_of_a_lost_withdrawal_can_be_interrupted() {
    let place = sandbox();
    place.sandbox.inject(Fault::DropBefore.on(APPLY));
    let mut run = Running::start(&place, &WITHDRAWAL);
    run.wait_for("querying the exchange");
    run.signal(Signal::INT);
    let unknown = run.end();
    assert_eq!(unknown.code, 8, "{}", unknown.err);
    assert!(unknown.err.contains("account funding-history withdraw"), "{}", unknown.err);
}

#[test]
fn transfers_with_a_lost_response_are_found() {
    let place = sandbox();
    for (path, words) in [
        (
            "/account/v1/transfer-contract",
            &["futures", "transfer", "USDT", "10", "spot_to_contract"][..],
        ),
        ("/account/v1/transfer", &["account", "transfer", "USDT", "10", "spot_to_fund"]),
        (
            "/spot/v1/margin/isolated/transfer",
            &["margin", "transfer", "BTC_USDT", "USDT", "10", "in"],
        ),
        ("/spot/v1/margin/isolated/borrow", &["margin", "borrow", "BTC_USDT", "USDT", "10"]),
        ("/spot/v1/margin/isolated/repay", &["margin", "repay", "BTC_USDT", "USDT", "10"]),
    ] {
        place.lose_next_response(path);
        let lost = bitmart(&place, &[words, &["-y"]].concat());
        assert_eq!(lost.code, 11, "{words:?}: {}", lost.err);
        assert_eq!(row(&lost)["outcome"], "done");
    }
}
