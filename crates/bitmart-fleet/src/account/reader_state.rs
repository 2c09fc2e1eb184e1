//! The state of a reader. Pure: messages, snapshots and time in; updates out.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use bitmart_account::{AccountState, MAX_CLOCK_SKEW, Market, Order, Position};
use bitmart_types::Timestamp;

use super::message::{Body, Completeness, Markets, Message, Snapshot, Update};

#[derive(Debug)]
pub(super) struct ReaderState {
    state: AccountState,
    /// How long the publisher may be silent.
    ttl: Duration,
    /// The highest term that was seen.
    term: u64,
    /// The number of the next message; `None` while a snapshot is needed.
    next: Option<u64>,
    /// When the publisher was last received from, at the latest.
    received: Instant,
    markets: BTreeMap<Market, Completeness>,
    /// The term of the publisher that stated them.
    truth_term: u64,
    reported: BTreeMap<Market, bool>,
    has_state: bool,
    updates: VecDeque<Update>,
}

impl ReaderState {
    pub(super) fn new(ttl: Duration, now: Instant) -> Self {
        Self {
            state: AccountState::new(),
            ttl,
            term: 0,
            next: None,
            received: now,
            markets: BTreeMap::new(),
            truth_term: 0,
            reported: BTreeMap::new(),
            has_state: false,
            updates: VecDeque::new(),
        }
    }

    pub(super) fn state(&self) -> &AccountState {
        &self.state
    }

    pub(super) fn complete_until(&self, market: Market) -> Option<Timestamp> {
        self.markets.get(&market)?.complete_until
    }

    /// Whether the state is complete and current.
    pub(super) fn is_live(&self, market: Market, now: Instant) -> bool {
        let is_complete =
            |completeness: &Completeness| completeness.live && completeness.since.is_some();
        self.is_synced()
            && self.is_recent(now)
            && self.markets.get(&market).is_some_and(is_complete)
    }

    /// Whether no message has been lost since a snapshot.
    pub(super) fn is_synced(&self) -> bool {
        self.next.is_some()
    }

    /// When the publisher counts as silent.
    pub(super) fn deadline(&self) -> Instant {
        self.received + self.ttl
    }

    fn is_recent(&self, now: Instant) -> bool {
        now < self.deadline()
    }

    pub(super) fn poll_update(&mut self) -> Option<Update> {
        self.updates.pop_front()
    }

    /// Something may have been lost.
    pub(super) fn lost(&mut self, now: Instant) {
        self.next = None;
        self.report(now);
    }

    /// The deadline may have passed. After a silence another publisher may have taken over, so a new snapshot is
    /// needed.
    pub(super) fn check(&mut self, now: Instant) {
        if !self.is_recent(now) {
            self.next = None;
        }
        self.report(now);
    }

    pub(super) fn message(&mut self, message: Message, now: Instant) {
        self.check(now);
        if message.term < self.term {
            // A publisher that has lost its lease and does not know yet.
            return;
        }
        if message.term > self.term {
            self.term = message.term;
            self.next = None;
        }
        match self.next {
            Some(next) if message.number == next => {
                (self.next, self.received) = (Some(next + 1), now);
                match message.body {
                    Body::Update(update) => self.apply(*update),
                    Body::Completeness(markets) => {
                        self.report_missed_at_first(&markets);
                        self.set_markets(markets);
                    }
                }
            }
            // Older than the snapshot.
            Some(next) if message.number < next => {}
            _ => self.next = None,
        }
        self.report(now);
    }

