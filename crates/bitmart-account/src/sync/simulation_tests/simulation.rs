//! The simulation: plays a script of actions under virtual time and checks the claims of a tracker.

mod claims;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::connection::{Connection, Frame, Item, STREAMS};
use super::exchange_model::{Exchange, ExchangeParams, FetchEnd, Rows};
use super::script::{
    Action, AuditRequest, Event, FETCH_DURATION, IDLE_TIMEOUT, LONG_AUDIT, OPEN_DURATION,
    PING_INTERVAL, Response, SETTLE_TIME,
};
use super::tracker_model::{Loss, ModelRequest, TrackerModel};

#[allow(clippy::struct_excessive_bools, reason = "independent conditions of a model")]
pub(super) struct Simulation<R> {
    params: ExchangeParams,
    pub(super) tracker: R,
    script: Vec<(i64, Action)>,
    now: i64,
    sequence: u64,
    queue: BTreeMap<(i64, u64), Event>,
    exchange: Exchange,
    connection: Connection,
    downtime: i64,
    opening: bool,
    opened: bool,
    responses: VecDeque<Response>,
    /// Duration, failure and lag of the next fetches.
    fetches: VecDeque<(i64, bool, i64)>,
    audits: Vec<AuditRequest>,
    paused_until: i64,
    malform_next: bool,
    duplicate_next: bool,
    /// When the streams were first subscribed.
    start: Option<i64>,
    fetching: bool,
    script_over: bool,
    /// Ids of fills since the start that have not been reported.
    unreported_fills: BTreeSet<usize>,
    /// Whether the claims of the tracker are checked continuously.
    check_claims: bool,
    /// How far the clock of the REST client is ahead.
    clock: i64,
}

impl<R: TrackerModel> Simulation<R> {
    pub(super) fn new(params: ExchangeParams, tracker: R, script: Vec<(i64, Action)>) -> Self {
        Self {
            params,
            tracker,
            script,
            now: 0,
            sequence: 0,
            queue: BTreeMap::new(),
            exchange: Exchange::new(params),
            connection: Connection::new(params.capacity),
            downtime: 0,
            opening: false,
            opened: false,
            responses: VecDeque::new(),
            fetches: VecDeque::new(),
            audits: Vec::new(),
            paused_until: 0,
            malform_next: false,
            duplicate_next: false,
            start: None,
            fetching: false,
            script_over: false,
            unreported_fills: BTreeSet::new(),
            check_claims: true,
            clock: 0,
        }
    }

    /// Plays the script and a time without failures. Every claim of the tracker must hold at any time,
    /// and everything must be reported in the end.
    pub(super) fn run(&mut self) -> Result<(), String> {
        self.play()?;
        if !self.tracker.is_live() {
            return Err("not live again after the script".to_owned());
        }
        self.check(i64::MAX)?;
        if !self.tracker.audit_alarms().is_empty() {
            return Err("an audit reported a difference that does not exist".to_owned());
        }
        Ok(())
    }

    /// Like [`run`](Self::run), with an exchange that violates an assumption. Returns the number of fills
    /// that are missing or were reported after an audit only. Each one in the range of an audit must be
    /// reported.
    pub(super) fn run_with_violated_assumptions(&mut self) -> Result<usize, String> {
        self.check_claims = false;
        self.play()?;
        let alarms = self.tracker.audit_alarms();
        for id in &self.unreported_fills {
            let trade = &self.exchange.trades[*id];
            let covers = |audit: &AuditRequest| {
                let in_range = audit.from <= trade.timestamp && trade.timestamp <= audit.until;
                in_range
                    && trade.listed <= audit.requested
                    && audit.requested + LONG_AUDIT < self.now
            };
            if self.audits.iter().any(covers) || alarms.contains(id) {
                return Err(format!("fill {id} is missing although an audit covered it"));
            }
        }
        Ok(self.unreported_fills.union(alarms).count())
    }

    fn play(&mut self) -> Result<(), String> {
        self.schedule(PING_INTERVAL, Event::Ping { connection: self.connection.number });
        self.schedule(self.script.first().map_or(0, |(gap, _)| *gap), Event::Action(0));
        self.consume()?;
        while !self.script_over {
            self.step()?;
        }
        let end = self.now.max(self.paused_until).max(self.connection.stalled_until) + SETTLE_TIME;
        while self.queue.first_key_value().is_some_and(|(at, _)| at.0 <= end) {
            self.step()?;
        }
        Ok(())
    }

    fn schedule(&mut self, after: i64, event: Event) {
        self.sequence += 1;
        self.queue.insert((self.now + after.max(0), self.sequence), event);
    }

