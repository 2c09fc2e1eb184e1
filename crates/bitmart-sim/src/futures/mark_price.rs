//! Index and mark price of a contract.
//!
//! Both are sampled once a second. The index is the last price of the spot pair with the same base and quote; without
//! such a pair it is the smoothed last price of the contract. The mark price is the index plus the smoothed basis,
//! which is the distance of the last price from the index. BitMart documents no formula.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::funding::next_funding_ms;
use crate::{
    Exchange, SpotMarket, round_down,
    schedule::Task,
    tape::{Candle, Tape},
};

// Rule: The index is the last price of the spot pair; the mark price adds the distance of the last price,
// smoothed by 1/30 at every second. Source: simplified (no formula is published)
/// Samples after which a distance has shrunk to about a third.
const SMOOTHING: Decimal = Decimal::from_parts(30, 0, 0, false, 0);
// Rule: A mark price is at least the smallest price. Source: invented (a price is above zero)
/// Smallest mark price.
const MIN_PRICE: Decimal = Decimal::from_parts(1, 0, 0, false, 8);

/// Index and mark price of a contract.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MarkPrice {
    index: Decimal,
    /// Mark price minus index.
    basis: Decimal,
    /// Candles of the mark price, without volume.
    pub tape: Tape,
}

impl MarkPrice {
    pub(super) fn new(price: Decimal) -> Self {
        Self { index: price, basis: Decimal::ZERO, tape: Tape::default() }
    }

    pub(super) fn without_candles(&self) -> Self {
        Self { tape: Tape::default(), ..*self }
    }

    pub(super) fn index(&self) -> Decimal {
        self.index
    }

    pub(super) fn price(&self) -> Decimal {
        (self.index + self.basis).max(MIN_PRICE)
    }

    /// Starts at the last price, with copies of the candles of the market.
    fn open(&mut self, spot: Option<Decimal>, last: Decimal, candles: Vec<Candle>) {
        self.index = spot.unwrap_or(last);
        self.basis = last - self.index;
        for candle in candles {
            let (volume, turnover) = (Decimal::ZERO, Decimal::ZERO);
            self.tape.push_history(Candle { volume, turnover, ..candle });
        }
    }

    /// Samples both prices. Returns whether one of them changed.
    fn sample(&mut self, spot: Option<Decimal>, last: Decimal, now_ms: u64) -> bool {
        let before = (self.index, self.basis);
        self.index =
            spot.unwrap_or_else(|| self.index + round_down((last - self.index) / SMOOTHING));
        self.basis += round_down((last - self.index - self.basis) / SMOOTHING);
        let moved = (self.index, self.basis) != before;
        if moved {
            self.tape.sample(self.price(), now_ms);
        }
        moved
    }
}

impl Exchange {
    /// Sets the first mark prices, once the markets have prices.
    pub(crate) fn start_mark_prices(&mut self, now_ms: u64) {
        self.sampled_s = now_ms / 1_000;
        for market in self.futures.values_mut() {
            let spot = self.spot.get(&market.rules.pair).map(SpotMarket::last_price);
            market.mark.open(spot, market.last_price(), market.tape.candles(1));
            market.funding_rates.open(now_ms);
        }
        self.schedule.add(next_funding_ms(now_ms), Task::FundingRates);
    }

    /// Samples the mark prices at every second up to now, so that the result does not depend on how often this is
    /// called. Once no price changes any more, the remaining seconds are skipped.
    pub(crate) fn sample_until(&mut self, now_ms: u64) {
        let now_s = now_ms / 1_000;
        while self.sampled_s < now_s {
            self.sampled_s += 1;
            let at_ms = self.sampled_s * 1_000;
            let mut moved = self.sample_marks(at_ms);
            let trade = self.counters.last_futures_trade();
            self.triggers.require_check();
            // Before the liquidations: a stop-loss may prevent one.
            self.run_triggers(at_ms);
            self.liquidate(at_ms);
            moved |= self.counters.last_futures_trade() != trade;
            if !moved {
                self.add_premiums(now_s - self.sampled_s);
                self.sampled_s = now_s;
            }
        }
    }

    fn sample_marks(&mut self, at_ms: u64) -> bool {
        let mut moved = false;
        for market in self.futures.values_mut() {
            let spot = self.spot.get(&market.rules.pair).map(SpotMarket::last_price);
            moved |= market.mark.sample(spot, market.last_price(), at_ms);
        }
        self.add_premiums(1);
        moved
    }

    fn add_premiums(&mut self, seconds: u64) {
        for market in self.futures.values_mut() {
            market.funding_rates.add_premium(&market.mark, seconds);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AccountId,
        tests::{START_MS, open_long, open_short, quiet},
    };

    fn trade(exchange: &mut Exchange, price: i64, now_ms: u64) {
        for (account, order) in [(1, open_long(Some(price), 1)), (2, open_short(Some(price), 1))] {
            exchange.place_futures(AccountId(account), order, now_ms).expect("accepted");
        }
    }

    #[test]
    fn the_mark_price_does_not_depend_on_how_often_it_is_sampled() {
        let (mut often, mut once) = (quiet(), quiet());
        for exchange in [&mut often, &mut once] {
            trade(exchange, 60_300, START_MS);
            assert_eq!(exchange.futures["BTCUSDT"].mark_price(), Decimal::from(60_000));
        }
        for step in 1..=100 {
            often.run_due_tasks(START_MS + step * 100);
        }
        once.run_due_tasks(START_MS + 10_000);
        let market = &once.futures["BTCUSDT"];
        assert_eq!(market.mark_price(), often.futures["BTCUSDT"].mark_price());
        // After ten seconds 1 - (29/30)^10 of the way.
        assert_eq!(market.mark_price().round(), Decimal::from(60_086));
        assert_eq!(market.index_price(), Decimal::from(60_000), "the spot pair did not move");
        once.run_due_tasks(START_MS + 86_400_000);
        assert_eq!(once.futures["BTCUSDT"].mark_price().round_dp(4), Decimal::from(60_300));
    }

    #[test]
    fn without_a_spot_pair_the_index_follows_the_contract() {
        let mut exchange = quiet();
        exchange.spot.remove("BTC_USDT");
        trade(&mut exchange, 60_300, START_MS);
        exchange.run_due_tasks(START_MS + 10_000);
        assert_eq!(exchange.futures["BTCUSDT"].index_price().round(), Decimal::from(60_086));
    }
}
