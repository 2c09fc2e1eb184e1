//! The rate of attempts to connect.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::budget::Budget;
use crate::dialect::Limits;

/// Lets attempts to one address through as often as the venue allows, a tenth below. All connections
/// of a side share it.
#[derive(Debug)]
pub(crate) struct Gate {
    turns: Mutex<Turns>,
    longest_pause: Duration,
}

#[derive(Debug)]
struct Turns {
    budget: Budget,
    /// The venue wants no attempt before this moment.
    closed_until: Option<Instant>,
}

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Self {
        let most = limits.connects_per_window;
        let budget = Budget::new(most, most / 10, limits.connect_window);
        let turns = Mutex::new(Turns { budget, closed_until: None });
        Self { turns, longest_pause: limits.longest_refused_pause }
    }

    /// Lets nobody through for this long, at most for as long as a `Retry-After` counts.
    pub(super) fn close_for(&self, pause: Duration) {
        let until = tokio::time::Instant::now().into_std() + pause.min(self.longest_pause);
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.closed_until = turns.closed_until.max(Some(until));
    }

    /// Waits for a turn.
    pub(super) async fn pass(&self) {
        while let Err(at) = self.try_pass(tokio::time::Instant::now().into_std()) {
            tokio::time::sleep_until(at.into()).await;
        }
    }

    /// Takes a turn, or says when there may be one.
    fn try_pass(&self, now: Instant) -> Result<(), Instant> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let Turns { budget, closed_until } = &mut *turns;
        if let Some(until) = closed_until.filter(|&until| now < until) {
            return Err(until);
        }
        if budget.take(now) {
            return Ok(());
        }
        Err(budget.next_free().unwrap_or(now))
    }
}
