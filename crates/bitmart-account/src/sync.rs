//! Account tracking without I/O: a state machine whose inputs are messages of streams, results of REST
//! queries and the current time, and whose outputs are requests and events.

mod apply;
mod audit;
#[cfg(test)]
mod audit_tests;
mod client_clock;
mod last_updates;
mod market;
mod message;
#[cfg(test)]
mod position_tests;
#[cfg(test)]
mod simulation_tests;
#[cfg(test)]
mod snapshot_tests;
#[cfg(test)]
mod tests;
mod watermark;

use std::collections::VecDeque;
use std::time::Duration;

use bitmart_types::futures::PositionMode;
use bitmart_types::{Decimal, Timestamp};

use crate::convert::{FlatContract, unknown_position_side};
use crate::{
    AccountEvent, AccountState, Assumptions, AuditStats, CatchUpError, Fill, Health, Instrument,
    MalformedItem, Market, Position, PositionKey, PositionSide,
};

use apply::MarketContext;
use client_clock::ClientClock;
use market::MarketSync;

pub(crate) use audit::DEFAULT_INTERVAL as DEFAULT_AUDIT_INTERVAL;
pub use message::{Change, LossCause, Page, Request, Snapshot};

/// Maintains an [`AccountState`] and determines when it is complete.
///
/// All times are of one steady clock, which is never set, including those of losses. It has begun with a
/// reading of the REST client's clock; report later readings with [`clock_read`](Self::clock_read). See
/// the [crate](crate#completeness) for the rules of completeness.
///
/// ```
/// use bitmart_account::sync::{Change, Request, Snapshot};
/// use bitmart_account::{AccountState, Assumptions, Balance, Health, Market};
/// use bitmart_account::sync::AccountSync;
/// use bitmart_types::{Timestamp, dec};
///
/// let mut now = Timestamp::from_millis(0);
/// let mut sync = AccountSync::new(AccountState::new(), Assumptions::default());
/// sync.follow(now, Market::Spot);
/// while sync.health(Market::Spot) != Some(Health::Live) {
///     match sync.poll_request(now) {
///         Some(Request::Open { market }) => sync.streams_opened(now, market, 2),
///         Some(Request::Fetch { id, market, .. }) => {
///             let balances = vec![("USDT".into(), Balance::new(dec!(100)))];
///             let snapshot = Snapshot { balances, ..Snapshot::default() };
///             sync.fetch_completed(now, market, id, snapshot);
///         }
///         _ => now = sync.deadline().expect("a fetch is due"),
///     }
/// }
/// sync.apply(now, Market::Spot, 1, Change::Balance("USDT".into(), Balance::new(dec!(90))));
/// let balance = sync.state().balance(Market::Spot, &"USDT".into());
/// assert_eq!(balance, Some(&Balance::new(dec!(90))));
/// ```
#[derive(Debug)]
pub struct AccountSync {
    state: AccountState,
    assumptions: Assumptions,
    markets: Vec<MarketSync>,
    clock: ClientClock,
    events: VecDeque<AccountEvent>,
    next_id: u64,
    audit_interval: Option<Duration>,
}

impl AccountSync {
    /// Creates a tracker with this initial state. It follows no market yet. The assumptions are rounded up
    /// to whole milliseconds.
    pub fn new(state: AccountState, assumptions: Assumptions) -> Self {
        Self {
            state,
            assumptions: assumptions.rounded_up(),
            markets: Vec::new(),
            clock: ClientClock::default(),
            events: VecDeque::new(),
            next_id: 0,
            audit_interval: Some(DEFAULT_AUDIT_INTERVAL),
        }
    }

    /// Starts following a market. Does nothing if it is followed already.
    pub fn follow(&mut self, now: Timestamp, market: Market) {
        if self.market(market).is_none() {
            let mut market = MarketSync::new(market, self.assumptions, now);
            market.audit.set_interval(self.audit_interval, now);
            market.watermark.set_clock(self.clock);
            self.markets.push(market);
        }
    }

    /// The REST client's clock reads `reading` now. Call it before other input at a time, so that a step
    /// of that clock is known before times are compared with those of the exchange.
    pub fn clock_read(&mut self, now: Timestamp, reading: Timestamp) {
        if self.clock.observe(now, reading) {
            for market in &mut self.markets {
                market.watermark.set_clock(self.clock);
            }
        }
    }

    /// Sets the time between two audits; `None` for audits on request only.
    pub fn set_audit_interval(&mut self, now: Timestamp, interval: Option<Duration>) {
        self.audit_interval = interval;
        for market in &mut self.markets {
            market.audit.set_interval(interval, now);
        }
    }

