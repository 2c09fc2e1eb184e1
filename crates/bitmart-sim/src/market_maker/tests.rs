//! Prices that the operator moves.

use super::*;
use crate::markets::{Contract, SpotPair};

const START_MS: u64 = 1_700_000_000_000;

fn exchange() -> Exchange {
    let pairs = SpotPair::listed().into_iter().filter(|pair| ["BTC", "ETH"].contains(&&*pair.base));
    let contracts = Contract::listed().into_iter().filter(|one| one.base == "BTC");
    Exchange::new(&Setup::new().pairs(pairs).contracts(contracts), START_MS)
}

fn step(exchange: &mut Exchange, steps: u64) {
    for step in 1..=steps {
        exchange.step_market(START_MS + step * 100);
    }
}

fn best(exchange: &Exchange, symbol: &str) -> (Decimal, Decimal) {
    let book = exchange.book_rows(symbol).expect("listed");
    (book.bids[0].0, book.asks[0].0)
}

#[test]
fn a_moved_price_moves_pair_and_contract_and_no_other_market() {
    let mut exchange = exchange();
    let eth = best(&exchange, "ETH_USDT");
    for (symbol, price) in [("BTC_USDT", 45_000), ("BTCUSDT", 90_000), ("BTC_USDT", 60_000)] {
        exchange.move_price(symbol.to_owned(), price.into()).expect("moved");
        step(&mut exchange, 3);
        for symbol in ["BTC_USDT", "BTCUSDT"] {
            let (bid, ask) = best(&exchange, symbol);
            let near = Decimal::from(price) / Decimal::from(100);
            assert!(bid < ask, "{symbol} is crossed: {bid} {ask}");
            assert!((bid - Decimal::from(price)).abs() < near, "{symbol}: {bid} {price}");
        }
        assert!((best(&exchange, "ETH_USDT").0 - eth.0).abs() < eth.0 / Decimal::from(100));
    }
}

#[test]
fn a_market_at_the_end_of_the_range_stays_consistent() {
    for price in [6_000, 600_000] {
        let mut exchange = exchange();
        exchange.move_price("BTC_USDT".to_owned(), price.into()).expect("in range");
        exchange.check_consistency().expect("consistent");
        step(&mut exchange, 200);
        exchange.check_consistency().expect("consistent");
    }
}

#[test]
fn a_price_out_of_range_and_a_market_without_model_are_rejected() {
    let mut exchange = exchange();
    let before = best(&exchange, "BTC_USDT");
    for price in ["0", "-1", "5999", "600001", "1000000000000000000000"] {
        let price: Decimal = price.parse().expect("a number");
        let rejected = exchange.move_price("BTC_USDT".to_owned(), price);
        assert_eq!(rejected, Err(ControlError::InvalidPrice(price)));
    }
    let rejected = exchange.move_price("NO_SUCH".to_owned(), Decimal::ONE);
    assert_eq!(rejected, Err(ControlError::UnknownMarket("NO_SUCH".to_owned())));
    exchange.makers.clear();
    let rejected = exchange.move_price("BTC_USDT".to_owned(), 60_000.into());
    assert_eq!(rejected, Err(ControlError::NoModel("BTC_USDT".to_owned())));
    assert_eq!(best(&exchange, "BTC_USDT"), before);
}
