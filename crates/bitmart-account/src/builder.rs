//! Configuration of an account tracker.

use std::time::Duration;

use bitmart_types::Currency;
use bitmart_ws::Access;

use crate::feed::Feed;
use crate::sync::AccountSync;
use crate::sync::DEFAULT_AUDIT_INTERVAL;
use crate::time_scale::TimeScale;
use crate::{AccountState, AccountTracker, Assumptions, Market};

/// Configures an [`AccountTracker`]. Follow at least one market: otherwise the tracker has no
/// events.
#[derive(Debug)]
#[must_use]
pub struct AccountTrackerBuilder {
    rest: bitmart_rest::Client,
    ws: bitmart_ws::Client,
    spot: bool,
    /// The currencies whose balances are followed; `None` if futures are not followed.
    futures: Option<Vec<Currency>>,
    state: AccountState,
    assumptions: Assumptions,
    audit_interval: Option<Duration>,
}

impl AccountTrackerBuilder {
    pub(crate) fn new(rest: bitmart_rest::Client, ws: bitmart_ws::Client) -> Self {
        Self {
            rest,
            ws,
            spot: false,
            futures: None,
            state: AccountState::new(),
            assumptions: Assumptions::default(),
            audit_interval: Some(DEFAULT_AUDIT_INTERVAL),
        }
    }

    /// Follows spot orders, fills and balances.
    pub fn spot(mut self) -> Self {
        self.spot = true;
        self
    }

    /// Follows futures orders, fills and positions, and the balances of these currencies. A later call
    /// adds currencies.
    pub fn futures<C: Into<Currency>>(mut self, currencies: impl IntoIterator<Item = C>) -> Self {
        let followed = self.futures.get_or_insert_default();
        for currency in currencies.into_iter().map(Into::into) {
            if !followed.contains(&currency) {
                followed.push(currency);
            }
        }
        self
    }

    /// Sets the initial state, for example one with another
    /// [limit of finished orders](AccountState::max_finished_orders).
    pub fn initial_state(mut self, state: AccountState) -> Self {
        self.state = state;
        self
    }

    /// Sets the assumptions about the exchange. [`Assumptions::default`] by default.
    pub fn assumptions(mut self, assumptions: Assumptions) -> Self {
        self.assumptions = assumptions;
        self
    }

    /// Sets the time between two audits; `None` for audits on request only. 5 minutes by default. Each
    /// audit queries the fills of the last 10 minutes, or of twice the interval if that is longer.
    pub fn audit_interval(mut self, interval: Option<Duration>) -> Self {
        self.audit_interval = interval;
        self
    }

    /// Creates the tracker. It subscribes when it is first polled.
    pub fn build(self) -> AccountTracker {
        let spot = self.spot.then(|| Feed::new(Market::Spot, Vec::new()));
        let futures = self.futures.map(|currencies| Feed::new(Market::Futures, currencies));
        let feeds: Vec<Feed> = spot.into_iter().chain(futures).collect();
        let scale = TimeScale::new(self.rest.now());
        let now = scale.now();
        let assumptions = with_idle_timeout(self.assumptions, &self.ws);
        let mut sync = AccountSync::new(self.state, assumptions);
        sync.set_audit_interval(now, self.audit_interval);
        for feed in &feeds {
            sync.follow(now, feed.market);
        }
        AccountTracker::from_parts(self.rest, self.ws, scale, sync, feeds)
    }
}

/// Adds the time that messages may wait in the network before a silent connection counts as lost.
fn with_idle_timeout(assumptions: Assumptions, ws: &bitmart_ws::Client) -> Assumptions {
    let idle_timeout = |market| ws.limits(market, Access::Private).idle_timeout;
    let idle = idle_timeout(Market::Spot).max(idle_timeout(Market::Futures));
    assumptions.max_push_delay(assumptions.max_push_delay.saturating_add(idle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_may_wait_until_a_silent_connection_counts_as_lost() {
        let ws = bitmart_ws::Client::builder().build().expect("a client");
        let assumptions = with_idle_timeout(Assumptions::default(), &ws);
        assert_eq!(assumptions.max_push_delay, Duration::from_secs(5 + 20));
    }
}
