//! The rule that this crate had before, with its three faults: a loss is timed when it is read, half
//! a minute is taken off, and a fetch that comes back clears it whatever has happened meanwhile.

use std::collections::{BTreeSet, HashSet};

use super::driver::Queued;
use super::exchange::Rows;
use super::rule::{Loss, Rule, Told, Wanted};

const MARGIN: i64 = 30_000;

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Opening,
    Behind,
    Fetching(u64),
    Pausing(i64),
    InStep,
}

pub(super) struct OldRule {
    phase: Phase,
    up: Vec<bool>,
    begin: i64,
    since: Option<i64>,
    next_id: u64,
    pages: Vec<(usize, i64)>,
    counted: HashSet<usize>,
    told: Vec<Told>,
    alarms: BTreeSet<usize>,
}

impl OldRule {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Closed,
            up: Vec::new(),
            begin: 0,
            since: None,
            next_id: 0,
            pages: Vec::new(),
            counted: HashSet::new(),
            told: Vec::new(),
            alarms: BTreeSet::new(),
        }
    }

    fn fall_behind(&mut self, now: i64) {
        if self.phase == Phase::InStep {
            self.since = Some(now - MARGIN);
        }
        self.since = self.since.or(Some(self.begin));
        self.phase = Phase::Behind;
    }
}

impl Rule for OldRule {
    const WAITS: bool = true;
    const KNOWS_ORDERS: bool = false;

    fn read(&mut self, _: usize, _: i64) {}

    fn fill(&mut self, _: i64, id: usize, _: i64) {
        if self.counted.insert(id) {
            self.told.push(Told::Fill(id));
        }
    }

    fn order(&mut self, _: i64, _: usize) {}

    fn lost(&mut self, now: i64, stream: usize, _: &Queued, loss: Loss) {
        self.fall_behind(now);
        match loss {
            Loss::Cut => self.up[stream] = false,
            Loss::Malformed => {}
            Loss::Overflow => self.phase = Phase::Closed,
        }
    }

    fn up(&mut self, _: i64, stream: usize, _: i64) {
        self.up[stream] = true;
    }

    fn opened(&mut self, _: i64, streams: usize) {
        self.up = vec![true; streams];
        self.phase = Phase::Behind;
    }

    fn page(&mut self, _: i64, id: u64, rows: Rows) {
        if self.phase == Phase::Fetching(id) {
            self.pages.extend(rows.fills);
        }
    }

    fn fetched(&mut self, now: i64, id: u64) {
        if self.phase == Phase::Fetching(id) {
            for (id, at) in std::mem::take(&mut self.pages) {
                self.fill(now, id, at);
            }
            self.since = None;
            self.phase = Phase::InStep;
        }
    }

    fn fetch_failed(&mut self, now: i64, id: u64) {
        if self.phase == Phase::Fetching(id) {
            self.phase = Phase::Pausing(now + 1_000);
        }
    }

    fn audited(&mut self, _: u64, _: Vec<(usize, i64)>) {}

    fn audit(&mut self, _: i64) {}

    fn wanted(&mut self, now: i64) -> Option<Wanted> {
        match self.phase {
            Phase::Closed => {
                self.phase = Phase::Opening;
                Some(Wanted::Open)
            }
            Phase::Pausing(until) if until <= now => {
                self.phase = Phase::Behind;
                self.wanted(now)
            }
            Phase::Behind if self.up.iter().all(|up| *up) => {
                self.next_id += 1;
                self.phase = Phase::Fetching(self.next_id);
                self.pages.clear();
                Some(Wanted::Fetch { id: self.next_id, from: self.since })
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
        self.phase == Phase::InStep
    }

    fn whole_until(&self) -> Option<i64> {
        None
    }

    fn told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    fn alarms(&self) -> &BTreeSet<usize> {
        &self.alarms
    }
}
