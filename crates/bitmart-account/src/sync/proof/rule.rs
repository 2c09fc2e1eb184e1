//! What the world talks to, and the rule of this crate behind it.

use std::collections::BTreeSet;
use std::time::Duration;

use bitmart_rest::history::HistoryError;
use bitmart_types::{Decimal, Timestamp};
use bitmart_ws::ReconnectReason;

use super::driver::Queued;
use super::exchange::Rows;
use crate::sync::{Cause, Page, Report, Request, Snapshot};
use crate::{
    AccountEvent, AccountState, AccountSync, Assumptions, CatchUpError, Fill, Health, Instrument,
    Market, Order, Progress,
};

/// How a stream lost something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    Cut,
    Malformed,
    Overflow,
}

/// What a rule asks for. Times are the exchange's.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    Open,
    Fetch { id: u64, from: Option<i64> },
    Audit { id: u64, from: i64, until: i64 },
}

/// What a rule has told, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Fill(usize),
    Order(usize),
}

/// A rule by which an account is kept. All times are milliseconds.
pub(super) trait Rule {
    /// Whether news waits while a fetch is on its way.
    const WAITS: bool;
    /// Whether it claims to know open orders, too.
    const KNOWS_ORDERS: bool;
    fn read(&mut self, stream: usize, received: i64);
    fn fill(&mut self, now: i64, id: usize, time: i64);
    fn order(&mut self, now: i64, id: usize);
    fn lost(&mut self, now: i64, stream: usize, queued: &Queued, loss: Loss);
    fn up(&mut self, now: i64, stream: usize, since: i64);
    fn opened(&mut self, now: i64, streams: usize);
    fn page(&mut self, now: i64, id: u64, rows: Rows);
    fn fetched(&mut self, now: i64, id: u64);
    fn fetch_failed(&mut self, now: i64, id: u64);
    fn audited(&mut self, id: u64, rows: Vec<(usize, i64)>);
    fn audit(&mut self, now: i64);
    fn wanted(&mut self, now: i64) -> Option<Wanted>;
    fn deadline(&self) -> Option<i64>;
    fn is_live(&self) -> bool;
    fn whole_until(&self) -> Option<i64>;
    /// What was told since the last call.
    fn told(&mut self) -> Vec<Told>;
    /// The fills that audits found to differ.
    fn alarms(&self) -> &BTreeSet<usize>;
}

/// The rule of this crate.
pub(super) struct Proven {
    sync: AccountSync,
    alarms: BTreeSet<usize>,
    last: Option<Health>,
}

const HERE: Market = Market::Spot;

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn made(id: usize, ms: i64) -> Fill {
    Fill {
        trade_id: id.to_string().as_str().into(),
        order_id: "1".into(),
        instrument: Instrument::Pair("BTC_USDT".into()),
        price: Decimal::ONE,
        size: Decimal::ONE,
        fee: None,
        fee_currency: None,
        role: None,
        time: Some(time(ms)),
    }
}

/// Ids of orders without fills begin here; order 1 has all the fills.
const RESTING: usize = 2;

fn placed(id: usize) -> Order {
    Order {
        order_id: (id + RESTING).to_string().as_str().into(),
        client_order_id: None,
        instrument: Instrument::Pair("BTC_USDT".into()),
        is_buy: Some(true),
        progress: Progress::Open,
        price: Some(Decimal::ONE),
        size: Some(Decimal::ONE),
        notional: None,
        filled_size: Decimal::ZERO,
        create_time: None,
        update_time: None,
    }
}

impl Proven {
    pub(super) fn new(assume: Assumptions) -> Self {
        let mut sync = AccountSync::new(AccountState::new(), assume);
        sync.follow(time(0), HERE);
        sync.audit_every(time(0), Some(Duration::from_secs(60)));
        Self { sync, alarms: BTreeSet::new(), last: None }
    }
}

impl Rule for Proven {
    const WAITS: bool = false;
    const KNOWS_ORDERS: bool = true;

    fn read(&mut self, stream: usize, received: i64) {
        self.sync.read(HERE, stream, time(received));
    }

    fn fill(&mut self, now: i64, id: usize, at: i64) {
        self.sync.report(time(now), HERE, Report::Fill(made(id, at)));
    }

