//! The recent orders and fills of a publisher. They are part of a snapshot, for readers that have missed some.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bitmart_account::{MAX_CLOCK_SKEW, Market};
use bitmart_types::Timestamp;

use super::message::Update;

/// Most updates that are kept. A snapshot with as many fits into one message of NATS, which has 1 MiB.
const MAX_UPDATES: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Log {
    updates: VecDeque<(Timestamp, Market, Update)>,
    /// The time since which every fill of a market is in the log.
    since: BTreeMap<Market, Timestamp>,
    /// Markets whose oldest updates were removed.
    shortened: BTreeSet<Market>,
}

impl Log {
    /// Records that every fill until this time is known. The log is complete since the time of the first call: later
    /// fills were or will be added. If a later call has an earlier time, the clock was set back, and the log begins
    /// there.
    pub(super) fn known_until(&mut self, market: Market, time: Timestamp) {
        let since = self.since.entry(market).or_insert(time);
        if !self.shortened.contains(&market) {
            *since = (*since).min(time);
        }
    }

    /// Adds an order or a fill; others are not kept, since only their last state counts.
    pub(super) fn add(&mut self, now: Timestamp, update: &Update) {
        let market = match update {
            Update::Order(order) => order.instrument.market(),
            Update::Fill(fill) => fill.instrument.market(),
            Update::OrderNotFound { order_id, .. } => {
                let is_of_it = |update: &Update| matches!(update, Update::Order(order) if order.order_id == *order_id);
                self.updates.retain(|(_, _, update)| !is_of_it(update));
                return;
            }
            _ => return,
        };
        self.updates.push_back((now, market, update.clone()));
        if self.updates.len() > MAX_UPDATES
            && let Some((added, market, _)) = self.updates.pop_front()
            && let Some(since) = self.since.get_mut(&market)
        {
            // A fill is not newer than the time at which it became known.
            *since = (*since).max(added + MAX_CLOCK_SKEW);
            self.shortened.insert(market);
        }
    }

    pub(super) fn updates(&self) -> impl Iterator<Item = &Update> {
        self.updates.iter().map(|(_, _, update)| update)
    }

    pub(super) fn since(&self) -> &BTreeMap<Market, Timestamp> {
        &self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_leaves_no_time_that_nobody_knows() {
        let at = Timestamp::from_millis;
        let mut log = Log::default();
        log.known_until(Market::Spot, at(1_000));
        log.known_until(Market::Spot, at(2_000));
        assert_eq!(log.since()[&Market::Spot], at(1_000));
        log.known_until(Market::Spot, at(983));
        assert_eq!(log.since()[&Market::Spot], at(983));
    }
}
