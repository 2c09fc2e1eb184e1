//! A year of minute candles of 20 pairs with a strategy that follows two moving averages on each.

use std::time::Instant;

use bitmart_sim::{
    AccountId, Backtest, Decimal, Setup, SpotPair, SpotRequest, book::Side, rng::Rng,
    spot_order::NewSpotOrder, tape::Candle,
};

const YEAR: u64 = 525_600;
const MINUTE_MS: u64 = 60_000;
const START_MS: u64 = 1_700_000_040_000;
const ME: AccountId = AccountId(1);
/// Minutes of the fast and of the slow average.
const FAST: usize = 60;
const SLOW: usize = 1_440;

/// A random walk with a volatility of about 60 % a year.
fn candles(pair: &SpotPair, seed: u64) -> impl Iterator<Item = Candle> + use<> {
    let decimals = pair.price_decimals;
    let start = (pair.start_price / Decimal::new(1, decimals)).round();
    let start = i64::try_from(start).expect("a price").max(1);
    let (mut rng, mut last) = (Rng::new(seed), start * 1_000);
    let step = start * 1_000 / 700;
    (0..YEAR).map(move |minute| {
        let mut next_price = || {
            let change = i64::try_from(rng.below(u64::try_from(2 * step + 1).expect("positive")));
            last = (last + (change.expect("small") - step) / 2).clamp(start * 100, start * 10_000);
            Decimal::new(last / 1_000, decimals)
        };
        let prices = [next_price(), next_price(), next_price(), next_price()];
        Candle {
            open_ms: START_MS + minute * MINUTE_MS,
            open: prices[0],
            high: prices.into_iter().max().expect("four"),
            low: prices.into_iter().min().expect("four"),
            close: prices[3],
            volume: Decimal::ONE,
            turnover: prices[3],
        }
    })
}

/// The moving averages of one pair, as sums of closes.
#[derive(Default)]
struct Averages {
    /// The latest closes, in a ring.
    closes: Vec<Decimal>,
    /// The index of the oldest close once the ring is full.
    oldest: usize,
    fast_sum: Decimal,
    slow_sum: Decimal,
    /// What the strategy has bought and not sold yet, in base units.
    held: Decimal,
}

impl Averages {
    /// Adds a close. Returns whether the fast average is above the slow one, once both exist.
    fn add(&mut self, close: Decimal) -> Option<bool> {
        if self.closes.len() < SLOW {
            self.closes.push(close);
        } else {
            self.slow_sum -= std::mem::replace(&mut self.closes[self.oldest], close);
        }
        let length = self.closes.len();
        if length > FAST {
            self.fast_sum -= self.closes[(self.oldest + length - FAST) % length];
        }
        self.fast_sum += close;
        self.slow_sum += close;
        self.oldest = (self.oldest + 1) % SLOW;
        let ratio = Decimal::from(SLOW / FAST);
        (length == SLOW).then(|| self.fast_sum * ratio > self.slow_sum)
    }
}

/// Runs the strategy and returns the number of its trades. With `resting`, every book keeps a resting order.
fn run(resting: bool) -> usize {
    let pairs = SpotPair::listed();
    let setup =
        Setup::new().contracts([]).account(ME).spot_balance("USDT", Decimal::from(1_000_000));
    let mut backtest = Backtest::new(&setup, START_MS);
    for (pair, seed) in pairs.iter().zip(1..) {
        backtest = backtest.candles(&pair.symbol(), candles(pair, seed)).expect("a pair");
    }
    let mut averages: Vec<Averages> = pairs.iter().map(|_| Averages::default()).collect();
    if resting {
        for pair in &pairs {
            let (size, price) = (Decimal::from(10) / pair.start_price, pair.start_price);
            let size = (size * Decimal::from(20)).round_dp(pair.size_decimals);
            let price = (price / Decimal::from(20)).round_dp(pair.price_decimals);
            let order = NewSpotOrder::limit(pair.symbol(), Side::Buy, size, price);
            backtest.apply(ME, SpotRequest::Place(order)).expect("accepted");
        }
    }
    let mut trades = 0;
    while let Some(finished) = backtest.step() {
        for ((symbol, candle), averages) in finished.into_iter().zip(&mut averages) {
            let Some(rises) = averages.add(candle.close) else { continue };
            if rises == averages.held.is_zero() {
                let order = if rises {
                    NewSpotOrder::market_buy(symbol.clone(), Decimal::from(1_000))
                } else {
                    NewSpotOrder::market_sell(symbol.clone(), averages.held)
                };
                // Rejected when the balance is used up.
                if backtest.apply(ME, SpotRequest::Place(order)).is_ok() {
                    trades += 1;
                }
                let fill = backtest.exchange().spot_fills().next_back();
                let bought = fill.filter(|_| rises).map_or(Decimal::ZERO, |fill| fill.size);
                averages.held = bought;
            }
        }
        drop(backtest.take_events());
    }
    trades
}

fn main() {
    // `cargo test --benches` only checks that it compiles.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    for resting in [false, true] {
        let begun = Instant::now();
        let trades = run(resting);
        let time = begun.elapsed();
        let candles = 20 * YEAR;
        println!("{candles} candles, resting orders {resting}, {trades} orders: {time:?}");
    }
}
