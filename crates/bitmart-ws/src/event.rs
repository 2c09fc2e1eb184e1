//! What arrives: typed events, one per entry of a data frame.
//!
//! Decoding allocates what an event keeps and next to nothing else (held by a test): a spot ticker
//! nothing, a spot book its two lists of levels.

use bitmart_types::{Currency, Decimal, Timestamp, TradeId, TradeRole, wire};
use serde::Deserializer;
use serde::de::{DeserializeOwned, Error as _};

mod candle;
mod depth;
mod each;
mod error;
mod frame;
mod futures;
mod raw;
mod spot;

pub use candle::Candle;
pub use depth::{DepthEvent, DepthKind, DepthUpdate, Level};
pub use each::Recoded;
pub use error::{DecodeError, DecodeErrorKind, RAW_KEPT};
pub use frame::decode_entries;
pub use futures::{
    DepthSide, FuturesAsset, FuturesBookTicker, FuturesDepth, FuturesDepthAll,
    FuturesDepthIncrease, FuturesFundingRate, FuturesKline, FuturesOrder, FuturesOrderAction,
    FuturesOrderUpdate, FuturesPosition, FuturesTicker, FuturesTrade, FuturesTradeWay, LastTrade,
};
pub use raw::RawEvent;
pub use spot::{
    BalanceAccount, BalanceReason, EntrustType, SpotBalance, SpotBalanceUpdate, SpotBookTicker,
    SpotDepth, SpotDepthIncrease, SpotKline, SpotOrderUpdate, SpotTicker, SpotTrade,
};

pub(crate) use each::recode;
pub(crate) use futures::KlineEntry;

/// An entry of a data frame.
///
/// Implement it for your own type to read a channel that this crate does not know; for a type that
/// implements `Deserialize`, [`decode_entries`] does the work.
pub trait Event: Clone + Send + Sync + 'static {
    /// Appends every entry of one data frame to `out`, in the order of the frame. Unknown fields
    /// are ignored.
    ///
    /// # Errors
    ///
    /// The frame is not JSON or an entry does not fit the type. The entries before the fault stay
    /// in `out`.
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError>;

    /// Appends every entry of one data frame to `out`, in the order of the frame, each by itself:
    /// one that cannot be read costs the others nothing. Of a frame that is not JSON the entries
    /// before the fault are read.
    ///
    /// Slower than [`decode`](Self::decode), which therefore comes first; this one is asked when it
    /// has failed. A member that stands twice in an entry, and one by an old and its present name,
    /// are read here.
    fn decode_each(text: &str, out: &mut Vec<Result<Self, DecodeError>>) {
        each::each(text, Self::decode, out);
    }

    /// The pair or contract that this event is about, when it is about one; more exactly, what its
    /// topic names behind the colon.
    fn symbol(&self) -> Option<&str>;
}

/// A fill of one of the account's own orders, as the order's event carries it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Fill {
    /// Id of the fill. Events may repeat a fill: count each id once.
    pub trade_id: TradeId,
    /// Price.
    pub price: Decimal,
    /// Size: in base currency on spot, in contracts on futures.
    pub size: Decimal,
    /// Fee as the venue writes it: positive in the documented spot sample, negative in the futures
    /// one.
    pub fee: Option<Decimal>,
    /// Currency of the fee.
    pub fee_currency: Option<Currency>,
    /// Maker or taker. Futures events do not say.
    pub role: Option<TradeRole>,
    /// When it happened. On futures the time of the order's last change.
    pub time: Option<Timestamp>,
}

/// An essential name, id or word. A spelling of no value is an error here.
fn told<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    wire::opt::deserialize(deserializer)?
        .ok_or_else(|| D::Error::custom("expected a value, got none"))
}

/// `Event` for types whose `Deserialize` reads one entry.
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
use impl_event;

#[cfg(test)]
mod tests;
