//! When a frame was received.

use std::time::Instant;

use bitmart_types::Timestamp;

/// When an update was received, on two clocks.
///
/// It is the time at which the last bytes of its frame were read from the connection, however late
/// the update is read from its queue. An update without a frame, such as
/// [`Update::Stale`](crate::Update::Stale), carries the time at which the client
/// detected the condition.
/// [`Update::Lagged`](crate::Update::Lagged) carries that of the first event that was dropped.
///
/// The age of an event is [`timestamp`](Self::timestamp) minus the time in the event itself, accurate
/// to the difference between the two clocks: give the client a clock that follows the exchange's
/// ([`ClientBuilder::clock`](crate::ClientBuilder::clock)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiveTime {
    /// On the monotonic clock, to measure how long ago it was.
    pub instant: Instant,
    /// On the client's clock, in whole milliseconds.
    pub timestamp: Timestamp,
}

impl ReceiveTime {
    /// Creates a receive time, for the frames of a [`Source`](crate::source::Source).
    pub fn new(instant: Instant, timestamp: Timestamp) -> Self {
        Self { instant, timestamp }
    }
}
