//! The seeded market: a ladder of quotes around a wandering price, and small market orders.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, Exchange, FLOW, MAKER, OrderId,
    book::{SelfTrade, Side, whole_lots},
    futures_order::{FuturesSide, Mode, NewFuturesOrder},
    order::{Kind, NewSpotOrder},
    tape::Candle,
};
use crate::config::Config;

/// Quotes on each side.
const LEVELS: i64 = 60;
/// How far the price may wander from its start, in steps of the ladder; a step is about 0.01 %.
const REACH: i64 = 500;
const MINUTE_MS: u64 = 60_000;
/// Minutes of history made up at the start.
const HISTORY: u64 = 1_440;

/// Which engine a maker works in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Venue {
    Spot,
    Futures,
}

/// The market maker of one symbol. Prices are whole steps of `step`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Maker {
    venue: Venue,
    symbol: SmolStr,
    step: Decimal,
    lot: Decimal,
    /// Size worth about one unit of the quote currency.
    unit: Decimal,
    start: i64,
    mid: i64,
    bids: BTreeMap<i64, OrderId>,
    asks: BTreeMap<i64, OrderId>,
}

impl Exchange {
    /// Makes up history and the first quotes.
    pub(super) fn start_markets(&mut self, config: &Config, now_ms: u64) {
        let spot = self.spot.values().map(|market| {
            let rules = &market.rules;
            let tick = Decimal::new(1, rules.price_decimals);
            (Venue::Spot, rules.symbol.clone(), rules.start_price, tick, rules.lot, Decimal::ONE)
        });
        let futures = self.futures.values().map(|market| {
            let rules = &market.rules;
            let tick = Decimal::new(1, rules.price_decimals);
            (
                Venue::Futures,
                rules.symbol.clone(),
                rules.start_price,
                tick,
                Decimal::ONE,
                rules.contract_size,
            )
        });
        let markets: Vec<_> = spot.chain(futures).collect();
        for (venue, symbol, price, tick, lot, worth) in markets {
            let step = whole_lots(price / Decimal::from(10_000), tick).max(tick);
            let start = (price / step).round().to_i64().unwrap_or(1).max(LEVELS + REACH + 1);
            let unit = Decimal::ONE.checked_div(price * worth).unwrap_or(lot);
            let mut maker = Maker {
                venue,
                symbol,
                step,
                lot,
                unit,
                start,
                mid: start,
                bids: BTreeMap::new(),
                asks: BTreeMap::new(),
            };
            if config.market_maker {
                self.make_history(&mut maker, now_ms);
                self.requote(&mut maker, now_ms);
                self.makers.push(maker);
            }
        }
    }

    /// One beat of the market: every maker may move, refresh a quote and see a market order.
    pub(crate) fn step_market(&mut self, now_ms: u64) {
        let mut makers = std::mem::take(&mut self.makers);
        for maker in &mut makers {
            maker.mid = self.wander(maker);
            for _ in 0..2 {
                self.refresh(maker, now_ms);
            }
            self.requote(maker, now_ms);
            if self.rng.chance(25) {
                self.flow(maker, now_ms);
            }
        }
        self.makers = makers;
    }

    fn wander(&mut self, maker: &Maker) -> i64 {
        let pull = match maker.mid - maker.start {
            far if far > REACH => -1,
            far if far < -REACH => 1,
            _ => 0,
        };
        maker.mid + if pull == 0 { self.rng.step() } else { pull }
    }

    fn make_history(&mut self, maker: &mut Maker, now_ms: u64) {
        let first = (now_ms / MINUTE_MS).saturating_sub(HISTORY) * MINUTE_MS;
        for minute in 0..HISTORY {
            let open = maker.price(maker.mid);
            maker.mid = self.wander(maker);
            let mut candle = Candle::flat(first + minute * MINUTE_MS, open);
            candle.close = maker.price(maker.mid);
            candle.high = open.max(candle.close) + maker.step;
            candle.low = open.min(candle.close) - maker.step;
            candle.volume = self.size(maker, 10_000);
            let worth = self
                .futures
                .get(&maker.symbol)
                .map_or(Decimal::ONE, |market| market.rules.contract_size);
            candle.turnover = candle.volume * candle.close * worth;
            if let Some(tape) = self.tape(maker) {
                tape.push_history(candle);
            }
        }
    }

    fn tape(&mut self, maker: &Maker) -> Option<&mut super::tape::Tape> {
        match maker.venue {
            Venue::Spot => self.spot.get_mut(&maker.symbol).map(|market| &mut market.tape),
            Venue::Futures => self.futures.get_mut(&maker.symbol).map(|market| &mut market.tape),
        }
    }

    /// A size worth 100 to `most` units of the quote currency, in whole lots.
    fn size(&mut self, maker: &Maker, most: u64) -> Decimal {
        let worth = Decimal::from(100 + self.rng.below(most));
        whole_lots(worth * maker.unit, maker.lot).max(maker.lot)
    }

    /// Withdraws one random quote, so that its level comes back with another size.
    fn refresh(&mut self, maker: &mut Maker, now_ms: u64) {
        let offset = 1 + i64::try_from(self.rng.below(LEVELS as u64)).unwrap_or(0);
        let gone = if self.rng.chance(50) {
            maker.bids.remove(&(maker.mid - offset))
        } else {
            maker.asks.remove(&(maker.mid + offset))
        };
        if let Some(id) = gone {
            self.unquote(maker.venue, id, now_ms);
        }
    }

    /// Brings the ladder to its present middle: removes what is in the way or out of range, then
    /// adds what is missing.
    fn requote(&mut self, maker: &mut Maker, now_ms: u64) {
        let mid = maker.mid;
        let (bids, asks) = ((mid - LEVELS)..mid, (mid + 1)..(mid + LEVELS + 1));
        for (quotes, range) in [(&mut maker.bids, &bids), (&mut maker.asks, &asks)] {
            let gone: Vec<_> =
                quotes.iter().filter(|row| !range.contains(row.0)).map(|row| *row.1).collect();
            quotes.retain(|level, _| range.contains(level));
            for id in gone {
                self.unquote(maker.venue, id, now_ms);
            }
        }
        for (side, range) in [(Side::Buy, bids), (Side::Sell, asks)] {
            for level in range {
                let quotes = if side == Side::Buy { &maker.bids } else { &maker.asks };
                if quotes.get(&level).is_some_and(|id| self.is_open(maker.venue, *id)) {
                    continue;
                }
                let size = self.size(maker, 5_000);
                if let Some(id) =
                    self.quote(MAKER, maker, side, Some(maker.price(level)), size, now_ms)
                {
                    let quotes = if side == Side::Buy { &mut maker.bids } else { &mut maker.asks };
                    quotes.insert(level, id);
                }
            }
        }
    }

    /// A small market order.
    fn flow(&mut self, maker: &Maker, now_ms: u64) {
        let side = if self.rng.chance(50) { Side::Buy } else { Side::Sell };
        let size = self.size(maker, 400);
        let worst = match side {
            Side::Buy => maker.price(maker.mid + LEVELS),
            Side::Sell => maker.price(maker.mid - LEVELS),
        };
        self.quote(FLOW, maker, side, Some(worst), size, now_ms);
    }

    fn quote(
        &mut self,
        account: AccountId,
        maker: &Maker,
        side: Side,
        price: Option<Decimal>,
        size: Decimal,
        now_ms: u64,
    ) -> Option<OrderId> {
        let symbol = maker.symbol.clone();
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
                    price: price?,
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
                    price,
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

impl Maker {
    fn price(&self, level: i64) -> Decimal {
        Decimal::from(level) * self.step
    }
}
