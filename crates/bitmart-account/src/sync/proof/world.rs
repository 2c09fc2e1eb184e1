//! The exchange, the network, the driver and the consumer.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::rule::{Loss, Rule, Wanted};

/// Silence of a connection after which it is given up, as in the driver.
const SILENCE: i64 = 20_000;
const PING: i64 = 10_000;
/// How long opening the streams takes.
const OPENING: i64 = 30;
/// A fetch, unless the script says otherwise.
const FETCH: i64 = 50;
/// Quiet after the script within which everything must come right.
const QUIET: i64 = 300_000;
/// Orders with their fills, and balances.
const STREAMS: usize = 2;

/// What the exchange keeps to, in milliseconds, and what does not change during a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Truth {
    /// P.
    pub(super) late: i64,
    /// H.
    pub(super) behind: i64,
    /// C.
    pub(super) differ: i64,
    /// The exchange's clock is off by this many percent of C.
    pub(super) offset: i64,
    /// Updates that a queue holds.
    pub(super) capacity: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Percentages of P, H and C.
    Fill { late: i64, behind: i64, differ: i64 },
    /// This many fills at once.
    Burst(u32),
    /// The connection dies; a silent death is noticed later. It takes `down` to connect again.
    Cut { silent: bool, down: i64 },
    /// The next frame about a fill cannot be read.
    Malform,
    /// The next frame about a fill comes twice.
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
struct Trade {
    /// When it happened, by the clock of this machine.
    at: i64,
    /// The same by the exchange's clock.
    stated: i64,
    /// When the history shows it.
    listed: i64,
    told: bool,
}

/// Something that reaches the driver.
#[derive(Clone, Copy, Debug)]
enum Frame {
    Fill(usize),
    Malformed,
    Pong,
    /// The connection is dead.
    End,
}

