//! Selection of columns, and formats of times.

#![cfg(unix)]

mod common;

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::process::{Command, Stdio};

use common::{Place, bitmart, sandbox};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

const CANDLES: [&str; 8] = ["spot", "klines", "BTC_USDT", "--limit", "3", "-o", "csv", "--columns"];

#[test]
fn shows_selected_columns_in_order() {
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
fn rejects_an_unknown_column_with_the_known_ones() {
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
fn sends_nothing_with_an_unknown_column() {
    let place = sandbox();
    let order = ["spot", "submit-order", "BTC_USDT", "buy", "market", "--notional", "50", "-y"];
    let wrong = bitmart(&place, &[&order[..], &["-o", "csv", "--columns", "id"]].concat());
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("the columns are order_id"), "{}", wrong.err);
    assert!(place.block_on(async { place.sandbox.orders().len() }) == 0, "an order was sent");
    let right = bitmart(&place, &[&order[..], &["-o", "csv", "--columns", "order_id"]].concat());
    assert_eq!(right.code, 0, "{}", right.err);
    assert!(right.out.starts_with("order_id\n"), "{}", right.out);
}

#[test]
fn formats_times_as_requested() {
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

/// Output of the program on a terminal of this width.
fn on_terminal(place: &Place, columns: u16, words: &[&str]) -> String {
    let mut terminal = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("one"));
    grantpt(&terminal).expect("a terminal");
    unlockpt(&terminal).expect("a terminal");
    let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).expect("a size");
    let name = ptsname(&terminal, Vec::new()).expect("a name");
    let open = || -> Stdio {
        let path = name.to_str().expect("a path");
        OpenOptions::new().read(true).write(true).open(path).expect("a terminal").into()
    };
    let ready = place.ready_file();
    let mut child = Command::new(env!("CARGO_BIN_EXE_bitmart"))
        .args(words)
        .args(["--env", ready.to_str().expect("a name in UTF-8")])
        .env_clear()
        .env("HOME", place.home())
        .stdin(Stdio::null())
        .stdout(open())
        .stderr(open())
        .spawn()
        .expect("it runs");
    let mut text = Vec::new();
    let mut bytes = [0; 4096];
    // Reading a closed terminal is an error.
    while let Ok(count @ 1..) = terminal.read(&mut bytes) {
        text.extend_from_slice(&bytes[..count]);
    }
    assert!(child.wait().expect("it ends").success());
    String::from_utf8(text).expect("text")
}

#[test]
fn fits_a_table_to_the_terminal_and_names_hidden_columns() {
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
