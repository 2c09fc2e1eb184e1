//! A limit order book with price-time priority.
//!
//! It knows sizes, prices and who rests where. Money is settled by its caller.

#[cfg(test)]
mod model;
mod stored;

use std::{cmp::Ordering, collections::BTreeMap, iter::successors};

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, OrderId,
    slab::{IdMap, Place, Slab},
};

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Pays the quote currency, or goes long.
    Buy,
    /// Pays the base currency, or goes short.
    Sell,
}

impl Side {
    #[must_use]
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// Its name in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

// Rule: Self-trade prevention goes by the choice of the taker. Source: documented (endpoint spot_submit_order)
/// What happens when an order would trade with one of the same account. The taker's choice decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SelfTrade {
    /// No prevention: the orders trade with each other.
    Allow,
    /// The resting order is cancelled, and the taker goes on.
    CancelMaker,
    /// What is left of the taker is cancelled; the resting order stays.
    CancelTaker,
    /// The resting order and what is left of the taker are cancelled.
    CancelBoth,
}

/// How much the taker wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// Units of the base.
    Size(Decimal),
    /// Units of the quote; each trade is cut down to whole `lot`s.
    Notional {
        /// Quote units.
        amount: Decimal,
        /// Size step in base units.
        lot: Decimal,
    },
}

/// One trade between the taker and a resting order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) maker: OrderId,
    pub(crate) price: Decimal,
    pub(crate) size: Decimal,
}

/// What came of taking from the book.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) matches: Vec<Match>,
    /// Resting orders removed by self-trade prevention.
    pub(crate) removed: Vec<OrderId>,
    /// Self-trade prevention stops the taker.
    pub(crate) stopped: bool,
    /// What is left of the wanted size (or notional).
    pub(crate) left: Decimal,
}

/// Both sides of one market: price levels in order, and in each level its orders, oldest first.
///
/// Orders and levels lie in slabs and name each other by their places, so that an order is added, found
/// and removed without a search of its level, and nothing is allocated while the book does not grow.
/// Stored and printed, a book is a list of levels (see `stored`), whatever its slabs look like.
#[derive(Clone, Default)]
pub struct Book {
    bids: BTreeMap<Price, Place>,
    asks: BTreeMap<Price, Place>,
    levels: Slab<Level>,
    orders: Slab<Resting>,
    places: IdMap<OrderId, Place>,
}

#[derive(Debug, Clone, Copy)]
struct Resting {
    id: OrderId,
    account: AccountId,
    open: Decimal,
    level: Place,
    older: Option<Place>,
    younger: Option<Place>,
}

/// The orders of one price. `total` is the sum of their open sizes.
#[derive(Debug, Clone, Copy)]
struct Level {
    side: Side,
    price: Decimal,
    total: Decimal,
    oldest: Option<Place>,
    youngest: Option<Place>,
}

impl Book {
    fn side(&mut self, side: Side) -> &mut BTreeMap<Price, Place> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Returns the highest bid price, and the size of all orders at it.
    pub fn best_bid(&self) -> Option<(Decimal, Decimal)> {
        self.best(Side::Buy).map(|(_, level)| (level.price, level.total))
    }

    /// Returns the lowest ask price, and the size of all orders at it.
    pub fn best_ask(&self) -> Option<(Decimal, Decimal)> {
        self.best(Side::Sell).map(|(_, level)| (level.price, level.total))
    }

    fn best(&self, side: Side) -> Option<(Place, &Level)> {
        let entry = match side {
            Side::Buy => self.bids.last_key_value(),
            Side::Sell => self.asks.first_key_value(),
        };
        entry.map(|(_, place)| (*place, &self.levels[*place]))
    }

    /// The best price an order of `side` would trade at.
    pub fn opposite_best(&self, side: Side) -> Option<Decimal> {
        self.best(side.opposite()).map(|(_, level)| level.price)
    }

    pub(crate) fn would_take(&self, side: Side, limit: Decimal) -> bool {
        self.opposite_best(side).is_some_and(|best| reaches(side, best, Some(limit)))
    }

    /// Levels from the best outwards as (price, size).
    pub fn levels(&self, side: Side, depth: usize) -> Vec<(Decimal, Decimal)> {
        self.best_first(side).take(depth).map(|level| (level.price, level.total)).collect()
    }

    /// The orders that one of `side` would meet at its limit or better, and their open sizes: orders of the
    /// same account are taken out of its way or stop it, as self-trade prevention says.
    pub fn met_by(
        &self,
        side: Side,
        limit: Option<Decimal>,
        account: AccountId,
        policy: SelfTrade,
    ) -> impl Iterator<Item = (OrderId, Decimal)> {
        let own =
            move |resting: &&Resting| resting.account == account && policy != SelfTrade::Allow;
        self.best_first(side.opposite())
            .take_while(move |level| reaches(side, level.price, limit))
            .flat_map(|level| self.queue(level))
            .take_while(move |resting| !own(resting) || policy == SelfTrade::CancelMaker)
            .filter(move |resting| !own(resting))
            .map(|resting| (resting.id, resting.open))
    }

