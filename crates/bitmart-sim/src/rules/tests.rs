//! Requests that the exchange rejects without a server that checks them first.

use rust_decimal::Decimal;

use crate::{
    AccountId, Command, Exchange, FuturesRequest, MAKER, Reject, Request, SpotRequest,
    WalletRequest,
    account::WalletKind,
    book::{SelfTradePrevention, Side},
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    margin::{MarginTransfer, PairAmount},
    spot_order::NewSpotOrder,
    tests::{START_MS, limit_buy, market_buy, market_sell, open_long, quiet},
    transfer::{AccountWallet, NewTransfer},
    trigger::{
        Condition, Direction, NewPlan, Plan, PlanKind, Preset, PresetPrice, PriceType, Trail,
    },
};

const ONE: AccountId = AccountId(1);
const TWO: AccountId = AccountId(2);

/// So many units of a decimal place: `d(15, 1)` is 1.5.
fn d(units: i64, decimals: u32) -> Decimal {
    Decimal::new(units, decimals)
}

/// Why a request of [`ONE`] is rejected, if it is.
fn rejection(exchange: &mut Exchange, request: impl Into<Request>) -> Option<Reject> {
    let command = Command::Customer { account: ONE, request: request.into() };
    exchange.apply(command, START_MS).err()
}

#[test]
fn the_engine_checks_spot_orders() {
    let limit = |size, price| NewSpotOrder { size, price, ..limit_buy(60_000, 10) };
    let market = |size| NewSpotOrder { size, ..market_sell(10) };
    let spend = |notional| NewSpotOrder { notional, ..market_buy(370) };
    let named = |id: &str| NewSpotOrder {
        client_order_id: Some(id.into()),
        ..limit(d(1, 3), d(60_000, 0))
    };
    let lot = d(1, 5);
    let rows = [
        (limit(d(15, 6), d(60_000, 0)), Reject::SizeOffLot { lot }),
        (limit(d(0, 0), d(60_000, 0)), Reject::SizeTooSmall { minimum: lot }),
        (limit(d(-1, 0), d(60_000, 0)), Reject::SizeTooSmall { minimum: lot }),
        (limit(d(1, 3), d(60_000_001, 3)), Reject::PriceOffTick { tick: d(1, 2) }),
        (limit(d(1, 3), d(-1, 0)), Reject::PriceOutOfRange { maximum: super::MAX_AMOUNT }),
        (limit(d(8, 5), d(60_000, 0)), Reject::LimitValueTooLow { minimum: d(5, 0) }),
        (spend(d(4, 0)), Reject::MarketBuyTooSmall { minimum: d(5, 0) }),
        (spend(Decimal::ZERO), Reject::AmountNotPositive),
        (spend(d(5_000_000_001, 9)), Reject::AmountTooPrecise { decimals: 8 }),
        (spend(d(5, 0)), Reject::EmptyBook { side: Side::Buy }),
        (market(d(1, 3)), Reject::EmptyBook { side: Side::Sell }),
        (named(&"a".repeat(33)), Reject::ClientOrderIdTooLong { maximum: 32 }),
        (named("a-b"), Reject::InvalidClientOrderId),
        (NewSpotOrder { margin: true, ..limit(d(1, 3), d(60_000, 0)) }, Reject::NoMarginAccount),
    ];
    let mut exchange = quiet();
    for (order, reject) in rows {
        let rejected = rejection(&mut exchange, SpotRequest::Place(order.clone()));
        assert_eq!(rejected, Some(reject), "{order:?}");
    }
    assert!(exchange.order_rows().is_empty());
    let bid = NewSpotOrder { price: d(6_000, 0), ..limit_buy(60_000, 10) };
    exchange.place_spot(TWO, bid, START_MS).expect("accepted");
    let rejected = rejection(&mut exchange, SpotRequest::Place(market(d(1, 4))));
    assert_eq!(rejected, Some(Reject::MarketSellTooSmall { minimum: d(5, 0) }));
    let ok = SpotRequest::Place(limit(d(1, 3), d(60_000, 0)));
    assert_eq!(rejection(&mut exchange, ok), None);
}

