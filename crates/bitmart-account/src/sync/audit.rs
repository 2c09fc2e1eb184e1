//! The audit: compares the exchange's fills with the known ones.

use std::collections::HashMap;
use std::time::Duration;

use bitmart_types::{OrderId, Timestamp, TradeId};

use super::watermark::Watermark;
use crate::{Assumptions, AuditReport, AuditStats, Fill, Market};

/// Length of the audited time range, unless audits are so rare that it would leave fills out.
const MIN_WINDOW: Duration = Duration::from_secs(600);
/// Default time between two audits.
pub(crate) const DEFAULT_INTERVAL: Duration = Duration::from_secs(300);

/// Time until a due audit is tried again whose range is empty.
const RETRY: Duration = Duration::from_secs(1);

/// A known fill: order id, trade id and timestamp.
type KnownFill<'a> = (&'a OrderId, &'a TradeId, Timestamp);

/// A time range of the exchange's clock.
type TimeRange = (Timestamp, Timestamp);

#[derive(Debug)]
pub(super) struct Audit {
    /// Time between two audits; `None` for audits on request only.
    interval: Option<Duration>,
    /// When the next one is due.
    next_at: Option<Timestamp>,
    /// The audit whose query runs, by its id.
    running: Option<(u64, TimeRange)>,
    pub(super) stats: AuditStats,
}

impl Audit {
    pub(super) fn new() -> Self {
        Self { interval: None, next_at: None, running: None, stats: AuditStats::default() }
    }

    pub(super) fn set_interval(&mut self, interval: Option<Duration>, now: Timestamp) {
        self.interval = interval;
        self.next_at = interval.map(|interval| now + interval);
    }

    /// Schedules an audit for as soon as the market is live.
    pub(super) fn request(&mut self, now: Timestamp) {
        self.next_at = Some(now);
    }

    /// Length of the audited time range: twice the interval at least, so that consecutive audits overlap
    /// although the latest fills are left out of each.
    pub(super) fn window(&self) -> Duration {
        self.interval.map_or(MIN_WINDOW, |interval| MIN_WINDOW.max(interval.saturating_mul(2)))
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        self.next_at.filter(|_| self.running.is_none())
    }

    /// Returns the time range for an audit that begins now, if one is due. As long as the range is empty, the
    /// audit remains due. The range excludes fills that may be after the watermark, that the history may not contain
    /// yet, or that may be older than the tracking of the market, allowing for clock skew.
    pub(super) fn begin(
        &mut self,
        now: Timestamp,
        watermark: &Watermark,
        assumptions: &Assumptions,
    ) -> Option<TimeRange> {
        self.due().filter(|due| *due <= now)?;
        let complete = watermark
            .complete_until()
            .min(watermark.client_time(now - assumptions.max_history_lag));
        let until = complete - assumptions.max_clock_skew - Duration::from_millis(1);
        let window = watermark.client_time(now - self.window());
        let from = window.max(watermark.start()? + assumptions.max_clock_skew);
        if from < until {
            self.next_at = self.interval.map(|interval| now + interval);
            return Some((from, until));
        }
        self.next_at = Some(now + RETRY);
        None
    }

    /// Returns the start of the time range that is queried now.
    pub(super) fn queried_from(&self) -> Option<Timestamp> {
        self.running.map(|(_, (from, _))| from)
    }

    pub(super) fn started(&mut self, id: u64, range: TimeRange) {
        self.running = Some((id, range));
    }

    pub(super) fn failed(&mut self, id: u64) {
        if self.running.take_if(|running| running.0 == id).is_some() {
            self.stats.failed_queries += 1;
        }
    }

    /// Compares the exchange's fills with the known ones. Returns a report if they differ.
    pub(super) fn compare<'a>(
        &mut self,
        id: u64,
        market: Market,
        listed: &[Fill],
        known: impl Iterator<Item = KnownFill<'a>>,
        max_clock_skew: Duration,
    ) -> Option<AuditReport> {
        let (_, (from, until)) = self.running.take_if(|running| running.0 == id)?;
        let mut known: HashMap<_, _> =
            known.map(|(order, trade, time)| ((order, trade), (time, false))).collect();
        let mut not_received = Vec::new();
        for fill in listed {
            // A fill without a timestamp belongs to the requested range.
            if fill.timestamp.is_some_and(|time| time < from || until < time) {
                continue;
            }
            self.stats.compared += 1;
            match known.get_mut(&(&fill.order_id, &fill.trade_id)) {
                Some((_, listed)) => *listed = true,
                None => not_received.push(fill.clone()),
            }
        }
        // The timestamps of a fill in a push and in a list may differ slightly.
        let inner = from + max_clock_skew..=until - max_clock_skew;
        let mut not_on_exchange: Vec<(OrderId, TradeId)> = known
            .into_iter()
            .filter(|(_, (time, listed))| !listed && inner.contains(time))
            .map(|((order, trade), _)| (order.clone(), trade.clone()))
            .collect();
        not_on_exchange.sort();
        self.stats.completed += 1;
        self.stats.not_received += u64::try_from(not_received.len()).unwrap_or(u64::MAX);
        self.stats.not_on_exchange += u64::try_from(not_on_exchange.len()).unwrap_or(u64::MAX);
        let differs = !not_received.is_empty() || !not_on_exchange.is_empty();
        differs.then_some(AuditReport { market, from, until, not_received, not_on_exchange })
    }
}
