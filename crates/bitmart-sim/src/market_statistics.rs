//! Statistical properties of the simulated market, checked on one long run.

use std::sync::LazyLock;

use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::{Event, Exchange, book::Side};
use crate::{
    Setup,
    markets::{Contract, SpotPair},
};

const START_MS: u64 = 1_700_000_000_000;
/// The steps of ten minutes.
const STEPS: u64 = 6_000;
const BILLION: i64 = 1_000_000_000;

/// Observations of one market at every step.
#[derive(Debug, Default)]
struct Observations {
    /// The best bid and the best ask.
    bids: Vec<Decimal>,
    asks: Vec<Decimal>,
    /// The number of trades.
    trades: Vec<usize>,
    /// The value of each trade.
    values: Vec<Decimal>,
    /// Sum of the sizes of each level, counted from the best, of both sides at every 50th step.
    depth: Vec<Decimal>,
}

impl Observations {
    fn middles(&self) -> Vec<Decimal> {
        self.bids.iter().zip(&self.asks).map(|(bid, ask)| (bid + ask) / Decimal::TWO).collect()
    }
}

fn exchange(seed: u64, symbols: &[&str]) -> Exchange {
    let pairs: Vec<_> = SpotPair::listed();
    let contracts: Vec<_> = Contract::listed();
    let listed = |symbol: String| symbols.contains(&symbol.as_str());
    let setup = Setup::new()
        .seed(seed)
        .pairs(pairs.into_iter().filter(|pair| listed(pair.symbol())))
        .contracts(contracts.into_iter().filter(|one| listed(one.symbol())));
    Exchange::new(&setup, START_MS)
}

/// Observations of the spot pair and of the contract of ETH in ten minutes.
static TEN_MINUTES: LazyLock<[Observations; 2]> = LazyLock::new(|| {
    let mut exchange = exchange(7, &["ETH_USDT", "ETHUSDT"]);
    let mut records = [Observations::default(), Observations::default()];
    for step in 0..STEPS {
        exchange.step_market(START_MS + step * 100);
        let events = exchange.take_events();
        let books = [&exchange.spot["ETH_USDT"].book, &exchange.futures["ETHUSDT"].book];
        for (at, (record, book)) in records.iter_mut().zip(books).enumerate() {
            let values = events.iter().filter_map(|event| match event {
                Event::SpotTrade { trade, .. } if at == 0 => Some(trade.price * trade.size),
                Event::FuturesTrade { trade, .. } if at == 1 => Some(trade.price * trade.size),
                _ => None,
            });
            let before = record.values.len();
            record.values.extend(values);
            record.trades.push(record.values.len() - before);
            record.bids.push(book.best_bid().expect("a bid").0);
            record.asks.push(book.best_ask().expect("an ask").0);
            if step % 50 == 0 {
                for side in [Side::Buy, Side::Sell] {
                    for (place, (_, size)) in book.levels(side, 50).into_iter().enumerate() {
                        record.depth.resize(record.depth.len().max(place + 1), Decimal::ZERO);
                        record.depth[place] += size;
                    }
                }
            }
        }
    }
    records
});

/// `part` of `whole` in billionths.
fn ratio(part: Decimal, whole: Decimal) -> i64 {
    (part / whole * Decimal::from(BILLION)).to_i64().expect("in range")
}

#[test]
fn the_book_is_never_crossed_and_the_spread_is_narrow() {
    for record in &*TEN_MINUTES {
        for (bid, ask) in record.bids.iter().zip(&record.asks) {
            assert!(bid < ask, "crossed: {bid} {ask}");
            // Up to 0.2 %: market orders remove levels until the next step.
            assert!(ratio(ask - bid, *bid) < BILLION / 500, "wide: {bid} {ask}");
        }
        let mut spreads: Vec<_> =
            record.bids.iter().zip(&record.asks).map(|(bid, ask)| ratio(ask - bid, *bid)).collect();
        spreads.sort_unstable();
        let median = spreads[spreads.len() / 2];
        assert!((50_000..300_000).contains(&median), "{median}");
    }
}

#[test]
fn depth_grows_with_the_distance_from_the_best_price() {
    for record in &*TEN_MINUTES {
        let sum = |from: usize| record.depth[from..from + 10].iter().sum::<Decimal>();
        let tens = [sum(0), sum(10), sum(20), sum(30), sum(40)];
        assert!(tens.is_sorted(), "{tens:?}");
        assert!(tens[4] > tens[0] * Decimal::from(3), "{tens:?}");
    }
}

