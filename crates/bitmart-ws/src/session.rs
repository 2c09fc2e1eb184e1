//! The life of one connection as a pure state machine.
//!
//! ```text
//!              commands (subscribe, unsubscribe, …)
//!                               │
//!  socket ── connected, text ─► Session ── Action ─► socket
//!  timer ─── tick ──────────────┘   └───── Action::Emit(SessionEvent) ─► subscriptions
//! ```
//!
//! A [`Session`] takes each input with the time at which it happened and queues [`Action`]s: connect,
//! send, close, emit an event. It reads no clock, owns no socket and takes its randomness from a seed,
//! so every run can be repeated. The driver of the `client` feature runs it over tokio. Any other
//! runtime can do the same:
//!
//! ```
//! use std::time::Instant;
//! use bitmart_ws::{Access, Market, Limits};
//! use bitmart_ws::session::{Action, Session, SessionEvent};
//!
//! let now = Instant::now();
//! let limits = Limits::for_endpoint(Market::Spot, Access::Public);
//! let mut session = Session::new(Market::Spot, Access::Public, limits, 42);
//! session.subscribe(now, "spot/ticker:BTC_USDT".into());
//! assert!(matches!(session.poll_action(), Some(Action::Connect { .. })));
//!
//! session.connected(now);
//! let Some(Action::Send(text)) = session.poll_action() else { panic!("nothing to send") };
//! assert_eq!(text, r#"{"op":"subscribe","args":["spot/ticker:BTC_USDT"]}"#);
//!
//! session.receive(now, r#"{"event":"subscribe","topic":"spot/ticker:BTC_USDT"}"#);
//! assert!(matches!(session.poll_action(), Some(Action::Emit(SessionEvent::Subscribed { .. }))));
//! ```

mod action;
mod commands;
mod control;
mod first_data;
mod lifecycle;
mod pacing;
mod pending;
#[cfg(test)]
mod property_tests;
mod sending;
pub(crate) mod status;
#[cfg(test)]
mod tests;
mod timeouts;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dialect::{self, Access, Incoming, Limits, Market};
use crate::rate_limiter::RateLimiter;
use crate::reason::ReconnectReason;

use pending::PendingCommands;

pub use crate::dialect::login_frame;
pub use action::{Action, SessionEvent};
pub use pacing::ConnectPacing;

/// The shortest time between two pongs that are sent although the message limit is used up.
const PONG_INTERVAL: Duration = Duration::from_secs(5);

/// One connection: its desired topics, its subscribed topics, and the actions that follow from the
/// difference. See the [module](self) for how to drive it.
#[derive(Debug)]
pub struct Session {
    market: Market,
    access: Access,
    limits: Limits,
    state: State,
    /// The desired topics, and those that the server may still carry.
    topics: BTreeMap<Arc<str>, TopicState>,
    /// Commands that were sent and not yet acknowledged.
    pending: PendingCommands,
    /// Topics whose snapshot is to be requested.
    snapshot_requests: VecDeque<Arc<str>>,
    /// The limit of frames that the client may send.
    limiter: RateLimiter,
    pacing: ConnectPacing,
    /// Rejections of the login since a topic was last confirmed, without a code or text that tells whether they are
    /// permanent.
    unexplained_rejections: u32,
    actions: VecDeque<Action>,
}

#[derive(Debug)]
enum State {
    /// No topics, so no socket: the exchange closes connections without topics.
    Idle,
    /// The driver waits out the delay or connects.
    Connecting,
    /// The login was sent. Nothing else may be sent before it is acknowledged.
    LoggingIn { socket: OpenSocket, deadline: Instant },
    /// Commands and data flow.
    Open { socket: OpenSocket },
    /// The login was rejected permanently. Only a new session may try again.
    Failed,
}

/// What the session tracks of an open socket.
#[derive(Clone, Copy, Debug)]
struct OpenSocket {
    opened_at: Instant,
    last_received: Instant,
    last_ping: Instant,
    last_pong: Option<Instant>,
    /// Since when no topic is desired.
    unused_since: Option<Instant>,
    /// The server answers commands about topics: one was acknowledged or rejected, or data arrived.
    responsive: bool,
    /// [`SessionEvent::Stale`] was emitted, and nothing has been received since.
    stale: bool,
    /// Unreadable frames in a row.
    unreadable_frames: u32,
}

#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
#[derive(Debug)]
struct TopicState {
    /// The user has subscribed to it. If not, it is being unsubscribed.
    desired: bool,
    server_state: ServerState,
    /// Confirmed at least once, on this connection or an earlier one.
    confirmed_before: bool,
    /// It is to be unsubscribed and subscribed again.
    renewal_due: bool,
    /// The last command about this topic was not acknowledged in time, or its frame had several topics and a rejection
    /// did not tell which of them it was about. The next subscribe command for it gets a frame of its own, with no
    /// other subscribe command in flight.
    retry_alone: bool,
    /// The last command was rejected for a transient reason. It is not sent again before this time.
    retry_at: Option<Instant>,
    /// Rejections in a row without a code or text that tells whether they are permanent.
    unexplained_rejections: u32,
}