    /// Continues from a snapshot that was requested at this time. `lease` is the term of the lease, read after the
    /// snapshot arrived. Returns whether the snapshot is that of the holder.
    pub(super) fn snapshot(
        &mut self,
        snapshot: Snapshot,
        lease: u64,
        requested: Instant,
        now: Instant,
    ) -> bool {
        if snapshot.term != lease || snapshot.term < self.term {
            return false;
        }
        let Snapshot { term, next, open, recent, balances, positions, markets } = snapshot;
        self.term = term;
        self.report_missed(&markets);
        for update in recent {
            self.apply(update);
        }
        let listed: HashSet<_> =
            open.iter().map(|o| (o.instrument.market(), o.order_id.clone())).collect();
        for order in open {
            self.apply(Update::Order(order));
        }
        for order in self.open_orders() {
            let (market, order_id) = (order.instrument.market(), order.order_id);
            if !listed.contains(&(market, order_id.clone())) {
                self.apply(Update::OrderNotFound { market, order_id });
            }
        }
        for (market, currency, balance) in balances {
            self.apply(Update::Balance { market, currency, balance });
        }
        let known: Vec<_> = self.state.all_positions().map(|(key, _)| key.clone()).collect();
        for key in known.into_iter().filter(|key| !positions.iter().any(|(k, _)| k == key)) {
            self.apply(Update::Position { key, position: Position::new(0.into()) });
        }
        for (key, position) in positions {
            self.apply(Update::Position { key, position });
        }
        if !std::mem::replace(&mut self.has_state, true) {
            // The state of a new reader is not news.
            self.updates.clear();
        }
        (self.next, self.received) = (Some(next), requested);
        self.set_markets(markets);
        self.report(now);
        true
    }

    fn open_orders(&self) -> Vec<Order> {
        let markets = [Market::Spot, Market::Futures];
        markets.into_iter().flat_map(|market| self.state.open_orders(market)).cloned().collect()
    }

    /// Reports the fills that no publisher can pass on: those between what is known here and the begin of what the
    /// publisher knows. It may begin later than its snapshot or its lease.
    fn report_missed(&mut self, markets: &Markets) {
        for (market, completeness) in markets {
            let known = self.complete_until(*market).filter(|_| self.has_state);
            let Some((known, since)) = known.zip(completeness.since) else { continue };
            // Times of another publisher may be of another machine.
            let is_same = self.term == self.truth_term;
            let until = if is_same { since } else { since + MAX_CLOCK_SKEW };
            if known < until {
                self.updates.push_back(Update::Missed { market: *market, from: known, until });
            }
        }
    }

    /// The same for a message that continues the term: compares once the publisher states when it begins. From then on
    /// nothing is missed while no number is missing, also if the publisher remembers less than before.
    fn report_missed_at_first(&mut self, markets: &Markets) {
        let is_new = |market| {
            self.markets.get(market).is_none_or(|completeness| completeness.since.is_none())
        };
        let first = markets.iter().filter(|(market, _)| is_new(market)).copied().collect();
        self.report_missed(&first);
    }

    /// Keeps the known `complete_until` while a new publisher has none yet.
    fn set_markets(&mut self, markets: Markets) {
        for (market, completeness) in markets {
            let before = self.complete_until(market);
            let complete_until = completeness.complete_until.or(before);
            self.markets.insert(market, Completeness { complete_until, ..completeness });
            if completeness.since.is_some() {
                self.truth_term = self.term;
            }
        }
    }

    /// Applies an update and passes it on if it changes anything.
    fn apply(&mut self, update: Update) {
        let is_new = match update.clone() {
            Update::Order(order) => self.state.apply_order(order).is_some(),
            Update::Fill(fill) => self.state.apply_fill(fill),
            Update::Balance { market, currency, balance } => {
                self.state.apply_balance(market, currency, balance)
            }
            Update::Position { key, position } => self.state.apply_position(key, position),
            Update::OrderNotFound { market, order_id } => {
                self.state.remove_order(market, &order_id)
            }
            Update::Missed { .. } => true,
            // Each reader decides for itself.
            Update::Live { .. } => false,
        };
        if is_new {
            self.updates.push_back(update);
        }
    }

    /// Reports which markets are live if that has changed.
    fn report(&mut self, now: Instant) {
        for market in [Market::Spot, Market::Futures] {
            if !self.markets.contains_key(&market) {
                continue;
            }
            let live = self.is_live(market, now);
            if self.reported.insert(market, live).unwrap_or(false) != live {
                self.updates.push_back(Update::Live { market, live });
            }
        }
    }
}

#[cfg(test)]
mod tests;
