//! The account's state as a pure machine: what streams and REST tell and the time go in, requests and
//! events come out. No clock, no task, no I/O.

mod audit;
mod market;
mod merge;
mod message;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod tests;
mod touched;
mod watermark;

use std::collections::VecDeque;
use std::time::Duration;

use bitmart_types::Timestamp;

use crate::{
    AccountEvent, AccountState, Assumptions, Audits, CatchUpError, Fill, Health, Market, Unread,
};

use market::MarketSync;
use merge::Part;

pub use message::{Cause, Page, Report, Request, Snapshot};

/// Keeps an [`AccountState`] whole and says when it is.
///
/// Every call takes the time of this machine's clock, in the same scale as the stamps of losses. The
/// rules by which something counts as proven are those of the whole-until mark, see the
/// [crate](crate#what-is-proven).
#[derive(Debug)]
pub struct AccountSync {
    state: AccountState,
    assume: Assumptions,
    markets: Vec<MarketSync>,
    events: VecDeque<AccountEvent>,
    next_id: u64,
    audit_every: Option<Duration>,
}

impl AccountSync {
    /// Starts from this state; no market is followed yet.
    pub fn new(state: AccountState, assume: Assumptions) -> Self {
        Self {
            state,
            assume,
            markets: Vec::new(),
            events: VecDeque::new(),
            next_id: 0,
            audit_every: Some(audit::INTERVAL),
        }
    }

    pub(crate) fn set_state(&mut self, state: AccountState) {
        self.state = state;
    }

    /// Before anything has happened.
    pub(crate) fn set_assumptions(&mut self, assume: Assumptions) {
        self.assume = assume;
        for market in &mut self.markets {
            market.assume(assume);
        }
    }

    /// Follows a market from now on. Once is enough.
    pub fn follow(&mut self, now: Timestamp, market: Market) {
        if self.market(market).is_none() {
            let mut market = MarketSync::new(market, self.assume, now);
            market.audit.every(self.audit_every, now);
            self.markets.push(market);
        }
    }

    /// The time between two audits; `None` for audits on demand only.
    pub fn audit_every(&mut self, now: Timestamp, every: Option<Duration>) {
        self.audit_every = every;
        for market in &mut self.markets {
            market.audit.every(every, now);
        }
    }

    /// Asks for an audit of this market as soon as it is live.
    pub fn audit(&mut self, now: Timestamp, market: Market) {
        self.with(market, |this| this.market.audit.demand(now));
    }

    /// The streams of a market are subscribed; they are numbered from 0.
    pub fn opened(&mut self, now: Timestamp, market: Market, streams: usize) {
        self.with(market, |this| this.market.opened(now, streams));
    }

    /// The streams could not be subscribed; it is tried again after a pause.
    pub fn open_failed(&mut self, now: Timestamp, market: Market, error: CatchUpError) {
        self.with(market, |this| this.failed(now, error));
    }

    /// The account has ended with an error.
    pub fn end(&mut self) {
        let followed: Vec<_> = self.markets.iter().map(|market| market.market).collect();
        for market in followed {
            self.with(market, |this| this.market.end());
        }
    }

    /// Everything that this stream received until then has been read. Say so before what is read
    /// next, and whenever nothing is left to read.
    pub fn read(&mut self, market: Market, stream: usize, received: Timestamp) {
        self.with(market, |this| this.market.watermark.read(stream, received));
    }

    /// A stream told this.
    pub fn report(&mut self, now: Timestamp, market: Market, report: Report) {
        self.with(market, |this| {
            for flight in &mut this.market.flights {
                flight.touched.note(&report);
            }
            this.take(now, report);
        });
    }

    /// A stream lost news. `last_received` is when the last frame came that was handed on whole before
    /// the loss, stamped where the loss was seen; `None` if there was none.
    pub fn lost(
        &mut self,
        now: Timestamp,
        market: Market,
        stream: usize,
        last_received: Option<Timestamp>,
        cause: Cause,
    ) {
        self.with(market, |this| {
            let event = this.market.lost(now, stream, last_received, cause);
            this.events.extend(event);
        });
    }

    /// A stream that had lost its connection is up again since then: at that time it was subscribed,
    /// however late it is read.
    pub fn up(&mut self, now: Timestamp, market: Market, stream: usize, since: Timestamp) {
        self.with(market, |this| this.market.up(now, stream, since.min(now)));
    }

