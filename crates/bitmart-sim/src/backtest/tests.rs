//! The order of events within a candle, and between candles.

use rust_decimal::Decimal;

use super::*;
use crate::{
    Contract, FuturesRequest, SpotPair, SpotRequest,
    book::{SelfTradePrevention, Side},
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    spot_order::NewSpotOrder,
    trigger::{Algo, AlgoKind, NewAlgo, Preset},
};

const ME: AccountId = AccountId(1);
const START_MS: u64 = 1_700_000_040_000;
const MINUTE_MS: u64 = 60_000;
const PAIR: &str = "BTC_USDT";

fn d(units: i64) -> Decimal {
    Decimal::from(units)
}

/// Open, high, low and close of one minute after the other.
fn candles(rows: &[[i64; 4]]) -> Vec<Candle> {
    let opens = (START_MS..).step_by(60_000);
    let row = |([open, high, low, close], open_ms): ([i64; 4], u64)| Candle {
        high: d(high),
        low: d(low),
        close: d(close),
        volume: d(5),
        ..Candle::flat(open_ms, d(open))
    };
    rows.iter().copied().zip(opens).map(row).collect()
}

fn setup() -> Setup {
    Setup::new()
        .pairs([SpotPair::new("BTC", "USDT", 0, 5, d(100))])
        .contracts([Contract::new("BTC", "USDT", Decimal::new(1, 3), 0, d(100))])
        .account(ME)
        .spot_balance("USDT", d(10_000))
        .spot_balance("BTC", d(10))
}

fn backtest(rows: &[[i64; 4]]) -> Backtest {
    Backtest::new(&setup(), START_MS).candles(PAIR, candles(rows)).expect("a pair")
}

fn fills(backtest: &Backtest) -> Vec<(Decimal, u64)> {
    let rows = backtest.exchange().fill_rows();
    rows.iter().map(|fill| (fill.price, (fill.time_ms - START_MS) / MINUTE_MS)).collect()
}

fn limit(side: Side, price: i64) -> SpotRequest {
    SpotRequest::Place(NewSpotOrder::limit(PAIR, side, d(1), d(price)))
}

#[test]
fn a_market_order_trades_at_the_open_of_the_candle_after_the_finished_ones() {
    let mut backtest = backtest(&[[100, 110, 90, 105], [107, 120, 80, 90]]);
    assert_eq!(backtest.step(), Some(Vec::new()));
    let finished = backtest.step().expect("more");
    assert_eq!(finished[0].1.close, d(105));
    backtest
        .apply(ME, SpotRequest::Place(NewSpotOrder::market_sell(PAIR, d(1))))
        .expect("accepted");
    assert_eq!(fills(&backtest), [(d(107), 1)]);
    backtest
        .apply(ME, SpotRequest::Place(NewSpotOrder::market_buy(PAIR, d(500))))
        .expect("accepted");
    assert_eq!(fills(&backtest)[1], (d(108), 1), "a tick above");
    assert_eq!(backtest.step().expect("the last")[0].1.close, d(90));
    assert_eq!((backtest.price(PAIR), backtest.step()), (Some(d(90)), None));
}

#[test]
fn a_limit_order_is_filled_at_its_price_when_a_candle_reaches_it_and_not_before() {
    let rows = [[100, 101, 99, 100], [100, 101, 96, 100], [100, 101, 95, 100], [100, 101, 99, 100]];
    let mut backtest = backtest(&rows);
    backtest.step();
    backtest.apply(ME, limit(Side::Buy, 95)).expect("accepted");
    backtest.apply(ME, limit(Side::Sell, 102)).expect("accepted");
    while backtest.step().is_some() {}
    assert_eq!(fills(&backtest), [(d(95), 2)]);
}

