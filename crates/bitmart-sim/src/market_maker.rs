//! Simulated market makers and takers: they turn the order-flow model into quotes and market orders.

mod maker;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, Exchange, MAKER, OrderId, TAKER,
    book::{SelfTradePrevention, Side},
    candle_history::{HistorySource, MarketHistory},
    control::ControlError,
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    markets::MarketKind,
    order_flow::{OrderFlow, PRICE_UNIT, path_seed},
    setup::Setup,
    spot_order::{NewSpotOrder, SpotOrderType},
    tape::Tape,
};

// Rule: A market has 60 quotes on each side. Source: invented (a model, see Markets in the README)
/// Quotes on each side.
const LEVELS: usize = 60;
// Rule: Quotes are 0.005 % apart at the best price, and 0.02 % at the far end. Source: invented (a model)
/// Distance of the best quote from the next one, in billionths of the start price.
const GAP: i64 = 50_000;
/// By how much the distance grows from one level to the next, in billionths of the start price.
const WIDENING: i64 = 3_000;
// Rule: The best quote is worth about 300 units of the quote currency, and each further one 60 more. Source:
// invented (a model)
/// Typical value of the best quote in the quote currency.
const QUOTE_VALUE: u64 = 300;
/// By how much the value grows from one level to the next, in the quote currency.
const DEEPENING: u64 = 60;
// Rule: A market order of the model is worth 60 units of the quote currency or more. Source: invented (a model)
/// Typical value of a market order, in the quote currency.
const ORDER_VALUE: u64 = 60;
// Rule: A market order of the model walks the book by at most 1 %. Source: invented (a model)
/// How far from the reference price a market order may trade, in billionths of the start price.
const MAX_SLIPPAGE: i64 = PRICE_UNIT / 100;
/// Largest number of lots of an order, so that products cannot overflow.
const MAX_LOTS: u128 = 1_000_000_000_000_000;
const MINUTE_MS: u64 = 60_000;
// Rule: A market starts with a day of invented minute candles. Source: invented (a model)
/// Minute candles at the start.
const START_CANDLES: u64 = 1_440;
/// Square root of the number of steps in a minute, rounded down.
const SQRT_STEPS_PER_MINUTE: i64 = 24;
// Rule: A minute of the invented history trades about 5,000 units of the quote currency. Source: invented (a model)
/// Typical turnover of a minute, in the quote currency.
const MINUTE_TURNOVER: u64 = 5_000;

/// A resting order of a market maker.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Quote {
    id: OrderId,
    ticks: i64,
}

/// The market maker of one symbol. Its prices are in ticks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Maker {
    #[serde(rename = "venue")]
    market: MarketKind,
    symbol: SmolStr,
    price_decimals: u32,
    size_decimals: u32,
    /// Base units of one contract; 1 on spot.
    #[serde(rename = "contract")]
    contract_size: Decimal,
    /// The start price in ticks.
    #[serde(rename = "start")]
    start_ticks: i64,
    /// Millionths of a lot that are worth one unit of the quote currency at the start price.
    #[serde(rename = "lots")]
    lots_per_quote_unit: u64,
    /// Index of the maker whose price it follows.
    leader: Option<usize>,
    #[serde(rename = "flow")]
    order_flow: OrderFlow,
    /// How far the operator has moved the price, in billionths of the start price.
    #[serde(default, skip_serializing_if = "is_unmoved")]
    shift: i64,
    /// Ticks from the best level to each level.
    ladder: Vec<i64>,
    bids: Vec<Option<Quote>>,
    asks: Vec<Option<Quote>>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_unmoved(shift: &i64) -> bool {
    *shift == 0
}

impl Exchange {
    /// Creates the makers, the first candles and the first quotes.
    pub(super) fn start_markets(&mut self, setup: &Setup, now_ms: u64) {
        if !setup.market_maker {
            return;
        }
        let mut makers: Vec<Maker> = self.spot.values().map(Maker::spot).collect();
        let leaders = makers.len();
        for market in self.futures.values() {
            let rules = &market.rules;
            let pair = format!("{}_{}", rules.base, rules.quote);
            let leader = makers.iter().take(leaders).position(|maker| maker.symbol == pair);
            makers.push(Maker::futures(market, leader));
        }
        for maker in &mut makers {
            maker.open(setup.seed);
        }
        let first = (now_ms / MINUTE_MS).saturating_sub(START_CANDLES) * MINUTE_MS;
        self.history_source = Some(HistorySource { seed: setup.seed, until_ms: first });
        for minute in 0..START_CANDLES {
            for at in 0..makers.len() {
                let open = makers[at].middle();
                walk(&mut makers, at, SQRT_STEPS_PER_MINUTE);
                let candle = makers[at].candle(first + minute * MINUTE_MS, open);
                if let Some(tape) = self.tape(&makers[at]) {
                    tape.push_history(candle);
                }
            }
        }
        for maker in &mut makers {
            self.requote(maker, now_ms);
        }
        self.makers = makers;
    }

