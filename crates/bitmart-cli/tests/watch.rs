//! Watching channels of the sandbox.

#![cfg(unix)]

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use common::{Place, bitmart, sandbox};
use serde_json::Value;

/// A program that streams.
struct Watch {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Watch {
    fn start(place: &Place, words: &[&str]) -> Self {
        let ready = place.ready_file();
        let mut child = Command::new(env!("CARGO_BIN_EXE_bitmart"))
            .arg("watch")
            .args(words)
            .args(["--env", ready.to_str().expect("text")])
            .env_clear()
            .env("HOME", ready.parent().expect("a folder"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, out }
    }

    /// The next line for which something holds.
    fn until(&mut self, is: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.out.read_line(&mut line).expect("text") > 0, "it ended");
            let value: Value = serde_json::from_str(&line).expect("JSON");
            if is(&value) {
                return value;
            }
        }
    }

    fn event(&mut self, name: &str) -> Value {
        self.until(|line| line["event"] == name)
    }

    /// Ctrl-c, and how it ended.
    fn interrupt(mut self) -> Option<i32> {
        let child = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(child, rustix::process::Signal::INT).expect("a signal");
        self.child.wait().expect("it ends").code()
    }
}

#[test]
fn rows_come_and_a_lost_connection_is_a_line_of_its_own() {
    let place = sandbox();
    let mut watch = Watch::start(&place, &["ticker", "BTC_USDT", "BTCUSDT"]);
    for topic in ["spot/ticker:BTC_USDT", "futures/ticker:BTCUSDT"] {
        watch.until(|line| line["topic"] == topic && line.get("symbol").is_some());
    }
    place.sandbox.kill_sockets();
    let lost = watch.event("reconnecting");
    assert!(lost["detail"].as_str().is_some_and(|text| !text.is_empty()), "{lost}");
    let topic = lost["topic"].clone();
    watch.until(|line| line["event"] == "resynced" && line["topic"] == topic);
    watch.until(|line| line["symbol"].is_string() && line["topic"] == topic);
    assert_eq!(watch.interrupt(), Some(0));
}

#[test]
fn one_interrupt_ends_it_whatever_it_is_doing() {
    let place = sandbox();
    for _ in 0..10 {
        let mut watch = Watch::start(&place, &["ticker", "BTC_USDT", "BTCUSDT"]);
        // Between two lines, where nothing waits for a signal.
        watch.until(|line| line.get("symbol").is_some());
        assert_eq!(watch.interrupt(), Some(0));
    }
}

/// As `watch … | head -1` does.
#[test]
fn it_ends_well_when_its_reader_has_gone() {
    let place = sandbox();
    // One that has more to tell, and one that has nothing to tell and so never finds out by writing.
    for words in [&["ticker", "BTC_USDT"][..], &["orders"]] {
        let Watch { mut child, mut out } = Watch::start(&place, words);
        out.read_line(&mut String::new()).expect("a line");
        drop(out);
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{words:?}");
    }
}

#[test]
fn own_orders_and_balances_are_seen() {
    let place = sandbox();
    let mut orders = Watch::start(&place, &["orders"]);
    let mut balances = Watch::start(&place, &["balances"]);
    orders.event("subscribed");
    balances.event("subscribed");
    let order = ["spot", "submit-order", "BTC_USDT", "buy", "market", "--notional", "50", "-y"];
    let sent = bitmart(&place, &order);
    assert_eq!(sent.code, 0, "{}", sent.err);
    let seen = orders.until(|line| line["symbol"] == "BTC_USDT");
    assert_eq!(seen["side"], "buy", "{seen}");
    balances.until(|line| line["balance_details"].is_array());
    assert_eq!((orders.interrupt(), balances.interrupt()), (Some(0), Some(0)));
}

#[test]
fn a_table_has_names_once_and_the_best_of_a_book() {
    let place = sandbox();
    let seen = bitmart(&place, &["watch", "book", "BTCUSDT", "--count", "3", "-o", "table"]);
    assert_eq!(seen.code, 0, "{}", seen.err);
    let lines: Vec<_> = seen.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", seen.out);
    for name in ["bid", "ask", "bid_size", "ask_size", "symbol"] {
        assert!(lines[0].split_whitespace().any(|column| column == name), "{}", lines[0]);
    }
    assert!(seen.err.contains("-- subscribed futures/depthAll5:BTCUSDT"), "{}", seen.err);
    let wrong = bitmart(&place, &["watch", "ticker"]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
}
