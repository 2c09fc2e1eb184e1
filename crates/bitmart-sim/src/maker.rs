//! The seeded market: it turns the model of `flow` into quotes and market orders of the house.

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, Exchange, FLOW, MAKER, OrderId,
    book::{SelfTrade, Side},
    flow::{Flow, WHOLE, course},
    futures::FuturesMarket,
    futures_order::{FuturesSide, Mode, NewFuturesOrder},
    history::{Before, Past},
    order::{Kind, NewSpotOrder},
    setup::Setup,
    spot::SpotMarket,
    tape::{Candle, Tape},
};

// Rule: A market has 60 quotes on each side. Source: invented (a model, see Markets in the README)
/// Quotes on each side.
const LEVELS: usize = 60;
// Rule: Quotes are 0.005 % apart at the best price, and 0.02 % at the far end. Source: invented (a model)
/// The distance of level k from the one before is so much, and k times the second.
const GAP: i64 = 50_000;
const WIDENING: i64 = 3_000;
// Rule: The best quote is worth about 300 units of the quote currency, and each further one 60 more. Source:
// invented (a model)
/// Typical worth of the best quote in the quote currency, and what each level further away adds.
const QUOTE_WORTH: u64 = 300;
const DEEPENING: u64 = 60;
// Rule: A market order of the model is worth 60 units of the quote currency or more. Source: invented (a model)
/// Typical worth of a market order.
const ORDER_WORTH: u64 = 60;
// Rule: A market order of the model walks the book by at most 1 %. Source: invented (a model)
/// How far a market order of the model walks the book at most.
const SWEEP: i64 = WHOLE / 100;
/// Most lots of one order, so that no product overflows.
const LOTS: u128 = 1_000_000_000_000_000;
const MINUTE_MS: u64 = 60_000;
// Rule: A market starts with a day of minutes that are made up. Source: invented (a model)
/// Minutes of history made up at the start.
const HISTORY: u64 = 1_440;
/// Squared it is about the number of beats in a minute.
const MINUTE_ROOT: i64 = 24;
// Rule: A minute of made-up history trades about 5,000 units of the quote currency. Source: invented (a model)
/// Typical worth of what is traded in a minute.
const MINUTE_WORTH: u64 = 5_000;

/// Which engine a maker works in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Venue {
    Spot,
    Futures,
}

/// A resting order of a maker.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Quote {
    id: OrderId,
    ticks: i64,
}

/// The market maker of one symbol. Its prices are counted in ticks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Maker {
    venue: Venue,
    symbol: SmolStr,
    price_decimals: u32,
    size_decimals: u32,
    /// Base units of one contract; 1 on spot.
    contract: Decimal,
    start: i64,
    /// Lots worth one unit of the quote currency, in millionths.
    lots: u64,
    /// The number of the maker whose price it follows.
    leader: Option<usize>,
    flow: Flow,
    /// Ticks from the touch to each level.
    ladder: Vec<i64>,
    bids: Vec<Option<Quote>>,
    asks: Vec<Option<Quote>>,
}

