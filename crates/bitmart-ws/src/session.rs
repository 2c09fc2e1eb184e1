//! The life of one connection as a pure state machine.
//!
//! A [`Session`] takes what happened (connected, a frame, a command, time, closed) with the moment
//! at which it happened, and gives back [`Action`]s: send, connect, close, tell the user. It reads no
//! clock, owns no socket and draws no randomness but what its seed gives, so that every run can be
//! repeated. The driver of the `client` feature runs it over tokio; any other runtime can do the same:
//!
//! ```
//! use std::time::Instant;
//! use bitmart_ws::{Access, Action, Dialect, Limits, Notice, Session};
//!
//! let now = Instant::now();
//! let limits = Limits::of(Dialect::Spot, Access::Public);
//! let mut session = Session::new(Dialect::Spot, Access::Public, limits, 42);
//! session.subscribe(now, "spot/ticker:BTC_USDT".into());
//! assert!(matches!(session.poll_action(), Some(Action::Connect { .. })));
//!
//! session.connected(now);
//! let Some(Action::Send(text)) = session.poll_action() else { panic!("nothing to send") };
//! assert_eq!(text, r#"{"op":"subscribe","args":["spot/ticker:BTC_USDT"]}"#);
//!
//! session.receive(now, r#"{"event":"subscribe","topic":"spot/ticker:BTC_USDT"}"#);
//! assert!(matches!(session.poll_action(), Some(Action::Emit(Notice::Subscribed { .. }))));
//! ```

mod action;
mod answers;
mod commands;
mod ending;
mod flight;
mod overdue;
mod pace;
#[cfg(test)]
mod properties;
mod sending;
mod served;
mod status;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use crate::budget::Budget;
use crate::dialect::{Access, Dialect, Incoming, Limits};
use crate::reason::ReconnectReason;

use flight::Flight;

pub use action::{Action, Notice};
pub use pace::Pace;
pub use status::{Condition, Status};

/// One connection: what it should carry, what it carries, and what to do next. See the
/// [module](self) for how to drive it.
#[derive(Debug)]
pub struct Session {
    dialect: Dialect,
    access: Access,
    limits: Limits,
    state: State,
    topics: BTreeMap<Arc<str>, Topic>,
    flight: Flight,
    requests: VecDeque<Arc<str>>,
    budget: Budget,
    pace: Pace,
    /// Refusals of logins, since a topic was served last, that do not say whether the next attempt
    /// is refused as well.
    unexplained: u32,
    actions: VecDeque<Action>,
}

#[derive(Debug)]
enum State {
    /// No topics, so no socket: the venue closes connections that carry nothing.
    Idle,
    /// The driver waits out the delay or connects.
    Connecting,
    /// The login was sent; nothing else may be sent before it is answered.
    LoggingIn { link: Link, deadline: Instant },
    /// Commands and data flow.
    Open { link: Link },
    /// The login was refused for good. Only a new session may try again.
    Failed,
}

/// Times of an open socket.
#[derive(Clone, Copy, Debug)]
struct Link {
    since: Instant,
    heard: Instant,
    pinged: Instant,
    empty_since: Option<Instant>,
    /// Topics are served here: one was acknowledged or refused, or data came.
    proven: bool,
    /// The user was told that nothing has been heard for a while.
    stale: bool,
    /// Frames in a row that could not be read.
    unreadable: u32,
}

#[derive(Debug)]
struct Topic {
    desired: bool,
    on_wire: OnWire,
    /// Acknowledged once, on this connection or an earlier one.
    known: bool,
    /// Asked for a second time, in a frame of its own: the answer to a larger frame was missing or
    /// could not be attributed.
    alone: bool,
    /// Refused for a passing reason; not asked again before this moment.
    retry_at: Option<Instant>,
    /// Refusals in a row that nobody can explain.
    refusals: u32,
}

impl Topic {
    /// Whether the server was asked for it and has not answered.
    fn is_asked(&self) -> bool {
        // While topics are asked for one by one, the others wait for their turn.
        self.on_wire == OnWire::Subscribing || (self.alone && self.on_wire == OnWire::Absent)
    }
}

/// Where a topic stands with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnWire {
    Absent,
    Subscribing,
    Confirmed,
    Unsubscribing,
}

impl Session {
    /// A session without topics. It connects when it gets the first. The seed drives the jitter of
    /// reconnections: give each session another.
    pub fn new(dialect: Dialect, access: Access, limits: Limits, seed: u64) -> Self {
        Self::resume(dialect, access, limits, Pace::new(&limits, seed))
    }

    /// A session that follows on another to the same address and keeps its pace.
    pub fn resume(dialect: Dialect, access: Access, limits: Limits, pace: Pace) -> Self {
        Self {
            dialect,
            access,
            limits,
            state: State::Idle,
            topics: BTreeMap::new(),
            flight: Flight::default(),
            requests: VecDeque::new(),
            budget: Budget::new(
                limits.messages_per_window,
                limits.messages_reserved,
                limits.message_window,
            ),
            pace,
            unexplained: 0,
            actions: VecDeque::new(),
        }
    }

    /// The pace of attempts to connect, for the session that comes after this one.
    pub fn pace(&mut self, now: Instant) -> Pace {
        self.note_health(now);
        self.pace.clone()
    }

    /// The next thing to do. Call it after every input until it gives `None`.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next thing to do, if it is to tell the user. With a data frame in hand, take these before
    /// the data is passed on: the frame may be the first of its topic.
    pub fn poll_notice(&mut self) -> Option<Notice> {
        if !matches!(self.actions.front(), Some(Action::Emit(_))) {
            return None;
        }
        match self.actions.pop_front() {
            Some(Action::Emit(notice)) => Some(notice),
            _ => None,
        }
    }

