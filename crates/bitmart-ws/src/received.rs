//! When something was received.

use std::time::Instant;

use bitmart_types::Timestamp;

/// When an update was received, in two clocks.
///
/// It is the moment at which the last bytes of its frame were read from the connection, however
/// late the update is taken out of its queue. An update that no frame brought, such as
/// [`Update::Stale`](crate::Update::Stale), has the moment at which the client noticed.
/// [`Update::Lagged`](crate::Update::Lagged) has that of the first event that was dropped.
///
/// The age of an event is [`time`](Self::time) minus the time that the event itself carries, as far
/// as the two clocks agree: give the client a clock that follows the exchange's
/// ([`ClientBuilder::clock`](crate::ClientBuilder::clock)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedAt {
    /// On the monotonic clock, for measuring how long ago it was.
    pub instant: Instant,
    /// The same moment on the client's clock, in whole milliseconds.
    pub time: Timestamp,
}

impl ReceivedAt {
    pub(crate) fn new(instant: Instant, time: Timestamp) -> Self {
        Self { instant, time }
    }
}
