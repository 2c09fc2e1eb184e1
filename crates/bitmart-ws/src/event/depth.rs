//! What the books of both dialects have in common.

use std::{fmt, marker::PhantomData};

use bitmart_types::{Decimal, Timestamp, open_enum, positional, wire};
use serde::{
    Deserialize, Serialize,
    de::{self, DeserializeOwned, SeqAccess, Visitor},
};

use super::{DecodeError, Event, decode_entries};

mod scan;

pub(super) use scan::SpotParts;

/// A price of a book and the size that stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a price and a size, for users to write as literals")]
pub struct Level {
    /// In quote currency.
    pub price: Decimal,
    /// Spot: in base currency. Futures: in contracts. In an update, the whole size that is left at
    /// the price; 0 means that the price is gone.
    pub size: Decimal,
}

open_enum! {
    /// What a depth event does to the book.
    pub enum DepthKind {
        /// Replaces the whole book.
        Snapshot = "snapshot",
        /// Changes the prices that it names.
        Update = "update",
    }
}

/// A snapshot or update of a book, whatever channel it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "an argument, for users to write as a literal")]
pub struct DepthUpdate<'a> {
    /// Snapshot or update.
    pub kind: &'a DepthKind,
    /// Version of the book after it.
    pub version: u64,
    /// When it was so.
    pub timestamp: Option<Timestamp>,
    /// Sells.
    pub asks: &'a [Level],
    /// Buys.
    pub bids: &'a [Level],
}

impl DepthUpdate<'_> {
    /// Whether it replaces the book.
    pub fn is_snapshot(&self) -> bool {
        *self.kind == DepthKind::Snapshot
    }
}

/// An event that an [`OrderBook`](crate::book::OrderBook) can be kept from.
pub trait DepthEvent: Event {
    /// Its content, free of the channel it came from.
    fn update(&self) -> DepthUpdate<'_>;
}

/// A book event of spot.
pub(super) trait SpotBook: DeserializeOwned {
    /// The event, when no part of it is missing.
    fn from_parts(parts: SpotParts<'_>) -> Option<Self>;
}

/// Appends the entries of a spot book frame to `out`: in one pass if it has the usual form.
pub(super) fn decode_spot<T: SpotBook>(text: &str, out: &mut Vec<T>) -> Result<(), DecodeError> {
    match scan::usual_frame(text).and_then(T::from_parts) {
        Some(entry) => {
            out.push(entry);
            Ok(())
        }
        None => decode_entries(text, out),
    }
}

positional! {
    /// A level as spot writes it: `["price","size"]`.
    struct LevelRow {
        price: Decimal as wire::decimal,
        size: Decimal as wire::decimal,
    }
}

/// A level as futures writes it: `{"price":"…","vol":"…"}`.
#[derive(Serialize, Deserialize)]
struct LevelObject {
    #[serde(with = "wire::decimal")]
    price: Decimal,
    #[serde(rename = "vol", with = "wire::decimal")]
    size: Decimal,
}

macro_rules! levels_as {
    ($(#[$doc:meta])* $module:ident, $wire:ident) => {
        $(#[$doc])*
        pub(super) mod $module {
            use serde::{Deserializer, Serializer};

            use super::{$wire, Level, Levels};

            impl From<$wire> for Level {
                fn from($wire { price, size }: $wire) -> Self {
                    Self { price, size }
                }
            }

            pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Vec<Level>, D::Error> {
                deserializer.deserialize_any(Levels::<$wire>::new())
            }

            pub(in super::super) fn serialize<S: Serializer>(
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
    rows, LevelRow
}
levels_as! {
    /// Levels as objects.
    objects, LevelObject
}

/// Room for the levels of one side, made at once: growing from nothing would move them several
/// times.
const USUAL_LEVELS: usize = 64;

/// Reads levels in their wire form.
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
                levels.reserve(USUAL_LEVELS);
            }
            levels.push(level.into());
        }
        Ok(levels)
    }
}
