//! What the world talks to, and the rule of this crate behind it.

use std::time::Duration;

use bitmart_rest::history::HistoryError;
use bitmart_types::{Decimal, Timestamp};
use bitmart_ws::ReconnectReason;

use crate::sync::{Cause, Report, Request, Snapshot};
use crate::{
    AccountEvent, AccountState, AccountSync, Assumptions, Audits, CatchUpError, Fill, Health,
    Instrument, Market,
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

/// A rule by which an account is kept. All times are milliseconds.
pub(super) trait Rule {
    /// Whether news waits while a fetch is on its way.
    const WAITS: bool;
    fn read(&mut self, stream: usize, received: i64);
    fn fill(&mut self, now: i64, id: usize, time: i64);
    fn lost(&mut self, now: i64, stream: usize, last_received: Option<i64>, loss: Loss);
    fn up(&mut self, now: i64, stream: usize);
    fn opened(&mut self, now: i64, streams: usize);
    fn fetched(&mut self, now: i64, id: u64, rows: Vec<(usize, i64)>);
    fn fetch_failed(&mut self, now: i64, id: u64);
    fn audited(&mut self, id: u64, rows: Vec<(usize, i64)>);
    fn audit(&mut self, now: i64);
    fn wanted(&mut self, now: i64) -> Option<Wanted>;
    fn deadline(&self) -> Option<i64>;
    fn is_live(&self) -> bool;
    fn whole_until(&self) -> Option<i64>;
    /// The fills that were told since the last call.
    fn told(&mut self) -> Vec<usize>;
    fn alarms(&self) -> u64;
}

/// The rule of this crate.
pub(super) struct Proven {
    sync: AccountSync,
    pub(super) told_of_an_audit: bool,
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

impl Proven {
    pub(super) fn new(assume: Assumptions) -> Self {
        let mut sync = AccountSync::new(AccountState::new(), assume);
        sync.follow(time(0), HERE);
        sync.audit_every(time(0), Some(Duration::from_mins(1)));
        Self { sync, told_of_an_audit: false, last: None }
    }

    pub(super) fn audits(&self) -> Audits {
        self.sync.audits(HERE).unwrap_or_default()
    }
}

impl Rule for Proven {
    const WAITS: bool = false;

    fn read(&mut self, stream: usize, received: i64) {
        self.sync.read(HERE, stream, time(received));
    }

    fn fill(&mut self, now: i64, id: usize, at: i64) {
        self.sync.report(time(now), HERE, Report::Fill(made(id, at)));
    }

    fn lost(&mut self, now: i64, stream: usize, last_received: Option<i64>, loss: Loss) {
        let cause = match loss {
            Loss::Cut => Cause::Reconnecting(ReconnectReason::Closed { code: None, text: None }),
            Loss::Malformed => Cause::Unreadable,
            Loss::Overflow => Cause::Overflowed,
        };
        self.sync.lost(time(now), HERE, stream, last_received.map(time), cause);
    }

    fn up(&mut self, now: i64, stream: usize) {
        self.sync.up(time(now), HERE, stream);
    }

    fn opened(&mut self, now: i64, streams: usize) {
        self.sync.opened(time(now), HERE, streams);
    }

    fn fetched(&mut self, now: i64, id: u64, rows: Vec<(usize, i64)>) {
        let fills = rows.into_iter().map(|(id, at)| made(id, at)).collect();
        let snapshot = Snapshot { fills, ..Snapshot::default() };
        self.sync.fetched(time(now), HERE, id, snapshot);
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

    fn told(&mut self) -> Vec<usize> {
        let mut fills = Vec::new();
        while let Some(event) = self.sync.poll_event() {
            match event {
                AccountEvent::Fill(fill) => fills.extend(fill.trade_id.as_str().parse::<usize>()),
                AccountEvent::AuditFailed(_) => self.told_of_an_audit = true,
                AccountEvent::Health { health, .. } => {
                    let news = self.last.replace(health).is_none_or(|last| !last.is_like(health));
                    assert!(news, "{health:?} was told twice");
                }
                _ => {}
            }
        }
        let told = self.last.is_some_and(|last| Some(last) == self.sync.health(HERE));
        let moving = matches!(self.last, None | Some(Health::CatchingUp { .. }));
        assert!(told || moving, "{:?} was not told", self.sync.health(HERE));
        fills
    }

    fn alarms(&self) -> u64 {
        self.audits().missing + self.audits().surplus
    }
}
