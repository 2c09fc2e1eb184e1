//! One market: its mark, what is asked for and how its health is told.

use std::collections::BTreeMap;
use std::time::Duration;

use bitmart_types::{OrderId, Timestamp};

use super::audit::{self, Audit};
use super::touched::Touched;
use super::watermark::{self, Watermark};
use super::{Cause, Request};
use crate::{AccountEvent, Assumptions, CatchUp, Health, Instrument, Market};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where the subscriptions of a market stand.
#[derive(Debug, PartialEq, Eq)]
enum Streams {
    /// To be subscribed at this time.
    Wanted(Timestamp),
    Asked,
    Open,
}

/// A fetch that is on its way.
#[derive(Debug)]
pub(super) struct Flight {
    id: u64,
    pub(super) begin: Timestamp,
    pub(super) from: Option<Timestamp>,
    /// When it told something last, or its begin.
    pub(super) news: Timestamp,
    /// An order or a fill could not be read: this proves nothing.
    pub(super) lacks_rows: bool,
    /// Balances and positions that a stream told of since it began.
    pub(super) touched: Touched,
}

/// Fetches on their way at a time: one that hangs or began before the last loss, and a newer one.
const FLIGHTS: usize = 2;
/// A fetch that has told nothing for so long is not waited for.
const HANGING: Duration = Duration::from_secs(5);
/// The shortest time from one fetch to the next, unless the next one is due.
const SPACING: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct MarketSync {
    pub(super) market: Market,
    pub(super) watermark: Watermark,
    assume: Assumptions,
    streams: Streams,
    /// Streams of which nothing has been heard for a while.
    silent: Vec<usize>,
    /// Oldest first.
    pub(super) flights: Vec<Flight>,
    /// No fetch before this.
    fetch_at: Timestamp,
    /// The begin of the newest fetch.
    asked: Option<Timestamp>,
    pause: Duration,
    failing: bool,
    over: bool,
    told: Option<Health>,
    reconnecting_told: bool,
    /// Where the fetches since the market was live began to look, and what they found.
    pub(super) found: CatchUp,
    pub(super) audit: Audit,
}

impl MarketSync {
    pub(super) fn new(market: Market, assume: Assumptions, now: Timestamp) -> Self {
        Self {
            market,
            watermark: Watermark::new(assume, now),
            assume,
            streams: Streams::Wanted(now),
            silent: Vec::new(),
            flights: Vec::new(),
            fetch_at: now,
            asked: None,
            pause: FIRST_PAUSE,
            failing: false,
            over: false,
            told: None,
            reconnecting_told: false,
            found: nothing(market),
            audit: Audit::new(),
        }
    }

    pub(super) fn assume(&mut self, assume: Assumptions) {
        self.assume = assume;
        self.watermark = Watermark::new(assume, self.watermark.mark());
    }

    pub(super) fn health(&self) -> Health {
        let live = self.watermark.is_live() && self.streams == Streams::Open;
        match (self.over, live) {
            (true, _) => Health::Failed,
            (false, true) if self.silent.is_empty() => Health::Live,
            (false, true) => Health::Stale,
            (false, false) if self.failing => Health::Failed,
            (false, false) => Health::CatchingUp { since: self.watermark.mark() },
        }
    }

    /// What is to be told about the health.
    pub(super) fn news(&mut self) -> Vec<AccountEvent> {
        let (market, health) = (self.market, self.health());
        if self.told.is_some_and(|told| told.is_like(health)) {
            return Vec::new();
        }
        let was_whole = matches!(self.told, Some(Health::Live | Health::Stale));
        self.told = Some(health);
        let mut events = Vec::new();
        if matches!(health, Health::Live | Health::Stale) && !was_whole {
            self.reconnecting_told = false;
            events
                .push(AccountEvent::CaughtUp(std::mem::replace(&mut self.found, nothing(market))));
        }
        events.push(AccountEvent::Health { market, health });
        events
    }

    /// Fills that happened since then, by the exchange's clock, may be told of again or audited.
    pub(super) fn remembered(&self) -> Timestamp {
        let horizon = self.watermark.horizon();
        horizon.min(self.watermark.mark() - audit::WINDOW - self.assume.clocks_differ)
    }

    pub(super) fn opened(&mut self, now: Timestamp, streams: usize) {
        self.streams = Streams::Open;
        self.failing = false;
        self.pause = FIRST_PAUSE;
        self.watermark.opened(now, streams);
        self.wake(now);
    }

    pub(super) fn end(&mut self) {
        self.over = true;
        self.watermark.closed();
    }

    pub(super) fn lost(
        &mut self,
        now: Timestamp,
        stream: usize,
        last_received: Option<Timestamp>,
        cause: Cause,
    ) -> Option<AccountEvent> {
        let market = self.market;
        if let Some(received) = last_received {
            self.watermark.read(stream, received);
        }
        match cause {
            Cause::Reconnecting(reason) => {
                self.watermark.down(stream);
                self.silent.retain(|silent| *silent != stream);
                let first = !std::mem::replace(&mut self.reconnecting_told, true);
                first.then_some(AccountEvent::Reconnecting { market, reason })
            }
            Cause::Unreadable { before } => {
                self.watermark.hole(before, stream);
                self.wake(now);
                None
            }
            Cause::Overflowed | Cause::Ended => {
                self.watermark.closed();
                self.silent.clear();
                self.streams = Streams::Wanted(now);
                (cause == Cause::Overflowed).then_some(AccountEvent::Overflowed { market })
            }
        }
    }

