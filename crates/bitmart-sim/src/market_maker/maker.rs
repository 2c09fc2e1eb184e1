//! One market maker: its levels, prices and sizes.

use std::ops::RangeInclusive;

use rust_decimal::{Decimal, prelude::ToPrimitive};
use smol_str::SmolStr;

use super::{GAP, LEVELS, MAX_LOTS, MINUTE_TURNOVER, Maker, Quote, WIDENING};
use crate::{
    DECIMALS,
    book::Side,
    futures::FuturesMarket,
    markets::MarketKind,
    order_flow::{OrderFlow, PRICE_UNIT},
    spot::SpotMarket,
    tape::Candle,
};

/// Largest price or distance in ticks in a stored state, above all that the model reaches.
const MAX_TICKS: i64 = 1_000_000_000_000_000_000;
/// The prices to which the operator can move a market, in billionths of the start price.
const MOVABLE_TO: RangeInclusive<i64> = PRICE_UNIT / 10..=PRICE_UNIT * 10;
/// The prices that a market can have: after a move, the model adds a distance of its own.
const REACHABLE: RangeInclusive<i64> = PRICE_UNIT / 100..=PRICE_UNIT * 11;

impl Maker {
    pub(super) fn spot(market: &SpotMarket) -> Self {
        let rules = &market.rules;
        let decimals = (rules.price_decimals, rules.size_decimals);
        Self::new(MarketKind::Spot, &rules.symbol, rules.start_price, decimals, Decimal::ONE)
    }

    pub(super) fn futures(market: &FuturesMarket, leader: Option<usize>) -> Self {
        let rules = &market.rules;
        let decimals = (rules.price_decimals, 0);
        let (symbol, contract) = (&rules.symbol, rules.contract_size);
        let maker = Self::new(MarketKind::Futures, symbol, rules.start_price, decimals, contract);
        Self { leader, ..maker }
    }

    pub(super) fn new(
        market: MarketKind,
        symbol: &SmolStr,
        price: Decimal,
        (price_decimals, size_decimals): (u32, u32),
        contract: Decimal,
    ) -> Self {
        let lot_value = price * contract * Decimal::new(1, size_decimals);
        let lots = Decimal::from(1_000_000).checked_div(lot_value).and_then(|lots| lots.to_u64());
        Self {
            market,
            symbol: symbol.clone(),
            price_decimals,
            size_decimals,
            contract_size: contract,
            start_ticks: (price / Decimal::new(1, price_decimals)).to_i64().unwrap_or(1),
            lots_per_quote_unit: lots.unwrap_or(u64::MAX),
            leader: None,
            order_flow: OrderFlow::new(0, symbol, false),
            shift: 0,
            ladder: Vec::new(),
            bids: vec![None; LEVELS],
            asks: vec![None; LEVELS],
        }
    }

    /// Whether the model can have reached this state; `at` is the index of the maker in the list.
    pub(crate) fn is_consistent(&self, at: usize) -> bool {
        let in_range = |ticks: i64| (0..=MAX_TICKS).contains(&ticks);
        let mut quotes = self.bids.iter().chain(&self.asks).flatten();
        [self.ladder.len(), self.bids.len(), self.asks.len()] == [LEVELS; 3]
            && self.ladder.iter().all(|ticks| in_range(*ticks))
            && quotes.all(|quote| in_range(quote.ticks))
            && in_range(self.start_ticks)
            && self.leader.is_none_or(|leader| leader < at)
            && self.price_decimals.max(self.size_decimals) <= DECIMALS
            && self.order_flow.is_consistent()
            && REACHABLE.contains(&(PRICE_UNIT + self.shift + self.order_flow.distance()))
    }

    /// Starts the model and sets the levels, at least one tick apart.
    pub(super) fn open(&mut self, seed: u64) {
        self.order_flow = OrderFlow::new(seed, &self.symbol, self.leader.is_some());
        let mut far = 0;
        for level in 0..LEVELS {
            self.ladder.push(far);
            let gap = GAP + WIDENING * i64::try_from(level).unwrap_or(0);
            let gap = gap * self.order_flow.jitter() / 1_024;
            far += self.ticks(gap).max(1);
        }
    }