impl Exchange {
    /// Makes up history and the first quotes.
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
        let first = (now_ms / MINUTE_MS).saturating_sub(HISTORY) * MINUTE_MS;
        self.before = Some(Before { seed: setup.seed, until_ms: first });
        for minute in 0..HISTORY {
            for at in 0..makers.len() {
                let open = makers[at].middle();
                walk(&mut makers, at, MINUTE_ROOT);
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

    /// What was before the exchange; none where nobody makes the market.
    pub(super) fn past(&self, symbol: &str) -> Option<Past> {
        let maker = self.makers.iter().find(|maker| maker.symbol == symbol)?;
        let leader = maker.leader.and_then(|leader| self.makers.get(leader)).unwrap_or(maker);
        let lots = u128::from(maker.lots) * u128::from(MINUTE_WORTH) / 1_000_000;
        Some(Past {
            before: self.before?,
            course: course(&leader.symbol),
            start: maker.start,
            price_decimals: maker.price_decimals,
            size_decimals: maker.size_decimals,
            contract: maker.contract,
            lots: i64::try_from(lots.clamp(1, LOTS)).unwrap_or(1),
        })
    }

    /// One beat of the market: every price moves, the quotes follow, and market orders arrive.
    pub(crate) fn step_market(&mut self, now_ms: u64) {
        let mut makers = std::mem::take(&mut self.makers);
        for at in 0..makers.len() {
            walk(&mut makers, at, 1);
            let maker = &mut makers[at];
            self.refresh(maker, now_ms);
            self.requote(maker, now_ms);
            for _ in 0..maker.flow.arrivals() {
                self.arrive(maker, now_ms);
            }
        }
        self.makers = makers;
    }

    fn tape(&mut self, maker: &Maker) -> Option<&mut Tape> {
        match maker.venue {
            Venue::Spot => self.spot.get_mut(&maker.symbol).map(|market| &mut market.tape),
            Venue::Futures => self.futures.get_mut(&maker.symbol).map(|market| &mut market.tape),
        }
    }

    /// Withdraws a quote of each side, rather a near one, so that it comes back with another size.
    fn refresh(&mut self, maker: &mut Maker, now_ms: u64) {
        for side in [Side::Buy, Side::Sell] {
            let level = usize::try_from(maker.flow.near(LEVELS as u64)).unwrap_or(0);
            if let Some(quote) = maker.quotes(side).get_mut(level).and_then(Option::take) {
                self.unquote(maker.venue, quote.id, now_ms);
            }
        }
    }

    /// Brings the quotes to the present price: withdraws what stands too far from its place, then adds
    /// what is missing. No bid is left above the reference price and no ask below, so that the house
    /// does not trade with itself.
    fn requote(&mut self, maker: &mut Maker, now_ms: u64) {
        for side in [Side::Buy, Side::Sell] {
            for level in 0..LEVELS {
                let Some(quote) = maker.quotes(side)[level] else { continue };
                let misplaced = (quote.ticks - maker.place(side, level)).abs() > maker.slack(level);
                if misplaced {
                    self.unquote(maker.venue, quote.id, now_ms);
                }
                if misplaced || !self.is_open(maker.venue, quote.id) {
                    maker.quotes(side)[level] = None;
                }
            }
        }
        for side in [Side::Buy, Side::Sell] {
            for level in (0..LEVELS).rev() {
                let ticks = maker.place(side, level);
                if maker.quotes(side)[level].is_some() || ticks < 1 {
                    continue;
                }
                let size = maker.size(QUOTE_WORTH + DEEPENING * level as u64);
                let id = self.quote(MAKER, maker, side, ticks, size, now_ms);
                maker.quotes(side)[level] = id.map(|id| Quote { id, ticks });
            }
        }
    }

    /// A market order.
    fn arrive(&mut self, maker: &mut Maker, now_ms: u64) {
        let side = maker.flow.take_side();
        let size = maker.size(ORDER_WORTH);
        let sweep = maker.ticks(SWEEP);
        let worst = match side {
            Side::Buy => maker.middle() + sweep,
            Side::Sell => maker.middle() - sweep,
        };
        self.quote(FLOW, maker, side, worst.max(1), size, now_ms);
    }

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
        let resting = account == MAKER;
        match maker.venue {
            Venue::Spot => {
                let request = NewSpotOrder {
                    symbol,
                    margin: false,
                    side,
                    kind: if resting { Kind::Limit } else { Kind::Ioc },
                    client_id: None,
                    stp: None,
                    size,
                    price,
                    notional: Decimal::ZERO,
                };
                self.place_spot(account, request, now_ms).ok()
            }
            Venue::Futures => {
                let request = NewFuturesOrder {
                    symbol,
                    side: if side == Side::Buy {
                        FuturesSide::OpenLong
                    } else {
                        FuturesSide::OpenShort
                    },
                    price: Some(price),
                    size,
                    mode: if resting { Mode::GoodTilCancelled } else { Mode::ImmediateOrCancel },
                    leverage: 1,
                    isolated: false,
                    client_id: None,
                    stp: SelfTrade::Allow,
                };
                self.place_futures(account, request, now_ms).ok()
            }
        }
    }

    fn unquote(&mut self, venue: Venue, id: OrderId, now_ms: u64) {
        // A quote that was filled meanwhile is gone already.
        let _ = match venue {
            Venue::Spot => self.cancel_spot(MAKER, id, now_ms).map(drop),
            Venue::Futures => self.cancel_futures(MAKER, id, now_ms),
        };
    }

    fn is_open(&self, venue: Venue, id: OrderId) -> bool {
        match venue {
            Venue::Spot => self.spot_orders.contains_key(&id),
            Venue::Futures => self.futures_orders.contains_key(&id),
        }
    }
}

/// Moves the price of one market. Leaders stand before their followers.
fn walk(makers: &mut [Maker], at: usize, root: i64) {
    let (before, rest) = makers.split_at_mut(at);
    let Some(maker) = rest.first_mut() else { return };
    if let Some(leader) = maker.leader.and_then(|leader| before.get(leader)) {
        maker.flow.follow(&leader.flow);
    }
    maker.flow.walk(root);
}

impl Maker {
    fn spot(market: &SpotMarket) -> Self {
        let rules = &market.rules;
        let decimals = (rules.price_decimals, rules.size_decimals);
        Self::new(Venue::Spot, &rules.symbol, rules.start_price, decimals, Decimal::ONE)
    }

