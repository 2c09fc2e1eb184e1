//! The whole-until mark of one market.
//!
//! All times are of this machine. Every fill that happened before the mark has been counted. Two
//! things prove more, and nothing else moves the mark:
//!
//! - **Streams.** A stream of which everything received until `L` has been read has told every fill
//!   until `L − P`. That adds to the mark only while the chain is unbroken: no stream has lost
//!   anything since a moment that the mark has passed.
//! - **A fetch.** A whole answer to a query that began at `B` shows every fill until `B − H`. That
//!   adds to the mark only if the query reached back to the mark, by the exchange's clock: `mark − C`.
//!
//! A loss moves nothing. It breaks the chain, which begins anew when all streams are up again; the
//! market is live again when a fetch has brought the mark past that moment.

use std::time::Duration;

use bitmart_types::Timestamp;

use crate::Assumptions;

#[derive(Debug)]
pub(super) struct Watermark {
    assume: Assumptions,
    /// Where the market's claim begins, until the streams come up for the first time.
    mark: Timestamp,
    streams: Vec<Stream>,
    /// No stream tells of anything that happened before this.
    floor: Timestamp,
    /// When the streams were first up: nothing is claimed of what happened before.
    start: Option<Timestamp>,
    /// The begin of the newest fetch that came back whole.
    fetched: Option<Timestamp>,
}

#[derive(Debug)]
struct Stream {
    up: bool,
    /// It has lost nothing since then, while it is up.
    since: Timestamp,
    /// What this stream told of is whole until then.
    seen: Timestamp,
}

/// Stamps are cut to milliseconds, so the moment that they stand for may be this much later.
pub(super) const TICK: Duration = Duration::from_millis(1);

impl Watermark {
    pub(super) fn new(assume: Assumptions, now: Timestamp) -> Self {
        Self {
            assume,
            mark: now,
            streams: Vec::new(),
            floor: now - assume.push_late,
            start: None,
            fetched: None,
        }
    }

    pub(super) fn mark(&self) -> Timestamp {
        self.mark
    }

    /// Nothing is claimed of what happened before. `None` until the streams are up.
    pub(super) fn start(&self) -> Option<Timestamp> {
        self.start
    }

    /// All streams were subscribed.
    pub(super) fn opened(&mut self, now: Timestamp, streams: usize) {
        self.streams.clear();
        let seen = self.floor;
        self.streams.resize_with(streams, || Stream { up: true, since: now, seen });
        if self.start.is_none() {
            self.start = self.chain();
            self.mark = self.mark.max(now + TICK);
        }
    }

    /// The streams are gone.
    pub(super) fn closed(&mut self) {
        self.floor = self.mark.min(self.seen()) - self.assume.push_late;
        self.streams.clear();
    }

    /// Everything that this stream received until then has been read.
    pub(super) fn read(&mut self, stream: usize, received: Timestamp) {
        let seen = received - self.assume.push_late;
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.seen = stream.seen.max(seen);
        }
        if self.is_linked() {
            self.mark = self.mark.max(self.seen());
        }
    }

    /// This stream lost its connection.
    pub(super) fn down(&mut self, stream: usize) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.up = false;
        }
    }

    /// This stream is up again since then. Gives whether all are, and were not before.
    pub(super) fn up(&mut self, since: Timestamp, stream: usize) -> bool {
        let Some(stream) = self.streams.get_mut(stream).filter(|stream| !stream.up) else {
            return false;
        };
        (stream.up, stream.since) = (true, since);
        self.chain().is_some()
    }

    /// A stream that stays up lost something before then.
    pub(super) fn hole(&mut self, before: Timestamp, stream: usize) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.since = stream.since.max(before);
        }
    }

    /// A fetch that began then came back whole. `from` is where it began to look, by the exchange's
    /// clock; `None` for one that looked at no history.
    pub(super) fn fetched(&mut self, begin: Timestamp, from: Option<Timestamp>) {
        self.fetched = self.fetched.max(Some(begin));
        if from.is_some_and(|from| from <= self.mark - self.assume.clocks_differ) {
            self.mark = self.mark.max(begin - self.assume.history_behind);
        }
    }

    /// Where the next fetch must begin to look, by the exchange's clock. `None` while the streams
    /// alone have told everything since the begin.
    pub(super) fn gap(&self) -> Option<Timestamp> {
        (self.start.is_some() && !self.is_linked()).then(|| self.mark - self.assume.clocks_differ)
    }

    /// When a fetch may begin that makes the market live. `None` while a stream is down.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.chain().map(|chain| chain + self.assume.history_behind)
    }

    /// Nothing is known to be missing, and what is not known yet will be pushed.
    pub(super) fn is_live(&self) -> bool {
        self.is_linked() && self.due().is_some_and(|due| self.fetched >= Some(due))
    }

    /// No news that is still to come happened before this, by the exchange's clock.
    pub(super) fn horizon(&self) -> Timestamp {
        self.mark.min(self.seen()) - self.assume.clocks_differ
    }

    /// The mark has passed the begin of the chain.
    fn is_linked(&self) -> bool {
        self.chain().is_some_and(|chain| self.mark >= chain)
    }

    /// From when on no stream has lost anything. `None` while one is down.
    pub(super) fn chain(&self) -> Option<Timestamp> {
        let all_up = self.streams.iter().all(|stream| stream.up);
        let newest = self.streams.iter().map(|stream| stream.since).max();
        newest.filter(|_| all_up).map(|newest| newest + TICK)
    }

    /// What every stream has told.
    fn seen(&self) -> Timestamp {
        self.streams.iter().map(|stream| stream.seen).min().unwrap_or(self.floor)
    }
}