#[test]
fn the_engine_checks_futures_orders_and_settings() {
    let order = || open_long(Some(60_000), 10);
    let place = |order| FuturesRequest::Place { order, preset: Preset::default() };
    let leg = |price| Some(PresetPrice { price, price_type: PriceType::Last });
    let preset = |price| FuturesRequest::Place {
        order: order(),
        preset: Preset { take_profit: leg(price), stop_loss: None },
    };
    let tick = d(1, 1);
    let range = Reject::SizeOutOfRange { minimum: Decimal::ONE, maximum: d(500_000, 0) };
    let leverage =
        |leverage: u32| Reject::LeverageOutOfRange { leverage: leverage.into(), maximum: 100 };
    let countdown = |seconds| FuturesRequest::CancelAllAfter {
        symbol: "BTCUSDT".into(),
        seconds: Some(seconds),
    };
    let too_short = Reject::CountdownOutOfRange { shortest_s: 5, longest_s: 31_536_000 };
    let set = |symbol: &str, leverage| FuturesRequest::SetLeverage {
        symbol: symbol.into(),
        leverage,
        margin_type: MarginType::Isolated,
    };
    let rows = [
        (
            place(NewFuturesOrder { size: d(15, 1), ..order() }),
            Reject::SizeOffLot { lot: Decimal::ONE },
        ),
        (place(NewFuturesOrder { size: d(0, 0), ..order() }), range.clone()),
        (place(NewFuturesOrder { size: d(500_001, 0), ..order() }), range),
        (
            place(NewFuturesOrder { price: Some(d(6_000_001, 2)), ..order() }),
            Reject::PriceOffTick { tick },
        ),
        (place(NewFuturesOrder { leverage: 0, ..order() }), leverage(0)),
        (place(NewFuturesOrder { leverage: 101, ..order() }), leverage(101)),
        (
            place(NewFuturesOrder { mode: OrderMode::PostOnly, price: None, ..order() }),
            Reject::PostOnlyWithoutPrice,
        ),
        (
            place(NewFuturesOrder { self_trade_prevention: SelfTradePrevention::Off, ..order() }),
            Reject::SelfTradePreventionRequired,
        ),
        (preset(d(7_000_001, 2)), Reject::PriceOffTick { tick }),
        (countdown(4), too_short.clone()),
        (countdown(31_536_001), too_short),
        (set("BTCUSDT", 101), leverage(101)),
        (set("NOPEUSDT", 1), Reject::UnknownMarket),
    ];
    let mut exchange = quiet();
    for (request, reject) in rows {
        assert_eq!(rejection(&mut exchange, request.clone()), Some(reject), "{request:?}");
    }
    assert!(exchange.order_rows().is_empty());
    assert_eq!(rejection(&mut exchange, countdown(5)), None);
    assert_eq!(rejection(&mut exchange, place(order())), None);
    let rows = exchange.order_rows();
    let id = crate::OrderId(rows[0].order_id.parse().expect("a number"));
    let change = FuturesRequest::Modify { id, price: Some(d(6_000_001, 2)), size: None };
    assert_eq!(rejection(&mut exchange, change), Some(Reject::PriceOffTick { tick }));
    exchange.halt("BTCUSDT", true).expect("known");
    let change = FuturesRequest::Modify { id, price: Some(d(60_001, 0)), size: None };
    assert_eq!(rejection(&mut exchange, change), Some(Reject::MarketHalted));
    assert_eq!(rejection(&mut exchange, place(order())), Some(Reject::MarketHalted));
}