    fn step(&mut self) -> Result<(), String> {
        let Some(((at, _), event)) = self.queue.pop_first() else {
            return Err("no event is scheduled".to_owned());
        };
        self.now = at;
        match event {
            Event::Action(index) => self.act(index),
            Event::Frame { connection, frame } => self.connection.arrive(connection, frame),
            Event::IdleTimeout { connection } if connection == self.connection.number => {
                self.connection.close();
            }
            Event::Connected { connection } => {
                self.connection.reconnected(self.now, connection);
                self.schedule(PING_INTERVAL, Event::Ping { connection });
            }
            Event::Ping { connection }
                if connection == self.connection.number && self.connection.connected =>
            {
                if self.connection.alive {
                    self.schedule(
                        1,
                        Event::Frame { connection: Some(connection), frame: Frame::Pong },
                    );
                }
                self.schedule(PING_INTERVAL, Event::Ping { connection });
            }
            Event::Opened if !self.connection.connected => {
                self.schedule(OPEN_DURATION, Event::Opened);
            }
            Event::Opened => {
                self.connection.subscribe();
                self.opened = true;
            }
            Event::Response(response) => self.responses.push_back(response),
            Event::IdleTimeout { .. } | Event::Ping { .. } | Event::Timer | Event::Resume => {}
        }
        if self.connection.process(self.now) {
            let connection = self.connection.number + 1;
            self.schedule(self.downtime, Event::Connected { connection });
        }
        self.consume()
    }

    fn act(&mut self, index: usize) {
        let percent = |max: i64, share: i64| max * share / 100;
        let ExchangeParams { push_delay: max_delay, history_lag: max_lag, .. } = self.params;
        match self.script[index].1.clone() {
            Action::Fill { push_delay, history_lag, clock_skew } => {
                self.fill(
                    percent(max_delay, push_delay),
                    percent(max_lag, history_lag),
                    clock_skew,
                );
            }
            Action::Fills(count) => (0..count).for_each(|_| self.fill(0, max_lag, 0)),
            Action::PlaceOrder { push_delay, history_lag } => {
                let (delay, lag) = (percent(max_delay, push_delay), percent(max_lag, history_lag));
                let id = self.exchange.place_order(self.now, delay, lag);
                self.send(delay, Frame::Order(id));
            }
            Action::CancelOrder { push_delay, history_lag } => {
                let (delay, lag) = (percent(max_delay, push_delay), percent(max_lag, history_lag));
                if let Some((id, delay)) = self.exchange.cancel_order(self.now, delay, lag) {
                    self.send(delay, Frame::Canceled(id));
                }
            }
            Action::ChangeBalance { push_delay } => {
                self.change_balance(percent(max_delay, push_delay));
            }
            Action::Disconnect { silent, downtime } if self.connection.alive => {
                self.connection.alive = false;
                self.downtime = downtime;
                let connection = self.connection.number;
                if silent {
                    self.schedule(IDLE_TIMEOUT, Event::IdleTimeout { connection });
                } else {
                    self.connection.close();
                }
            }
            Action::Disconnect { .. } => {}
            Action::MalformNext => self.malform_next = true,
            Action::DuplicateNext => self.duplicate_next = true,
            Action::PauseConsumer(time) => {
                self.paused_until = self.paused_until.max(self.now + time);
                self.schedule(time, Event::Resume);
            }
            Action::StallConnection(time) => {
                self.connection.stalled_until = self.connection.stalled_until.max(self.now + time);
                self.schedule(time, Event::Resume);
            }
            Action::NextFetch { duration, fails, history_lag } => {
                self.fetches.push_back((duration, fails, percent(max_lag, history_lag)));
            }
            Action::StepClock(step) => self.clock += step,
            Action::Audit => self.tracker.request_audit(self.now),
        }
        if let Some((gap, _)) = self.script.get(index + 1) {
            self.schedule(*gap, Event::Action(index + 1));
        } else {
            self.script_over = true;
            self.fetches.clear();
        }
    }

    fn fill(&mut self, push_delay: i64, history_lag: i64, clock_skew: i64) {
        let id = self.exchange.fill(self.now, history_lag, clock_skew);
        if self.start.is_some_and(|start| start <= self.now) {
            self.unreported_fills.insert(id);
        }
        self.send(push_delay, Frame::Fill(id));
        // The second stream has fewer messages than the first.
        if id.is_multiple_of(3) {
            self.change_balance(push_delay);
        }
    }

    fn change_balance(&mut self, push_delay: i64) {
        let (version, push_delay) = self.exchange.change_balance(self.now, push_delay);
        self.send(push_delay, Frame::Balance(version));
    }

    /// Sends a frame after a delay, on the connection that exists then.
    fn send(&mut self, push_delay: i64, frame: Frame) {
        let times = if std::mem::take(&mut self.duplicate_next) { 2 } else { 1 };
        for _ in 0..times {
            let malformed = std::mem::take(&mut self.malform_next);
            let frame = if malformed { frame.malformed() } else { frame };
            self.schedule(push_delay, Event::Frame { connection: None, frame });
        }
    }

