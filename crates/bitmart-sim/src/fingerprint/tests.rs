//! Fingerprints are stored: their values are fixed, and differences are found.

use std::collections::BTreeMap;

use super::*;
use crate::{
    Command, Event, FuturesRequest, Request, SpotRequest,
    account::WalletKind,
    book::SelfTradePrevention,
    command::{OperatorCommand, WalletRequest},
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    spot_order::NewSpotOrder,
    tests::{
        START_MS, limit_buy, limit_sell, market_buy, open_long, open_short, post_only, quiet,
        with_prevention,
    },
    trigger::{Condition, Direction, NewPlan, Plan, PlanKind, Preset, PresetPrice, PriceType},
};

fn apply(exchange: &mut Exchange, account: u32, request: impl Into<Request>) {
    let command = Command::Customer { account: AccountId(account), request: request.into() };
    exchange.apply(command, START_MS).expect("accepted");
}

fn place(order: NewFuturesOrder) -> FuturesRequest {
    FuturesRequest::Place { order, preset: Preset::default() }
}

fn price(price: i64) -> PresetPrice {
    PresetPrice { price: Decimal::from(price), price_type: PriceType::Last }
}

/// A run with every kind of event.
fn run() -> Exchange {
    let mut exchange = quiet();
    apply(
        &mut exchange,
        1,
        SpotRequest::Place(with_prevention(
            SelfTradePrevention::CancelMaker,
            limit_sell(60_000, 10),
        )),
    );
    apply(&mut exchange, 2, SpotRequest::Place(market_buy(370)));
    apply(&mut exchange, 1, SpotRequest::CancelAll { symbol: None, side: None });
    let client_order_id = Some("mine".into());
    let sell = NewFuturesOrder { client_order_id, ..open_short(Some(60_000), 2) };
    apply(&mut exchange, 1, place(sell));
    let preset = Preset { take_profit: Some(price(70_000)), stop_loss: Some(price(50_000)) };
    let order = open_long(None, 2);
    apply(&mut exchange, 2, FuturesRequest::Place { order, preset });
    let condition = Condition::Reach {
        price: Decimal::from(65_000),
        direction: Direction::Rise,
        price_type: PriceType::Mark,
    };
    let order = open_long(Some(66_000), 1);
    let terms =
        Plan { kind: PlanKind::Plan, order, whole_position: false, preset: Preset::default() };
    let plan = NewPlan { client_order_id: None, condition, terms };
    apply(&mut exchange, 2, FuturesRequest::PlacePlan(plan));
    exchange
}

#[test]
fn the_fingerprint_of_a_run_is_fixed() {
    let exchange = run();
    let kinds = exchange.events.as_slice().iter().map(|event| match event {
        Event::SpotTrade { .. } => "spot trade",
        Event::SpotOrder { .. } => "spot order",
        Event::SpotBalance { .. } => "spot balance",
        Event::FuturesTrade { .. } => "futures trade",
        Event::FuturesOrder { .. } => "futures order",
        Event::FuturesPlan { .. } => "plan",
        Event::FuturesAsset { .. } => "asset",
        Event::FuturesPosition { .. } => "position",
    });
    let mut counts = BTreeMap::<_, u32>::new();
    for kind in kinds {
        *counts.entry(kind).or_default() += 1;
    }
    assert_eq!(counts.len(), 8, "{counts:?}");
    assert_eq!(exchange.fingerprint(), 0xdd2d_f03f_5297_99e8, "{:#018x}", exchange.fingerprint());
}

#[test]
fn values_go_in_as_documented() {
    let of = |value: &dyn Include| {
        let mut fingerprint = Fingerprint::new();
        value.include(&mut fingerprint);
        fingerprint.0
    };
    let bytes = |parts: &[&[u8]]| {
        let mut fingerprint = Fingerprint::new();
        for part in parts {
            fingerprint.bytes(part);
        }
        fingerprint.0
    };
    // The published test values of FNV-1a.
    assert_eq!(bytes(&[]), 0xcbf2_9ce4_8422_2325);
    assert_eq!(bytes(&[b"foobar"]), 0x8594_4171_f739_67e8);
    assert_eq!(of(&7_u32), bytes(&[&[7, 0, 0, 0, 0, 0, 0, 0]]));
    assert_eq!(of(&true), of(&1_u64));
    let text = SmolStr::new("BTC");
    assert_eq!(of(&text), bytes(&[&3_u64.to_le_bytes(), b"BTC"]));
    assert_eq!(of(&Some(&text)), bytes(&[&1_u64.to_le_bytes(), &3_u64.to_le_bytes(), b"BTC"]));
    assert_eq!(of(&None::<u64>), of(&0_u64));
    let decimal = Decimal::new(-150, 2);
    assert_eq!(of(&decimal), bytes(&[&(-150_i128).to_le_bytes(), &2_u64.to_le_bytes()]));
    assert_ne!(of(&decimal), of(&decimal.normalize()));
}

#[test]
fn runs_that_differ_have_different_fingerprints() {
    let spot = limit_buy(60_000, 10);
    let futures = open_long(Some(60_000), 2);
    let (size, id) = (Decimal::new(11, 3), Some("a".into()));
    let requests: Vec<Request> = vec![
        SpotRequest::Place(spot.clone()).into(),
        SpotRequest::Place(limit_sell(60_000, 10)).into(),
        SpotRequest::Place(with_prevention(
            SelfTradePrevention::CancelMaker,
            limit_buy(60_000, 10),
        ))
        .into(),
        SpotRequest::Place(post_only(limit_buy(60_000, 10))).into(),
        SpotRequest::Place(limit_buy(60_001, 10)).into(),
        SpotRequest::Place(NewSpotOrder { size, ..spot.clone() }).into(),
        SpotRequest::Place(NewSpotOrder { client_order_id: id.clone(), ..spot }).into(),
        place(futures.clone()).into(),
        place(NewFuturesOrder { side: FuturesSide::OpenShort, ..futures.clone() }).into(),
        place(NewFuturesOrder { mode: OrderMode::PostOnly, ..futures.clone() }).into(),
        place(NewFuturesOrder { leverage: 11, ..futures.clone() }).into(),
        place(NewFuturesOrder { margin_type: MarginType::Isolated, ..futures.clone() }).into(),
        place(NewFuturesOrder { client_order_id: id, ..futures.clone() }).into(),
        place(NewFuturesOrder {
            self_trade_prevention: SelfTradePrevention::CancelBoth,
            ..futures
        })
        .into(),
        WalletRequest::ClaimPlayMoney.into(),
    ];
    let mut found = BTreeMap::new();
    for request in requests {
        let mut exchange = quiet();
        apply(&mut exchange, 1, request.clone());
        let mut again = quiet();
        apply(&mut again, 1, request.clone());
        assert_eq!(again.fingerprint(), exchange.fingerprint(), "{request:?}");
        let before = found.insert(exchange.fingerprint(), request.clone());
        assert_eq!(before, None, "the same as {request:?}");
    }
}

#[test]
fn money_from_nowhere_changes_the_fingerprint() {
    let mut exchange = quiet();
    let before = exchange.fingerprint();
    let command = OperatorCommand::SetBalance {
        account: AccountId(1),
        wallet: WalletKind::Spot,
        currency: "BTC".into(),
        amount: Decimal::ONE,
    };
    exchange.apply(Command::Operator(command), START_MS).expect("accepted");
    exchange.take_events();
    assert_ne!(exchange.fingerprint(), before);
}
