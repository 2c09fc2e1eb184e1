//! The private streams of one market, and when they have to be caught up with.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bitmart_rest::history::HistoryError;
use bitmart_types::Timestamp;
use bitmart_ws::event::Event;
use bitmart_ws::{ErrorKind, Subscription, Update, topic};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::time::Sleep;

use super::fetch::{Plan, Snapshot};
use super::holdings::{self, BalanceReport};
use super::{
    AccountEvent, AccountState, CatchUp, Fill, Instrument, Market, Order, Position, PositionKey,
};

/// The streams may have missed this much before they were known to be down: a silence is noticed
/// after 20 s at most, and clocks differ.
const MARGIN: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One piece of news from a stream.
enum Report {
    Order(Order),
    Fill(Fill),
    Balance(BalanceReport),
    Position(PositionKey, Position),
}

type Reports = Vec<Report>;
type Source = BoxStream<'static, Result<Update<Reports>, bitmart_ws::Error>>;
type Opening = Pin<Box<dyn Future<Output = Result<Vec<Source>, bitmart_ws::Error>> + Send>>;
type Fetching = Pin<Box<dyn Future<Output = Result<Snapshot, HistoryError>> + Send>>;

/// What a lane needs of its tracker.
pub(super) struct Tools<'a> {
    pub(super) rest: &'a bitmart_rest::Client,
    pub(super) ws: &'a bitmart_ws::Client,
    pub(super) state: &'a mut AccountState,
    pub(super) events: &'a mut VecDeque<AccountEvent>,
}

pub(super) struct Lane {
    market: Market,
    currencies: Vec<bitmart_types::Currency>,
    sources: Vec<(Source, bool)>,
    phase: Phase,
    /// When the streams were first opened.
    begin: Option<Timestamp>,
    /// The begin of what may have been missed. `None` while nothing may.
    since: Option<Timestamp>,
    pause: Duration,
}

enum Phase {
    /// Not subscribed.
    Closed,
    Opening(Opening),
    /// Waits until every stream is up, then catches up.
    Behind,
    Fetching(Fetching),
    /// The last attempt to catch up failed.
    Pausing(Pin<Box<Sleep>>),
    InStep,
}

impl Lane {
    pub(super) fn new(market: Market, currencies: Vec<bitmart_types::Currency>) -> Self {
        Self {
            market,
            currencies,
            sources: Vec::new(),
            phase: Phase::Closed,
            begin: None,
            since: None,
            pause: FIRST_PAUSE,
        }
    }

    pub(super) fn market(&self) -> Market {
        self.market
    }

    pub(super) fn is_in_step(&self) -> bool {
        matches!(self.phase, Phase::InStep)
    }