    /// The consumer processes one item of each stream at a time, and makes requests when none is left.
    fn consume(&mut self) -> Result<(), String> {
        if self.now < self.paused_until {
            return Ok(());
        }
        self.tracker.clock_read(self.now, self.now + self.clock);
        if std::mem::take(&mut self.opened) {
            self.opening = false;
            self.start.get_or_insert(self.now + 1);
            self.tracker.streams_opened(self.now, STREAMS);
        }
        loop {
            let mut busy = self.read();
            if let Some(response) = self.responses.pop_front() {
                busy = true;
                self.fetching &=
                    matches!(response, Response::Page { .. } | Response::Audited { .. });
                match response {
                    Response::Page { id, rows } => self.tracker.fetch_page(self.now, id, rows),
                    Response::Fetched { id, end } => {
                        self.tracker.fetch_completed(self.now, id, end);
                    }
                    Response::Failed { id } => self.tracker.fetch_failed(self.now, id),
                    Response::Audited { id, rows } => {
                        self.tracker.audit_completed(self.now, id, rows);
                    }
                }
            }
            while !busy && let Some(request) = self.tracker.poll_request(self.now) {
                self.send_request(request);
            }
            self.check_reported()?;
            if self.check_claims {
                self.check_claims()?;
            }
            if !busy {
                break;
            }
        }
        if let Some(deadline) = self.tracker.deadline().filter(|deadline| *deadline > self.now) {
            self.schedule(deadline - self.now, Event::Timer);
        }
        Ok(())
    }

    /// Returns whether there was any item.
    fn read(&mut self) -> bool {
        if (R::READS_ONLY_BETWEEN_FETCHES && self.fetching) || self.opening {
            return false;
        }
        let mut busy = false;
        for stream in 0..STREAMS {
            let Some(queued) = self.connection.pop(stream) else {
                if let Some(received) = self.connection.complete_until {
                    self.tracker.processed_until(stream, received);
                }
                continue;
            };
            busy = true;
            if let Some(received) = queued.complete_until {
                self.tracker.processed_until(stream, received);
            }
            match queued.item {
                Item::Fill(id) => {
                    self.tracker.fill(self.now, id, self.exchange.trades[id].timestamp);
                }
                Item::Order(id) => self.tracker.order(self.now, id),
                Item::Canceled(id) => self.tracker.canceled(self.now, id),
                Item::Balance(version) => self.tracker.balance(self.now, version),
                Item::Resubscribed => self.tracker.stream_up(self.now, stream, queued.received_at),
                Item::Lost(loss) => self.tracker.stream_lost(self.now, stream, &queued, loss),
            }
            if matches!(queued.item, Item::Lost(Loss::Overflow)) {
                self.connection.unsubscribe();
                break;
            }
        }
        busy
    }

    fn send_request(&mut self, request: ModelRequest) {
        match request {
            ModelRequest::Open => {
                self.connection.unsubscribe();
                self.opening = true;
                self.schedule(OPEN_DURATION, Event::Opened);
            }
            ModelRequest::Fetch { id, from, open_orders } => {
                self.fetching = true;
                let default = (FETCH_DURATION, false, self.params.history_lag);
                let (duration, fails, lag) = self.fetches.pop_front().unwrap_or(default);
                // A response contains nothing newer than its query and arrives in two pages.
                let mut fills = from
                    .map_or_else(Vec::new, |from| self.exchange.fills(self.now, from, i64::MAX));
                let rest = fills.split_off(fills.len() / 2);
                let orders = self.exchange.open_orders(self.now);
                let page = Response::Page { id, rows: Rows { fills, orders } };
                self.schedule(duration / 2, Event::Response(page));
                let last = if fails {
                    Response::Failed { id }
                } else {
                    let rows = Rows { fills: rest, orders: Vec::new() };
                    self.schedule(duration, Event::Response(Response::Page { id, rows }));
                    let balance = self.exchange.balance(self.now - lag);
                    let queried = self.exchange.query_orders(self.now, &open_orders);
                    Response::Fetched { id, end: FetchEnd { balance, ..queried } }
                };
                self.schedule(duration, Event::Response(last));
            }
            ModelRequest::Audit { id, from, until } => {
                let rows = self.exchange.fills(self.now, from, until);
                self.audits.push(AuditRequest { from, until, requested: self.now });
                let duration = if id.is_multiple_of(2) { FETCH_DURATION } else { LONG_AUDIT };
                self.schedule(duration, Event::Response(Response::Audited { id, rows }));
            }
        }
    }
}
