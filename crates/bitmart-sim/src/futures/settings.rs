//! Settings of an account: position mode, and the countdown that cancels its orders.

use smol_str::SmolStr;

use crate::{AccountId, Exchange, FuturesAction, reject::Reject, schedule::Task};

impl Exchange {
    // Rule: The position mode cannot change while positions or orders are open (40059). Source: documented
    // (endpoint futures_set_position_mode)
    /// Sets the position mode (endpoint set-position-mode). Rejected while positions or orders are open (40059).
    pub(crate) fn set_one_way(&mut self, account: AccountId, one_way: bool) -> Result<(), Reject> {
        let owner = self.account_mut(account);
        if owner.one_way == one_way {
            return Ok(());
        }
        if owner.open_positions().next().is_some() || !owner.futures_orders.open.is_empty() {
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
        let key = (account, symbol.clone());
        let replaced = match at_ms {
            Some(at_ms) => self.countdowns.insert(key, at_ms),
            None => self.countdowns.remove(&key),
        };
        // The countdowns of an account that end at the same time share a task.
        let ends_at = |end_ms: u64| {
            let mut own = self.countdowns.iter().filter(|(key, _)| key.0 == account);
            own.any(|(_, due_ms)| *due_ms == end_ms)
        };
        if let Some(end_ms) = replaced.filter(|end_ms| !ends_at(*end_ms)) {
            self.schedule.remove(&(end_ms, Task::Countdown(account)));
        }
        if let Some(at_ms) = at_ms {
            self.schedule(at_ms, Task::Countdown(account));
        }
    }

    /// Cancels the orders of the contracts whose countdown has ended. Countdowns that were restarted or stopped in the
    /// meantime are not due.
    pub(crate) fn end_countdowns(&mut self, account: AccountId, at_ms: u64) {
        let ended = self.countdowns.iter().filter(|(key, due)| key.0 == account && **due <= at_ms);
        let ended: Vec<_> = ended.map(|(key, _)| key.clone()).collect();
        for key in ended {
            self.countdowns.remove(&key);
            self.cancel_all_futures(account, Some(&key.1), FuturesAction::Canceled, at_ms);
        }
    }
}
