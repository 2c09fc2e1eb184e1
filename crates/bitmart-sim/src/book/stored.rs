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
        let stored = |side: &BTreeMap<Price, Place>| {
            let levels = side.values().map(|place| &book.levels[*place]);
            levels.map(|level| (level.price, StoredLevel::of(book, level))).collect()
        };
        Self { bids: stored(&book.bids), asks: stored(&book.asks) }
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

/// A book as it was stored, right or wrong: `Exchange::check_consistency` finds what an edited one lacks. A level
/// without orders is left out. Of a price that is there in two spellings, such as 1.0 and 1.00, only the last level is
/// read: the orders of the other one are missing then.
impl From<StoredBook> for Book {
    fn from(stored: StoredBook) -> Self {
        let mut book = Self::default();
        for (side, levels) in [(Side::Buy, stored.bids), (Side::Sell, stored.asks)] {
            for (price, level) in levels {
                for order in level.queue {
                    book.rest(side, price, order.id, order.account, order.open);
                }
                // The stored sum, so that a wrong one is found.
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
