//! Snapshots of older formats, and snapshots that somebody has edited.

use std::{
    io::Read as _,
    panic::{AssertUnwindSafe, catch_unwind},
};

use bitmart_sim::{
    AccountId, Command, Contract, Decimal, Request, SpotPair, SpotRequest, WalletRequest,
    book::Side, payment::NewWithdrawal, spot_order::NewSpotOrder,
};
use serde_json::{Value, json};

use super::*;
use crate::{config::Config, recovery::Opened};

const NOW_MS: u64 = 1_700_000_000_000;
const ACCOUNT: AccountId = AccountId(1);

fn apply(opened: &mut Opened, request: impl Into<Request>) {
    let command = Command::Customer { account: ACCOUNT, request: request.into() };
    opened.state.apply(command).expect("accepted");
}

/// A small exchange with open orders and a withdrawal.
fn opened() -> Opened {
    let price = Decimal::from(60_000);
    let config = Config::new()
        .stepped_clock(NOW_MS)
        .pairs([SpotPair::new("BTC", "USDT", 2, 5, price)])
        .contracts([Contract::new("BTC", "USDT", Decimal::new(1, 3), 1, price)]);
    let mut opened = Opened::new(config);
    for (side, price) in [(Side::Buy, 50_000), (Side::Sell, 70_000), (Side::Buy, 70_000)] {
        let (size, price) = (Decimal::new(1, 2), Decimal::from(price));
        let order = NewSpotOrder::limit("BTC_USDT", side, size, price);
        apply(&mut opened, SpotRequest::Place(order));
    }
    let withdrawal = NewWithdrawal {
        currency: "BTC".into(),
        amount: Decimal::ONE,
        address: "T1".to_owned(),
        address_memo: String::new(),
        source: None,
        payee: None,
    };
    apply(&mut opened, WalletRequest::Withdraw(withdrawal));
    for _ in 0..3 {
        opened.state.step();
    }
    opened
}

fn value(opened: &Opened) -> Value {
    let snapshot = opened.state.snapshot(1, &opened.keys);
    serde_json::from_slice(&snapshot.to_json().expect("JSON")).expect("JSON")
}

fn read(value: &Value) -> Result<Snapshot, SnapshotError> {
    Snapshot::from_json(value.to_string().as_bytes())
}

#[test]
fn snapshots_of_format_3_continue() {
    let packed = &include_bytes!("../../fixtures/snapshots/format-3.json.gz")[..];
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).expect("unpacked");
    let snapshot = Snapshot::from_json(&bytes).expect("a snapshot");
    let mut opened = Opened::resume(Config::new().restore(snapshot));
    opened.state.step();
    assert_eq!(value(&opened)["format"], FORMAT);
}

#[test]
fn withdrawals_of_format_3_count_towards_the_quota() {
    let opened = opened();
    let quota = |opened: &Opened| opened.state.exchange.withdraw_quota_btc(ACCOUNT, NOW_MS);
    assert_eq!(quota(&opened), Decimal::from(99));
    let mut former = value(&opened);
    former["format"] = json!(3);
    former["exchange"].as_object_mut().expect("members").remove("recent_withdrawals");
    let snapshot = read(&former).expect("a snapshot");
    assert_eq!(quota(&Opened::resume(Config::new().restore(snapshot))), Decimal::from(99));
}

/// JSON pointers to all values, except those of further elements of a list or of a map by number.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Array(rows) => {
            for (number, row) in rows.iter().take(2).enumerate() {
                pointers(row, &format!("{at}/{number}"), all);
            }
        }
        Value::Object(members) => {
            let is_by_number = members.keys().all(|name| name.starts_with(char::is_numeric));
            let count = if is_by_number { 2 } else { members.len() };
            for (name, member) in members.iter().take(count) {
                pointers(member, &format!("{at}/{}", name.replace('/', "~1")), all);
            }
        }
        _ => {}
    }
}

/// Other values of the same type.
fn variants(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(rows) if !rows.is_empty() => {
            vec![json!([]), Value::Array(rows[1..].to_vec())]
        }
        Value::Object(_) => vec![json!({})],
        Value::Number(_) => vec![json!(u32::MAX)],
        _ => Vec::new(),
    }
}

#[test]
fn an_edited_snapshot_is_rejected_or_continues() {
    let mut original = value(&opened());
    // Candles are many and alike.
    let exchange = &mut original["exchange"];
    for market in ["/spot/BTC_USDT/tape", "/futures/BTCUSDT/tape", "/futures/BTCUSDT/mark/tape"] {
        let candles = exchange.pointer_mut(market).and_then(|tape| tape["candles"].as_array_mut());
        candles.expect("candles").truncate(2);
    }
    let mut all = Vec::new();
    pointers(&original, "", &mut all);
    let (mut rejected, mut continued, mut panicked) = (0, 0, Vec::new());
    for pointer in &all {
        let part = original.pointer(pointer).expect("a part");
        for variant in variants(part) {
            let mut edited = original.clone();
            *edited.pointer_mut(pointer).expect("a part") = variant.clone();
            match read(&edited) {
                Err(_) => rejected += 1,
                Ok(snapshot) => {
                    continued += 1;
                    let step = || {
                        let config = Config::new().restore(snapshot);
                        Opened::resume(config).state.step();
                    };
                    if catch_unwind(AssertUnwindSafe(step)).is_err() {
                        panicked.push(format!("{pointer} = {variant}"));
                    }
                }
            }
        }
    }
    assert!(rejected > 50 && continued > 50, "{rejected} rejected, {continued} continued");
    assert!(panicked.is_empty(), "{panicked:#?}");
}
