//! Everything together under virtual time: a script of what goes wrong, and a consumer who reads.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::driver::{Driver, Frame, Item, STREAMS};
use super::exchange::{Exchange, Rows, Truth};
use super::rule::{Loss, Rule, Told, Wanted};

/// Silence of a connection after which it is given up, as in the driver.
const SILENCE: i64 = 20_000;
const PING: i64 = 10_000;
/// How long opening the streams takes.
const OPENING: i64 = 30;
/// A fetch, unless the script says otherwise.
const FETCH: i64 = 50;
/// How long every other audit takes.
const LONG_AUDIT: i64 = 30_000;
/// Quiet after the script within which everything must come right.
const QUIET: i64 = 300_000;

#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Percentages of P, H and C.
    Fill { late: i64, behind: i64, differ: i64 },
    /// This many fills at once.
    Burst(u32),
    /// Somebody places an order. Percentages of P and H.
    Place { late: i64, behind: i64 },
    /// The connection dies; a silent death is noticed later. It takes `down` to connect again.
    Cut { silent: bool, down: i64 },
    /// The next frame about an order cannot be read.
    Malform,
    /// The next frame about an order comes twice.
    Duplicate,
    /// The consumer does not read for so long.
    Pause(i64),
    /// The driver does not run for so long: frames wait in the socket.
    Stall(i64),
    /// How the next fetch goes.
    Fetch { takes: i64, fails: bool },
    /// The user asks for an audit.
    Audit,
}

#[derive(Debug)]
enum Occurrence {
    Script(usize),
    Frame { connection: u32, frame: Frame },
    Silent { connection: u32 },
    Connected { connection: u32 },
    Ping { connection: u32 },
    Opened,
    Answer(Answer),
    Timer,
    Runs,
}

#[derive(Debug)]
enum Answer {
    Page { id: u64, rows: Rows },
    Fetched { id: u64 },
    Failed { id: u64 },
    Audited { id: u64, rows: Vec<(usize, i64)> },
}

/// What an audit looked at.
struct Audited {
    from: i64,
    until: i64,
    asked: i64,
}

#[allow(clippy::struct_excessive_bools, reason = "independent conditions of a model")]
pub(super) struct World<R> {
    truth: Truth,
    pub(super) rule: R,
    script: Vec<(i64, Action)>,
    now: i64,
    sequence: u64,
    ahead: BTreeMap<(i64, u64), Occurrence>,
    exchange: Exchange,
    driver: Driver,
    down: i64,
    opening: bool,
    opened: bool,
    answers: VecDeque<Answer>,
    fetches: VecDeque<(i64, bool)>,
    audits: Vec<Audited>,
    paused_until: i64,
    malform: bool,
    duplicate: bool,
    /// When the streams were first known to be up.
    start: Option<i64>,
    fetching: bool,
    script_over: bool,
    /// Fills since the start that were not told, and orders.
    untold: BTreeSet<usize>,
    unknown: BTreeSet<usize>,
    /// Whether what the rule claims is checked all the time.
    strict: bool,
}

impl<R: Rule> World<R> {
    pub(super) fn new(truth: Truth, rule: R, script: Vec<(i64, Action)>) -> Self {
        Self {
            truth,
            rule,
            script,
            now: 0,
            sequence: 0,
            ahead: BTreeMap::new(),
            exchange: Exchange::new(truth),
            driver: Driver::new(truth.capacity),
            down: 0,
            opening: false,
            opened: false,
            answers: VecDeque::new(),
            fetches: VecDeque::new(),
            audits: Vec::new(),
            paused_until: 0,
            malform: false,
            duplicate: false,
            start: None,
            fetching: false,
            script_over: false,
            untold: BTreeSet::new(),
            unknown: BTreeSet::new(),
            strict: true,
        }
    }

    /// Plays the script and a while of quiet. Every claim of the rule must hold all the time, and in
    /// the end everything is known.
    pub(super) fn run(&mut self) -> Result<(), String> {
        self.play()?;
        if !self.rule.is_live() {
            return Err("not live again although all is quiet".to_owned());
        }
        self.check(i64::MAX)?;
        if !self.rule.alarms().is_empty() {
            return Err("an audit found a difference that is none".to_owned());
        }
        Ok(())
    }

    /// The same with an exchange that is worse than the rule believes. Fills may be missing; gives how
    /// many. Each that an audit could have seen must be in its alarm.
    pub(super) fn run_broken(&mut self) -> Result<usize, String> {
        self.strict = false;
        self.play()?;
        let alarms = self.rule.alarms();
        for id in &self.untold {
            let trade = &self.exchange.trades[*id];
            let seen = |audit: &Audited| {
                let within = audit.from <= trade.stated && trade.stated <= audit.until;
                within && trade.listed <= audit.asked && audit.asked + LONG_AUDIT < self.now
            };
            if self.audits.iter().any(seen) && !alarms.contains(id) {
                return Err(format!("fill {id} is missing and no audit says so"));
            }
        }
        Ok(self.untold.len())
    }