#[derive(Clone, Copy, Debug)]
enum Item {
    Fill(usize),
    Balance,
    Lost(Loss),
    Up,
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
struct Answer {
    id: u64,
    audit: bool,
    fails: bool,
    rows: Vec<(usize, i64)>,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<(Item, Option<i64>)>,
    subscribed: bool,
}

#[allow(clippy::struct_excessive_bools, reason = "independent conditions of a model")]
pub(super) struct World<R> {
    truth: Truth,
    pub(super) rule: R,
    script: Vec<(i64, Action)>,
    now: i64,
    sequence: u64,
    ahead: BTreeMap<(i64, u64), Occurrence>,
    trades: Vec<Trade>,
    /// The number of the newest connection, and whether its frames still reach this machine.
    connection: u32,
    alive: bool,
    /// The driver knows of a connection.
    connected: bool,
    down: i64,
    socket: VecDeque<Frame>,
    quiet: Option<i64>,
    heard: Option<i64>,
    queues: [Queue; STREAMS],
    opening: bool,
    opened: bool,
    answers: VecDeque<Answer>,
    fetches: VecDeque<(i64, bool)>,
    paused_until: i64,
    stalled_until: i64,
    malform: bool,
    duplicate: bool,
    /// When the streams were first known to be up.
    start: Option<i64>,
    fetching: bool,
    script_over: bool,
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
            trades: Vec::new(),
            connection: 1,
            alive: true,
            connected: true,
            down: 0,
            socket: VecDeque::new(),
            quiet: Some(0),
            heard: None,
            queues: Default::default(),
            opening: false,
            opened: false,
            answers: VecDeque::new(),
            fetches: VecDeque::new(),
            paused_until: 0,
            stalled_until: 0,
            malform: false,
            duplicate: false,
            start: None,
            fetching: false,
            script_over: false,
        }
    }

    /// Plays the script and a while of quiet.
    pub(super) fn run(&mut self) -> Result<(), String> {
        self.plan(PING, Occurrence::Ping { connection: self.connection });
        self.plan(self.script.first().map_or(0, |(gap, _)| *gap), Occurrence::Script(0));
        self.consume()?;
        while !self.script_over {
            self.step()?;
        }
        let end = self.now.max(self.paused_until).max(self.stalled_until) + QUIET;
        self.until(end)?;
        if !self.rule.is_live() {
            return Err("not live again although all is quiet".to_owned());
        }
        self.check(i64::MAX)?;
        if self.rule.alarms() > 0 {
            return Err("an audit found a difference that is none".to_owned());
        }
        Ok(())
    }

    /// Goes on for a while after a failure, whatever else fails.
    pub(super) fn settle(&mut self) {
        let end = self.now + QUIET;
        while self.ahead.first_key_value().is_some_and(|(at, _)| at.0 <= end) {
            drop(self.step());
        }
    }

    fn until(&mut self, end: i64) -> Result<(), String> {
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
            Occurrence::Frame { connection, frame } => self.arrive(connection, frame),
            Occurrence::Silent { connection } if connection == self.connection => {
                self.socket.push_back(Frame::End);
            }
            Occurrence::Connected { connection } => {
                self.connection = connection;
                (self.alive, self.connected) = (true, true);
                // Not before something was heard.
                self.quiet = None;
                self.plan(PING, Occurrence::Ping { connection });
                for at in 0..STREAMS {
                    self.push(at, Item::Up);
                }
            }
            Occurrence::Ping { connection } if connection == self.connection && self.connected => {
                if self.alive {
                    self.plan(1, Occurrence::Frame { connection, frame: Frame::Pong });
                }
                self.plan(PING, Occurrence::Ping { connection });
            }
            Occurrence::Opened if !self.connected => self.plan(OPENING, Occurrence::Opened),
            Occurrence::Opened => {
                for queue in &mut self.queues {
                    *queue = Queue { subscribed: true, ..Queue::default() };
                }
                self.opened = true;
            }
            Occurrence::Answer(answer) => self.answers.push_back(answer),
            Occurrence::Silent { .. }
            | Occurrence::Ping { .. }
            | Occurrence::Timer
            | Occurrence::Runs => {}
        }
        self.drive();
        self.consume()
    }

    fn act(&mut self, at: usize) {
        let percent = |bound: i64, share: i64| bound * share / 100;
        match self.script[at].1.clone() {
            Action::Fill { late, behind, differ } => {
                self.trade(
                    percent(self.truth.late, late),
                    percent(self.truth.behind, behind),
                    differ,
                );
            }
            Action::Burst(count) => {
                for _ in 0..count {
                    self.trade(0, self.truth.behind, 0);
                }
            }
            Action::Cut { silent, down } if self.alive => {
                self.alive = false;
                self.down = down;
                let connection = self.connection;
                if silent {
                    self.plan(SILENCE, Occurrence::Silent { connection });
                } else {
                    self.socket.push_back(Frame::End);
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
                self.stalled_until = self.now + time;
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

    fn trade(&mut self, late: i64, behind: i64, differ: i64) {
        let off = (self.truth.offset + differ).clamp(-100, 100);
        let id = self.trades.len();
        self.trades.push(Trade {
            at: self.now,
            stated: self.now + self.truth.differ * off / 100,
            listed: self.now + behind,
            told: false,
        });
        let times = if std::mem::take(&mut self.duplicate) { 2 } else { 1 };
        for _ in 0..times {
            // Whoever listens when the exchange gets to it hears of it.
            let frame =
                if std::mem::take(&mut self.malform) { Frame::Malformed } else { Frame::Fill(id) };
            self.plan(late, Occurrence::Frame { connection: 0, frame });
        }
    }

    /// A frame is sent. It arrives if there is a connection, the one that it belongs to.
    fn arrive(&mut self, connection: u32, frame: Frame) {
        if self.alive && (connection == 0 || connection == self.connection) {
            self.socket.push_back(frame);
        }
    }

    /// The driver handles what has arrived.
    fn drive(&mut self) {
        if self.now < self.stalled_until {
            return;
        }
        while let Some(frame) = self.socket.pop_front() {
            if matches!(frame, Frame::End) {
                self.connected = false;
                self.socket.clear();
                for at in 0..STREAMS {
                    self.push(at, Item::Lost(Loss::Cut));
                }
                let connection = self.connection + 1;
                self.plan(self.down, Occurrence::Connected { connection });
                return;
            }
            self.heard = self.heard.max(self.quiet);
            match frame {
                Frame::Fill(id) => {
                    self.push(0, Item::Fill(id));
                    // One stream has less to read than the other.
                    if id.is_multiple_of(3) {
                        self.push(1, Item::Balance);
                    }
                }
                Frame::Malformed => self.push(0, Item::Lost(Loss::Malformed)),
                Frame::Pong | Frame::End => {}
            }
        }
        if self.connected {
            self.quiet = Some(self.now);
        }
    }

    fn push(&mut self, at: usize, item: Item) {
        let queue = &mut self.queues[at];
        if !queue.subscribed {
            return;
        }
        if queue.items.len() >= self.truth.capacity {
            queue.items.push_back((Item::Lost(Loss::Overflow), self.heard));
            queue.subscribed = false;
        } else {
            queue.items.push_back((item, self.heard));
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
                self.fetching &= answer.audit;
                match (answer.audit, answer.fails) {
                    (true, _) => self.rule.audited(answer.id, answer.rows),
                    (false, true) => self.rule.fetch_failed(self.now, answer.id),
                    (false, false) => self.rule.fetched(self.now, answer.id, answer.rows),
                }
            }
            while !busy && let Some(wanted) = self.rule.wanted(self.now) {
                self.ask(wanted);
            }
            for id in self.rule.told() {
                if std::mem::replace(&mut self.trades[id].told, true) {
                    return Err(format!("fill {id} was told twice"));
                }
            }
            self.check_all()?;
            if !busy {
                break;
            }
        }
        if let Some(deadline) = self.rule.deadline().filter(|deadline| *deadline > self.now) {
            self.plan(deadline - self.now, Occurrence::Timer);
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
            let Some((item, stamp)) = self.queues[at].items.pop_front() else {
                if let Some(heard) = self.heard {
                    self.rule.read(at, heard);
                }
                continue;
            };
            busy = true;
            if let Some(stamp) = stamp {
                self.rule.read(at, stamp);
            }
            match item {
                Item::Fill(id) => self.rule.fill(self.now, id, self.trades[id].stated),
                Item::Balance => {}
                Item::Up => self.rule.up(self.now, at),
                Item::Lost(loss) => self.rule.lost(self.now, at, stamp, loss),
            }
            if matches!(item, Item::Lost(Loss::Overflow)) {
                self.queues = Default::default();
                break;
            }
        }
        busy
    }

    fn ask(&mut self, wanted: Wanted) {
        match wanted {
            Wanted::Open => {
                self.queues = Default::default();
                self.opening = true;
                self.plan(OPENING, Occurrence::Opened);
            }
            Wanted::Fetch { id, from } => {
                self.fetching = true;
                let (takes, fails) = self.fetches.pop_front().unwrap_or((FETCH, false));
                let rows = from.map_or_else(Vec::new, |from| self.listed(from, i64::MAX));
                self.plan(takes, Occurrence::Answer(Answer { id, audit: false, fails, rows }));
            }
            Wanted::Audit { id, from, until } => {
                let (rows, fails) = (self.listed(from, until), false);
                let takes = if id.is_multiple_of(2) { FETCH } else { 30_000 };
                self.plan(takes, Occurrence::Answer(Answer { id, audit: true, fails, rows }));
            }
        }
    }

    /// What the history shows of a span, in no order.
    fn listed(&self, from: i64, until: i64) -> Vec<(usize, i64)> {
        let listed = self.trades.iter().enumerate().rev();
        listed
            .filter(|(_, trade)| from <= trade.stated && trade.stated <= until)
            .filter(|(_, trade)| trade.listed <= self.now)
            .map(|(id, trade)| (id, trade.stated))
            .collect()
    }

    fn check_all(&self) -> Result<(), String> {
        self.check(self.rule.whole_until().unwrap_or(i64::MIN))?;
        let nothing_waits = self.queues.iter().all(|queue| queue.items.is_empty());
        let known = self.connected == self.alive && self.socket.is_empty();
        if self.rule.is_live() && nothing_waits && known {
            // Only what the exchange has not told anybody yet may be missing.
            self.check(self.now - self.truth.late)?;
        }
        Ok(())
    }

    /// Whatever happened before this has been told, from the time on that the streams were up.
    fn check(&self, before: i64) -> Result<(), String> {
        let Some(start) = self.start else { return Ok(()) };
        let missing: HashSet<_> = self
            .trades
            .iter()
            .filter(|trade| start <= trade.at && trade.at < before && !trade.told)
            .map(|trade| trade.at)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!(
            "at {} a fill is missing of {missing:?}, said to be whole before {before}, live: {}",
            self.now,
            self.rule.is_live()
        ))
    }
}
