//! Tasks of the exchange that are due at a time: interest, funding, deposits, withdrawals, countdowns.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{AccountId, Exchange, reject::Reject};

/// A scheduled task, with the number of the record that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Task {
    /// The next state of a deposit or withdrawal.
    #[serde(rename = "Funding")]
    Payment(u64),
    /// An hour's interest of a loan.
    Interest(u64),
    /// A day's interest of a flexible saving, or the end of a fixed one.
    Saving(u64),
    /// Funding of all contracts.
    #[serde(rename = "Rates")]
    FundingRates,
    /// The end of a countdown that cancels the orders of an account.
    Countdown(AccountId),
}

/// Tasks by the time at which they are due, in milliseconds since 1970.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Schedule(BTreeSet<(u64, Task)>);

impl Schedule {
    pub(super) fn add(&mut self, at_ms: u64, task: Task) {
        self.0.insert((at_ms, task));
    }

    pub(super) fn remove(&mut self, at_ms: u64, task: Task) {
        self.0.remove(&(at_ms, task));
    }

    fn has_due(&self, now_ms: u64) -> bool {
        self.0.first().is_some_and(|next| next.0 <= now_ms)
    }

    fn take_due(&mut self, now_ms: u64) -> Option<(u64, Task)> {
        if self.has_due(now_ms) { self.0.pop_first() } else { None }
    }
}

// Rule: A command is at most 36,500 days later than the one before it, and not after the year 9999. Source: invented
// (every interval of funding and savings in between is settled, which takes time)
/// The longest time between two commands, in milliseconds: 36,500 days.
const MAX_PAUSE_MS: u64 = 36_500 * 86_400_000;
/// The end of the year 9999, in milliseconds since 1970.
const MAX_TIME_MS: u64 = 253_402_300_799_999;

impl Exchange {
    /// Checks that a time is not so far ahead that running all tasks until then would take very long.
    pub(crate) fn check_time(&self, now_ms: u64) -> Result<(), Reject> {
        let maximum_ms =
            self.sampled_s.saturating_mul(1_000).saturating_add(MAX_PAUSE_MS).min(MAX_TIME_MS);
        if now_ms > maximum_ms { Err(Reject::TimeTooFar { maximum_ms }) } else { Ok(()) }
    }

    /// Whether a task is due, or a second has passed since the mark prices were sampled.
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.schedule.has_due(now_ms) || self.sampled_s < now_ms / 1_000
    }

    /// Runs the tasks that are due, in the order of their times, then liquidates accounts without sufficient
    /// margin. Every command runs it first.
    pub(crate) fn run_due_tasks(&mut self, now_ms: u64) {
        while let Some((at_ms, task)) = self.schedule.take_due(now_ms) {
            self.sample_until(at_ms);
            match task {
                Task::Payment(id) => self.advance_payment(id),
                Task::Interest(id) => self.charge_interest(id, now_ms),
                Task::Saving(id) => self.settle_saving(id, at_ms),
                Task::FundingRates => self.settle_funding(at_ms),
                Task::Countdown(account) => self.end_countdowns(account, at_ms),
            }
        }
        // First what happened before now, so that trades are in the order of their times.
        self.sample_until(now_ms);
        self.liquidate_margins(now_ms);
    }
}