    /// Converts a distance in billionths of the start price into ticks.
    pub(super) fn ticks(&self, distance: i64) -> i64 {
        let ticks = i128::from(self.start_ticks) * i128::from(distance) / i128::from(PRICE_UNIT);
        i64::try_from(ticks).unwrap_or(i64::MAX / 4)
    }

    /// Returns the reference price in ticks.
    pub(super) fn middle(&self) -> i64 {
        self.start_ticks + self.ticks(self.order_flow.distance() + self.shift)
    }

    /// Returns a price in ticks, if it can be one.
    pub(super) fn ticks_of(&self, price: Decimal) -> Option<i64> {
        let tick = Decimal::new(1, self.price_decimals);
        price.checked_div(tick)?.to_i64().filter(|ticks| *ticks > 0)
    }

    /// Whether the operator can move the price to this one, in ticks.
    pub(super) fn can_move_to(&self, to: i64) -> bool {
        let whole = i128::from(to) * i128::from(PRICE_UNIT) / i128::from(self.start_ticks.max(1));
        i64::try_from(whole).is_ok_and(|whole| MOVABLE_TO.contains(&whole))
    }

    /// Returns the shift after which the price is `to / from` times the current one, or as near as it can be moved: a
    /// market that follows another one has ticks of its own.
    pub(super) fn shift_by(&self, from: i64, to: i64) -> i64 {
        let middle = i128::from(self.middle()) * i128::from(to) / i128::from(from.max(1));
        let whole =
            middle.saturating_mul(i128::from(PRICE_UNIT)) / i128::from(self.start_ticks.max(1));
        let ends = i128::from(*MOVABLE_TO.start())..=i128::from(*MOVABLE_TO.end());
        let whole = i64::try_from(whole.clamp(*ends.start(), *ends.end())).unwrap_or(PRICE_UNIT);
        whole - PRICE_UNIT - self.order_flow.distance()
    }

    /// Returns the price of a level.
    pub(super) fn level_price(&self, side: Side, level: usize) -> i64 {
        let far = self.ticks(self.order_flow.half_spread()) + self.ladder[level];
        match side {
            Side::Buy => self.middle() - far,
            Side::Sell => self.middle() + far + 1,
        }
    }

    /// Returns how far a quote may be from the price of its level: half of the distance to the next better one.
    pub(super) fn tolerance(&self, level: usize) -> i64 {
        match level.checked_sub(1) {
            None => self.ticks(self.order_flow.half_spread()) / 2,
            Some(nearer) => (self.ladder[level] - self.ladder[nearer]) / 2,
        }
    }

    pub(super) fn quotes(&mut self, side: Side) -> &mut [Option<Quote>] {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    pub(super) fn price(&self, ticks: i64) -> Decimal {
        Decimal::new(ticks, self.price_decimals)
    }

    /// Returns a random number of lots of a typical value; at least one.
    pub(super) fn lots(&mut self, typical: u64) -> i64 {
        let value = u128::from(self.order_flow.size(typical));
        let lots = value * u128::from(self.lots_per_quote_unit) / 1_000_000;
        i64::try_from(lots.clamp(1, MAX_LOTS)).unwrap_or(1)
    }

    pub(super) fn size(&mut self, typical: u64) -> Decimal {
        Decimal::new(self.lots(typical), self.size_decimals)
    }

    /// Returns a minute candle that ends at the current price.
    pub(super) fn candle(&mut self, open_ms: u64, open: i64) -> Candle {
        let (close, lots) = (self.middle(), self.lots(MINUTE_TURNOVER));
        let wick = self.ticks(self.order_flow.half_spread());
        // Integers for speed: every exchange starts with many of these candles.
        let turnover =
            (i128::from(lots) * i128::from(close)).checked_mul(self.contract_size.mantissa());
        let scale = self.size_decimals + self.price_decimals + self.contract_size.scale();
        let turnover = turnover.and_then(|sum| Decimal::try_from_i128_with_scale(sum, scale).ok());
        Candle {
            open_ms,
            open: self.price(open),
            high: self.price(open.max(close) + wick),
            low: self.price((open.min(close) - wick).max(1)),
            close: self.price(close),
            volume: Decimal::new(lots, self.size_decimals),
            turnover: turnover.unwrap_or_default(),
        }
    }
}