    /// Goes on as far as it can. `true` if it did something.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        tools: &mut Tools<'_>,
    ) -> Result<bool, bitmart_ws::Error> {
        match &mut self.phase {
            Phase::Closed => {
                self.begin.get_or_insert_with(|| tools.rest.now());
                self.phase = Phase::Opening(self.open(tools.ws.clone()));
                return Ok(true);
            }
            Phase::Opening(opening) => {
                let Poll::Ready(sources) = opening.as_mut().poll(context) else {
                    return Ok(false);
                };
                // A subscription that is handed out is up.
                self.sources = sources?.into_iter().map(|source| (source, true)).collect();
                self.phase = Phase::Behind;
                return Ok(true);
            }
            Phase::Behind if self.sources.iter().all(|(_, up)| *up) => {
                let open = tools
                    .state
                    .open_orders(self.market)
                    .map(|order| (order.order_id.clone(), order.instrument.clone()))
                    .collect();
                let plan = Plan { market: self.market, since: self.since, open };
                self.phase = Phase::Fetching(Box::pin(plan.carry_out(tools.rest.clone())));
                return Ok(true);
            }
            // News waits in its queue until the snapshot is in place: it may be newer.
            Phase::Fetching(fetching) => {
                let Poll::Ready(result) = fetching.as_mut().poll(context) else {
                    return Ok(false);
                };
                self.fetched(result, tools);
                return Ok(true);
            }
            Phase::Pausing(sleep) => {
                if sleep.as_mut().poll(context).is_ready() {
                    self.phase = Phase::Behind;
                    return Ok(true);
                }
            }
            Phase::Behind | Phase::InStep => {}
        }
        self.listen(context, tools)
    }

    fn fetched(&mut self, result: Result<Snapshot, HistoryError>, tools: &mut Tools<'_>) {
        match result {
            Ok(snapshot) => {
                let since = self.since;
                let event = take_snapshot(self.market, since, snapshot, tools);
                tools.events.push_back(AccountEvent::CaughtUp(event));
                self.since = None;
                self.pause = FIRST_PAUSE;
                self.phase = Phase::InStep;
            }
            Err(error) => {
                let retry_in = self.pause;
                tools.events.push_back(AccountEvent::CatchUpFailed {
                    market: self.market,
                    error,
                    retry_in,
                });
                self.phase = Phase::Pausing(Box::pin(tokio::time::sleep(retry_in)));
                self.pause = (retry_in * 2).min(LONGEST_PAUSE);
            }
        }
    }

    fn listen(
        &mut self,
        context: &mut Context<'_>,
        tools: &mut Tools<'_>,
    ) -> Result<bool, bitmart_ws::Error> {
        for at in 0..self.sources.len() {
            let (source, up) = &mut self.sources[at];
            let Poll::Ready(item) = source.poll_next_unpin(context) else { continue };
            match item {
                Some(Ok(Update::Data(reports))) => {
                    for report in reports {
                        take(report, tools);
                    }
                }
                Some(Ok(Update::Reconnecting(reason))) => {
                    *up = false;
                    let market = self.market;
                    self.fall_behind(tools);
                    tools.events.push_back(AccountEvent::Reconnecting { market, reason });
                }
                Some(Ok(Update::Subscribed | Update::Resynced)) => *up = true,
                Some(Ok(Update::Stale(since))) => {
                    tools.events.push_back(AccountEvent::Stale { market: self.market, since });
                }
                // A frame that does not decode is news that is missing.
                Some(Ok(Update::Malformed(_) | Update::Lagged(_))) => self.fall_behind(tools),
                Some(Ok(_)) => {}
                Some(Err(error)) if error.kind() == ErrorKind::Overflow => {
                    self.reopen(tools);
                    tools.events.push_back(AccountEvent::Overflowed { market: self.market });
                }
                Some(Err(error)) => return Err(error),
                None => self.reopen(tools),
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// What comes from now on has a gap before it.
    fn fall_behind(&mut self, tools: &Tools<'_>) {
        if self.is_in_step() {
            self.since = Some(tools.rest.now() - MARGIN);
        }
        // Before the first catching up, all since the begin may be missing.
        self.since = self.since.or(self.begin);
        self.phase = Phase::Behind;
    }

    /// Subscribes everything anew.
    fn reopen(&mut self, tools: &Tools<'_>) {
        self.fall_behind(tools);
        self.sources.clear();
        self.phase = Phase::Closed;
    }

    fn open(&self, ws: bitmart_ws::Client) -> Opening {
        let (market, currencies) = (self.market, self.currencies.clone());
        Box::pin(async move {
            let mut sources = Vec::new();
            match market {
                Market::Spot => {
                    let orders = ws.subscribe(topic::spot::all_user_orders()).await?;
                    sources.push(reports(orders, |update, out| {
                        let pair = Instrument::Pair(update.symbol.clone());
                        let fill = update.fill();
                        let fill = fill.map(|fill| Fill::of(pair, update.order_id.clone(), fill));
                        out.push(Report::Order(update.into()));
                        out.extend(fill.map(Report::Fill));
                    }));
                    let balances = ws.subscribe(topic::spot::user_balances()).await?;
                    sources.push(reports(balances, |update, out| {
                        let balances = update.balances.into_iter().map(holdings::spot_event);
                        out.extend(balances.map(Report::Balance));
                    }));
                }
                Market::Futures => {
                    let orders = ws.subscribe(topic::futures::user_orders()).await?;
                    sources.push(reports(orders, |update, out| {
                        let contract = Instrument::Contract(update.order.symbol.clone());
                        let fill = update
                            .fill()
                            .map(|fill| Fill::of(contract, update.order.order_id.clone(), fill));
                        out.push(Report::Order(update.order.into()));
                        out.extend(fill.map(Report::Fill));
                    }));
                    let positions = ws.subscribe(topic::futures::user_positions()).await?;
                    sources.push(reports(positions, |update, out| {
                        let position = holdings::position_event(update);
                        out.extend(position.map(|(key, value)| Report::Position(key, value)));
                    }));
                    for currency in currencies {
                        let asset = ws.subscribe(topic::futures::user_assets(currency)).await?;
                        sources.push(reports(asset, |update, out| {
                            out.push(Report::Balance(holdings::futures_event(update)));
                        }));
                    }
                }
            }
            Ok(sources)
        })
    }
}

/// A subscription whose events are taken apart into reports.
fn reports<T: Event>(subscription: Subscription<T>, read: fn(T, &mut Reports)) -> Source {
    let updates = subscription.map(move |update| {
        update.map(|update| {
            update.map(|event| {
                let mut reports = Vec::with_capacity(2);
                read(event, &mut reports);
                reports
            })
        })
    });
    updates.boxed()
}

fn take(report: Report, tools: &mut Tools<'_>) {
    let (state, events) = (&mut *tools.state, &mut *tools.events);
    match report {
        Report::Order(order) => {
            events.extend(state.take_order(order).cloned().map(AccountEvent::Order));
        }
        Report::Fill(fill) => {
            if state.take_fill(fill.clone()) {
                events.push_back(AccountEvent::Fill(fill));
            }
        }
        Report::Balance((market, currency, balance)) => {
            if state.take_balance(market, currency.clone(), balance.clone()) {
                events.push_back(AccountEvent::Balance { market, currency, balance });
            }
        }
        Report::Position(key, position) => {
            if state.take_position(key.clone(), position.clone()) {
                events.push_back(AccountEvent::Position { key, position });
            }
        }
    }
}

fn take_snapshot(
    market: Market,
    since: Option<Timestamp>,
    snapshot: Snapshot,
    tools: &mut Tools<'_>,
) -> CatchUp {
    let unreadable = |fault| AccountEvent::Unreadable { market, fault };
    tools.events.extend(snapshot.faults.into_iter().map(unreadable));
    let before = tools.events.len();
    for order in snapshot.orders {
        take(Report::Order(order), tools);
    }
    let orders = tools.events.len() - before;
    for fill in snapshot.fills {
        take(Report::Fill(fill), tools);
    }
    let fills = tools.events.len() - before - orders;
    for balance in snapshot.balances {
        take(Report::Balance(balance), tools);
    }
    if let Some(positions) = snapshot.positions {
        let listed = positions.iter().map(|(key, _)| key.clone()).collect();
        for (key, position) in positions {
            take(Report::Position(key, position), tools);
        }
        // What is not listed is closed only where every row could be read.
        if snapshot.all_positions {
            for key in tools.state.keep_positions(&listed) {
                tools.events.push_back(AccountEvent::PositionClosed { key });
            }
        }
    }
    CatchUp { market, since, orders, fills }
}
