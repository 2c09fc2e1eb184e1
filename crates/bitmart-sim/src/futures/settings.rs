//! What an account sets for itself: position mode, and the countdown that cancels its orders.

use smol_str::SmolStr;

use crate::{AccountId, Exchange, FuturesAction, agenda::Due, reject::Reject};

impl Exchange {
    // Rule: The position mode cannot change while positions or orders are open (40059). Source: documented
    // (endpoint futures_set_position_mode)
    /// Endpoint set-position-mode: refused (40059) while positions or orders are open.
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

    // Rule: A countdown that is started anew replaces the one before; 0 stops it. Source: documented (endpoint
    // futures_cancel_all_after, for 0); simplified (that a new one replaces the one before is what a countdown is
    // for)
    /// Endpoint cancel-all-after: starts the countdown of a contract anew; without a time it is stopped.
    pub(crate) fn cancel_after(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        at_ms: Option<u64>,
    ) {
        let key = (account, symbol.clone());
        match at_ms {
            Some(at_ms) => {
                self.countdowns.insert(key, at_ms);
                self.schedule(at_ms, Due::Countdown(account));
            }
            None => {
                self.countdowns.remove(&key);
            }
        }
    }

    /// Cancels the orders of the contracts whose countdown is over. A countdown that was started anew or
    /// stopped meanwhile is not.
    pub(crate) fn end_countdowns(&mut self, account: AccountId, at_ms: u64) {
        let over = self.countdowns.iter().filter(|(key, due)| key.0 == account && **due <= at_ms);
        let over: Vec<_> = over.map(|(key, _)| key.clone()).collect();
        for key in over {
            self.countdowns.remove(&key);
            self.cancel_all_futures(account, Some(&key.1), FuturesAction::Cancelled, at_ms);
        }
    }
}
