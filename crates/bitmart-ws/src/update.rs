//! What a subscription yields.

use std::time::Instant;

use crate::event::DecodeError;
use crate::reason::{ReconnectReason, Rejection};

/// One item of a [`Subscription`](crate::Subscription): data, or something the reader must know to
/// judge the data.
///
/// The order is the order in which things happened on the connection. A gap is never silent: it
/// lies between [`Reconnecting`](Self::Reconnecting) and [`Resynced`](Self::Resynced), or at a
/// [`Lagged`](Self::Lagged), or at a [`Malformed`](Self::Malformed).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Update<T> {
    /// An event of the channel.
    Data(T),
    /// The topic is subscribed: the venue acknowledged it or sent its first data, whichever came
    /// first. All data comes after this update.
    Subscribed,
    /// The connection ended and another is being made. No data comes until
    /// [`Resynced`](Self::Resynced); this update may come more than once before it.
    Reconnecting(ReconnectReason),
    /// The topic is subscribed again on a new connection: acknowledged, or its first data has come
    /// and follows. What happened in between was not delivered and will not be: channels that send a
    /// snapshot first send one now; for orders, balances and positions query REST, and count fills
    /// by their trade id.
    Resynced,
    /// Nothing has been heard on the connection since then, not even the answer to a heartbeat: what
    /// you hold may be old. Comes 15 s after the last sign of life; either [`Alive`](Self::Alive) or
    /// [`Reconnecting`](Self::Reconnecting) follows within 5 s. (A
    /// [`ConnectionPolicy`](crate::ConnectionPolicy) sets other times.)
    Stale(Instant),
    /// The connection that was [`Stale`](Self::Stale) is heard again. It lasted, so nothing is
    /// missing.
    Alive,
    /// The reader was too slow: this many events were dropped here, the newer ones follow. Only
    /// market data lags; private subscriptions end with
    /// [`ErrorKind::Overflow`](crate::ErrorKind::Overflow) instead.
    Lagged(u64),
    /// Something could not be read and its events are missing; what it was is in
    /// [`raw`](DecodeError::raw).
    ///
    /// Either one entry of a frame ([`entry`](DecodeError::entry) says which; the entries before and
    /// after it arrive, in order), or a whole frame. That one may have been about another symbol or
    /// topic of the connection, since a broken frame does not tell. The connection goes on;
    /// [`Limits::unreadable_frames`](crate::Limits::unreadable_frames) in a row end it.
    Malformed(DecodeError),
    /// The venue refused to send a requested snapshot. The subscription itself goes on.
    RequestRejected(Rejection),
}

/// What an update means for those around it, when a slow reader cannot have them all.
#[cfg(feature = "client")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Counted when it is dropped.
    Event,
    /// Says that a gap began or ended. A later one says it as well.
    Gap,
    /// Says whether anything is heard. A later one, or one about a gap, makes up for it.
    Quiet,
}

impl<T> Update<T> {
    #[cfg(feature = "client")]
    pub(crate) fn kind(&self) -> Kind {
        match self {
            // `Lagged` is made at the reader's end and never waits.
            Self::Data(_) | Self::Malformed(_) | Self::RequestRejected(_) | Self::Lagged(_) => {
                Kind::Event
            }
            Self::Subscribed | Self::Reconnecting(_) | Self::Resynced => Kind::Gap,
            Self::Stale(_) | Self::Alive => Kind::Quiet,
        }
    }

    /// The same update with its event made into another.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Update<U> {
        match self {
            Self::Data(event) => Update::Data(make(event)),
            Self::Subscribed => Update::Subscribed,
            Self::Reconnecting(reason) => Update::Reconnecting(reason),
            Self::Resynced => Update::Resynced,
            Self::Stale(since) => Update::Stale(since),
            Self::Alive => Update::Alive,
            Self::Lagged(missed) => Update::Lagged(missed),
            Self::Malformed(error) => Update::Malformed(error),
            Self::RequestRejected(rejection) => Update::RequestRejected(rejection),
        }
    }
}