    fn futures(market: &FuturesMarket, leader: Option<usize>) -> Self {
        let rules = &market.rules;
        let decimals = (rules.price_decimals, 0);
        let (symbol, contract) = (&rules.symbol, rules.contract_size);
        let maker = Self::new(Venue::Futures, symbol, rules.start_price, decimals, contract);
        Self { leader, ..maker }
    }

    fn new(
        venue: Venue,
        symbol: &SmolStr,
        price: Decimal,
        (price_decimals, size_decimals): (u32, u32),
        contract: Decimal,
    ) -> Self {
        let lot_worth = price * contract * Decimal::new(1, size_decimals);
        let lots = Decimal::from(1_000_000).checked_div(lot_worth).and_then(|lots| lots.to_u64());
        Self {
            venue,
            symbol: symbol.clone(),
            price_decimals,
            size_decimals,
            contract,
            start: (price / Decimal::new(1, price_decimals)).to_i64().unwrap_or(1),
            lots: lots.unwrap_or(u64::MAX),
            leader: None,
            flow: Flow::new(0, symbol, false),
            ladder: Vec::new(),
            bids: vec![None; LEVELS],
            asks: vec![None; LEVELS],
        }
    }

    /// Starts the model and sets up the levels, at least a tick apart.
    fn open(&mut self, seed: u64) {
        self.flow = Flow::new(seed, &self.symbol, self.leader.is_some());
        let mut far = 0;
        for level in 0..LEVELS {
            self.ladder.push(far);
            let gap = GAP + WIDENING * i64::try_from(level).unwrap_or(0);
            let gap = gap * self.flow.jitter() / 1_024;
            far += self.ticks(gap).max(1);
        }
    }

    /// A distance in ticks.
    fn ticks(&self, distance: i64) -> i64 {
        let ticks = i128::from(self.start) * i128::from(distance) / i128::from(WHOLE);
        i64::try_from(ticks).unwrap_or(i64::MAX / 4)
    }

    /// The reference price in ticks.
    fn middle(&self) -> i64 {
        self.start + self.ticks(self.flow.distance())
    }

    /// Where the quote of a level belongs.
    fn place(&self, side: Side, level: usize) -> i64 {
        let far = self.ticks(self.flow.half_spread()) + self.ladder[level];
        match side {
            Side::Buy => self.middle() - far,
            Side::Sell => self.middle() + far + 1,
        }
    }

    /// How far from its place a quote may stand: half of the way to what is next to it.
    fn slack(&self, level: usize) -> i64 {
        match level.checked_sub(1) {
            None => self.ticks(self.flow.half_spread()) / 2,
            Some(nearer) => (self.ladder[level] - self.ladder[nearer]) / 2,
        }
    }

    fn quotes(&mut self, side: Side) -> &mut [Option<Quote>] {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    fn price(&self, ticks: i64) -> Decimal {
        Decimal::new(ticks, self.price_decimals)
    }

    /// Lots whose worth is around `typical`; at least one.
    fn lots(&mut self, typical: u64) -> i64 {
        let worth = u128::from(self.flow.size(typical));
        let lots = worth * u128::from(self.lots) / 1_000_000;
        i64::try_from(lots.clamp(1, LOTS)).unwrap_or(1)
    }

    fn size(&mut self, typical: u64) -> Decimal {
        Decimal::new(self.lots(typical), self.size_decimals)
    }

    /// A minute of history that ends at the present price.
    fn candle(&mut self, open_ms: u64, open: i64) -> Candle {
        let (close, lots) = (self.middle(), self.lots(MINUTE_WORTH));
        let wick = self.ticks(self.flow.half_spread());
        // As integers: there are many of them, and every test starts with them.
        let turnover = (i128::from(lots) * i128::from(close)).checked_mul(self.contract.mantissa());
        let scale = self.size_decimals + self.price_decimals + self.contract.scale();
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
