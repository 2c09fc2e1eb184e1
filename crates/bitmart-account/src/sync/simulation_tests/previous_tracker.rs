//! A former version of the tracker with known faults, to show that the simulation detects them: it
//! timestamps a loss when it is read, subtracts a fixed margin, and considers everything complete when
//! a fetch completes, even after a further loss.

use std::collections::{BTreeSet, HashSet};

use super::connection::Queued;
use super::exchange_model::{FetchEnd, Rows};
use super::tracker_model::{Loss, ModelRequest, TrackerModel};

const MARGIN: i64 = 30_000;

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Opening,
    Lagging,
    Fetching(u64),
    Pausing(i64),
    Synchronized,
}

pub(super) struct PreviousTracker {
    phase: Phase,
    up: Vec<bool>,
    begin: i64,
    since: Option<i64>,
    next_id: u64,
    pages: Vec<(usize, i64)>,
    counted: HashSet<usize>,
    reported: Vec<usize>,
    alarms: BTreeSet<usize>,
}

impl PreviousTracker {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Closed,
            up: Vec::new(),
            begin: 0,
            since: None,
            next_id: 0,
            pages: Vec::new(),
            counted: HashSet::new(),
            reported: Vec::new(),
            alarms: BTreeSet::new(),
        }
    }

    fn mark_lagging(&mut self, now: i64) {
        if self.phase == Phase::Synchronized {
            self.since = Some(now - MARGIN);
        }
        self.since = self.since.or(Some(self.begin));
        self.phase = Phase::Lagging;
    }
}

impl TrackerModel for PreviousTracker {
    const READS_ONLY_BETWEEN_FETCHES: bool = true;
    const TRACKS_STATE: bool = false;

    fn clock_read(&mut self, _: i64, _: i64) {}

    fn processed_until(&mut self, _: usize, _: i64) {}

    fn fill(&mut self, _: i64, id: usize, _: i64) {
        if self.counted.insert(id) {
            self.reported.push(id);
        }
    }

    fn order(&mut self, _: i64, _: usize) {}

    fn canceled(&mut self, _: i64, _: usize) {}

    fn balance(&mut self, _: i64, _: usize) {}

    fn stream_lost(&mut self, now: i64, stream: usize, _: &Queued, loss: Loss) {
        self.mark_lagging(now);
        match loss {
            Loss::Disconnected => self.up[stream] = false,
            Loss::Malformed => {}
            Loss::Overflow => self.phase = Phase::Closed,
        }
    }

    fn stream_up(&mut self, _: i64, stream: usize, _: i64) {
        self.up[stream] = true;
    }

    fn streams_opened(&mut self, _: i64, streams: usize) {
        self.up = vec![true; streams];
        self.phase = Phase::Lagging;
    }

    fn fetch_page(&mut self, _: i64, id: u64, rows: Rows) {
        if self.phase == Phase::Fetching(id) {
            self.pages.extend(rows.fills);
        }
    }

    fn fetch_completed(&mut self, now: i64, id: u64, _: FetchEnd) {
        if self.phase == Phase::Fetching(id) {
            for (id, at) in std::mem::take(&mut self.pages) {
                self.fill(now, id, at);
            }
            self.since = None;
            self.phase = Phase::Synchronized;
        }
    }

    fn fetch_failed(&mut self, now: i64, id: u64) {
        if self.phase == Phase::Fetching(id) {
            self.phase = Phase::Pausing(now + 1_000);
        }
    }

    fn audit_completed(&mut self, _: i64, _: u64, _: Vec<(usize, i64)>) {}

    fn request_audit(&mut self, _: i64) {}

    fn poll_request(&mut self, now: i64) -> Option<ModelRequest> {
        match self.phase {
            Phase::Closed => {
                self.phase = Phase::Opening;
                Some(ModelRequest::Open)
            }
            Phase::Pausing(until) if until <= now => {
                self.phase = Phase::Lagging;
                self.poll_request(now)
            }
            Phase::Lagging if self.up.iter().all(|up| *up) => {
                self.next_id += 1;
                self.phase = Phase::Fetching(self.next_id);
                self.pages.clear();
                Some(ModelRequest::Fetch {
                    id: self.next_id,
                    from: self.since,
                    open_orders: BTreeSet::new(),
                })
            }
            _ => None,
        }
    }

    fn deadline(&self) -> Option<i64> {
        match self.phase {
            Phase::Pausing(until) => Some(until),
            _ => None,
        }
    }

    fn is_live(&self) -> bool {
        self.phase == Phase::Synchronized
    }

    fn complete_until(&self) -> Option<i64> {
        None
    }

    fn tracked_balance(&self) -> usize {
        0
    }

    fn open_orders(&self) -> BTreeSet<usize> {
        BTreeSet::new()
    }

    fn take_reported(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.reported)
    }

    fn audit_alarms(&self) -> &BTreeSet<usize> {
        &self.alarms
    }
}