    /// Returns the candles before the start, or `None` without a market maker.
    pub(super) fn market_history(&self, symbol: &str) -> Option<MarketHistory> {
        let maker = self.makers.iter().find(|maker| maker.symbol == symbol)?;
        let leader = maker.leader.and_then(|leader| self.makers.get(leader)).unwrap_or(maker);
        let lots = u128::from(maker.lots_per_quote_unit) * u128::from(MINUTE_TURNOVER) / 1_000_000;
        Some(MarketHistory {
            source: self.history_source?,
            path_seed: path_seed(&leader.symbol),
            start_ticks: maker.start_ticks,
            price_decimals: maker.price_decimals,
            size_decimals: maker.size_decimals,
            contract_size: maker.contract_size,
            lots_per_minute: i64::try_from(lots.clamp(1, MAX_LOTS)).unwrap_or(1),
        })
    }

    /// Runs one step of all markets: prices move, quotes follow, market orders arrive.
    pub(crate) fn step_market(&mut self, now_ms: u64) {
        let mut makers = std::mem::take(&mut self.makers);
        for at in 0..makers.len() {
            walk(&mut makers, at, 1);
            let maker = &mut makers[at];
            // Rule: In a halted market or delisted contract nothing trades; the price of the model moves on. Source:
            // simplified (the table of error codes says only that orders are rejected)
            if self.check_contract(&maker.symbol).is_err() {
                continue;
            }
            self.cancel_random_quotes(maker, now_ms);
            self.requote(maker, now_ms);
            for _ in 0..maker.order_flow.arrivals() {
                self.send_market_order(maker, now_ms);
            }
        }
        self.makers = makers;
    }

    // Rule: The operator moves the price of a model to a tenth up to ten times its start. Source: invented (a model)
    /// Moves the price of a market, and of those that follow it or that it follows, by the same ratio.
    pub(crate) fn move_price(
        &mut self,
        symbol: String,
        price: Decimal,
    ) -> Result<(), ControlError> {
        if !self.spot.contains_key(symbol.as_str()) && !self.futures.contains_key(symbol.as_str()) {
            return Err(ControlError::UnknownMarket(symbol));
        }
        let Some(at) = self.makers.iter().position(|maker| maker.symbol == symbol) else {
            return Err(ControlError::NoModel(symbol));
        };
        let leader = self.makers[at].leader.unwrap_or(at);
        let (from, to) = (self.makers[at].middle(), self.makers[at].ticks_of(price));
        let to = to.filter(|to| self.makers[at].can_move_to(*to));
        let to = to.ok_or(ControlError::InvalidPrice(price))?;
        for (index, maker) in self.makers.iter_mut().enumerate() {
            if index == leader || maker.leader == Some(leader) {
                maker.shift = maker.shift_by(from, to);
            }
        }
        Ok(())
    }

    /// Returns the tape of the market of a maker.
    fn tape(&mut self, maker: &Maker) -> Option<&mut Tape> {
        match maker.market {
            MarketKind::Spot => self.spot.get_mut(&maker.symbol).map(|market| &mut market.tape),
            MarketKind::Futures => {
                self.futures.get_mut(&maker.symbol).map(|market| &mut market.tape)
            }
        }
    }

    /// Cancels one quote of each side, more often a near one, so that it is quoted again with another size.
    fn cancel_random_quotes(&mut self, maker: &mut Maker, now_ms: u64) {
        for side in [Side::Buy, Side::Sell] {
            let level = usize::try_from(maker.order_flow.near(LEVELS as u64)).unwrap_or(0);
            if let Some(quote) = maker.quotes(side).get_mut(level).and_then(Option::take) {
                self.cancel_quote(maker.market, quote.id, now_ms);
            }
        }
    }

