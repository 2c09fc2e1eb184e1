//! `watch`: channels of the sandbox as lines.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::common::process::send_signal;
use crate::common::{MARKET_ORDER, Place, at_sandbox, bitmart, sandbox, with_yes};

/// A running `watch` that prints NDJSON.
struct Watch {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Watch {
    fn start(place: &Place, words: &[&str]) -> Self {
        let mut child = at_sandbox(place, &[&["watch"], words].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, out }
    }

    /// The next line that matches.
    fn wait_for(&mut self, matches: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.out.read_line(&mut line).expect("text") > 0, "it ended");
            let value: Value = serde_json::from_str(&line).expect("JSON");
            if matches(&value) {
                return value;
            }
        }
    }

    fn wait_for_event(&mut self, name: &str) -> Value {
        self.wait_for(|line| line["event"] == name)
    }

    /// Sends ctrl-c and returns the exit code.
    fn interrupt(mut self) -> Option<i32> {
        send_signal(&self.child, Signal::INT);
        self.child.wait().expect("it ends").code()
    }
}

#[test]
fn prints_rows_and_reports_a_lost_connection() {
    let place = sandbox();
    let mut watch = Watch::start(&place, &["ticker", "BTC_USDT", "BTCUSDT"]);
    for topic in ["spot/ticker:BTC_USDT", "futures/ticker:BTCUSDT"] {
        watch.wait_for(|line| line["topic"] == topic && line.get("symbol").is_some());
    }
    place.sandbox.kill_sockets();
    let lost = watch.wait_for_event("reconnecting");
    assert!(lost["detail"].as_str().is_some_and(|text| !text.is_empty()), "{lost}");
    let topic = lost["topic"].clone();
    watch.wait_for(|line| line["event"] == "resynced" && line["topic"] == topic);
    watch.wait_for(|line| line["symbol"].is_string() && line["topic"] == topic);
    assert_eq!(watch.interrupt(), Some(0));
}

#[test]
fn one_interrupt_ends_it_at_any_moment() {
    let place = sandbox();
    for _ in 0..10 {
        let mut watch = Watch::start(&place, &["ticker", "BTC_USDT", "BTCUSDT"]);
        watch.wait_for(|line| line.get("symbol").is_some());
        assert_eq!(watch.interrupt(), Some(0));
    }
}

/// As in `watch … | head -1`.
#[test]
fn it_succeeds_when_the_reader_closes_the_pipe() {
    let place = sandbox();
    // `orders` writes nothing more, so it does not notice the closed pipe by writing.
    for words in [&["ticker", "BTC_USDT"][..], &["orders"]] {
        let Watch { mut child, mut out } = Watch::start(&place, words);
        out.read_line(&mut String::new()).expect("a line");
        drop(out);
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{words:?}");
    }
}

#[test]
fn prints_own_orders_and_balances() {
    let place = sandbox();
    let mut orders = Watch::start(&place, &["orders"]);
    let mut balances = Watch::start(&place, &["balances"]);
    orders.wait_for_event("subscribed");
    balances.wait_for_event("subscribed");
    let sent = bitmart(&place, &with_yes(&MARKET_ORDER));
    assert_eq!(sent.code, 0, "{}", sent.err);
    let seen = orders.wait_for(|line| line["symbol"] == "BTC_USDT");
    assert_eq!(seen["side"], "buy", "{seen}");
    balances.wait_for(|line| line["balance_details"].is_array());
    assert_eq!((orders.interrupt(), balances.interrupt()), (Some(0), Some(0)));
}

#[test]
fn a_table_has_one_header_and_the_best_levels_of_a_book() {
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

#[test]
fn times_are_written_in_the_selected_format_and_zone() {
    let place = sandbox();
    let watch = |words: &[&str]| {
        let seen = bitmart(&place, &[&["watch", "--count", "1"], words].concat());
        assert_eq!(seen.code, 0, "{words:?}: {}", seen.err);
        seen
    };
    let ticker = |words: &[&str]| {
        let seen = watch(&[&["ticker", "BTC_USDT"], words].concat());
        let rows = seen.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        rows.into_iter().find(|row| row.get("ms_t").is_some()).expect("a row")["ms_t"].clone()
    };
    assert!(ticker(&[]).is_u64(), "as received");
    let iso = ticker(&["--time-format", "iso"]);
    assert!(iso.as_str().is_some_and(|time| time.ends_with('Z')), "{iso}");
    let zoned = ticker(&["--time-format", "iso", "--timezone", "Asia/Kolkata"]);
    assert!(zoned.as_str().is_some_and(|time| time.ends_with('Z')), "only tables: {zoned}");

    let table = watch(&["trades", "BTC_USDT", "-o", "table", "--timezone", "Asia/Kolkata"]);
    assert!(table.out.contains("+05:30"), "{}", table.out);
    assert!(table.err.contains("+05:30"), "events, too: {}", table.err);
    let candle = watch(&["klines", "BTC_USDT", "-o", "csv", "--time-format", "iso"]);
    assert!(candle.out.contains(":00.000Z"), "{}", candle.out);
}

#[test]
fn columns_are_selected_as_in_commands() {
    let place = sandbox();
    let ticker = ["watch", "ticker", "BTC_USDT", "--count", "1", "-o", "csv", "--columns"];
    let seen = bitmart(&place, &[&ticker[..], &["last_price,symbol"]].concat());
    assert!(seen.out.starts_with("last_price,symbol\n"), "{}{}", seen.out, seen.err);
    let wrong = bitmart(&place, &[&ticker[..], &["nothing"]].concat());
    assert!(wrong.code == 2 && wrong.err.contains("there is no column"), "{}", wrong.err);
}
