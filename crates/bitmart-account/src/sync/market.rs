//! Synchronization of one market: scheduling of fetches, and health.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bitmart_types::{OrderId, Timestamp};

use super::audit::Audit;
use super::last_updates::LastUpdates;
use super::watermark::{self, Watermark};
use super::{LossCause, Request};
use crate::{AccountEvent, Assumptions, CatchUpReport, Health, Instrument, Market};

/// Pause after the first failure. It doubles with each further one.
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// The state of a market's subscriptions.
#[derive(Debug, PartialEq, Eq)]
enum Streams {
    /// To be subscribed at this time.
    Pending(Timestamp),
    Opening,
    Open,
}

/// A fetch that has begun and not ended.
#[derive(Debug)]
pub(super) struct PendingFetch {
    id: u64,
    /// When it was requested, by the steady clock.
    pub(super) begin: Timestamp,
    /// Start of the queried history, by the exchange's clock; `None` if it queries none.
    pub(super) from: Option<Timestamp>,
    /// When its last page arrived, or its begin.
    pub(super) last_progress: Timestamp,
    /// An order or a fill could not be decoded, so the fetch counts as failed.
    pub(super) rows_incomplete: bool,
}

/// Maximum number of concurrent fetches: one that hangs or began before the last loss, and a newer one.
const MAX_FETCHES: usize = 2;
/// A fetch without a page for this long does not delay the next one.
const FETCH_STALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Minimum time between the begins of two fetches, unless the next one is due.
const MIN_FETCH_SPACING: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct MarketSync {
    pub(super) market: Market,
    pub(super) watermark: Watermark,
    pub(super) last_updates: LastUpdates,
    assumptions: Assumptions,
    streams: Streams,
    /// Indices of streams whose connection has had no traffic for a while.
    idle_streams: Vec<usize>,
    /// Oldest first.
    pub(super) fetches: Vec<PendingFetch>,
    /// The next fetch does not begin before this time.
    earliest_fetch: Timestamp,
    /// The begin of the newest fetch.
    last_fetch: Option<Timestamp>,
    retry_pause: Duration,
    last_attempt_failed: bool,
    closed: bool,
    reported_health: Option<Health>,
    reconnecting_reported: bool,
    /// The numbers of rows of all fetches since the market was last live.
    pub(super) catch_up_report: CatchUpReport,
    pub(super) audit: Audit,
    /// Those of the newest completed fetch: see [`super::Snapshot::unknown_instruments`].
    pub(super) unknown_instruments: BTreeSet<Instrument>,
}

impl MarketSync {
    pub(super) fn new(market: Market, assumptions: Assumptions, now: Timestamp) -> Self {
        Self {
            market,
            watermark: Watermark::new(assumptions, now),
            last_updates: LastUpdates::default(),
            assumptions,
            streams: Streams::Pending(now),
            idle_streams: Vec::new(),
            fetches: Vec::new(),
            earliest_fetch: now,
            last_fetch: None,
            retry_pause: MIN_PAUSE,
            last_attempt_failed: false,
            closed: false,
            reported_health: None,
            reconnecting_reported: false,
            catch_up_report: empty_report(market),
            audit: Audit::new(),
            unknown_instruments: BTreeSet::new(),
        }
    }

    pub(super) fn health(&self) -> Health {
        let live = self.watermark.is_live() && self.streams == Streams::Open;
        match (self.closed, live) {
            (true, _) => Health::Failed,
            (false, true) if self.idle_streams.is_empty() => Health::Live,
            (false, true) => Health::Stale,
            (false, false) if self.last_attempt_failed => Health::Failed,
            (false, false) => {
                Health::CatchingUp { complete_until: self.watermark.complete_until() }
            }
        }
    }

    /// Returns the events for a change of the health since the last call.
    pub(super) fn health_events(&mut self) -> Vec<AccountEvent> {
        let (market, health) = (self.market, self.health());
        if self.reported_health.is_some_and(|reported| reported.is_same_kind(health)) {
            return Vec::new();
        }
        let was_complete = matches!(self.reported_health, Some(Health::Live | Health::Stale));
        self.reported_health = Some(health);
        let mut events = Vec::new();
        if matches!(health, Health::Live | Health::Stale) && !was_complete {
            self.reconnecting_reported = false;
            events.push(AccountEvent::CaughtUp(std::mem::replace(
                &mut self.catch_up_report,
                empty_report(market),
            )));
        }
        events.push(AccountEvent::Health { market, health });
        events
    }

