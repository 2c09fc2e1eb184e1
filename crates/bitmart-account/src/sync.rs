//! The account's state as a pure machine: what streams and REST tell and the time go in, requests and
//! events come out. No clock, no task, no I/O.

mod audit;
mod market;
#[cfg(test)]
mod proof;
mod touched;
mod watermark;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use bitmart_types::{Currency, OrderId, RowFault, Timestamp};
use bitmart_ws::ReconnectReason;

use crate::{
    AccountEvent, AccountState, Assumptions, Audits, Balance, CatchUpError, Fill, Health,
    Instrument, Market, Order, Position, PositionKey,
};

use market::MarketSync;

/// One piece of news from a stream.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Report {
    /// An order.
    Order(Order),
    /// A fill.
    Fill(Fill),
    /// A balance of the market that the stream belongs to.
    Balance(Currency, Balance),
    /// A position; closed when its size is 0.
    Position(PositionKey, Position),
}

/// How a stream lost news.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The connection is gone; the stream says when it is up again.
    Reconnecting(ReconnectReason),
    /// A frame could not be read; the stream goes on.
    Unreadable,
    /// The queue ran full, and the stream has ended. All streams of the market have to be opened
    /// anew.
    Overflowed,
    /// The stream has ended. All streams of the market have to be opened anew.
    Ended,
}

/// What is to be done outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// Drop the streams of this market and subscribe to all of them; then say
    /// [`opened`](AccountSync::opened) or [`open_failed`](AccountSync::open_failed).
    Open {
        /// The market.
        market: Market,
    },
    /// Ask REST for the open orders, balances and positions; then say
    /// [`fetched`](AccountSync::fetched) or [`fetch_failed`](AccountSync::fetch_failed).
    Fetch {
        /// To be given back.
        id: u64,
        /// The market.
        market: Market,
        /// Also ask for all orders and fills since then, by the exchange's clock.
        from: Option<Timestamp>,
        /// Also ask for those of these orders that no list names.
        open: BTreeMap<OrderId, Instrument>,
    },
    /// Ask REST for the fills of this span, by the exchange's clock; then say
    /// [`audited`](AccountSync::audited) or [`audit_failed`](AccountSync::audit_failed).
    Audit {
        /// To be given back.
        id: u64,
        /// The market.
        market: Market,
        /// The begin.
        from: Timestamp,
        /// The end.
        until: Timestamp,
    },
}

/// The account at one moment, and what happened since an earlier one.
#[derive(Clone, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "made by whoever carries out a fetch")]
pub struct Snapshot {
    /// Open orders, and those that were ordered since.
    pub orders: Vec<Order>,
    /// Fills since.
    pub fills: Vec<Fill>,
    /// Every balance.
    pub balances: Vec<(Currency, Balance)>,
    /// Every open position; `None` where there are no positions.
    pub positions: Option<Vec<(PositionKey, Position)>>,
    /// Rows of any of these that could not be read.
    pub unreadable: Vec<RowFault>,
    /// A row of the orders or fills could not be read: this proves nothing.
    pub lacks_rows: bool,
    /// A position could not be read: one that is not listed may be open all the same.
    pub lacks_positions: bool,
    /// Orders that were asked for and that the exchange does not know.
    pub unknown: Vec<OrderId>,
}

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
}

