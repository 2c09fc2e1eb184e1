//! A limit order book with price-time priority.
//!
//! It holds prices, sizes and owners of resting orders. The caller settles the money of matches.

mod matching;
#[cfg(test)]
mod model;
mod stored;

use std::{cmp::Ordering, collections::BTreeMap, fmt, iter::successors};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use self::matching::reaches;
pub use self::matching::whole_lots;
pub(crate) use self::matching::{Match, Quantity, TradeRole};
use crate::{
    AccountId, OrderId,
    pages::Pages,
    slab::{Place, Slab},
};

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Buys the base currency, or contracts.
    Buy,
    /// Sells the base currency, or contracts.
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
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        })
    }
}

// Rule: The taker's choice decides how a self-trade is prevented. Source: documented (endpoint spot_submit_order)
/// Self-trade prevention: what happens when two orders of an account would trade. The taker's choice decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SelfTradePrevention {
    /// No prevention: the orders trade with each other.
    #[serde(alias = "Allow")]
    Off,
    /// The resting order is canceled, and the taker continues.
    CancelMaker,
    /// The rest of the taker is canceled.
    CancelTaker,
    /// The resting order and the rest of the taker are canceled.
    CancelBoth,
}

/// Both sides of one market: price levels in order, and in each level its orders, oldest first.
///
/// Orders and levels are stored in slabs and refer to each other by their places. An order is therefore added, found
/// and removed without a search of its level, and nothing is allocated unless the book grows. Serialized and in debug
/// output, a book is a list of levels (see `stored`).
#[derive(Clone, Default)]
pub struct Book {
    /// The place of each level in `levels`.
    bids: BTreeMap<Price, Place>,
    asks: BTreeMap<Price, Place>,
    levels: Slab<Level>,
    orders: Slab<Resting>,
    /// The place of each order in `orders`, by order number.
    places: Pages<Place>,
}

/// A resting order, linked with its neighbours in the queue of its level.
#[derive(Debug, Clone, Copy)]
struct Resting {
    id: OrderId,
    account: AccountId,
    /// The unfilled part.
    open_size: Decimal,
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

/// A resting order, with the side and the price of its level.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BookOrder {
    pub(crate) id: OrderId,
    pub(crate) account: AccountId,
    pub(crate) side: Side,
    pub(crate) price: Decimal,
    /// The unfilled part.
    pub(crate) open_size: Decimal,
}

impl Book {
    fn levels_of(&mut self, side: Side) -> &mut BTreeMap<Price, Place> {
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

    /// Returns the best price at which an order of `side` would trade.
    pub fn opposite_best(&self, side: Side) -> Option<Decimal> {
        self.best(side.opposite()).map(|(_, level)| level.price)
    }

    /// Whether an order of `side` with this limit would trade at once.
    pub(crate) fn would_take(&self, side: Side, limit: Decimal) -> bool {
        self.opposite_best(side).is_some_and(|best| reaches(side, best, Some(limit)))
    }

    /// Returns price and size of the levels of a side, best first.
    pub fn levels(&self, side: Side, depth: usize) -> Vec<(Decimal, Decimal)> {
        self.best_first(side).take(depth).map(|level| (level.price, level.total)).collect()
    }

    /// Returns the orders with which an order of `side` would trade, and their open sizes. Orders of the same account
    /// are skipped, or end the list, depending on self-trade prevention.
    pub fn matching_orders(
        &self,
        side: Side,
        limit: Option<Decimal>,
        account: AccountId,
        policy: SelfTradePrevention,
    ) -> impl Iterator<Item = (OrderId, Decimal)> {
        let is_own = move |resting: &&Resting| {
            resting.account == account && policy != SelfTradePrevention::Off
        };
        self.best_first(side.opposite())
            .take_while(move |level| reaches(side, level.price, limit))
            .flat_map(|level| self.queue(level))
            .take_while(move |resting| {
                !is_own(resting) || policy == SelfTradePrevention::CancelMaker
            })
            .filter(move |resting| !is_own(resting))
            .map(|resting| (resting.id, resting.open_size))
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
        successors(order(level.oldest), move |resting| order(resting.younger))
    }

    /// Returns the highest price at which an order of `side` would trade now. Orders of the same account are skipped,
    /// because self-trade prevention may cancel them.
    pub fn highest_match_price(
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
                left -= other.open_size;
            }
        }
        highest
    }

    /// Returns all orders.
    pub(crate) fn orders(&self) -> impl Iterator<Item = BookOrder> {
        let levels = self.bids.values().chain(self.asks.values()).map(|place| &self.levels[*place]);
        levels.flat_map(|level| {
            self.queue(level).map(|order| BookOrder {
                id: order.id,
                account: order.account,
                side: level.side,
                price: level.price,
                open_size: order.open_size,
            })
        })
    }

    /// Whether the sizes of all levels are the sums of their orders, and no order is in the book twice.
    pub(crate) fn is_consistent(&self) -> bool {
        let mut levels = self.bids.values().chain(self.asks.values());
        let sums_agree = levels.all(|place| {
            let level = &self.levels[*place];
            let mut orders = self.queue(level);
            let sum = orders.try_fold(Decimal::ZERO, |sum, order| sum.checked_add(order.open_size));
            sum == Some(level.total)
        });
        sums_agree && self.orders().count() == self.places.len()
    }

    /// Adds an order, of which this size is open, behind the others of its price.
    pub(crate) fn rest(
        &mut self,
        side: Side,
        price: Decimal,
        id: OrderId,
        account: AccountId,
        open_size: Decimal,
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
        let order = Resting { id, account, open_size, level, older, younger: None };
        let place = self.orders.insert(order);
        match older {
            Some(older) => self.orders[older].younger = Some(place),
            None => self.levels[level].oldest = Some(place),
        }
        self.levels[level].youngest = Some(place);
        self.levels[level].total += open_size;
        self.places.insert(id.0, place);
    }

    /// Removes an order. Returns false when it is not in the book.
    pub(crate) fn remove(&mut self, id: OrderId) -> bool {
        let Some(place) = self.places.remove(id.0) else { return false };
        self.unlink(place);
        true
    }

    /// Removes an order from its level, and the level when it is empty.
    fn unlink(&mut self, place: Place) {
        let Resting { open_size, level: level_place, older, younger, .. } = self.orders[place];
        self.orders.remove(place);
        let level = &mut self.levels[level_place];
        level.total -= open_size;
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
            self.levels_of(side).remove(&Price(price));
            self.levels.remove(level_place);
        }
    }
}

/// A price as the key of a level. Prices of a market usually have the same number of decimals, for which the
/// comparison is faster.
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

#[cfg(test)]
mod tests;