    /// Something that a stream or a query told could not be read. A loss is said by itself.
    pub fn unreadable(&mut self, market: Market, what: Unread) {
        self.with(market, |this| this.events.push_back(AccountEvent::Unreadable { market, what }));
    }

    /// Nothing has been heard on the connection of this stream for a while, or it is heard again.
    pub fn silent(&mut self, market: Market, stream: usize, silent: bool) {
        self.with(market, |this| this.market.silent(stream, silent));
    }

    /// Rows of a fetch that is on its way. They count at once, whatever becomes of it.
    pub fn page(&mut self, now: Timestamp, market: Market, id: u64, page: Page) {
        self.with(market, |this| {
            if let Some(flight) = this.market.flight(id) {
                flight.lacks_rows |= !page.unreadable.is_empty();
                flight.news = now;
                this.page(now, page);
            }
        });
    }

    /// A fetch came back whole: every page was said. It has failed all the same if an order or a fill
    /// of one of them could not be read.
    pub fn fetched(&mut self, now: Timestamp, market: Market, id: u64, snapshot: Snapshot) {
        self.with(market, |this| {
            let Some(flight) = this.market.land(id) else { return };
            this.snapshot(now, &flight, snapshot);
            if flight.lacks_rows {
                this.failed(now, CatchUpError::Unreadable);
            } else {
                this.market.fetched(&flight, now);
            }
        });
    }

    /// A fetch failed or came back in part; it is tried again after a pause.
    pub fn fetch_failed(&mut self, now: Timestamp, market: Market, id: u64, error: CatchUpError) {
        self.with(market, |this| {
            if this.market.crash(id) {
                this.failed(now, error);
            }
        });
    }

    /// An audit's query came back whole.
    pub fn audited(&mut self, market: Market, id: u64, listed: &[Fill]) {
        let clocks_differ = self.assume.clocks_differ;
        self.with(market, |this| {
            let counted = this.state.counted(market);
            let report = this.market.audit.answered(id, market, listed, counted, clocks_differ);
            this.events.extend(report.map(AccountEvent::AuditFailed));
        });
    }

    /// An audit's query failed. It says nothing; the next one comes at its time.
    pub fn audit_failed(&mut self, market: Market, id: u64) {
        self.with(market, |this| this.market.audit.failed(id));
    }

    /// What is to be done now.
    pub fn poll_request(&mut self, now: Timestamp) -> Option<Request> {
        let Self { state, markets, next_id, .. } = self;
        markets.iter_mut().find_map(|market| {
            let of = market.market;
            let open = || {
                let open = state.open_orders(of);
                open.map(|order| (order.order_id.clone(), order.instrument.clone())).collect()
            };
            market.poll_request(now, next_id, open)
        })
    }

    /// When [`poll_request`](Self::poll_request) has something without anything else happening.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.markets.iter().filter_map(MarketSync::deadline).min()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<AccountEvent> {
        self.events.pop_front()
    }

    /// What is known.
    pub fn state(&self) -> &AccountState {
        &self.state
    }

    /// The health of a market; `None` if it is not followed.
    pub fn health(&self, market: Market) -> Option<Health> {
        self.market(market).map(MarketSync::health)
    }

    /// Every fill of this market since it was followed and before this moment of this machine's clock
    /// is counted.
    pub fn whole_until(&self, market: Market) -> Option<Timestamp> {
        let watermark = &self.market(market)?.watermark;
        watermark.start().map(|_| watermark.mark())
    }

    /// What the audits of a market came to; `None` if it is not followed.
    pub fn audits(&self, market: Market) -> Option<Audits> {
        self.market(market).map(|market| market.audit.tally)
    }

    fn market(&self, market: Market) -> Option<&MarketSync> {
        self.markets.iter().find(|known| known.market == market)
    }

    /// Does something to a market, then tells how its health changed.
    fn with<R>(&mut self, market: Market, act: impl FnOnce(&mut Part<'_>) -> R) -> Option<R> {
        let Self { state, assume, markets, events, .. } = self;
        let market = markets.iter_mut().find(|known| known.market == market)?;
        let mut part = Part { market, state, events, assume };
        let done = act(&mut part);
        state.remember_since(market.market, market.remembered());
        events.extend(market.news());
        Some(done)
    }
}