impl AccountSync {
    /// Starts from this state; no market is followed yet.
    pub fn new(state: AccountState, assume: Assumptions) -> Self {
        Self { state, assume, markets: Vec::new(), events: VecDeque::new(), next_id: 0 }
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
            self.markets.push(MarketSync::new(market, self.assume, now));
        }
    }

    /// The time between two audits; `None` for audits on demand only.
    pub fn audit_every(&mut self, now: Timestamp, every: Option<Duration>) {
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
            match &report {
                Report::Balance(currency, _) => this.market.touched.balance(currency),
                Report::Position(key, _) => this.market.touched.position(key),
                Report::Order(_) | Report::Fill(_) => {}
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

    /// A stream that had lost its connection is up again.
    pub fn up(&mut self, now: Timestamp, market: Market, stream: usize) {
        self.with(market, |this| this.market.up(now, stream));
    }

    /// Nothing has been heard on the connection of this stream for a while, or it is heard again.
    pub fn silent(&mut self, market: Market, stream: usize, silent: bool) {
        self.with(market, |this| this.market.silent(stream, silent));
    }

    /// A fetch came back whole. A partial one has failed, and so has one of which an order or a fill
    /// could not be read: its rows are taken in, and it proves nothing.
    pub fn fetched(&mut self, now: Timestamp, market: Market, id: u64, snapshot: Snapshot) {
        self.with(market, |this| {
            let Some((begin, from)) = this.market.land(id) else { return };
            let lacks_rows = snapshot.lacks_rows;
            this.merge(now, begin, snapshot);
            if lacks_rows {
                this.failed(now, CatchUpError::Unreadable);
            } else {
                this.market.fetched(begin, from, now);
            }
        });
    }

    /// A fetch failed or came back in part; it is tried again after a pause.
    pub fn fetch_failed(&mut self, now: Timestamp, market: Market, id: u64, error: CatchUpError) {
        self.with(market, |this| {
            if this.market.land(id).is_some() {
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

/// A market, with what it shares with the other.
struct Part<'a> {
    market: &'a mut MarketSync,
    state: &'a mut AccountState,
    events: &'a mut VecDeque<AccountEvent>,
    assume: &'a Assumptions,
}

impl Part<'_> {
    /// Takes in one piece of news. Gives whether it was any.
    fn take(&mut self, now: Timestamp, report: Report) -> bool {
        let market = self.market.market;
        let event = match report {
            Report::Order(order) => self.state.take_order(order).cloned().map(AccountEvent::Order),
            Report::Fill(fill) => {
                let new = self.state.take_fill_at(fill.clone(), now);
                new.then_some(AccountEvent::Fill(fill))
            }
            Report::Balance(currency, balance) => {
                let new = self.state.take_balance(market, currency.clone(), balance.clone());
                new.then_some(AccountEvent::Balance { market, currency, balance })
            }
            Report::Position(key, position) => {
                let new = self.state.take_position(key.clone(), position.clone());
                new.then_some(AccountEvent::Position { key, position })
            }
        };
        let news = event.is_some();
        self.events.extend(event);
        news
    }

    fn failed(&mut self, now: Timestamp, error: CatchUpError) {
        let (market, retry_in) = (self.market.market, self.market.failed(now));
        self.events.push_back(AccountEvent::CatchUpFailed { market, error, retry_in });
    }

    fn merge(&mut self, now: Timestamp, begin: Timestamp, snapshot: Snapshot) {
        let market = self.market.market;
        let unreadable = |fault| AccountEvent::Unreadable { market, fault };
        self.events.extend(snapshot.unreadable.into_iter().map(unreadable));
        for order in snapshot.orders {
            let news = self.take(now, Report::Order(order));
            self.market.found.orders += usize::from(news);
        }
        // That a fill before this was counted may be forgotten, and it was: the mark is later.
        let horizon = self.market.watermark.horizon();
        for fill in snapshot.fills {
            if fill.time.is_none_or(|time| time >= horizon) {
                let news = self.take(now, Report::Fill(fill));
                self.market.found.fills += usize::from(news);
            }
        }
        for (currency, balance) in snapshot.balances {
            if !self.market.touched.has_balance(&currency) {
                self.take(now, Report::Balance(currency, balance));
            }
        }
        if let Some(positions) = snapshot.positions {
            let mut stay: HashSet<_> = positions.iter().map(|(key, _)| key.clone()).collect();
            for (key, position) in positions {
                if !self.market.touched.has_position(&key) {
                    self.take(now, Report::Position(key, position));
                }
            }
            let touched = self.state.all_positions().map(|(key, _)| key);
            stay.extend(touched.filter(|key| self.market.touched.has_position(key)).cloned());
            if !snapshot.lacks_positions {
                for key in self.state.keep_positions(&stay) {
                    self.events.push_back(AccountEvent::PositionClosed { key });
                }
            }
        }
        // An order that is younger than the history may simply not be listed yet.
        let old = begin - self.assume.history_behind - self.assume.clocks_differ;
        for id in snapshot.unknown {
            let known = self.state.order(market, &id);
            if known.is_some_and(|order| {
                !order.progress.is_final() && order.update_time.is_some_and(|time| time < old)
            }) && self.state.forget_order(market, &id)
            {
                self.events.push_back(AccountEvent::OrderForgotten { market, order_id: id });
            }
        }
    }
}