    /// Requests an audit of this market as soon as it is live.
    pub fn request_audit(&mut self, now: Timestamp, market: Market) {
        self.update_market(market, |this| this.market.audit.request(now));
    }

    /// The streams of a market have been subscribed. Their indices start at 0.
    pub fn streams_opened(&mut self, now: Timestamp, market: Market, streams: usize) {
        self.update_market(market, |this| this.market.streams_opened(now, streams));
    }

    /// The streams of a market could not be subscribed. The request is repeated after a pause.
    pub fn streams_failed(&mut self, now: Timestamp, market: Market, error: CatchUpError) {
        self.update_market(market, |this| this.open_failed(now, error));
    }

    /// Tracking has ended with an error. All markets become [`Failed`](Health::Failed).
    pub fn close(&mut self) {
        let followed: Vec<_> = self.markets.iter().map(|market| market.market).collect();
        for market in followed {
            self.update_market(market, |this| this.market.close());
        }
    }

    /// Everything that this stream received until this time has been processed. Call it before
    /// processing the next message, and whenever the queue is empty.
    pub fn processed_until(&mut self, market: Market, stream: usize, received: Timestamp) {
        self.update_market(market, |this| this.market.watermark.processed_until(stream, received));
    }

    /// Applies a change reported by this stream.
    pub fn apply(&mut self, now: Timestamp, market: Market, stream: usize, change: Change) {
        self.update_market(market, |this| {
            this.market.last_updates.record(now, stream, &change);
            this.apply(now, change);
        });
    }

    /// Applies a message of this stream that a contract has no position, without its side.
    ///
    /// In one-way mode it has none on either side, and where no position is stored there is nothing to close. In any
    /// other case the message is malformed, and the positions are fetched.
    pub(crate) fn apply_flat(
        &mut self,
        now: Timestamp,
        market: Market,
        stream: usize,
        flat: FlatContract,
    ) {
        let FlatContract { symbol, position_mode } = flat;
        let keys = [PositionSide::Long, PositionSide::Short]
            .map(|side| PositionKey { symbol: symbol.clone(), side });
        let stored: Vec<_> = keys.iter().filter_map(|key| self.state.position(key)).collect();
        // What a running fetch has read may be older than this message.
        let is_fetching = self.market(market).is_some_and(|market| !market.fetches.is_empty());
        let is_flat = stored.is_empty() && !is_fetching;
        let stored = stored.into_iter().find_map(|position| position.position_mode.clone());
        let position_mode = position_mode.or(stored);
        if position_mode == Some(PositionMode::OneWay) {
            for key in keys {
                let position_mode = position_mode.clone();
                let position = Position { position_mode, ..Position::new(Decimal::ZERO) };
                self.apply(now, market, stream, Change::Position(key, position));
            }
        } else if !is_flat {
            self.malformed(market, unknown_position_side(&symbol));
            let cause = LossCause::Malformed { received_by: now };
            self.stream_lost(now, market, stream, None, cause);
        }
    }

    /// Messages of a stream were lost. `last_received` is when the last complete message before the
    /// loss was received, recorded where the loss was detected; `None` if there was none.
    pub fn stream_lost(
        &mut self,
        now: Timestamp,
        market: Market,
        stream: usize,
        last_received: Option<Timestamp>,
        cause: LossCause,
    ) {
        self.update_market(market, |this| {
            let event = this.market.stream_lost(now, stream, last_received, cause);
            this.events.extend(event);
        });
    }

    /// A stream that had lost its connection was subscribed again at time `since`, which may be
    /// earlier than `now` if the event was read late.
    pub fn stream_up(&mut self, now: Timestamp, market: Market, stream: usize, since: Timestamp) {
        self.update_market(market, |this| this.market.stream_up(now, stream, since.min(now)));
    }

    /// An item of a stream or a query could not be decoded. If messages were lost, call
    /// [`stream_lost`](Self::stream_lost) as well.
    pub fn malformed(&mut self, market: Market, item: MalformedItem) {
        self.update_market(market, |this| {
            this.events.push_back(AccountEvent::Malformed { market, item });
        });
    }

    /// The connection of this stream has had no traffic for a while, or has traffic again.
    pub fn stream_idle(&mut self, market: Market, stream: usize, idle: bool) {
        self.update_market(market, |this| this.market.stream_idle(stream, idle));
    }

    /// Applies a page of a running fetch. The rows count even if the fetch fails later.
    pub fn fetch_page(&mut self, now: Timestamp, market: Market, id: u64, page: Page) {
        self.update_market(market, |this| {
            if let Some(fetch) = this.market.fetch(id) {
                fetch.rows_incomplete |= !page.malformed.is_empty();
                fetch.last_progress = now;
                this.apply_page(now, page);
            }
        });
    }

