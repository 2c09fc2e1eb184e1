//! The recent orders and fills of a publisher, for readers that have missed some.

use std::collections::{BTreeMap, VecDeque};

use bitmart_account::{MAX_CLOCK_SKEW, Market};
use bitmart_types::Timestamp;

use super::message::Update;

/// Most updates that are kept. A snapshot with as many fits into one message of NATS, which has 1 MiB.
const MAX_UPDATES: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Log {
    updates: VecDeque<(Timestamp, Market, Update)>,
    /// From when on every fill of a market is in the log.
    since: BTreeMap<Market, Timestamp>,
}

impl Log {
    /// Tracking has begun: every fill from this time on will be added. Later calls change nothing.
    pub(super) fn begins(&mut self, market: Market, from: Timestamp) {
        self.since.entry(market).or_insert(from);
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
        }
    }

    pub(super) fn updates(&self) -> impl Iterator<Item = &Update> {
        self.updates.iter().map(|(_, _, update)| update)
    }

    pub(super) fn since(&self) -> &BTreeMap<Market, Timestamp> {
        &self.since
    }
}
