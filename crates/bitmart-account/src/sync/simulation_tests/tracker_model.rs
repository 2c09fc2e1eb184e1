//! The interface between simulation and tracker, and the tracker of this crate behind it.

use std::collections::BTreeSet;
use std::time::Duration;

use bitmart_rest::history::HistoryError;
use bitmart_types::{Currency, Decimal, OrderId, Side, Timestamp};
use bitmart_ws::ReconnectReason;

use super::connection::{BALANCES, ORDERS, Queued};
use super::exchange_model::{FetchEnd, Rows};
use crate::sync::AccountSync;
use crate::sync::{Change, LossCause, Page, Request, Snapshot};
use crate::{
    AccountEvent, AccountState, Assumptions, Balance, CatchUpError, Fill, Health, Instrument,
    Market, Order, OrderProgress, test_support,
};

/// How messages of a stream were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    Disconnected,
    Malformed,
    Overflow,
}

/// A request of a tracker. Times are of the exchange's clock.
#[derive(Clone, Debug)]
pub(super) enum ModelRequest {
    Open,
    Fetch { id: u64, from: Option<i64>, open_orders: BTreeSet<usize> },
    Audit { id: u64, from: i64, until: i64 },
}

/// A tracker under simulation. All times are milliseconds.
pub(super) trait TrackerModel {
    /// Whether it stops reading streams during a fetch.
    const READS_ONLY_BETWEEN_FETCHES: bool;
    /// Whether it tracks open orders and balances as well.
    const TRACKS_STATE: bool;
    /// The clock of the REST client was read.
    fn clock_read(&mut self, now: i64, reading: i64);
    fn processed_until(&mut self, stream: usize, received: i64);
    fn fill(&mut self, now: i64, id: usize, time: i64);
    fn order(&mut self, now: i64, id: usize);
    fn canceled(&mut self, now: i64, id: usize);
    fn balance(&mut self, now: i64, version: usize);
    fn stream_lost(&mut self, now: i64, stream: usize, queued: &Queued, loss: Loss);
    fn stream_up(&mut self, now: i64, stream: usize, since: i64);
    fn streams_opened(&mut self, now: i64, streams: usize);
    fn fetch_page(&mut self, now: i64, id: u64, rows: Rows);
    fn fetch_completed(&mut self, now: i64, id: u64, end: FetchEnd);
    fn fetch_failed(&mut self, now: i64, id: u64);
    fn audit_completed(&mut self, now: i64, id: u64, rows: Vec<(usize, i64)>);
    fn request_audit(&mut self, now: i64);
    fn poll_request(&mut self, now: i64) -> Option<ModelRequest>;
    fn deadline(&self) -> Option<i64>;
    fn is_live(&self) -> bool;
    fn complete_until(&self) -> Option<i64>;
    /// Returns the version of the tracked balance.
    fn tracked_balance(&self) -> usize;
    fn open_orders(&self) -> BTreeSet<usize>;
    /// Returns the fills that were reported since the last call.
    fn take_reported(&mut self) -> Vec<usize>;
    /// Fills that audits reported as different.
    fn audit_alarms(&self) -> &BTreeSet<usize>;
}

/// The tracker of this crate.
pub(super) struct CurrentTracker {
    sync: AccountSync,
    alarms: BTreeSet<usize>,
    last_health: Option<Health>,
}

const MARKET: Market = Market::Spot;
/// Each change of the balance exchanges all of one currency for the other: version n is an amount of n
/// of one of them, and nothing of the other.
const CURRENCIES: [&str; 2] = ["BTC", "USDT"];

fn example_balances(version: usize) -> [(Currency, Balance); 2] {
    let held = version % CURRENCIES.len();
    [0, 1].map(|index| {
        let amount = if index == held { version } else { 0 };
        (CURRENCIES[index].into(), Balance::new(Decimal::from(amount)))
    })
}

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn example_fill(id: usize, ms: i64) -> Fill {
    test_support::fill("1", &id.to_string(), Some(time(ms)))
}

