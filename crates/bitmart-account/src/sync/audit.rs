//! The audit: what the exchange lists against what was counted.

use std::collections::HashMap;
use std::time::Duration;

use bitmart_types::{OrderId, Timestamp, TradeId};

use super::watermark::Watermark;
use crate::{Assumptions, AuditReport, Audits, Fill, Market};

/// How far an audit looks back.
pub(super) const WINDOW: Duration = Duration::from_secs(600);
/// The time between two audits, unless told otherwise.
pub(super) const INTERVAL: Duration = Duration::from_secs(300);

/// A counted fill: its order, its trade and its time.
type Counted<'a> = (&'a OrderId, &'a TradeId, Timestamp);

/// A span by the exchange's clock.
type Span = (Timestamp, Timestamp);

#[derive(Debug)]
pub(super) struct Audit {
    /// The time between two audits; `None` for on demand only.
    every: Option<Duration>,
    next: Option<Timestamp>,
    flight: Option<(u64, Span)>,
    pub(super) tally: Audits,
}

impl Audit {
    pub(super) fn new() -> Self {
        Self { every: None, next: None, flight: None, tally: Audits::default() }
    }

    pub(super) fn every(&mut self, every: Option<Duration>, now: Timestamp) {
        self.every = every;
        self.next = every.map(|every| now + every);
    }

    /// The next audit begins as soon as the market is live.
    pub(super) fn demand(&mut self, now: Timestamp) {
        self.next = Some(now);
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        self.next.filter(|_| self.flight.is_none())
    }

    /// What an audit that begins now can compare, if one is due. Nothing is compared that may have
    /// happened after the mark, or that the history may not show yet, by either clock; nor what may
    /// have happened before the market was followed.
    pub(super) fn begin(
        &mut self,
        now: Timestamp,
        watermark: &Watermark,
        assume: &Assumptions,
    ) -> Option<Span> {
        self.due().filter(|due| *due <= now)?;
        self.next = self.every.map(|every| now + every);
        let proven = watermark.mark().min(now - assume.history_behind);
        let until = proven - assume.clocks_differ - Duration::from_millis(1);
        let from = (now - WINDOW).max(watermark.start()? + assume.clocks_differ);
        (from < until).then_some((from, until))
    }

    pub(super) fn asked(&mut self, id: u64, span: Span) {
        self.flight = Some((id, span));
    }

    pub(super) fn failed(&mut self, id: u64) {
        if self.flight.take_if(|flight| flight.0 == id).is_some() {
            self.tally.unanswered += 1;
        }
    }

    /// Compares. Gives a report if there is a difference.
    pub(super) fn answered<'a>(
        &mut self,
        id: u64,
        market: Market,
        listed: &[Fill],
        counted: impl Iterator<Item = Counted<'a>>,
        clocks_differ: Duration,
    ) -> Option<AuditReport> {
        let (_, (from, until)) = self.flight.take_if(|flight| flight.0 == id)?;
        let mut ours: HashMap<_, _> =
            counted.map(|(order, trade, time)| ((order, trade), (time, false))).collect();
        let mut missing = Vec::new();
        for fill in listed {
            // One without a time was listed for this span.
            if fill.time.is_some_and(|time| time < from || until < time) {
                continue;
            }
            self.tally.compared += 1;
            match ours.get_mut(&(&fill.order_id, &fill.trade_id)) {
                Some((_, listed)) => *listed = true,
                None => missing.push(fill.clone()),
            }
        }
        // The two times that the exchange gives a fill, in a push and in a list, may differ a little.
        let inner = from + clocks_differ..=until - clocks_differ;
        let mut surplus: Vec<(OrderId, TradeId)> = ours
            .into_iter()
            .filter(|(_, (time, listed))| !listed && inner.contains(time))
            .map(|((order, trade), _)| (order.clone(), trade.clone()))
            .collect();
        surplus.sort();
        self.tally.done += 1;
        self.tally.missing += u64::try_from(missing.len()).unwrap_or(u64::MAX);
        self.tally.surplus += u64::try_from(surplus.len()).unwrap_or(u64::MAX);
        let differs = !missing.is_empty() || !surplus.is_empty();
        differs.then_some(AuditReport { market, from, until, missing, surplus })
    }
}