    fn play(&mut self) -> Result<(), String> {
        self.plan(PING, Occurrence::Ping { connection: self.driver.connection });
        self.plan(self.script.first().map_or(0, |(gap, _)| *gap), Occurrence::Script(0));
        self.consume()?;
        while !self.script_over {
            self.step()?;
        }
        let end = self.now.max(self.paused_until).max(self.driver.stalled_until) + QUIET;
        while self.ahead.first_key_value().is_some_and(|(at, _)| at.0 <= end) {
            self.step()?;
        }
        Ok(())
    }

    fn plan(&mut self, after: i64, occurrence: Occurrence) {
        self.sequence += 1;
        self.ahead.insert((self.now + after.max(0), self.sequence), occurrence);
    }

    fn step(&mut self) -> Result<(), String> {
        let Some(((at, _), occurrence)) = self.ahead.pop_first() else {
            return Err("nothing happens any more".to_owned());
        };
        self.now = at;
        match occurrence {
            Occurrence::Script(at) => self.act(at),
            Occurrence::Frame { connection, frame } => self.driver.arrive(connection, frame),
            Occurrence::Silent { connection } if connection == self.driver.connection => {
                self.driver.end();
            }
            Occurrence::Connected { connection } => {
                self.driver.reconnected(self.now, connection);
                self.plan(PING, Occurrence::Ping { connection });
            }
            Occurrence::Ping { connection }
                if connection == self.driver.connection && self.driver.connected =>
            {
                if self.driver.alive {
                    self.plan(1, Occurrence::Frame { connection, frame: Frame::Pong });
                }
                self.plan(PING, Occurrence::Ping { connection });
            }
            Occurrence::Opened if !self.driver.connected => {
                self.plan(OPENING, Occurrence::Opened);
            }
            Occurrence::Opened => {
                self.driver.subscribe();
                self.opened = true;
            }
            Occurrence::Answer(answer) => self.answers.push_back(answer),
            Occurrence::Silent { .. }
            | Occurrence::Ping { .. }
            | Occurrence::Timer
            | Occurrence::Runs => {}
        }
        if self.driver.drive(self.now) {
            let connection = self.driver.connection + 1;
            self.plan(self.down, Occurrence::Connected { connection });
        }
        self.consume()
    }

    fn act(&mut self, at: usize) {
        let percent = |bound: i64, share: i64| bound * share / 100;
        let Truth { late: p, behind: h, .. } = self.truth;
        match self.script[at].1.clone() {
            Action::Fill { late, behind, differ } => {
                self.fill(percent(p, late), percent(h, behind), differ);
            }
            Action::Burst(count) => (0..count).for_each(|_| self.fill(0, h, 0)),
            Action::Place { late, behind } => {
                let id = self.exchange.place(self.now, percent(h, behind));
                self.unknown.insert(id);
                self.send(percent(p, late), Frame::Order(id));
            }
            Action::Cut { silent, down } if self.driver.alive => {
                self.driver.alive = false;
                self.down = down;
                let connection = self.driver.connection;
                if silent {
                    self.plan(SILENCE, Occurrence::Silent { connection });
                } else {
                    self.driver.end();
                }
            }
            Action::Cut { .. } => {}
            Action::Malform => self.malform = true,
            Action::Duplicate => self.duplicate = true,
            Action::Pause(time) => {
                self.paused_until = self.now + time;
                self.plan(time, Occurrence::Runs);
            }
            Action::Stall(time) => {
                self.driver.stalled_until = self.now + time;
                self.plan(time, Occurrence::Runs);
            }
            Action::Fetch { takes, fails } => self.fetches.push_back((takes, fails)),
            Action::Audit => self.rule.audit(self.now),
        }
        if let Some((gap, _)) = self.script.get(at + 1) {
            self.plan(*gap, Occurrence::Script(at + 1));
        } else {
            self.script_over = true;
            self.fetches.clear();
        }
    }

    fn fill(&mut self, late: i64, behind: i64, differ: i64) {
        let id = self.exchange.fill(self.now, behind, differ);
        if self.start.is_some_and(|start| start <= self.now) {
            self.untold.insert(id);
        }
        self.send(late, Frame::Fill(id));
    }

    /// Whoever listens when the exchange gets to it hears of it.
    fn send(&mut self, late: i64, frame: Frame) {
        let times = if std::mem::take(&mut self.duplicate) { 2 } else { 1 };
        for _ in 0..times {
            let frame = if std::mem::take(&mut self.malform) { Frame::Malformed } else { frame };
            self.plan(late, Occurrence::Frame { connection: 0, frame });
        }
    }