/// First id of orders without fills. All fills belong to order 1.
const FIRST_RESTING_ID: usize = 2;

fn order_id(id: usize) -> OrderId {
    (id + FIRST_RESTING_ID).to_string().as_str().into()
}

fn resting_id(id: &OrderId) -> usize {
    number(id.as_str()) - FIRST_RESTING_ID
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn example_order(id: usize, progress: OrderProgress) -> Order {
    Order {
        order_id: order_id(id),
        client_order_id: None,
        instrument: Instrument::Pair("BTC_USDT".into()),
        side: Side::Buy,
        progress,
        price: Some(Decimal::ONE),
        size: Some(Decimal::ONE),
        notional: None,
        filled_size: Decimal::ZERO,
        filled_notional: None,
        create_time: None,
        update_time: None,
    }
}

impl CurrentTracker {
    pub(super) fn new(assumptions: Assumptions) -> Self {
        let mut sync = AccountSync::new(AccountState::new(), assumptions);
        sync.follow(time(0), MARKET);
        sync.set_audit_interval(time(0), Some(Duration::from_secs(60)));
        Self { sync, alarms: BTreeSet::new(), last_health: None }
    }
}

impl TrackerModel for CurrentTracker {
    const READS_ONLY_BETWEEN_FETCHES: bool = false;
    const TRACKS_STATE: bool = true;

    fn clock_read(&mut self, now: i64, reading: i64) {
        self.sync.clock_read(time(now), time(reading));
    }

    fn processed_until(&mut self, stream: usize, received: i64) {
        self.sync.processed_until(MARKET, stream, time(received));
    }

    fn fill(&mut self, now: i64, id: usize, at: i64) {
        self.sync.apply(time(now), MARKET, ORDERS, Change::Fill(example_fill(id, at)));
    }

    fn order(&mut self, now: i64, id: usize) {
        let order = example_order(id, OrderProgress::Open);
        self.sync.apply(time(now), MARKET, ORDERS, Change::Order(order));
    }

    fn canceled(&mut self, now: i64, id: usize) {
        let order = example_order(id, OrderProgress::Canceled);
        self.sync.apply(time(now), MARKET, ORDERS, Change::Order(order));
    }

    fn balance(&mut self, now: i64, version: usize) {
        for (currency, balance) in example_balances(version) {
            self.sync.apply(time(now), MARKET, BALANCES, Change::Balance(currency, balance));
        }
    }

    fn stream_lost(&mut self, now: i64, stream: usize, queued: &Queued, loss: Loss) {
        let cause = match loss {
            Loss::Disconnected => {
                LossCause::Reconnecting(ReconnectReason::Closed { code: None, text: None })
            }
            Loss::Malformed => LossCause::Malformed { received_by: time(queued.received_at) },
            Loss::Overflow => LossCause::Overflowed,
        };
        self.sync.stream_lost(time(now), MARKET, stream, queued.complete_until.map(time), cause);
    }

    fn stream_up(&mut self, now: i64, stream: usize, since: i64) {
        self.sync.stream_up(time(now), MARKET, stream, time(since));
    }

    fn streams_opened(&mut self, now: i64, streams: usize) {
        self.sync.streams_opened(time(now), MARKET, streams);
    }

    fn fetch_page(&mut self, now: i64, id: u64, rows: Rows) {
        let fills = rows.fills.into_iter().map(|(id, at)| example_fill(id, at)).collect();
        let order = |id| example_order(id, OrderProgress::Open);
        let orders = rows.orders.into_iter().map(order).collect();
        self.sync.fetch_page(time(now), MARKET, id, Page { orders, fills, malformed: Vec::new() });
    }

    fn fetch_completed(&mut self, now: i64, id: u64, end: FetchEnd) {
        // Currencies without a balance are not listed.
        let mut balances = Vec::from(example_balances(end.balance));
        balances.retain(|(_, balance)| !balance.available.is_zero());
        let ids = |ids: Vec<usize>| ids.into_iter().map(order_id).collect::<Vec<_>>();
        let (orders_not_found, finished_orders) = (ids(end.unknown), ids(end.finished));
        let snapshot =
            Snapshot { balances, orders_not_found, finished_orders, ..Snapshot::default() };
        self.sync.fetch_completed(time(now), MARKET, id, snapshot);
    }

    fn fetch_failed(&mut self, now: i64, id: u64) {
        let error = CatchUpError::Rest(HistoryError::Unreadable { at: time(now) });
        self.sync.fetch_failed(time(now), MARKET, id, error);
    }

    fn audit_completed(&mut self, now: i64, id: u64, rows: Vec<(usize, i64)>) {
        let listed: Vec<_> = rows.into_iter().map(|(id, at)| example_fill(id, at)).collect();
        self.sync.audit_completed(time(now), MARKET, id, &listed);
    }

    fn request_audit(&mut self, now: i64) {
        self.sync.request_audit(time(now), MARKET);
    }

    fn poll_request(&mut self, now: i64) -> Option<ModelRequest> {
        Some(match self.sync.poll_request(time(now))? {
            Request::Open { .. } => ModelRequest::Open,
            Request::Fetch { id, from, open_orders, .. } => ModelRequest::Fetch {
                id,
                from: from.map(Timestamp::as_millis),
                open_orders: open_orders.keys().map(resting_id).collect(),
            },
            Request::Audit { id, from, until, .. } => {
                ModelRequest::Audit { id, from: from.as_millis(), until: until.as_millis() }
            }
        })
    }

    fn deadline(&self) -> Option<i64> {
        self.sync.deadline().map(Timestamp::as_millis)
    }

    fn is_live(&self) -> bool {
        self.sync.health(MARKET) == Some(Health::Live)
    }

    fn complete_until(&self) -> Option<i64> {
        self.sync.complete_until(MARKET).map(Timestamp::as_millis)
    }

    fn tracked_balance(&self) -> usize {
        let balance = |currency: &str| self.sync.state().balance(MARKET, &currency.into());
        let amount = |balance: &Balance| number(&balance.available.to_string());
        let [one, other] = CURRENCIES.map(|currency| balance(currency).map_or(0, amount));
        // If both are held, one is outdated.
        if one.min(other) > 0 { 0 } else { one.max(other) }
    }

    fn open_orders(&self) -> BTreeSet<usize> {
        self.sync.state().open_orders(MARKET).map(|order| resting_id(&order.order_id)).collect()
    }

    fn take_reported(&mut self) -> Vec<usize> {
        let mut reported = Vec::new();
        while let Some(event) = self.sync.poll_event() {
            match event {
                AccountEvent::Fill(fill) => reported.push(number(fill.trade_id.as_str())),
                AccountEvent::AuditMismatch(report) => {
                    let missing = report.not_received.iter().map(|fill| fill.trade_id.as_str());
                    let unlisted = report.not_on_exchange.iter().map(|(_, trade)| trade.as_str());
                    self.alarms.extend(missing.chain(unlisted).map(number));
                }
                AccountEvent::Health { health, .. } => {
                    let changed = self
                        .last_health
                        .replace(health)
                        .is_none_or(|last| !last.is_same_kind(health));
                    assert!(changed, "{health:?} was reported twice");
                }
                _ => {}
            }
        }
        let health = self.sync.health(MARKET);
        let is_reported = match (self.last_health, health) {
            (None, Some(Health::CatchingUp { .. })) => true,
            (last, health) => last.zip(health).is_some_and(|(last, now)| last.is_same_kind(now)),
        };
        assert!(is_reported, "{health:?} was not reported");
        reported
    }

    fn audit_alarms(&self) -> &BTreeSet<usize> {
        &self.alarms
    }
}
