//! An export is what the exchange's ledger says, however often it was interrupted.

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use bitmart::Timestamp;
use bitmart::sandbox::Config;
use common::{Outcome, Place, SIGNALLED, bitmart, sandbox_of};

fn sandbox() -> Place {
    // A run that dies forgets how much it asked.
    sandbox_of(Config::new().rate_limits(false))
}

/// Orders that rest, fill and are cancelled.
fn trade(place: &Place) {
    for side in ["buy", "sell"] {
        let market = ["spot", "submit-order", "BTC_USDT", side, "market", "-y"];
        let amount = if side == "buy" { ["--notional", "50"] } else { ["--size", "0.001"] };
        for _ in 0..3 {
            let sent = bitmart(place, &[&market[..], &amount].concat());
            assert_eq!(sent.code, 0, "{}", sent.err);
        }
    }
    let futures = [
        "futures",
        "submit-order",
        "BTCUSDT",
        "1",
        "1",
        "--type",
        "market",
        "--leverage",
        "10",
        "--open-type",
        "cross",
        "-y",
    ];
    assert_eq!(bitmart(place, &futures).code, 0);
}

/// A span around now, since the rows are of now.
fn span() -> [String; 2] {
    let day = Duration::from_hours(24);
    [(Timestamp::now() - 30 * day).to_string(), (Timestamp::now() + day).to_string()]
}

fn export(place: &Place, folder: &Path, span: &[String; 2], more: &[&str]) -> Outcome {
    let folder = folder.to_str().expect("text");
    let words = ["export", "--out", folder, "--from", &span[0], "--to", &span[1]];
    bitmart(place, &[&words[..], more].concat())
}

fn rows(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(format!("{name}.jsonl"))).expect("rows")
}

fn ids(text: &str, field: &str) -> BTreeSet<String> {
    let id = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        row[field].as_str().expect("a text").to_owned()
    };
    text.lines().map(id).collect()
}

#[test]
fn an_export_equals_the_ledger_and_survives_any_interruption() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));

    let span = span();
    let once = export(&place, &whole, &span, &[]);
    assert_eq!(once.code, 0, "{}", once.err);
    let is_spot = |symbol: &str| symbol.contains('_');
    let orders = place.sandbox.orders().into_iter().filter(|order| is_spot(&order.symbol));
    let orders: BTreeSet<_> = orders.map(|order| order.order_id).collect();
    let fills = place.sandbox.fills().into_iter().filter(|fill| is_spot(&fill.symbol));
    let fills: BTreeSet<_> = fills.map(|fill| fill.trade_id).collect();
    assert!(orders.len() == 6 && fills.len() >= 6);
    assert_eq!(ids(&rows(&whole, "orders"), "orderId"), orders);
    assert_eq!(ids(&rows(&whole, "trades"), "tradeId"), fills);
    assert_eq!(rows(&whole, "futures-orders-BTCUSDT").lines().count(), 1);

    // The process dies after a page or three, again and again.
    let mut deaths = 0_u64;
    loop {
        let pages = (1 + deaths % 3).to_string();
        let run = export(&place, &killed, &span, &["--stop-after", &pages]);
        match run.code {
            0 => break,
            SIGNALLED => deaths += 1,
            _ => panic!("{}", run.err),
        }
    }
    assert!(deaths > 10, "it was interrupted {deaths} times only");
    for name in ["orders", "trades", "futures-trades", "futures-orders-BTCUSDT"] {
        assert_eq!(rows(&killed, name), rows(&whole, name), "{name}");
    }
    let verified = bitmart(&place, &["verify", killed.to_str().expect("text")]);
    assert_eq!(verified.code, 0, "{}", verified.err);
}

#[test]
fn verify_finds_what_was_changed() {
    let place = sandbox();
    trade(&place);
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(export(&place, folder.path(), &span(), &["--what", "trades"]).code, 0);
    let path = folder.path().join("trades.jsonl");
    let text = rows(folder.path(), "trades");
    std::fs::write(&path, text.replacen("0.001", "0.002", 1)).expect("written");
    let verified = bitmart(&place, &["verify", folder.path().to_str().expect("text")]);
    assert_eq!(verified.code, 10);
    assert!(verified.err.contains("trades.jsonl was changed"), "{}", verified.err);
}

#[test]
fn a_folder_takes_one_account_and_one_span() {
    let place = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(export(&place, folder.path(), &span(), &["--what", "trades"]).code, 0);
    let words = ["export", "--out", folder.path().to_str().expect("text"), "--from", "2020-01-01"];
    let wrong = bitmart(&place, &words);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    let other = export(&sandbox(), folder.path(), &span(), &[]);
    assert_eq!(other.code, 2, "{}", other.err);
}
