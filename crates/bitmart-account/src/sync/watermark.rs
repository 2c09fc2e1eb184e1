//! The watermark of one market: the time until which every fill is known.
//!
//! All times are of the steady clock unless they are of the exchange's or the client's. Two kinds of
//! evidence advance the watermark, nothing else:
//!
//! - **Streams.** A stream whose messages received until time `L` have been processed has reported
//!   every fill until `L − P`. This counts only while the streams are unbroken: since some time before
//!   the watermark, no stream has lost a message.
//! - **A fetch.** A completed query that began at time `B` has returned every fill until `B − H`. This
//!   counts only if the query reached back to the watermark by the exchange's clock, which is
//!   `watermark − C`.
//!
//! Only an audit that finds a missing fill moves the watermark back. A loss breaks the streams, which are
//! unbroken again from the time when all are subscribed. The market is live again when a fetch has
//! advanced the watermark past that time.

use std::time::Duration;

use bitmart_types::Timestamp;

use super::client_clock::ClientClock;
use crate::Assumptions;

#[derive(Debug)]
pub(super) struct Watermark {
    assumptions: Assumptions,
    clock: ClientClock,
    /// Before the streams are first subscribed: the begin of tracking.
    complete_until: Timestamp,
    streams: Vec<Stream>,
    /// No stream reports fills before this time.
    streams_from: Timestamp,
    /// When the streams were first subscribed. Earlier fills are not tracked.
    start: Option<Timestamp>,
    /// The begin of the newest completed fetch.
    last_fetch: Option<Timestamp>,
}

#[derive(Debug)]
struct Stream {
    up: bool,
    /// While `up`: it has lost no message since this time.
    unbroken_since: Timestamp,
    /// Every fill of this stream until this time has been processed.
    complete_until: Timestamp,
}

/// Timestamps are truncated to milliseconds, so the actual time may be later by this much.
pub(super) const TICK: Duration = Duration::from_millis(1);

impl Watermark {
    pub(super) fn new(assumptions: Assumptions, now: Timestamp) -> Self {
        Self {
            assumptions,
            clock: ClientClock::default(),
            complete_until: now,
            streams: Vec::new(),
            streams_from: now - assumptions.max_push_delay,
            start: None,
            last_fetch: None,
        }
    }

    pub(super) fn set_clock(&mut self, clock: ClientClock) {
        self.clock = clock;
    }

    /// Returns a time of the client's clock that is not after this time.
    pub(super) fn client_time(&self, time: Timestamp) -> Timestamp {
        self.clock.at_or_before(time)
    }

    /// Returns the watermark by the client's clock.
    pub(super) fn complete_until(&self) -> Timestamp {
        self.client_time(self.complete_until)
    }

    /// Returns when the streams were first subscribed, by the client's clock. Earlier fills are not
    /// tracked.
    pub(super) fn start(&self) -> Option<Timestamp> {
        self.start.map(|start| self.clock.at_or_after(start))
    }

    /// All streams were subscribed.
    pub(super) fn streams_opened(&mut self, now: Timestamp, streams: usize) {
        self.streams.clear();
        let complete_until = self.streams_from;
        self.streams.resize_with(streams, || Stream {
            up: true,
            unbroken_since: now,
            complete_until,
        });
        if self.start.is_none() {
            self.start = self.unbroken_since();
            self.complete_until = self.complete_until.max(now + TICK);
        }
    }

    /// All streams were closed.
    pub(super) fn streams_closed(&mut self) {
        self.streams_from = self.complete_until.min(self.streams_complete_until())
            - self.assumptions.max_push_delay;
        self.streams.clear();
    }

    /// Everything that this stream received until this time has been processed.
    pub(super) fn processed_until(&mut self, stream: usize, received: Timestamp) {
        let complete = received - self.assumptions.max_push_delay;
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.complete_until = stream.complete_until.max(complete);
        }
        if self.is_continuous() {
            self.complete_until = self.complete_until.max(self.streams_complete_until());
        }
    }

    /// This stream lost its connection.
    pub(super) fn stream_down(&mut self, stream: usize) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.up = false;
        }
    }

    /// This stream was subscribed again at time `since`. Returns whether it was the last that was down.
    pub(super) fn stream_up(&mut self, since: Timestamp, stream: usize) -> bool {
        let Some(stream) = self.streams.get_mut(stream).filter(|stream| !stream.up) else {
            return false;
        };
        (stream.up, stream.unbroken_since) = (true, since);
        self.unbroken_since().is_some()
    }

    /// A stream that is still subscribed lost a message before this time.
    pub(super) fn stream_lost_before(&mut self, before: Timestamp, stream: usize) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.unbroken_since = stream.unbroken_since.max(before);
        }
    }

    /// Fills since this time of the exchange's clock are missing although the watermark says otherwise. The
    /// watermark moves back, and the streams prove nothing before now.
    pub(super) fn fills_missed_since(&mut self, now: Timestamp, from: Timestamp) {
        let before = self.clock.steady(from) - self.assumptions.max_clock_skew;
        self.complete_until = self.complete_until.min(before);
        for stream in &mut self.streams {
            stream.unbroken_since = stream.unbroken_since.max(now);
        }
    }

    /// A fetch that began at `begin` completed. `from` is the start of its time range by the exchange's
    /// clock; `None` if it queried no history.
    pub(super) fn fetch_completed(&mut self, begin: Timestamp, from: Option<Timestamp>) {
        self.last_fetch = self.last_fetch.max(Some(begin));
        if from.is_some_and(|from| from <= self.complete_until() - self.assumptions.max_clock_skew)
        {
            self.complete_until = self.complete_until.max(begin - self.assumptions.max_history_lag);
        }
    }

    /// Returns the start of the time range for the next fetch, by the exchange's clock. `None` while the
    /// streams alone have reported everything since the start.
    pub(super) fn fetch_from(&self) -> Option<Timestamp> {
        (self.start.is_some() && !self.is_continuous())
            .then(|| self.complete_until() - self.assumptions.max_clock_skew)
    }

    /// Returns the earliest begin of a fetch that makes the market live. `None` while a stream is down.
    pub(super) fn fetch_due(&self) -> Option<Timestamp> {
        self.unbroken_since().map(|since| since + self.assumptions.max_history_lag)
    }

    /// Nothing is missing, except what the streams will still push.
    pub(super) fn is_live(&self) -> bool {
        self.is_continuous() && self.fetch_due().is_some_and(|due| self.last_fetch >= Some(due))
    }

    /// Fills that are still to be reported are not older than this time of the exchange's clock.
    pub(super) fn oldest_outstanding_fill(&self) -> Timestamp {
        let complete = self.complete_until.min(self.streams_complete_until());
        self.client_time(complete) - self.assumptions.max_clock_skew
    }

    /// The watermark lies within the time for which the streams are unbroken.
    fn is_continuous(&self) -> bool {
        self.unbroken_since().is_some_and(|since| self.complete_until >= since)
    }

    /// Returns the time since when no stream has lost a message. `None` while one is down.
    pub(super) fn unbroken_since(&self) -> Option<Timestamp> {
        let all_up = self.streams.iter().all(|stream| stream.up);
        let newest = self.streams.iter().map(|stream| stream.unbroken_since).max();
        newest.filter(|_| all_up).map(|newest| newest + TICK)
    }

    /// The time until which all streams have been processed.
    fn streams_complete_until(&self) -> Timestamp {
        self.streams.iter().map(|stream| stream.complete_until).min().unwrap_or(self.streams_from)
    }
}