    pub(super) fn up(&mut self, now: Timestamp, stream: usize, since: Timestamp) {
        if self.watermark.up(since, stream) {
            self.wake(now);
        }
    }

    pub(super) fn silent(&mut self, stream: usize, silent: bool) {
        self.silent.retain(|known| *known != stream);
        if silent {
            self.silent.push(stream);
        }
    }

    /// The fetch with this id, if it is on its way.
    pub(super) fn flight(&mut self, id: u64) -> Option<&mut Flight> {
        self.flights.iter_mut().find(|flight| flight.id == id)
    }

    /// The fetch with this id has come back whole. Those that began before it are void: it tells more,
    /// and what they say of balances is older.
    pub(super) fn land(&mut self, id: u64) -> Option<Flight> {
        let at = self.flights.iter().position(|flight| flight.id == id)?;
        self.flights.drain(..=at).next_back()
    }

    /// The fetch with this id has failed. Gives whether that matters: a newer one may be on its way.
    pub(super) fn crash(&mut self, id: u64) -> bool {
        let Some(at) = self.flights.iter().position(|flight| flight.id == id) else { return false };
        self.flights.remove(at);
        at == self.flights.len()
    }

    /// A fetch came back whole.
    pub(super) fn fetched(&mut self, flight: &Flight, now: Timestamp) {
        self.watermark.fetched(flight.begin, flight.from);
        self.found.since = self.found.since.or(flight.from);
        self.failing = false;
        self.pause = FIRST_PAUSE;
        match self.watermark.due() {
            Some(due) if self.is_after_loss(flight) => self.fetch_at = due.max(now),
            _ => self.wake(now),
        }
    }

    /// A fetch or an attempt to subscribe failed. Gives the pause before the next, which is not
    /// shorter than what the exchange asks to wait.
    pub(super) fn failed(&mut self, now: Timestamp, asked: Duration) -> Duration {
        let pause = self.pause.max(asked);
        self.failing = true;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        match self.streams {
            Streams::Asked => self.streams = Streams::Wanted(now + pause),
            _ => self.fetch_at = now + pause,
        }
        pause
    }

    /// Sets the time of the next fetch after a loss: at once, for what was missed until now, unless one
    /// has just begun.
    fn wake(&mut self, now: Timestamp) {
        let Some(due) = self.watermark.due().filter(|_| !self.failing) else { return };
        let spaced = self.asked.map_or(now, |asked| asked + SPACING);
        self.fetch_at = spaced.min(due).max(now);
    }

    /// Whether this fetch began after the last loss.
    fn is_after_loss(&self, flight: &Flight) -> bool {
        self.watermark.chain().is_some_and(|chain| chain <= flight.begin + watermark::TICK)
    }

    /// When the next fetch begins. One that is on its way is waited for if it began after the last
    /// loss, as long as it tells something.
    fn next_fetch(&self) -> Option<Timestamp> {
        let due = self.watermark.due()?;
        if self.streams != Streams::Open
            || self.flights.len() >= FLIGHTS
            || self.watermark.is_live()
        {
            return None;
        }
        let waited_for = self.flights.iter().filter(|flight| self.is_after_loss(flight));
        let patience = waited_for.map(|flight| due.max(flight.news + HANGING)).max();
        Some(patience.map_or(self.fetch_at, |until| until.max(self.fetch_at)))
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        if self.over {
            return None;
        }
        match self.streams {
            Streams::Wanted(at) => return Some(at),
            Streams::Asked => return None,
            Streams::Open => {}
        }
        let audit = self.audit.due().filter(|_| self.watermark.is_live());
        self.next_fetch().into_iter().chain(audit).min()
    }

    pub(super) fn poll_request(
        &mut self,
        now: Timestamp,
        next_id: &mut u64,
        open: impl FnOnce() -> BTreeMap<OrderId, Instrument>,
    ) -> Option<Request> {
        let market = self.market;
        if self.over {
            return None;
        }
        if let Streams::Wanted(at) = self.streams
            && at <= now
        {
            self.streams = Streams::Asked;
            return Some(Request::Open { market });
        }
        if self.next_fetch().is_some_and(|at| at <= now) {
            *next_id += 1;
            let (id, from) = (*next_id, self.watermark.gap());
            let touched = Touched::default();
            let lacks_rows = false;
            self.flights.push(Flight { id, begin: now, from, news: now, lacks_rows, touched });
            self.asked = Some(now);
            return Some(Request::Fetch { id, market, from, open: open() });
        }
        if self.streams == Streams::Open && self.watermark.is_live() {
            let span = self.audit.begin(now, &self.watermark, &self.assume)?;
            *next_id += 1;
            self.audit.asked(*next_id, span);
            return Some(Request::Audit { id: *next_id, market, from: span.0, until: span.1 });
        }
        None
    }
}

fn nothing(market: Market) -> CatchUp {
    CatchUp { market, since: None, orders: 0, fills: 0 }
}