impl TopicState {
    /// Whether a subscribe command was sent, and its acknowledgement or first data may still arrive.
    fn awaits_acknowledgement(&self) -> bool {
        // The first command for a topic that waits to be retried alone may have reached the server.
        self.server_state == ServerState::Subscribing
            || (self.retry_alone && self.server_state == ServerState::Absent)
    }
}

/// The state of a topic on the server, as far as its messages tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerState {
    /// Not subscribed, or the command to subscribe was rejected or not acknowledged in time.
    Absent,
    /// The command to subscribe was sent and not yet acknowledged.
    Subscribing,
    /// Acknowledged, or its data arrives.
    Confirmed,
    /// The command to unsubscribe was sent and not yet acknowledged.
    Unsubscribing,
}

impl Session {
    /// Creates a session without topics. It connects when the first one is subscribed. The seed
    /// drives the jitter of reconnections: give each session a different one.
    pub fn new(market: Market, access: Access, limits: Limits, seed: u64) -> Self {
        Self::with_pacing(market, access, limits, ConnectPacing::new(&limits, seed))
    }

    /// Creates a session that replaces an earlier one at the same endpoint and continues its pacing.
    pub fn with_pacing(
        market: Market,
        access: Access,
        limits: Limits,
        pacing: ConnectPacing,
    ) -> Self {
        let limits = limits.bounded();
        Self {
            market,
            access,
            limits,
            state: State::Idle,
            topics: BTreeMap::new(),
            pending: PendingCommands::default(),
            snapshot_requests: VecDeque::new(),
            limiter: RateLimiter::new(
                limits.messages_per_window,
                limits.messages_reserved,
                limits.message_window,
            ),
            pacing,
            unexplained_rejections: 0,
            actions: VecDeque::new(),
        }
    }

    /// Returns the pacing of connection attempts, for the session that replaces this one.
    pub fn pacing(&mut self, now: Instant) -> ConnectPacing {
        self.reset_backoff_if_healthy(now);
        self.pacing.clone()
    }

