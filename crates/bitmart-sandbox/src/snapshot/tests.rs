//! Snapshots of older formats, and snapshots that somebody has edited.

use std::{
    io::Read as _,
    panic::{AssertUnwindSafe, catch_unwind},
};

use bitmart_sim::{
    AccountId, Command, Contract, Decimal, FuturesRequest, Request, SpotPair, SpotRequest,
    WalletRequest,
    book::{SelfTradePrevention, Side},
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    payment::NewWithdrawal,
    spot_order::{NewSpotOrder, SpotOrderType},
    trigger::{Condition, Direction, NewPlan, Plan, PlanKind, Preset, PriceType},
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
fn snapshots_of_former_formats_continue() {
    for packed in [
        &include_bytes!("../../fixtures/snapshots/format-3.json.gz")[..],
        include_bytes!("../../fixtures/snapshots/format-4.json.gz"),
    ] {
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).expect("unpacked");
        let snapshot = Snapshot::from_json(&bytes).expect("a snapshot");
        let mut opened = Opened::resume(Config::new().restore(snapshot));
        opened.state.step();
        assert_eq!(value(&opened)["format"], FORMAT);
    }
}

/// Names of format 4, and the current ones.
const RENAMED: [(&str, &str); 11] = [
    ("client_id", "client_order_id"),
    ("client_ids", "client_order_ids"),
    ("stp", "self_trade_prevention"),
    ("realised", "realized"),
    ("Allow", "Off"),
    ("Ioc", "ImmediateOrCancel"),
    ("SelfTrade", "SelfTradePrevention"),
    ("GoodTilCancelled", "GoodTillCanceled"),
    ("MakerOnly", "PostOnly"),
    ("Refused", "Rejected"),
    ("Realised", "Realized"),
];

#[test]
fn names_of_format_4_are_read() {
    let mut opened = opened();
    apply_every_name(&mut opened);
    let mut current = value(&opened);
    let rename = |text: &str, (former, name): (&str, &str)| {
        let name = format!("\"{name}\"");
        assert!(text.contains(&name), "{name}");
        text.replace(&name, &format!("\"{former}\""))
    };
    let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let text = RENAMED.into_iter().fold(current.to_string(), |text, row| rename(&text, row));
    let mut former = parsed(&text);
    // Spot orders had the other spelling before.
    let triggers = &mut former["exchange"]["triggers"];
    *triggers = parsed(&rename(&triggers.to_string(), ("Cancelled", "Canceled")));
    former["format"] = json!(4);
    let read = read(&former).expect("a snapshot").to_json().expect("JSON");
    let read: Value = serde_json::from_slice(&read).expect("JSON");
    for value in [&mut current, &mut former] {
        value["format"] = json!(FORMAT);
    }
    assert!(former != current);
    assert!(read == current, "some name was read as another");
}

/// Leaves orders, positions and trigger orders in which all renamed names occur.
fn apply_every_name(opened: &mut Opened) {
    let spot = |side, price| NewSpotOrder::limit("BTC_USDT", side, Decimal::new(1, 3), price);
    // Between the orders of the market makers, so that the second order meets the first one.
    let book = opened.state.exchange.book_rows("BTC_USDT").expect("a pair");
    let inside = book.bids[0].0 + Decimal::new(1, 2);
    assert!(inside < book.asks[0].0);
    let low = Decimal::from(40_000);
    let prevention = Some(SelfTradePrevention::CancelMaker);
    for order in [
        NewSpotOrder { client_order_id: Some("mine".into()), ..spot(Side::Sell, inside) },
        NewSpotOrder { self_trade_prevention: prevention, ..spot(Side::Buy, inside) },
        NewSpotOrder { kind: SpotOrderType::ImmediateOrCancel, ..spot(Side::Buy, low) },
        NewSpotOrder {
            self_trade_prevention: Some(SelfTradePrevention::Off),
            ..spot(Side::Buy, low)
        },
    ] {
        apply(opened, SpotRequest::Place(order));
    }
    let futures = |mode, price, size| NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side: FuturesSide::OpenLong,
        price,
        size: Decimal::from(size),
        mode,
        leverage: 1,
        margin_type: MarginType::Cross,
        client_order_id: None,
        self_trade_prevention: SelfTradePrevention::CancelMaker,
    };
    let low = Some(low);
    for order in [
        futures(OrderMode::PostOnly, low, 1),
        futures(OrderMode::GoodTillCanceled, low, 1),
        futures(OrderMode::GoodTillCanceled, None, 1),
    ] {
        apply(opened, FuturesRequest::Place { order, preset: Preset::default() });
    }
    apply(opened, FuturesRequest::ClosePositions { symbol: None, side: None });
    // The first waits and is canceled; the second is triggered at once, and costs too much.
    for (price, size) in [(90_000, 1), (50_000, 100_000)] {
        let condition = Condition::Reach {
            price: Decimal::from(price),
            direction: Direction::Rise,
            price_type: PriceType::Last,
        };
        let order = futures(OrderMode::GoodTillCanceled, None, size);
        let preset = Preset::default();
        let terms = Plan { kind: PlanKind::Plan, order, whole_position: false, preset };
        let plan = NewPlan { client_order_id: None, condition, terms };
        apply(opened, FuturesRequest::PlacePlan(plan));
    }
    let kinds = vec![PlanKind::Plan];
    apply(opened, FuturesRequest::CancelPlans { symbol: "BTCUSDT".into(), kinds });
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
