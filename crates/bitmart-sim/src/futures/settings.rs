//! Settings of an account: position mode, and the countdown that cancels its orders.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{AccountId, Exchange, FuturesAction, reject::Reject, schedule::Task};

/// When the countdown that cancels the orders of an account in a contract ends, in milliseconds since 1970.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Countdowns(#[serde(with = "crate::rows")] BTreeMap<(AccountId, SmolStr), u64>);

impl Countdowns {
    /// Sets or removes a countdown. Returns the end of the one before.
    fn set(&mut self, account: AccountId, symbol: &SmolStr, at_ms: Option<u64>) -> Option<u64> {
        let key = (account, symbol.clone());
        match at_ms {
            Some(at_ms) => self.0.insert(key, at_ms),
            None => self.0.remove(&key),
        }
    }

    /// Whether a countdown of an account ends at this time.
    fn has_end(&self, account: AccountId, end_ms: u64) -> bool {
        self.0.iter().any(|(key, due_ms)| key.0 == account && *due_ms == end_ms)
    }

    /// Removes the countdowns of an account that have ended, and returns their contracts.
    fn take_ended(&mut self, account: AccountId, at_ms: u64) -> Vec<SmolStr> {
        let ended = self.0.iter().filter(|(key, due_ms)| key.0 == account && **due_ms <= at_ms);
        let ended: Vec<_> = ended.map(|(key, _)| key.clone()).collect();
        for key in &ended {
            self.0.remove(key);
        }
        ended.into_iter().map(|(_, symbol)| symbol).collect()
    }
}

impl Exchange {
    // Rule: The position mode cannot change while positions or orders are open (40059). Source: documented
    // (endpoint futures_set_position_mode)
    /// Sets the position mode (endpoint set-position-mode). Rejected while positions or orders are open (40059).
    pub(crate) fn set_one_way(&mut self, account: AccountId, one_way: bool) -> Result<(), Reject> {
        let owner = self.account_mut(account);
        if owner.one_way == one_way {
            return Ok(());
        }
        if owner.open_positions().next().is_some() || !owner.futures_orders.open().is_empty() {
            return Err(Reject::PositionsOpen);
        }
        owner.one_way = one_way;
        Ok(())
    }

    // Rule: A new countdown replaces a running one; 0 stops it. Source: documented (endpoint
    // futures_cancel_all_after, for 0); simplified (that a new one replaces the one before is what a countdown is
    // for)
    /// Starts, restarts or stops (without a time) the countdown of a contract (endpoint cancel-all-after).
    pub(crate) fn cancel_after(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        at_ms: Option<u64>,
    ) {
        let replaced = self.countdowns.set(account, symbol, at_ms);
        // The countdowns of an account that end at the same time share a task.
        let unused = replaced.filter(|end_ms| !self.countdowns.has_end(account, *end_ms));
        if let Some(end_ms) = unused {
            self.schedule.remove(end_ms, Task::Countdown(account));
        }
        if let Some(at_ms) = at_ms {
            self.schedule.add(at_ms, Task::Countdown(account));
        }
    }

    /// Cancels the orders of the contracts whose countdown has ended. Countdowns that were restarted or stopped in the
    /// meantime are not due.
    pub(crate) fn end_countdowns(&mut self, account: AccountId, at_ms: u64) {
        for symbol in self.countdowns.take_ended(account, at_ms) {
            self.cancel_all_futures(account, Some(&symbol), FuturesAction::Canceled, at_ms);
        }
    }
}