    /// The ids of fills since this time, by the exchange's clock, are still needed: a stream or a query may
    /// repeat such a fill, or an audit compare it.
    pub(super) fn retain_fill_ids_since(&self) -> Timestamp {
        let skew = self.assumptions.max_clock_skew;
        let oldest_outstanding = self.watermark.oldest_outstanding_fill();
        let audited = self.watermark.complete_until() - self.audit.window() - skew;
        // If the running audit finds a missing fill, the fetch begins before its range.
        let queried = self.audit.queried_from().map_or(audited, |from| from - 2 * skew);
        oldest_outstanding.min(audited).min(queried)
    }

    pub(super) fn streams_opened(&mut self, now: Timestamp, streams: usize) {
        self.streams = Streams::Open;
        self.last_attempt_failed = false;
        self.retry_pause = MIN_PAUSE;
        self.watermark.streams_opened(now, streams);
        self.last_updates = LastUpdates::default();
        self.schedule_fetch(now);
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
        self.watermark.streams_closed();
    }

    pub(super) fn stream_lost(
        &mut self,
        now: Timestamp,
        stream: usize,
        last_received: Option<Timestamp>,
        cause: LossCause,
    ) -> Option<AccountEvent> {
        let market = self.market;
        self.last_updates.stream_lost(stream);
        if let Some(received) = last_received {
            self.watermark.processed_until(stream, received);
        }
        match cause {
            LossCause::Reconnecting(reason) => {
                self.watermark.stream_down(stream);
                self.idle_streams.retain(|idle| *idle != stream);
                let first = !std::mem::replace(&mut self.reconnecting_reported, true);
                first.then_some(AccountEvent::Reconnecting { market, reason })
            }
            LossCause::Malformed { received_by } => {
                self.watermark.stream_lost_before(received_by, stream);
                self.schedule_fetch(now);
                None
            }
            LossCause::Overflowed | LossCause::Ended => {
                self.watermark.streams_closed();
                self.idle_streams.clear();
                self.streams = Streams::Pending(now);
                (cause == LossCause::Overflowed).then_some(AccountEvent::Overflowed { market })
            }
        }
    }

    /// Fills since this time of the exchange's clock are missing, and the cause is not known.
    pub(super) fn fills_missed_since(&mut self, now: Timestamp, from: Timestamp) {
        self.watermark.fills_missed_since(now, from);
        self.last_updates = LastUpdates::default();
        self.schedule_fetch(now);
    }

    pub(super) fn stream_up(&mut self, now: Timestamp, stream: usize, since: Timestamp) {
        if self.watermark.stream_up(since, stream) {
            self.schedule_fetch(now);
        }
    }

    pub(super) fn stream_idle(&mut self, stream: usize, idle: bool) {
        self.idle_streams.retain(|known| *known != stream);
        if idle {
            self.idle_streams.push(stream);
        }
    }

    /// Returns the running fetch with this id.
    pub(super) fn fetch(&mut self, id: u64) -> Option<&mut PendingFetch> {
        self.fetches.iter_mut().find(|fetch| fetch.id == id)
    }

    /// Removes the completed fetch with this id, and those that began before it: they return less, and
    /// their balances are older.
    pub(super) fn complete_fetch(&mut self, id: u64) -> Option<PendingFetch> {
        let at = self.fetches.iter().position(|fetch| fetch.id == id)?;
        self.fetches.drain(..=at).next_back()
    }

    /// Removes the failed fetch with this id. Returns whether it was the newest.
    pub(super) fn fail_fetch(&mut self, id: u64) -> bool {
        let Some(at) = self.fetches.iter().position(|fetch| fetch.id == id) else { return false };
        self.fetches.remove(at);
        at == self.fetches.len()
    }

    pub(super) fn fetch_completed(&mut self, fetch: &PendingFetch, now: Timestamp) {
        self.watermark.fetch_completed(fetch.begin, fetch.from);
        self.catch_up_report.fetched_from = self.catch_up_report.fetched_from.or(fetch.from);
        self.last_attempt_failed = false;
        self.retry_pause = MIN_PAUSE;
        match self.watermark.fetch_due() {
            Some(due) if self.is_after_loss(fetch) => self.earliest_fetch = due.max(now),
            _ => self.schedule_fetch(now),
        }
    }