    /// Moves the quotes to the current price: cancels those too far from the price of their level, then adds the
    /// missing ones. No bid is left above the reference price and no ask below it, so that the maker does not trade
    /// with itself.
    fn requote(&mut self, maker: &mut Maker, now_ms: u64) {
        for side in [Side::Buy, Side::Sell] {
            for level in 0..LEVELS {
                let Some(quote) = maker.quotes(side)[level] else { continue };
                let is_misplaced =
                    (quote.ticks - maker.level_price(side, level)).abs() > maker.tolerance(level);
                if is_misplaced {
                    self.cancel_quote(maker.market, quote.id, now_ms);
                }
                if is_misplaced || !self.is_open(maker.market, quote.id) {
                    maker.quotes(side)[level] = None;
                }
            }
        }
        for side in [Side::Buy, Side::Sell] {
            for level in (0..LEVELS).rev() {
                let ticks = maker.level_price(side, level);
                if maker.quotes(side)[level].is_some() || ticks < 1 {
                    continue;
                }
                let size = maker.size(QUOTE_VALUE + DEEPENING * level as u64);
                let id = self.quote(MAKER, maker, side, ticks, size, now_ms);
                maker.quotes(side)[level] = id.map(|id| Quote { id, ticks });
            }
        }
    }

    /// Sends a market order.
    fn send_market_order(&mut self, maker: &mut Maker, now_ms: u64) {
        let side = maker.order_flow.next_side();
        let size = maker.size(ORDER_VALUE);
        let max_slippage = maker.ticks(MAX_SLIPPAGE);
        let worst = match side {
            Side::Buy => maker.middle() + max_slippage,
            Side::Sell => maker.middle() - max_slippage,
        };
        self.quote(TAKER, maker, side, worst.max(1), size, now_ms);
    }

    /// Places a limit order: one of [`MAKER`] rests, of one of [`TAKER`] the rest is canceled. Returns its number,
    /// unless it was rejected.
    fn quote(
        &mut self,
        account: AccountId,
        maker: &Maker,
        side: Side,
        ticks: i64,
        size: Decimal,
        now_ms: u64,
    ) -> Option<OrderId> {
        let (symbol, price) = (maker.symbol.clone(), maker.price(ticks));
        let rests = account == MAKER;
        match maker.market {
            MarketKind::Spot => {
                let request = NewSpotOrder {
                    symbol,
                    margin: false,
                    side,
                    kind: if rests {
                        SpotOrderType::Limit
                    } else {
                        SpotOrderType::ImmediateOrCancel
                    },
                    client_order_id: None,
                    self_trade_prevention: None,
                    size,
                    price,
                    notional: Decimal::ZERO,
                };
                self.place_spot(account, request, now_ms).ok()
            }
            MarketKind::Futures => {
                let request = NewFuturesOrder {
                    symbol,
                    side: if side == Side::Buy {
                        FuturesSide::OpenLong
                    } else {
                        FuturesSide::OpenShort
                    },
                    price: Some(price),
                    size,
                    mode: if rests {
                        OrderMode::GoodTillCanceled
                    } else {
                        OrderMode::ImmediateOrCancel
                    },
                    leverage: 1,
                    margin_type: MarginType::Cross,
                    client_order_id: None,
                    self_trade_prevention: SelfTradePrevention::Off,
                };
                self.place_futures(account, request, now_ms).ok()
            }
        }
    }

    fn cancel_quote(&mut self, market: MarketKind, id: OrderId, now_ms: u64) {
        // A filled quote cannot be canceled.
        let _ = match market {
            MarketKind::Spot => self.cancel_spot(MAKER, id, now_ms).map(drop),
            MarketKind::Futures => self.cancel_futures(MAKER, id, now_ms),
        };
    }

    /// Whether a quote still rests. Finished orders of the exchange are not kept.
    fn is_open(&self, market: MarketKind, id: OrderId) -> bool {
        match market {
            MarketKind::Spot => self.spot_orders.contains_key(&id),
            MarketKind::Futures => self.futures_orders.contains_key(&id),
        }
    }
}

/// Moves the price of one market. Leaders are before their followers in the list.
fn walk(makers: &mut [Maker], at: usize, sqrt_steps: i64) {
    let (before, rest) = makers.split_at_mut(at);
    let Some(maker) = rest.first_mut() else { return };
    if let Some(leader) = maker.leader.and_then(|leader| before.get(leader)) {
        maker.order_flow.follow(&leader.order_flow);
    }
    maker.order_flow.walk(sqrt_steps);
}

#[cfg(test)]
mod tests;