    /// Returns the next action. Call it after every input until it returns `None`.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Returns the next action if it is an event. Call it until it returns `None` before passing on
    /// the data of a frame: the frame may be the first of its topic.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        if !matches!(self.actions.front(), Some(Action::Emit(_))) {
            return None;
        }
        match self.actions.pop_front() {
            Some(Action::Emit(event)) => Some(event),
            _ => None,
        }
    }

    /// Returns when [`tick`](Self::tick) must be called if no other input comes before.
    pub fn deadline(&self) -> Option<Instant> {
        let (socket, login) = match &self.state {
            State::LoggingIn { socket, deadline } => (socket, Some(*deadline)),
            State::Open { socket } => (socket, None),
            State::Idle | State::Connecting | State::Failed => return None,
        };
        let idle = if socket.stale { self.limits.idle_timeout } else { self.limits.stale_after };
        let idle = socket.last_received + idle.min(self.limits.idle_timeout);
        if let Some(login) = login {
            return Some(idle.min(login));
        }
        // A heartbeat that is due waits for a permit. Without it, a deadline in the past would be met again and again.
        let heartbeat = socket.last_ping + self.limits.heartbeat_interval;
        let heartbeat =
            self.limiter.next_reserved_permit().map_or(heartbeat, |at| heartbeat.max(at));
        let unused = socket.unused_since.map(|since| since + self.limits.unused_timeout);
        let retry = self.topics.values().filter_map(|topic| topic.retry_at).min();
        let permit = if self.has_unsent_commands() { self.limiter.next_permit() } else { None };
        [Some(idle), Some(heartbeat), unused, self.pending.deadline(), retry, permit]
            .into_iter()
            .flatten()
            .min()
    }

    /// Handles an opened socket.
    pub fn connected(&mut self, now: Instant) {
        if !matches!(self.state, State::Connecting) {
            return;
        }
        self.limiter.clear();
        let socket = OpenSocket {
            opened_at: now,
            last_received: now,
            last_ping: now,
            last_pong: None,
            unused_since: None,
            responsive: false,
            stale: false,
            unreadable_frames: 0,
        };
        match self.access {
            Access::Public => self.state = State::Open { socket },
            Access::Private => {
                self.limiter.try_acquire_reserved(now);
                self.actions.push_back(Action::Login);
                self.state = State::LoggingIn { socket, deadline: now + self.limits.login_timeout };
            }
        }
        self.flush(now);
    }

    /// Handles a protocol ping. Returns whether to send a pong.
    ///
    /// Pongs count against the message limit, and a flood of pings must not use it up: pongs take no permits that are
    /// reserved for heartbeats ([`Limits::messages_reserved`]). The exception is one pong in 5 s, because a server
    /// that gets no pong at all closes the connection.
    pub fn ping_received(&mut self, now: Instant) -> bool {
        self.frame_received(now);
        let (State::LoggingIn { socket, .. } | State::Open { socket }) = &mut self.state else {
            return false;
        };
        let is_due = socket.last_pong.is_none_or(|last| now >= last + PONG_INTERVAL);
        let granted =
            self.limiter.try_acquire(now) || (is_due && self.limiter.try_acquire_reserved(now));
        if granted {
            socket.last_pong = Some(now);
        }
        granted
    }

    /// Handles a frame that carries no text, such as a protocol pong: it proves that the connection
    /// is alive.
    pub fn frame_received(&mut self, now: Instant) {
        if let State::LoggingIn { socket, .. } | State::Open { socket } = &mut self.state {
            socket.last_received = now;
            if std::mem::take(&mut socket.stale) {
                self.emit(SessionEvent::Alive);
            }
        }
    }

    /// Handles a text frame, inflated if it was compressed. Returns the `"table"` or `"group"` of a data
    /// frame, which the caller decodes. Control frames are handled here.
    ///
    /// The first data of a topic confirms it like an acknowledgement, because BitMart sends the two in
    /// either order. Take the [events](Self::poll_event) before passing on the data.
    pub fn receive<'a>(&mut self, now: Instant, text: &'a str) -> Option<&'a str> {
        self.frame_received(now);
        match dialect::classify(self.market, text) {
            Incoming::Data { frame_name } => {
                self.mark_responsive();
                self.confirm_by_data(now, frame_name, text);
                Some(frame_name)
            }
            Incoming::Control(control) => {
                self.handle_control(now, control);
                None
            }
        }
    }

    /// Records that the last frame could be inflated and decoded: the count of
    /// [`frame_unreadable`](Self::frame_unreadable) begins anew.
    pub fn frame_decoded(&mut self) {
        if let State::LoggingIn { socket, .. } | State::Open { socket } = &mut self.state {
            socket.unreadable_frames = 0;
        }
    }

    /// Records that the last frame could not be inflated or decoded.
    /// [`Limits::max_unreadable_frames`] of them in a row end the connection.
    pub fn frame_unreadable(&mut self, now: Instant) {
        let max = self.limits.max_unreadable_frames;
        let (State::LoggingIn { socket, .. } | State::Open { socket }) = &mut self.state else {
            return;
        };
        socket.unreadable_frames += 1;
        if socket.unreadable_frames >= max {
            let detail = format!("{max} frames in a row could not be read");
            self.abort(now, ReconnectReason::Protocol { detail });
        }
    }

    /// Handles the passing of time. Early or repeated calls do no harm.
    pub fn tick(&mut self, now: Instant) {
        let (socket, login) = match &self.state {
            State::LoggingIn { socket, deadline } => (*socket, Some(*deadline)),
            State::Open { socket } => (*socket, None),
            State::Idle | State::Connecting | State::Failed => return,
        };
        if now >= socket.last_received + self.limits.idle_timeout {
            let limit = self.limits.idle_timeout;
            return self.abort(now, ReconnectReason::IdleTimeout { limit });
        }
        if !socket.stale && now >= socket.last_received + self.limits.stale_after {
            self.mark_stale(socket.last_received);
        }
        if login.is_some_and(|deadline| now >= deadline) {
            return self.abort(now, ReconnectReason::NotAcknowledged { operation: "login" });
        }
        if login.is_some() {
            return;
        }
        if socket.unused_since.is_some_and(|since| now >= since + self.limits.unused_timeout) {
            return self.go_idle(now);
        }
        if !self.expire_commands(now) {
            return;
        }
        if now >= socket.last_ping + self.limits.heartbeat_interval
            && self.limiter.try_acquire_reserved(now)
        {
            self.actions.push_back(Action::Send(dialect::ping_frame(self.market).to_owned()));
            if let State::Open { socket } = &mut self.state {
                socket.last_ping = now;
            }
        }
        for topic in self.topics.values_mut() {
            topic.retry_at = topic.retry_at.filter(|&at| now < at);
        }
        self.flush(now);
    }

    /// Handles a closed socket or a failed connection attempt.
    pub fn disconnected(&mut self, now: Instant, reason: ReconnectReason) {
        if !matches!(self.state, State::Idle | State::Failed) {
            self.reconnect(now, reason);
        }
    }

    /// Closes a connection that misbehaved and makes another.
    pub fn abort(&mut self, now: Instant, reason: ReconnectReason) {
        if !matches!(self.state, State::Idle | State::Failed) {
            self.drop_unsent();
            self.actions.push_back(Action::Close);
            self.reconnect(now, reason);
        }
    }
}