#[test]
fn the_nearer_of_high_and_low_is_reached_first() {
    for (high, low, first) in [(103, 90, 102), (110, 98, 99)] {
        let mut backtest = backtest(&[[100, high, low, 100]]);
        backtest.step();
        backtest.apply(ME, limit(Side::Buy, 99)).expect("accepted");
        backtest.apply(ME, limit(Side::Sell, 102)).expect("accepted");
        while backtest.step().is_some() {}
        assert_eq!(fills(&backtest).first().map(|fill| fill.0), Some(d(first)), "{high} {low}");
    }
}

#[test]
fn market_orders_pay_the_spread() {
    let mut backtest = backtest(&[[1_000, 1_000, 1_000, 1_000]]).half_spread(Decimal::new(1, 2));
    backtest.step();
    for order in [NewSpotOrder::market_buy(PAIR, d(1_010)), NewSpotOrder::market_sell(PAIR, d(1))] {
        backtest.apply(ME, SpotRequest::Place(order)).expect("accepted");
    }
    assert_eq!(fills(&backtest), [(d(1_010), 0), (d(990), 0)]);
}

#[test]
fn a_trigger_order_trades_at_its_trigger_price() {
    let mut backtest = backtest(&[[100, 101, 99, 100], [100, 101, 80, 95], [95, 96, 94, 95]]);
    backtest.step();
    let order = NewSpotOrder::market_sell(PAIR, d(1));
    let terms = Algo { kind: AlgoKind::Trigger, order };
    let stop = SpotRequest::PlaceTrigger(NewAlgo { trigger_price: d(90), terms });
    backtest.apply(ME, stop).expect("accepted");
    while backtest.step().is_some() {}
    assert_eq!(fills(&backtest), [(d(90), 1)]);
}

#[test]
fn a_position_is_liquidated_within_the_candle_that_uses_up_its_margin() {
    let rows = [[100, 101, 99, 100], [100, 101, 50, 60], [60, 61, 59, 60]];
    let mut backtest = Backtest::new(&setup(), START_MS)
        .candles("BTCUSDT", candles(&rows))
        .and_then(|backtest| backtest.candles(PAIR, candles(&rows)))
        .expect("known markets");
    backtest.step();
    let order = NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side: FuturesSide::OpenLong,
        price: None,
        size: d(1_000),
        mode: OrderMode::GoodTillCanceled,
        leverage: 10,
        margin_type: MarginType::Isolated,
        client_order_id: None,
        self_trade_prevention: SelfTradePrevention::CancelMaker,
    };
    let request = FuturesRequest::Place { order, preset: Preset::default() };
    backtest.apply(ME, request).expect("accepted");
    let is_open = |backtest: &Backtest| {
        backtest.exchange().account(ME).is_some_and(|me| me.open_positions().next().is_some())
    };
    backtest.step();
    assert!(is_open(&backtest));
    backtest.step();
    assert!(!is_open(&backtest));
}

#[test]
fn candles_are_recorded_on_the_tape() {
    let rows = [[100, 110, 90, 105], [107, 120, 80, 90]];
    let mut backtest = backtest(&rows);
    while backtest.step().is_some() {}
    assert_eq!(backtest.exchange().spot[PAIR].tape.candles(1), candles(&rows));
    assert!(Backtest::new(&setup(), START_MS).candles("NO_SUCH", Vec::new()).is_err());
}

#[test]
fn the_same_candles_and_requests_give_the_same_events() {
    let rows: Vec<_> = (0..50).map(|at| [100 + at, 105 + at, 95 + at, 101 + at]).collect();
    let run = || {
        let mut backtest = backtest(&rows);
        while backtest.step().is_some() {
            let price = i64::try_from(backtest.now_ms() / MINUTE_MS % 20).expect("small");
            // Rejected once the balance is used up.
            let _ = backtest.apply(ME, limit(Side::Buy, 100 + price));
        }
        (backtest.take_events(), backtest.exchange().balance_rows())
    };
    let (first, second) = (run(), run());
    assert!(!first.0.is_empty());
    assert_eq!(first, second);
}
