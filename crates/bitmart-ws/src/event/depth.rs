//! Types that the order books of both markets share.

use std::{fmt, marker::PhantomData};

use bitmart_types::{Decimal, Timestamp, codec, open_enum, positional};
use serde::{
    Deserialize, Serialize,
    de::{self, SeqAccess, Visitor},
};

use super::Event;

/// A price level of an order book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a price and a size, for users to write as literals")]
pub struct Level {
    /// In quote currency.
    pub price: Decimal,
    /// Spot: in base currency. Futures: in contracts. An update contains the absolute size; 0 removes
    /// the level.
    pub size: Decimal,
}

open_enum! {
    /// How a depth event changes the book.
    pub enum DepthKind {
        /// Replaces the book.
        Snapshot = "snapshot",
        /// Changes the levels that it contains.
        Update = "update",
    }
}

/// A snapshot or update of a book, independent of its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "an argument, for users to write as a literal")]
pub struct BookUpdate<'a> {
    /// Snapshot or update.
    pub kind: &'a DepthKind,
    /// Version of the book after it.
    pub version: u64,
    /// Time of the snapshot or update.
    pub timestamp: Option<Timestamp>,
    /// Asks.
    pub asks: &'a [Level],
    /// Bids.
    pub bids: &'a [Level],
}

impl BookUpdate<'_> {
    /// Returns whether this is a snapshot.
    pub fn is_snapshot(&self) -> bool {
        *self.kind == DepthKind::Snapshot
    }
}

/// An event that updates an [`OrderBook`](crate::book::OrderBook).
pub trait DepthEvent: Event {
    /// Returns the snapshot or update.
    fn update(&self) -> BookUpdate<'_>;
}

positional! {
    /// A spot level on the wire: `["price","size"]`.
    struct LevelRow {
        price: Decimal as codec::decimal,
        size: Decimal as codec::decimal,
    }
}

/// A futures level on the wire: `{"price":"…","vol":"…"}`.
#[derive(Serialize, Deserialize)]
struct LevelObject {
    #[serde(with = "codec::decimal")]
    price: Decimal,
    #[serde(rename = "vol", with = "codec::decimal")]
    size: Decimal,
}

macro_rules! levels_as {
    ($(#[$doc:meta])* $module:ident, $wire:ident) => {
        $(#[$doc])*
        pub(crate) mod $module {
            use serde::{Deserializer, Serializer};

            use super::{$wire, Level, Levels};

            impl From<$wire> for Level {
                fn from($wire { price, size }: $wire) -> Self {
                    Self { price, size }
                }
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Vec<Level>, D::Error> {
                deserializer.deserialize_any(Levels::<$wire>::new())
            }

            pub(crate) fn serialize<S: Serializer>(
                levels: &[Level],
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                let wire = |&Level { price, size }: &Level| $wire { price, size };
                serializer.collect_seq(levels.iter().map(wire))
            }
        }
    };
}
levels_as! {
    /// Levels as rows.
    level_rows, LevelRow
}
levels_as! {
    /// Levels as objects.
    level_objects, LevelObject
}

/// Initial capacity for the levels of one side: growing from empty would move them several times.
const INITIAL_CAPACITY: usize = 64;

/// Visits levels of the wire form `W`.
struct Levels<W>(PhantomData<W>);

impl<W> Levels<W> {
    fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, W: Deserialize<'de> + Into<Level>> Visitor<'de> for Levels<W> {
    type Value = Vec<Level>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of levels")
    }

    /// `null` for an empty list is common in Go servers.
    fn visit_unit<E: de::Error>(self) -> Result<Vec<Level>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Level>, A::Error> {
        let mut levels = Vec::new();
        while let Some(level) = seq.next_element::<W>()? {
            if levels.is_empty() {
                levels.reserve(INITIAL_CAPACITY);
            }
            levels.push(level.into());
        }
        Ok(levels)
    }
}