    /// The consumer reads one item of each stream at a time, and asks when nothing is left.
    fn consume(&mut self) -> Result<(), String> {
        if self.now < self.paused_until {
            return Ok(());
        }
        if std::mem::take(&mut self.opened) {
            self.opening = false;
            self.start.get_or_insert(self.now + 1);
            self.rule.opened(self.now, STREAMS);
        }
        loop {
            let mut busy = self.read();
            if let Some(answer) = self.answers.pop_front() {
                busy = true;
                self.fetching &= matches!(answer, Answer::Page { .. } | Answer::Audited { .. });
                match answer {
                    Answer::Page { id, rows } => self.rule.page(self.now, id, rows),
                    Answer::Fetched { id } => self.rule.fetched(self.now, id),
                    Answer::Failed { id } => self.rule.fetch_failed(self.now, id),
                    Answer::Audited { id, rows } => self.rule.audited(id, rows),
                }
            }
            while !busy && let Some(wanted) = self.rule.wanted(self.now) {
                self.ask(wanted);
            }
            self.note_told()?;
            if self.strict {
                self.check_all()?;
            }
            if !busy {
                break;
            }
        }
        if let Some(deadline) = self.rule.deadline().filter(|deadline| *deadline > self.now) {
            self.plan(deadline - self.now, Occurrence::Timer);
        }
        Ok(())
    }

    fn note_told(&mut self) -> Result<(), String> {
        for told in self.rule.told() {
            match told {
                Told::Order(id) => drop(self.unknown.remove(&id)),
                Told::Fill(id) => {
                    self.untold.remove(&id);
                    if std::mem::replace(&mut self.exchange.trades[id].told, true) {
                        return Err(format!("fill {id} was told twice"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives whether there was anything to read.
    fn read(&mut self) -> bool {
        if (R::WAITS && self.fetching) || self.opening {
            return false;
        }
        let mut busy = false;
        for at in 0..STREAMS {
            let Some(queued) = self.driver.pop(at) else {
                if let Some(heard) = self.driver.heard {
                    self.rule.read(at, heard);
                }
                continue;
            };
            busy = true;
            if let Some(received) = queued.received {
                self.rule.read(at, received);
            }
            match queued.item {
                Item::Fill(id) => self.rule.fill(self.now, id, self.exchange.trades[id].stated),
                Item::Order(id) => self.rule.order(self.now, id),
                Item::Balance => {}
                Item::Up => self.rule.up(self.now, at, queued.at),
                Item::Lost(loss) => self.rule.lost(self.now, at, &queued, loss),
            }
            if matches!(queued.item, Item::Lost(Loss::Overflow)) {
                self.driver.unsubscribe();
                break;
            }
        }
        busy
    }

    fn ask(&mut self, wanted: Wanted) {
        match wanted {
            Wanted::Open => {
                self.driver.unsubscribe();
                self.opening = true;
                self.plan(OPENING, Occurrence::Opened);
            }
            Wanted::Fetch { id, from } => {
                self.fetching = true;
                let (takes, fails) = self.fetches.pop_front().unwrap_or((FETCH, false));
                // Nothing in an answer is newer than its query, and it comes in parts.
                let mut fills = from
                    .map_or_else(Vec::new, |from| self.exchange.fills(self.now, from, i64::MAX));
                let rest = fills.split_off(fills.len() / 2);
                let orders = self.exchange.open(self.now);
                let page = Answer::Page { id, rows: Rows { fills, orders } };
                self.plan(takes / 2, Occurrence::Answer(page));
                let last = if fails {
                    Answer::Failed { id }
                } else {
                    let rows = Rows { fills: rest, orders: Vec::new() };
                    self.plan(takes, Occurrence::Answer(Answer::Page { id, rows }));
                    Answer::Fetched { id }
                };
                self.plan(takes, Occurrence::Answer(last));
            }
            Wanted::Audit { id, from, until } => {
                let rows = self.exchange.fills(self.now, from, until);
                self.audits.push(Audited { from, until, asked: self.now });
                let takes = if id.is_multiple_of(2) { FETCH } else { LONG_AUDIT };
                self.plan(takes, Occurrence::Answer(Answer::Audited { id, rows }));
            }
        }
    }

    fn check_all(&self) -> Result<(), String> {
        self.check(self.rule.whole_until().unwrap_or(i64::MIN))?;
        if self.rule.is_live() && self.driver.is_read() {
            // Only what the exchange has not told anybody yet may be missing.
            let before = self.now - self.truth.late;
            self.check(before)?;
            let unknown = self.unknown.first().map(|id| &self.exchange.resting[*id]);
            if R::KNOWS_ORDERS && unknown.is_some_and(|order| order.at < before) {
                return Err(format!("at {} an open order is missing, and it is live", self.now));
            }
        }
        Ok(())
    }

    /// Whatever happened before this has been told, from the time on that the streams were up.
    fn check(&self, before: i64) -> Result<(), String> {
        let missing = self.untold.first().map(|id| self.exchange.trades[*id].at);
        match missing.filter(|at| *at < before) {
            None => Ok(()),
            Some(at) => Err(format!(
                "at {} the fill of {at} is missing, said to be whole before {before}, live: {}",
                self.now,
                self.rule.is_live()
            )),
        }
    }
}