    /// An attempt to subscribe failed. Returns the pause before the next one, at least `retry_after`.
    pub(super) fn open_failed(&mut self, now: Timestamp, retry_after: Duration) -> Duration {
        let retry_pause = self.next_pause(retry_after);
        self.streams = Streams::Pending(now + retry_pause);
        retry_pause
    }

    /// A fetch failed. Returns the pause before the next one, at least `retry_after`. An attempt to
    /// subscribe that runs meanwhile is left alone.
    pub(super) fn fetch_failed(&mut self, now: Timestamp, retry_after: Duration) -> Duration {
        let retry_pause = self.next_pause(retry_after);
        self.earliest_fetch = now + retry_pause;
        retry_pause
    }

    fn next_pause(&mut self, retry_after: Duration) -> Duration {
        let retry_pause = self.retry_pause.max(retry_after);
        self.last_attempt_failed = true;
        self.retry_pause = (self.retry_pause * 2).min(MAX_PAUSE);
        retry_pause
    }

    /// Schedules the next fetch after a loss: immediately, for what was missed so far, unless one has
    /// just begun.
    fn schedule_fetch(&mut self, now: Timestamp) {
        let Some(due) = self.watermark.fetch_due().filter(|_| !self.last_attempt_failed) else {
            return;
        };
        let spaced = self.last_fetch.map_or(now, |begin| begin + MIN_FETCH_SPACING);
        self.earliest_fetch = spaced.min(due).max(now);
    }

    /// Whether this fetch began after the last loss.
    fn is_after_loss(&self, fetch: &PendingFetch) -> bool {
        self.watermark.unbroken_since().is_some_and(|since| since <= fetch.begin + watermark::TICK)
    }

    /// When the next fetch begins. It waits for a running fetch that began after the last loss, as long
    /// as that one makes progress.
    fn next_fetch(&self) -> Option<Timestamp> {
        let due = self.watermark.fetch_due()?;
        if self.streams != Streams::Open
            || self.fetches.len() >= MAX_FETCHES
            || self.watermark.is_live()
        {
            return None;
        }
        let running = self.fetches.iter().filter(|fetch| self.is_after_loss(fetch));
        let wait_until =
            running.map(|fetch| due.max(fetch.last_progress + FETCH_STALL_TIMEOUT)).max();
        Some(wait_until.map_or(self.earliest_fetch, |until| until.max(self.earliest_fetch)))
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        if self.closed {
            return None;
        }
        match self.streams {
            Streams::Pending(at) => return Some(at),
            Streams::Opening => return None,
            Streams::Open => {}
        }
        let audit = self.audit.due().filter(|_| self.watermark.is_live());
        self.next_fetch().into_iter().chain(audit).min()
    }

    pub(super) fn poll_request(
        &mut self,
        now: Timestamp,
        next_id: &mut u64,
        open_orders: impl FnOnce() -> BTreeMap<OrderId, Instrument>,
    ) -> Option<Request> {
        let market = self.market;
        if self.closed {
            return None;
        }
        if let Streams::Pending(at) = self.streams
            && at <= now
        {
            self.streams = Streams::Opening;
            return Some(Request::Open { market });
        }
        if self.next_fetch().is_some_and(|at| at <= now) {
            *next_id += 1;
            let (id, from) = (*next_id, self.watermark.fetch_from());
            let rows_incomplete = false;
            self.fetches.push(PendingFetch {
                id,
                begin: now,
                from,
                last_progress: now,
                rows_incomplete,
            });
            self.last_fetch = Some(now);
            return Some(Request::Fetch { id, market, from, open_orders: open_orders() });
        }
        if self.streams == Streams::Open && self.watermark.is_live() {
            let range = self.audit.begin(now, &self.watermark, &self.assumptions)?;
            *next_id += 1;
            self.audit.started(*next_id, range);
            return Some(Request::Audit { id: *next_id, market, from: range.0, until: range.1 });
        }
        None
    }
}

fn empty_report(market: Market) -> CatchUpReport {
    CatchUpReport { market, fetched_from: None, orders: 0, fills: 0 }
}