    /// The levels of a side, best first.
    fn best_first(&self, side: Side) -> Box<dyn Iterator<Item = &Level> + '_> {
        let level = |place: &Place| &self.levels[*place];
        match side {
            Side::Buy => Box::new(self.bids.values().rev().map(level)),
            Side::Sell => Box::new(self.asks.values().map(level)),
        }
    }

    /// The orders of a level, oldest first.
    fn queue(&self, level: &Level) -> impl Iterator<Item = &Resting> {
        let order = |place: Option<Place>| place.map(|place| &self.orders[place]);
        successors(order(level.oldest), move |one| order(one.younger))
    }

    /// The highest price at which an order of `side` would trade now. Orders of the same account are
    /// passed over, because self-trade prevention may take them out of the way.
    pub fn highest_reached(
        &self,
        side: Side,
        limit: Option<Decimal>,
        size: Decimal,
        account: AccountId,
    ) -> Option<Decimal> {
        let (mut left, mut highest) = (size, None);
        let levels = self.best_first(side.opposite());
        for level in levels.take_while(|level| reaches(side, level.price, limit)) {
            for other in self.queue(level).filter(|resting| resting.account != account) {
                if left <= Decimal::ZERO {
                    return highest;
                }
                highest = highest.max(Some(level.price));
                left -= other.open;
            }
        }
        highest
    }

    /// Adds a resting order behind those of its price.
    pub(crate) fn rest(
        &mut self,
        side: Side,
        price: Decimal,
        id: OrderId,
        account: AccountId,
        open: Decimal,
    ) {
        let levels = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        let level = *levels.entry(Price(price)).or_insert_with(|| {
            let total = Decimal::ZERO;
            self.levels.insert(Level { side, price, total, oldest: None, youngest: None })
        });
        let older = self.levels[level].youngest;
        let order = Resting { id, account, open, level, older, younger: None };
        let place = self.orders.insert(order);
        match older {
            Some(older) => self.orders[older].younger = Some(place),
            None => self.levels[level].oldest = Some(place),
        }
        self.levels[level].youngest = Some(place);
        self.levels[level].total += open;
        self.places.insert(id, place);
    }

    /// Removes a resting order; false when it is not there.
    pub(crate) fn remove(&mut self, id: OrderId) -> bool {
        let Some(place) = self.places.remove(&id) else { return false };
        self.unlink(place);
        true
    }

    /// Takes an order out of its level, and the level out of the book when it was the last one there.
    fn unlink(&mut self, place: Place) {
        let Resting { open, level: at, older, younger, .. } = self.orders[place];
        self.orders.remove(place);
        let level = &mut self.levels[at];
        level.total -= open;
        match older {
            Some(older) => self.orders[older].younger = younger,
            None => level.oldest = younger,
        }
        match younger {
            Some(younger) => self.orders[younger].older = older,
            None => level.youngest = older,
        }
        if level.oldest.is_none() {
            let (side, price) = (level.side, level.price);
            self.side(side).remove(&Price(price));
            self.levels.remove(at);
        }
    }

    // Rule: The best price trades first, at one price the oldest order. Source: simplified (the usual priority;
    // no source states it)
    /// Trades against the other side, best price first and oldest order first.
    pub(crate) fn take(
        &mut self,
        side: Side,
        limit: Option<Decimal>,
        want: Want,
        account: AccountId,
        policy: SelfTrade,
    ) -> Taken {
        let mut taken = Taken::default();
        let mut left = match want {
            Want::Size(size) => size,
            Want::Notional { amount, .. } => amount,
        };
        while left > Decimal::ZERO && !taken.stopped {
            let Some((at, level)) =
                self.best(side.opposite()).filter(|(_, level)| reaches(side, level.price, limit))
            else {
                break;
            };
            let price = level.price;
            let wanted = match want {
                Want::Size(_) => left,
                Want::Notional { lot, .. } => whole_lots(left / price, lot),
            };
            if wanted <= Decimal::ZERO {
                break;
            }
            let Some(place) = level.oldest else { break };
            let oldest = &mut self.orders[place];
            if oldest.account == account && policy != SelfTrade::Allow {
                taken.stopped = policy != SelfTrade::CancelMaker;
                if policy == SelfTrade::CancelTaker {
                    break;
                }
                let id = oldest.id;
                taken.removed.push(id);
                self.remove(id);
                continue;
            }
            let size = wanted.min(oldest.open);
            let maker = oldest.id;
            taken.matches.push(Match { maker, price, size });
            oldest.open -= size;
            let done = oldest.open.is_zero();
            self.levels[at].total -= size;
            left -= match want {
                Want::Size(_) => size,
                Want::Notional { .. } => size * price,
            };
            if done {
                self.remove(maker);
            }
        }
        taken.left = left;
        taken
    }
}

/// A price as the key of a level. Prices of one market mostly have the same number of decimals, which
/// makes them quick to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Price(Decimal);

impl Ord for Price {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.0.scale() == other.0.scale() {
            self.0.mantissa().cmp(&other.0.mantissa())
        } else {
            self.0.cmp(&other.0)
        }
    }
}

impl PartialOrd for Price {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn reaches(side: Side, best: Decimal, limit: Option<Decimal>) -> bool {
    limit.is_none_or(|limit| match side {
        Side::Buy => best <= limit,
        Side::Sell => best >= limit,
    })
}

// Rule: A market buy takes whole lots; what is left of its amount goes back and the order ends as
// partially_canceled. Source: captured (fixtures/captured/spot-order-market-buy-partially_canceled.json)
/// Cuts `size` down to a multiple of `lot`.
pub fn whole_lots(size: Decimal, lot: Decimal) -> Decimal {
    if lot.is_zero() {
        return size;
    }
    (size / lot).round_dp_with_strategy(0, RoundingStrategy::ToZero) * lot
}

#[cfg(test)]
mod tests;