    fn order(&mut self, now: i64, id: usize) {
        self.sync.report(time(now), HERE, Report::Order(placed(id)));
    }

    fn lost(&mut self, now: i64, stream: usize, queued: &Queued, loss: Loss) {
        let cause = match loss {
            Loss::Cut => Cause::Reconnecting(ReconnectReason::Closed { code: None, text: None }),
            Loss::Malformed => Cause::Unreadable { before: time(queued.at) },
            Loss::Overflow => Cause::Overflowed,
        };
        self.sync.lost(time(now), HERE, stream, queued.received.map(time), cause);
    }

    fn up(&mut self, now: i64, stream: usize, since: i64) {
        self.sync.up(time(now), HERE, stream, time(since));
    }

    fn opened(&mut self, now: i64, streams: usize) {
        self.sync.opened(time(now), HERE, streams);
    }

    fn page(&mut self, now: i64, id: u64, rows: Rows) {
        let fills = rows.fills.into_iter().map(|(id, at)| made(id, at)).collect();
        let orders = rows.orders.into_iter().map(placed).collect();
        self.sync.page(time(now), HERE, id, Page { orders, fills, unreadable: Vec::new() });
    }

    fn fetched(&mut self, now: i64, id: u64) {
        self.sync.fetched(time(now), HERE, id, Snapshot::default());
    }

    fn fetch_failed(&mut self, now: i64, id: u64) {
        let error = CatchUpError::Rest(HistoryError::Unreadable { at: time(now) });
        self.sync.fetch_failed(time(now), HERE, id, error);
    }

    fn audited(&mut self, id: u64, rows: Vec<(usize, i64)>) {
        let listed: Vec<_> = rows.into_iter().map(|(id, at)| made(id, at)).collect();
        self.sync.audited(HERE, id, &listed);
    }

    fn audit(&mut self, now: i64) {
        self.sync.audit(time(now), HERE);
    }

    fn wanted(&mut self, now: i64) -> Option<Wanted> {
        Some(match self.sync.poll_request(time(now))? {
            Request::Open { .. } => Wanted::Open,
            Request::Fetch { id, from, .. } => {
                Wanted::Fetch { id, from: from.map(Timestamp::as_millis) }
            }
            Request::Audit { id, from, until, .. } => {
                Wanted::Audit { id, from: from.as_millis(), until: until.as_millis() }
            }
        })
    }

    fn deadline(&self) -> Option<i64> {
        self.sync.deadline().map(Timestamp::as_millis)
    }

    fn is_live(&self) -> bool {
        self.sync.health(HERE) == Some(Health::Live)
    }

    fn whole_until(&self) -> Option<i64> {
        self.sync.whole_until(HERE).map(Timestamp::as_millis)
    }

    fn told(&mut self) -> Vec<Told> {
        let number = |id: &str| id.parse::<usize>().expect("a number");
        let mut told = Vec::new();
        while let Some(event) = self.sync.poll_event() {
            match event {
                AccountEvent::Fill(fill) => told.push(Told::Fill(number(fill.trade_id.as_str()))),
                AccountEvent::Order(order) => {
                    told.push(Told::Order(number(order.order_id.as_str()) - RESTING));
                }
                AccountEvent::AuditFailed(report) => {
                    let missing = report.missing.iter().map(|fill| fill.trade_id.as_str());
                    let surplus = report.surplus.iter().map(|(_, trade)| trade.as_str());
                    self.alarms.extend(missing.chain(surplus).map(number));
                }
                AccountEvent::Health { health, .. } => {
                    let news = self.last.replace(health).is_none_or(|last| !last.is_like(health));
                    assert!(news, "{health:?} was told twice");
                }
                _ => {}
            }
        }
        let health = self.sync.health(HERE);
        let is_told = match (self.last, health) {
            (None, Some(Health::CatchingUp { .. })) => true,
            (last, health) => last.zip(health).is_some_and(|(last, now)| last.is_like(now)),
        };
        assert!(is_told, "{health:?} was not told");
        told
    }

    fn alarms(&self) -> &BTreeSet<usize> {
        &self.alarms
    }
}
