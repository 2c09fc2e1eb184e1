//! `--columns` and `--time-format`.

use crate::common::terminal::Session;
use crate::common::{MARKET_ORDER, Place, bitmart, sandbox};

const CANDLES: [&str; 8] = ["spot", "klines", "BTC_USDT", "--limit", "3", "-o", "csv", "--columns"];

#[test]
fn named_columns_are_written_in_the_given_order() {
    let place = sandbox();
    let csv = bitmart(&place, &[&CANDLES[..], &["c,t"]].concat());
    assert_eq!(csv.code, 0, "{}", csv.err);
    assert!(csv.out.starts_with("c,t\n"), "{}", csv.out);
    let words = ["spot", "ticker", "BTC_USDT", "-o", "table", "--columns", "LAST,symbol"];
    let table = bitmart(&place, &words);
    let mut lines = table.out.lines();
    let names: Vec<_> = lines.next().expect("a line").split_whitespace().collect();
    assert_eq!(names, ["last", "symbol"], "{}", table.err);
    assert!(lines.next().is_some_and(|line| line.ends_with("BTC_USDT")), "{}", table.out);
}

#[test]
fn an_unknown_column_is_rejected_with_a_list_of_known_ones() {
    let place = sandbox();
    let wrong = bitmart(&place, &[&CANDLES[..], &["t,close"]].concat());
    assert_eq!(wrong.code, 2);
    assert!(wrong.out.is_empty(), "{}", wrong.out);
    let wanted = "there is no column \"close\"; the columns are t, o, h, l, c, v";
    assert!(wrong.err.contains(wanted), "{}", wrong.err);
    for words in [["-o", "json", "--columns", "t"], ["-o", "raw", "--time-format", "iso"]] {
        let words = [&["spot", "klines", "BTC_USDT"][..], &words].concat();
        let wrong = bitmart(&place, &words);
        assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
        assert!(wrong.err.contains("are for table, ndjson and csv"), "{}", wrong.err);
    }
}

#[test]
fn a_request_with_an_unknown_column_is_not_sent() {
    let place = sandbox();
    let order = |column| {
        bitmart(&place, &[&MARKET_ORDER[..], &["-y", "-o", "csv", "--columns", column]].concat())
    };
    let wrong = order("id");
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("the columns are order_id"), "{}", wrong.err);
    assert!(place.block_on(async { place.sandbox.orders().len() }) == 0, "an order was sent");
    let right = order("order_id");
    assert_eq!(right.code, 0, "{}", right.err);
    assert!(right.out.starts_with("order_id\n"), "{}", right.out);
}

#[test]
fn times_are_written_in_the_selected_format() {
    let place = sandbox();
    let times = |words: &[&str]| {
        let klines = ["spot", "klines", "BTC_USDT", "--limit", "1", "--columns", "t"];
        let done = bitmart(&place, &[&klines[..], words].concat());
        assert_eq!(done.code, 0, "{}", done.err);
        done.out
    };
    let is_iso = |text: &str| text.contains(":00.000Z");
    assert!(!is_iso(&times(&["-o", "csv"])));
    assert!(is_iso(&times(&["-o", "csv", "--time-format", "iso"])));
    assert!(is_iso(&times(&["-o", "ndjson", "--time-format", "ISO"])));
    assert!(is_iso(&times(&["-o", "table"])));
    assert!(!is_iso(&times(&["-o", "table", "--time-format", "unix"])));
}

/// The output at a terminal with this number of columns.
fn on_terminal(place: &Place, columns: u16, words: &[&str]) -> String {
    Session::start_sized(place, 40, columns, words).output()
}

#[test]
fn a_table_fits_its_terminal_and_lists_the_omitted_columns() {
    let place = sandbox();
    let words = ["futures", "contracts"];
    let narrow = on_terminal(&place, 80, &words);
    let (table, note) = narrow.split_once(" columns fit; --columns all").expect("a note");
    let table = table.rsplit_once('\n').expect("lines").0;
    for line in table.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let names = table.lines().next().expect("a line");
    assert!(names.contains("symbol"), "every row has it: {names}");
    assert!(note.contains("funding_rate") || names.contains("funding_rate"), "{note}");
    let all = on_terminal(&place, 80, &[&words[..], &["--columns", "all"]].concat());
    assert!(!all.contains("columns fit"), "{all}");
    assert!(all.lines().next().expect("a line").contains("funding_rate"), "{all}");
    let piped = bitmart(&place, &[&words[..], &["-o", "table"]].concat());
    assert!(piped.out.lines().next().expect("a line").contains("funding_rate"));
    assert!(piped.err.is_empty(), "{}", piped.err);
}
