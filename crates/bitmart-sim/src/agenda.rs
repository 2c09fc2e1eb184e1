//! What happens by itself when the clock has come far enough.

use serde::{Deserialize, Serialize};

use super::{AccountId, Exchange};

/// Something that is due at a time, by the number of what it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Due {
    /// The next state of a deposit or withdrawal.
    Funding(u64),
    /// An hour's interest of a loan.
    Interest(u64),
    /// A day's interest of a flexible saving, or the end of a fixed one.
    Saving(u64),
    /// Funding of all contracts.
    Rates,
    /// A countdown of an account that cancels its orders.
    Countdown(AccountId),
}

impl Exchange {
    pub(super) fn schedule(&mut self, at_ms: u64, due: Due) {
        self.agenda.insert((at_ms, due));
    }

    /// Whether something is due by now, or a second has passed since marks were sampled.
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.agenda.first().is_some_and(|next| next.0 <= now_ms) || self.sampled_s < now_ms / 1_000
    }

    /// Does what has become due, in the order of its times, and liquidates who can no longer pay. To be
    /// called before every command that changes something.
    pub(crate) fn settle_due(&mut self, now_ms: u64) {
        while let Some((at_ms, due)) = self.agenda.first().copied().filter(|next| next.0 <= now_ms)
        {
            self.agenda.remove(&(at_ms, due));
            self.pass_time(at_ms);
            match due {
                Due::Funding(id) => self.advance_funding(id),
                Due::Interest(id) => self.charge_interest(id, now_ms),
                Due::Saving(id) => self.settle_saving(id, at_ms),
                Due::Rates => self.settle_rates(at_ms),
                Due::Countdown(account) => self.end_countdowns(account, at_ms),
            }
        }
        self.liquidate_margins(now_ms);
        self.pass_time(now_ms);
    }
}