#[test]
fn volatility_is_realistic() {
    for record in &*TEN_MINUTES {
        let middles: Vec<_> = record.middles().into_iter().step_by(100).collect();
        let squares = middles.windows(2).map(|two| ratio(two[1] - two[0], two[0]).pow(2));
        let deviation = (squares.sum::<i64>() / 59).isqrt();
        // Ten seconds: 0.01 to 0.1 %, which is 18 to 180 % a year.
        assert!((100_000..1_000_000).contains(&deviation), "{deviation}");
    }
}

#[test]
fn trades_come_in_clusters() {
    for record in &*TEN_MINUTES {
        let counts: Vec<usize> =
            record.trades.chunks(10).map(|second| second.iter().sum()).collect();
        let (number, sum) = (counts.len(), counts.iter().sum::<usize>());
        let squares: usize = counts.iter().map(|count| count * count).sum();
        // Variance over mean, both times the square of the number.
        let (variance, mean) = (number * squares - sum * sum, number * sum);
        assert!(mean > 0 && 2 * variance > 3 * mean, "{variance} {mean}");
    }
}

#[test]
fn trade_sizes_have_a_heavy_tail() {
    for record in &*TEN_MINUTES {
        let mut values = record.values.clone();
        values.sort_unstable();
        let (median, largest) = (values[values.len() / 2], values[values.len() - 1]);
        assert!(largest > median * Decimal::from(8), "{median} {largest}");
    }
}

#[test]
fn a_contract_stays_close_to_its_pair_but_differs_from_it() {
    let [spot, futures] = &*TEN_MINUTES;
    let apart: Vec<i64> = spot
        .middles()
        .iter()
        .zip(futures.middles())
        .map(|(spot, futures)| ratio(futures - spot, *spot).abs())
        .collect();
    assert!(apart.iter().all(|apart| *apart < BILLION / 500));
    assert!(apart.iter().any(|apart| *apart > 10_000));
}

/// The trades and quotes of a minute, as text.
fn minute(seed: u64) -> String {
    let symbols = ["ETH_USDT", "XRP_USDT", "ETHUSDT"];
    let mut exchange = exchange(seed, &symbols);
    for step in 0..600 {
        exchange.step_market(START_MS + step * 100);
    }
    let books = symbols.map(|symbol| exchange.book_rows(symbol));
    format!("{:?}\n{books:?}\n{:?}", exchange.take_events(), exchange.makers)
}

#[test]
fn the_same_seed_gives_the_same_market_and_another_seed_another_one() {
    let first = minute(3);
    assert!(first == minute(3));
    assert!(first != minute(4));
}

#[test]
fn a_market_does_not_depend_on_what_else_is_listed() {
    let run = |symbols: &[&str]| {
        let mut exchange = exchange(5, symbols);
        for step in 0..100 {
            exchange.step_market(START_MS + step * 100);
        }
        exchange.book_rows("ETH_USDT")
    };
    assert_eq!(run(&["ETH_USDT"]), run(&["ADA_USDT", "BTC_USDT", "ETH_USDT", "ETHUSDT"]));
}

/// Prices of few ticks and sizes of few lots must neither overflow, nor cross the book, nor stop the market.
#[test]
fn extreme_rules_still_give_a_market() {
    let rules = [
        (0, 0, Decimal::ONE),
        (8, 8, Decimal::new(1, 8)),
        (0, 8, Decimal::from(1_000_000_000)),
        (8, 0, Decimal::from(1_000_000_000)),
    ];
    for (price_decimals, size_decimals, price) in rules {
        let pair = SpotPair::new("ODD", "USDT", price_decimals, size_decimals, price);
        let contract = Contract::new("ODD", "USDT", Decimal::ONE, price_decimals, price);
        let setup = Setup::new().pairs([pair]).contracts([contract]);
        let mut exchange = Exchange::new(&setup, START_MS);
        for step in 0..200 {
            exchange.step_market(START_MS + step * 100);
            for symbol in ["ODD_USDT", "ODDUSDT"] {
                let book = exchange.book_rows(symbol).expect("listed");
                let crossed = book.bids.first().zip(book.asks.first());
                assert!(crossed.is_none_or(|(bid, ask)| bid.0 < ask.0), "{symbol}: {book:?}");
                assert!(!book.asks.is_empty(), "{symbol}");
            }
        }
    }
}