    /// A fetch completed, after all of its pages. It still counts as failed if an order or a fill could
    /// not be decoded.
    pub fn fetch_completed(&mut self, now: Timestamp, market: Market, id: u64, snapshot: Snapshot) {
        self.update_market(market, |this| {
            let Some(fetch) = this.market.complete_fetch(id) else { return };
            this.apply_snapshot(now, &fetch, snapshot);
            if fetch.rows_incomplete {
                this.fetch_failed(now, CatchUpError::RowsMissing);
            } else {
                this.market.fetch_completed(&fetch, now);
            }
        });
    }

    /// A fetch failed. The request is repeated after a pause.
    pub fn fetch_failed(&mut self, now: Timestamp, market: Market, id: u64, error: CatchUpError) {
        self.update_market(market, |this| {
            if this.market.fail_fetch(id) {
                this.fetch_failed(now, error);
            }
        });
    }

    /// The query of an audit completed with these fills. Those that were missing are applied, and the
    /// time range since then is fetched.
    pub fn audit_completed(&mut self, now: Timestamp, market: Market, id: u64, listed: &[Fill]) {
        let max_clock_skew = self.assumptions.max_clock_skew;
        self.update_market(market, |this| {
            let known = this.state.known_fills(market);
            let report = this.market.audit.compare(id, market, listed, known, max_clock_skew);
            this.audited(now, report);
        });
    }

    /// The query of an audit failed. The audit is skipped.
    pub fn audit_failed(&mut self, market: Market, id: u64) {
        self.update_market(market, |this| this.market.audit.failed(id));
    }

    /// Returns the next request to carry out, if any.
    pub fn poll_request(&mut self, now: Timestamp) -> Option<Request> {
        let Self { state, markets, next_id, .. } = self;
        markets.iter_mut().find_map(|market| {
            let name = market.market;
            let open_orders = || {
                let open = state.open_orders(name);
                open.map(|order| (order.order_id.clone(), order.instrument.clone())).collect()
            };
            market.poll_request(now, next_id, open_orders)
        })
    }

    /// Returns when [`poll_request`](Self::poll_request) will return a request without further input.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.markets.iter().filter_map(MarketSync::deadline).min()
    }

    /// Returns the next event, if any.
    pub fn poll_event(&mut self) -> Option<AccountEvent> {
        self.events.pop_front()
    }

    /// Returns the state.
    pub fn state(&self) -> &AccountState {
        &self.state
    }

    /// Returns the health of a market; `None` if it is not followed.
    pub fn health(&self, market: Market) -> Option<Health> {
        self.market(market).map(MarketSync::health)
    }

    /// Returns the time, by the REST client's clock, up to which all fills of the market are known, counted from
    /// the first subscription of its streams. `None` before that subscription. It does not hold for
    /// instruments that were delisted: see [`unknown_instruments`](Self::unknown_instruments).
    pub fn complete_until(&self, market: Market) -> Option<Timestamp> {
        let watermark = &self.market(market)?.watermark;
        watermark.start().map(|_| watermark.complete_until())
    }

    /// Returns the pairs or contracts of a market that queries of the last fetch named, and that the exchange does not
    /// know, as after a delisting. The state of their open orders is not known. Fills of
    /// them may be missing, also while the market is live.
    ///
    /// A fetch names the instruments of tracked open orders and of listed fills. It does not notice the delisting of
    /// an instrument without them: fills of it that no stream delivered may be missing as well.
    pub fn unknown_instruments(&self, market: Market) -> impl Iterator<Item = &Instrument> {
        self.market(market).into_iter().flat_map(|market| &market.unknown_instruments)
    }

    /// Returns the totals of a market's audits; `None` if it is not followed.
    pub fn audit_stats(&self, market: Market) -> Option<AuditStats> {
        self.market(market).map(|market| market.audit.stats)
    }

    fn market(&self, market: Market) -> Option<&MarketSync> {
        self.markets.iter().find(|known| known.market == market)
    }

    /// Updates a market, then reports a change of its health.
    fn update_market<R>(
        &mut self,
        market: Market,
        update: impl FnOnce(&mut MarketContext<'_>) -> R,
    ) -> Option<R> {
        let Self { state, assumptions, markets, events, .. } = self;
        let market = markets.iter_mut().find(|known| known.market == market)?;
        let mut context = MarketContext { market, state, events, assumptions };
        let result = update(&mut context);
        state.retain_fill_ids_since(market.market, market.retain_fill_ids_since());
        events.extend(market.health_events());
        Some(result)
    }
}
