//! What a signal and a lost response leave behind: nothing with an effect ends without a word, and the exit
//! code tells scripts what happened.
#![cfg(unix)]

mod common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};

use bitmart::sandbox::{Config, Fault};
use common::{Outcome, Place, bitmart, sandbox, sandbox_of};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const ORDER: [&str; 10] = [
    "spot",
    "submit-order",
    "BTC_USDT",
    "buy",
    "limit",
    "--size",
    "0.01",
    "--price",
    "50000",
    "-y",
];
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

/// The program while it runs.
struct Run {
    child: Child,
    err: BufReader<ChildStderr>,
    read: String,
}

impl Run {
    fn start(place: &Place, words: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bitmart"))
            .args(words)
            .args(["--env", place.ready_file().to_str().expect("a name in UTF-8")])
            .env_clear()
            .env("HOME", place.home())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let err = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, err, read: String::new() }
    }

    /// Starts it and waits until its request has reached the exchange, where it is held back.
    fn held(place: &Place, words: &[&str], fault: Fault, path: &str) -> Self {
        place.sandbox.inject(fault.on(path));
        let run = Self::start(place, words);
        place.wait_until_held(path);
        run
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process"), signal).expect("sent");
    }

    /// Reads standard error until a line has this text.
    fn until(&mut self, text: &str) {
        loop {
            let mut line = String::new();
            let read = self.err.read_line(&mut line).expect("text");
            assert!(read > 0, "it ended before it said {text:?}: {}", self.read);
            self.read += &line;
            if line.contains(text) {
                return;
            }
        }
    }

    fn end(mut self) -> Outcome {
        self.err.read_to_string(&mut self.read).expect("text");
        let output = self.child.wait_with_output().expect("it ends");
        Outcome {
            code: output.status.code().unwrap_or(common::SIGNALLED),
            out: String::from_utf8(output.stdout).expect("text"),
            err: self.read,
        }
    }
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
fn a_signal_waits_for_the_response_and_ends_with_its_outcome() {
    for signal in [Signal::INT, Signal::TERM] {
        let place = sandbox();
        let mut run = Run::held(&place, &ORDER, Fault::HoldAfter, SUBMIT);
        run.signal(signal);
        run.until("waiting for the response");
        place.sandbox.clear_faults();
        let done = run.end();
        assert_eq!(done.code, 0, "{}", done.err);
        assert_eq!(row(&done)["order_id"], place.sandbox.orders()[0].order_id);
    }
}

#[test]
fn a_signal_does_not_hide_a_refusal() {
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
    let mut run = Run::held(&place, &order, Fault::HoldAfter, SUBMIT);
    run.signal(Signal::INT);
    run.until("waiting for the response");
    place.sandbox.clear_faults();
    let refused = run.end();
    assert_eq!((refused.code, refused.out.as_str()), (4, ""), "{}", refused.err);
}

#[test]
fn a_second_signal_stops_waiting_and_tells_how_to_find_out() {
    for (fault, arrived) in [(Fault::HoldAfter, 1), (Fault::HoldBefore, 0)] {
        let place = sandbox();
        let mut run = Run::held(&place, &ORDER, fault, SUBMIT);
        run.signal(Signal::INT);
        run.until("waiting for the response");
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
fn an_order_whose_response_was_lost_has_a_code_and_its_id_as_data() {
    for fault in [Fault::DropAfter, Fault::HtmlAfter(502), Fault::TruncatedJson] {
        let place = sandbox();
        place.sandbox.inject(fault.on(SUBMIT));
        let lost = bitmart(&place, &ORDER);
        assert_eq!(lost.code, 11, "{fault:?}: {}", lost.err);
        let order = &place.sandbox.orders()[0];
        assert_eq!(row(&lost)["order_id"], order.order_id, "{}", lost.out);
        assert_eq!(row(&lost)["client_order_id"], order.client_order_id);
        assert!(lost.err.contains("do not send it again"), "{}", lost.err);
    }
    // A refusal is not that.
    let place = sandbox();
    let refused = bitmart(&place, &["spot", "cancel-order", "BTC_USDT", "--order-id", "1", "-y"]);
    assert_eq!((refused.code, refused.out.as_str()), (4, ""), "{}", refused.err);
}

#[test]
fn a_futures_order_whose_response_was_lost_is_found() {
    let place = sandbox();
    place.lose_next_answer("/contract/private/submit-order");
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
fn a_withdrawal_whose_response_was_lost_is_found_in_the_history() {
    let place = sandbox();
    // One like it from before is not taken for it.
    let first = bitmart(&place, &WITHDRAWAL);
    assert_eq!(first.code, 0, "{}", first.err);
    place.lose_next_answer(APPLY);
    let lost = bitmart(&place, &WITHDRAWAL);
    assert_eq!(lost.code, 11, "{}", lost.err);
    assert_ne!(row(&lost)["withdraw_id"], row(&first)["withdraw_id"]);
    assert_eq!(withdrawals(&place), 2);
}

#[test]
fn a_withdrawal_that_never_arrived_is_told_as_such_once_it_cannot_arrive_any_more() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    let now = u64::try_from(now.as_millis()).expect("a time");
    let place = sandbox_of(Config::new().stepped_clock(now));
    place.sandbox.inject(Fault::DropBefore.on(APPLY));
    let mut run = Run::start(&place, &WITHDRAWAL);
    run.until("asking the exchange");
    place.sandbox.advance(std::time::Duration::from_secs(90));
    let lost = run.end();
    assert_eq!((lost.code, lost.out.as_str()), (3, ""), "{}", lost.err);
    assert!(lost.err.contains("safe to send it again"), "{}", lost.err);
    assert_eq!(withdrawals(&place), 0);
}

#[test]
fn asking_for_a_lost_withdrawal_can_be_stopped() {
    let place = sandbox();
    place.sandbox.inject(Fault::DropBefore.on(APPLY));
    let mut run = Run::start(&place, &WITHDRAWAL);
    run.until("asking the exchange");
    run.signal(Signal::INT);
    let unknown = run.end();
    assert_eq!(unknown.code, 8, "{}", unknown.err);
    assert!(unknown.err.contains("account funding-history withdraw"), "{}", unknown.err);
}

#[test]
fn other_transfers_are_found_too() {
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
        place.lose_next_answer(path);
        let lost = bitmart(&place, &[words, &["-y"]].concat());
        assert_eq!(lost.code, 11, "{words:?}: {}", lost.err);
        assert_eq!(row(&lost)["outcome"], "done");
    }
}
