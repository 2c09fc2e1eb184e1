//! Decoding of data frames: the traits [`Event`] and [`DepthEvent`], and the types that both markets
//! share. The events themselves are in [`spot`](crate::spot) and [`futures`](crate::futures).
//!
//! [`Event::decode`] stops at the first entry that does not fit. [`Event::decode_each`] is for that case:
//! it decodes every entry alone. [`decode_entries`] implements `decode` for types with `Deserialize`.
//!
//! Decoding allocates little more than the event itself (checked by a test): nothing for a spot
//! ticker, one list of levels a side for a spot book.

use bitmart_types::{Currency, Decimal, Timestamp, TradeId, TradeRole, codec};
use serde::Deserializer;
use serde::de::{DeserializeOwned, Error as _};

mod depth;
mod each;
mod error;
mod frame;
mod raw;

pub use depth::{BookUpdate, DepthEvent, DepthKind, Level};
pub use each::Recoded;
pub use error::{DecodeError, DecodeErrorKind, MAX_RAW_BYTES};
pub use frame::decode_entries;
pub use raw::RawEvent;

pub(crate) use depth::{level_objects, level_rows};
pub(crate) use each::{decode_each, recode};

/// An event: one entry of a data frame.
///
/// Implement it for your own type to decode a channel that this crate does not know. For a type that
/// implements `Deserialize`, [`decode_entries`] does the work.
pub trait Event: Clone + Send + Sync + 'static {
    /// Appends all entries of a data frame to `out`, in the order of the frame. Unknown fields are
    /// ignored.
    ///
    /// # Errors
    ///
    /// The frame is not JSON or an entry does not fit the type. Entries before the fault stay in
    /// `out`.
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError>;

    /// Appends all entries of a data frame to `out`, in the order of the frame. An entry that cannot
    /// be decoded becomes an error in its place and does not affect the others; after 64 such errors,
    /// one more at the end stands for all further ones. If the frame is not valid JSON, the entries
    /// before the fault are followed by one error for the rest.
    ///
    /// Slower than [`decode`](Self::decode): call it only when that fails, and discard what `decode`
    /// appended, because it is decoded again.
    fn decode_each(text: &str, out: &mut Vec<Result<Self, DecodeError>>) {
        each::decode_each(text, Self::decode, out);
    }

    /// Returns the pair, contract or currency that this event is about, as topics have it behind the
    /// colon: `BTCUSDT` of `futures/depth20:BTCUSDT@200ms`. `None` if it is not about a single one.
    fn symbol(&self) -> Option<&str>;
}

/// A fill of one of the account's orders, taken from an event of the order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Fill {
    /// Id of the fill. Events may repeat a fill: count each id once.
    pub trade_id: TradeId,
    /// Price.
    pub price: Decimal,
    /// Size: in base currency on spot, in contracts on futures.
    pub size: Decimal,
    /// Fee with the sign that the exchange sends. In its documented samples a paid fee is positive on spot, and
    /// negative on futures, where it is a change of the balance. A rebate has the other sign.
    pub fee: Option<Decimal>,
    /// Currency of the fee.
    pub fee_currency: Option<Currency>,
    /// Maker or taker. `None` on futures, whose events do not contain it.
    pub trade_role: Option<TradeRole>,
    /// Time of the fill. On futures, the time of the order's last change.
    pub timestamp: Option<Timestamp>,
}

/// Whether this is the id of a trade: without one the exchange sends 0.
pub(crate) fn is_trade_id(id: &TradeId) -> bool {
    id.as_str().bytes().any(|byte| byte != b'0')
}

/// Deserializes a required name, id or keyword. A spelling of "no value" is an error.
pub(crate) fn required<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    codec::opt::deserialize(deserializer)?
        .ok_or_else(|| D::Error::custom("expected a value, got none"))
}

/// Implements `Event` for types whose `Deserialize` reads one entry: `Type: path.to.symbol`.
macro_rules! impl_event {
    ($($name:ident: $($symbol:ident).+),+ $(,)?) => {$(
        impl $crate::event::Event for $name {
            fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), $crate::event::DecodeError> {
                $crate::event::decode_entries(text, out)
            }

            fn symbol(&self) -> Option<&str> {
                Some(self.$($symbol).+.as_str())
            }
        }
    )+};
}
pub(crate) use impl_event;

#[cfg(test)]
mod tests;
