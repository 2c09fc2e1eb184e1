//! The rate of attempts to connect.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::budget::Budget;
use crate::dialect::Limits;

/// Lets attempts to one address through as often as the venue allows, a tenth below. All connections
/// of a side share it.
#[derive(Debug)]
pub(crate) struct Gate(Mutex<Budget>);

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Self {
        let most = limits.connects_per_window;
        Self(Mutex::new(Budget::new(most, most / 10, limits.connect_window)))
    }

    /// Waits for a turn.
    pub(super) async fn pass(&self) {
        while let Err(at) = self.try_pass(tokio::time::Instant::now().into_std()) {
            tokio::time::sleep_until(at.into()).await;
        }
    }

    /// Takes a turn, or says when there may be one.
    fn try_pass(&self, now: Instant) -> Result<(), Instant> {
        let mut budget = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if budget.take(now) {
            return Ok(());
        }
        Err(budget.next_free().unwrap_or(now))
    }
}