#[test]
fn the_engine_checks_trigger_orders() {
    let plan = |kind, side, price, condition| {
        let order = NewFuturesOrder { side, price, ..open_long(None, 10) };
        let terms = Plan { kind, order, whole_position: false, preset: Preset::default() };
        FuturesRequest::PlacePlan(NewPlan { client_order_id: None, condition, terms })
    };
    let reach =
        |price| Condition::Reach { price, direction: Direction::Rise, price_type: PriceType::Last };
    let trail = |callback_rate| {
        let (activation, price_type, direction) = (d(60_000, 0), PriceType::Last, Direction::Fall);
        Condition::Trail(Trail { activation, callback_rate, price_type, direction, extreme: None })
    };
    let (open, tick) = (FuturesSide::OpenLong, d(1, 1));
    let rate = Reject::CallbackRateOutOfRange { minimum: d(1, 1), maximum: d(5, 0) };
    let rows = [
        (plan(PlanKind::Plan, open, None, reach(d(1, 2))), Reject::PriceOffTick { tick }),
        (plan(PlanKind::Plan, open, Some(d(1, 2)), reach(d(1, 0))), Reject::PriceOffTick { tick }),
        (plan(PlanKind::TakeProfit, open, None, reach(d(1, 0))), Reject::ClosingOrderRequired),
        (plan(PlanKind::Plan, open, None, trail(d(1, 0))), Reject::ConditionMismatch),
        (plan(PlanKind::Trailing, open, None, reach(d(1, 0))), Reject::ConditionMismatch),
        (plan(PlanKind::Trailing, open, None, trail(d(9, 2))), rate.clone()),
        (plan(PlanKind::Trailing, open, None, trail(d(51, 1))), rate),
    ];
    let mut exchange = quiet();
    for (request, reject) in rows {
        assert_eq!(rejection(&mut exchange, request.clone()), Some(reject), "{request:?}");
    }
    assert_eq!(
        rejection(&mut exchange, plan(PlanKind::Trailing, open, None, trail(d(5, 0)))),
        None
    );
}

#[test]
fn an_account_can_move_only_its_own_money() {
    let end = |account, kind| AccountWallet { account, kind };
    let transfer = |from, to, amount| WalletRequest::Transfer {
        transfer: NewTransfer { from, to, currency: "USDT".into(), amount },
        number: None,
    };
    let between = |from, to| WalletRequest::Transfer {
        transfer: NewTransfer { from, to, currency: "USDT".into(), amount: Decimal::ONE },
        number: Some("1".into()),
    };
    let (spot, futures) = (end(ONE, WalletKind::Spot), end(ONE, WalletKind::Futures));
    let range = Reject::AmountOutOfRange { minimum: d(1, 2), maximum: d(10_000_000_000, 0) };
    let sum = |amount| PairAmount { symbol: "BTC_USDT".into(), currency: "USDT".into(), amount };
    let rows = [
        (transfer(end(TWO, WalletKind::Spot), spot, Decimal::ONE), Reject::NotOwnAccount),
        (between(end(TWO, WalletKind::Spot), spot), Reject::NotOwnAccount),
        (between(spot, end(MAKER, WalletKind::Spot)), Reject::UnknownAccount),
        (between(spot, end(AccountId(77), WalletKind::Spot)), Reject::UnknownAccount),
        (transfer(spot, spot, Decimal::ONE), Reject::SameWallet),
        (transfer(spot, futures, d(1, 3)), range),
        (transfer(spot, end(ONE, WalletKind::Funding), d(-1, 0)), Reject::AmountNotPositive),
        (
            transfer(spot, end(ONE, WalletKind::Funding), d(1, 9)),
            Reject::AmountTooPrecise { decimals: 8 },
        ),
        (
            WalletRequest::TransferMargin { sum: sum(d(-1, 0)), direction: MarginTransfer::In },
            Reject::AmountNotPositive,
        ),
        (
            WalletRequest::Borrow(sum(d(20_000_000_001, 9))),
            Reject::AmountTooPrecise { decimals: 8 },
        ),
        (WalletRequest::Repay(sum(Decimal::ZERO)), Reject::AmountNotPositive),
        (
            WalletRequest::RedeemSaving { number: "1".into(), id: 1, part: Some(d(-1, 0)) },
            Reject::AmountNotPositive,
        ),
        (WalletRequest::SetAutomaticSaving { product: Some(1), on: true }, Reject::UnknownProduct),
    ];
    let mut exchange = quiet();
    for (request, reject) in rows {
        assert_eq!(rejection(&mut exchange, request.clone()), Some(reject), "{request:?}");
    }
    assert_eq!(rejection(&mut exchange, transfer(spot, futures, Decimal::ONE)), None);
    for account in [MAKER, AccountId(77)] {
        let request = WalletRequest::ClaimPlayMoney.into();
        let command = Command::Customer { account, request };
        assert_eq!(exchange.apply(command, START_MS), Err(Reject::UnknownAccount));
    }
}