    /// When [`tick`](Self::tick) must be called next, if nothing else happens before.
    pub fn deadline(&self) -> Option<Instant> {
        let (link, login) = match &self.state {
            State::LoggingIn { link, deadline } => (link, Some(*deadline)),
            State::Open { link } => (link, None),
            State::Idle | State::Connecting | State::Failed => return None,
        };
        let open = login.is_none();
        let ping = link.pinged + self.limits.ping_interval;
        let linger = link.empty_since.map(|since| since + self.limits.linger);
        let retry = self.topics.values().filter_map(|topic| topic.retry_at).min();
        let budget = if self.has_work() { self.budget.next_free() } else { None };
        let quiet = if link.stale { self.limits.silence } else { self.limits.stale_after };
        [Some(link.heard + quiet.min(self.limits.silence)), login]
            .into_iter()
            .chain(
                [Some(ping), linger, self.flight.deadline(), retry, budget]
                    .into_iter()
                    .filter(|_| open),
            )
            .flatten()
            .min()
    }

    /// The socket is open.
    pub fn connected(&mut self, now: Instant) {
        if !matches!(self.state, State::Connecting) {
            return;
        }
        self.budget.clear();
        let link = Link {
            since: now,
            heard: now,
            pinged: now,
            empty_since: None,
            proven: false,
            stale: false,
            unreadable: 0,
        };
        match self.access {
            Access::Public => self.state = State::Open { link },
            Access::Private => {
                self.budget.take_reserved(now);
                self.actions.push_back(Action::Login);
                self.state = State::LoggingIn { link, deadline: now + self.limits.login_within };
            }
        }
        self.flush(now);
    }

    /// A protocol ping arrived. Gives whether it is to be answered: the answer counts as a frame,
    /// and pings that come in a flood are not worth the message limit. Heartbeats keep their share.
    pub fn pinged(&mut self, now: Instant) -> bool {
        self.heard(now);
        self.budget.take(now)
    }

    /// A sign of life that is no text, such as a protocol pong.
    pub fn heard(&mut self, now: Instant) {
        if let State::LoggingIn { link, .. } | State::Open { link } = &mut self.state {
            link.heard = now;
            if std::mem::take(&mut link.stale) {
                self.emit(Notice::Alive);
            }
        }
    }

    /// A text arrived, inflated if need be. Gives the channel if it is a data frame, which is then
    /// the caller's to decode; everything else is dealt with here.
    ///
    /// The first data of a topic confirms it as an acknowledgement does, because BitMart sends the
    /// two in either order. Pass the [notices](Self::poll_notice) on before the data.
    pub fn receive<'a>(&mut self, now: Instant, text: &'a str) -> Option<&'a str> {
        self.heard(now);
        match self.dialect.classify(text) {
            Incoming::Data { channel } => {
                self.prove();
                self.data_arrived(now, channel, text);
                Some(channel)
            }
            Incoming::Control(control) => {
                self.control(now, control);
                None
            }
        }
    }

    /// The last frame could be read, or could not: it did not inflate or is not JSON. Too many of
    /// those in a row end the connection.
    pub fn readable(&mut self, now: Instant, readable: bool) {
        let most = self.limits.unreadable_frames;
        let (State::LoggingIn { link, .. } | State::Open { link }) = &mut self.state else {
            return;
        };
        if readable {
            link.unreadable = 0;
            return;
        }
        link.unreadable += 1;
        if link.unreadable >= most {
            let detail = format!("{most} frames in a row could not be read");
            self.lose(now, ReconnectReason::Protocol { detail });
        }
    }

    /// Time has passed. Early or repeated calls do no harm.
    pub fn tick(&mut self, now: Instant) {
        let (link, login) = match &self.state {
            State::LoggingIn { link, deadline } => (*link, Some(*deadline)),
            State::Open { link } => (*link, None),
            State::Idle | State::Connecting | State::Failed => return,
        };
        if now >= link.heard + self.limits.silence {
            return self.lose(now, ReconnectReason::Silent { limit: self.limits.silence });
        }
        if !link.stale && now >= link.heard + self.limits.stale_after {
            self.grow_stale(link.heard);
        }
        if login.is_some_and(|deadline| now >= deadline) {
            return self.lose(now, ReconnectReason::Unanswered { waited_for: "login" });
        }
        if login.is_some() {
            return;
        }
        if link.empty_since.is_some_and(|since| now >= since + self.limits.linger) {
            return self.go_idle(now);
        }
        if !self.judge_overdue(now) {
            return;
        }
        if now >= link.pinged + self.limits.ping_interval && self.budget.take_reserved(now) {
            self.actions.push_back(Action::Send(self.dialect.ping().to_owned()));
            if let State::Open { link } = &mut self.state {
                link.pinged = now;
            }
        }
        for topic in self.topics.values_mut() {
            topic.retry_at = topic.retry_at.filter(|&at| now < at);
        }
        self.flush(now);
    }

    /// The socket is gone, or the attempt to connect failed.
    pub fn closed(&mut self, now: Instant, reason: ReconnectReason) {
        if !matches!(self.state, State::Idle | State::Failed) {
            self.reconnect(now, reason);
        }
    }

    /// Gives up a connection that is still there, because of what it did: it will be closed and
    /// another made.
    pub fn lose(&mut self, now: Instant, reason: ReconnectReason) {
        if !matches!(self.state, State::Idle | State::Failed) {
            self.drop_unsent();
            self.actions.push_back(Action::Close);
            self.reconnect(now, reason);
        }
    }
}
