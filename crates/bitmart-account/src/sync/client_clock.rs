//! The clock of the REST client, which may be set ahead or back.

use bitmart_types::Timestamp;

/// How far the REST client's clock has been ahead of the steady clock, in milliseconds.
///
/// The exchange's clock runs steadily, and the client's is within C of it. After a step it is not known
/// which reading was right, nor whether the program was suspended. So a time range begins by the lowest
/// reading, and a watermark is stated by it: too early only lengthens a query, too late would lose fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ClientClock {
    lowest: i64,
    highest: i64,
}

impl ClientClock {
    /// The clock read `reading` at this time. Returns whether it was set since.
    pub(super) fn observe(&mut self, now: Timestamp, reading: Timestamp) -> bool {
        let ahead = reading.as_millis() - now.as_millis();
        let before = *self;
        self.lowest = self.lowest.min(ahead);
        self.highest = self.highest.max(ahead);
        *self != before
    }

    /// Returns a time of the client's clock that is not after this time.
    pub(super) fn at_or_before(self, time: Timestamp) -> Timestamp {
        Timestamp::from_millis(time.as_millis() + self.lowest)
    }

    /// Returns the time that [`at_or_before`](Self::at_or_before) converts to this one.
    pub(super) fn steady(self, time: Timestamp) -> Timestamp {
        Timestamp::from_millis(time.as_millis() - self.lowest)
    }

    /// Returns a time of the client's clock that is not before this time.
    pub(super) fn at_or_after(self, time: Timestamp) -> Timestamp {
        Timestamp::from_millis(time.as_millis() + self.highest)
    }
}
