//! The serialized form of a book: levels by price, and the orders of each level, oldest first.
//!
//! `{"bids": {"59999.5": {"queue": [{"id": 7, "account": 1, "open": "0.5"}], "total": "0.5"}}, "asks": {}}`

use std::{collections::BTreeMap, fmt};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Book, Level, Place, Price, Side};
use crate::{AccountId, OrderId};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredBook {
    bids: BTreeMap<Decimal, StoredLevel>,
    asks: BTreeMap<Decimal, StoredLevel>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredLevel {
    queue: Vec<StoredOrder>,
    total: Decimal,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredOrder {
    id: OrderId,
    account: AccountId,
    open: Decimal,
}

impl StoredBook {
    pub(super) fn of(book: &Book) -> Self {
        let levels = |levels: &BTreeMap<Price, Place>| {
            let levels = levels.values().map(|place| &book.levels[*place]);
            levels.map(|level| (level.price, StoredLevel::of(book, level))).collect()
        };
        Self { bids: levels(&book.bids), asks: levels(&book.asks) }
    }
}

impl StoredLevel {
    fn of(book: &Book, level: &Level) -> Self {
        let orders = book.queue(level);
        let queue = orders
            .map(|order| StoredOrder {
                id: order.id,
                account: order.account,
                open: order.open_size,
            })
            .collect();
        Self { queue, total: level.total }
    }
}

/// An order in a book.
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
}

impl From<StoredBook> for Book {
    fn from(stored: StoredBook) -> Self {
        let mut book = Self::default();
        for (side, levels) in [(Side::Buy, stored.bids), (Side::Sell, stored.asks)] {
            for (price, level) in levels {
                for order in level.queue {
                    book.rest(side, price, order.id, order.account, order.open);
                }
                if let Some(place) = book.levels_of(side).get(&Price(price)).copied() {
                    book.levels[place].total = level.total;
                }
            }
        }
        book
    }
}

impl Serialize for Book {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredBook::of(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Book {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StoredBook::deserialize(deserializer).map(Self::from)
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        StoredBook::of(self).fmt(f)
    }
}
