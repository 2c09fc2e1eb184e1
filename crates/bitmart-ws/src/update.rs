//! The items of a subscription.

use std::time::Instant;

use crate::event::DecodeError;
use crate::reason::{ReconnectReason, Rejection};

/// One item of a [`Subscription`](crate::Subscription): data, or a change that affects how far the
/// data can be trusted.
///
/// Updates come in the order in which things happened on the connection. Missing data is always
/// marked: by [`Reconnecting`](Self::Reconnecting) and [`Resynced`](Self::Resynced), by
/// [`Lagged`](Self::Lagged) or by [`Malformed`](Self::Malformed).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Update<T> {
    /// An event of the channel.
    Data(T),
    /// The topic is subscribed: the exchange acknowledged it or sent its first data, whichever came
    /// first. All data follows this update.
    Subscribed,
    /// The connection ended and another is being made. No data arrives until
    /// [`Resynced`](Self::Resynced); this update may come more than once before it.
    Reconnecting(ReconnectReason),
    /// The topic is subscribed again on a new connection: it was acknowledged, or its first data
    /// follows. What happened in between was not delivered and will not be. Channels that begin with a
    /// snapshot send one now. For orders, balances and positions query REST, and count fills by their
    /// trade id.
    Resynced,
    /// Nothing has been received on the connection since then, not even the response to a heartbeat:
    /// the last data may be outdated. By default this update comes 15 s after the last frame, and
    /// either [`Alive`](Self::Alive) or [`Reconnecting`](Self::Reconnecting) follows within 5 s
    /// ([`ConnectionPolicy`](crate::ConnectionPolicy) sets these times).
    Stale(Instant),
    /// The [`Stale`](Self::Stale) connection receives again. It was not interrupted, so nothing is
    /// missing.
    Alive,
    /// The reader was too slow, or a [`Source`](crate::source::Source) lost something on its way: events are missing
    /// here, and newer ones follow. The number is that of the events that were dropped, and of the frames that a source
    /// lost. Only market data lags; private subscriptions end with
    /// [`ErrorKind::Overflow`](crate::ErrorKind::Overflow) instead.
    Lagged(u64),
    /// A frame or an entry of a frame could not be decoded, and its events are missing. Its bytes are
    /// in [`raw`](DecodeError::raw).
    ///
    /// For an entry, [`entry`](DecodeError::entry) is its index; the other entries of the frame are
    /// delivered in order. A whole frame may have been about another symbol or topic of the
    /// connection, which a broken frame does not reveal. The connection continues;
    /// [`Limits::max_unreadable_frames`](crate::Limits::max_unreadable_frames) in a row end it.
    Malformed(DecodeError),
    /// The exchange rejected the request for a snapshot. The subscription itself continues.
    RequestRejected(Rejection),
}

/// Which updates may be dropped when the reader is too slow.
#[cfg(feature = "client")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UpdateKind {
    /// May be dropped, and is counted then.
    Event,
    /// Marks the begin or end of missing data. Only the latest must be delivered.
    Continuity,
    /// Marks the begin or end of an idle period. Only the latest after the latest `Continuity` must be
    /// delivered.
    Liveness,
}

impl<T> Update<T> {
    #[cfg(feature = "client")]
    pub(crate) fn kind(&self) -> UpdateKind {
        match self {
            Self::Data(_) | Self::Malformed(_) | Self::RequestRejected(_) | Self::Lagged(_) => {
                UpdateKind::Event
            }
            Self::Subscribed | Self::Reconnecting(_) | Self::Resynced => UpdateKind::Continuity,
            Self::Stale(_) | Self::Alive => UpdateKind::Liveness,
        }
    }

    /// How many events are missing when this update is dropped.
    #[cfg(feature = "client")]
    pub(crate) fn event_count(&self) -> u64 {
        match (self.kind(), self) {
            // Queued only by a `Source`; a reader's own count is never queued.
            (_, Self::Lagged(missed)) => *missed,
            (UpdateKind::Event, _) => 1,
            (UpdateKind::Continuity | UpdateKind::Liveness, _) => 0,
        }
    }

    /// Converts the event of [`Data`](Self::Data) and leaves other updates as they are.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Update<U> {
        match self {
            Self::Data(event) => Update::Data(convert(event)),
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
