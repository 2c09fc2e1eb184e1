//! The state of a connection, for display.

use std::time::Instant;

use super::{Session, SessionEvent, State};

/// The state of one connection and how many topics it carries. See [`Session::status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionStatus {
    /// What the connection is doing.
    pub state: ConnectionState,
    /// Number of topics assigned to the connection.
    pub topics: usize,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// There are no topics, or the task has ended.
    Idle,
    /// Connecting, or waiting for the next attempt.
    Connecting,
    /// Connected; the login is not yet acknowledged.
    LoggingIn,
    /// Commands and data flow.
    Open {
        /// When the socket was opened.
        since: Instant,
    },
    /// Open, but nothing has been received for a while, not even the response to a heartbeat.
    Stale {
        /// When the last frame was received.
        since: Instant,
    },
    /// The login was rejected. The connection will not be made again.
    Failed,
}

impl Session {
    /// Returns the state of this connection.
    pub fn status(&self) -> ConnectionStatus {
        let state = match &self.state {
            State::Idle => ConnectionState::Idle,
            State::Connecting => ConnectionState::Connecting,
            State::LoggingIn { socket, .. } | State::Open { socket } if socket.stale => {
                ConnectionState::Stale { since: socket.last_received }
            }
            State::LoggingIn { .. } => ConnectionState::LoggingIn,
            State::Open { socket } => ConnectionState::Open { since: socket.opened_at },
            State::Failed => ConnectionState::Failed,
        };
        ConnectionStatus { state, topics: self.desired_topics() }
    }

    /// Returns the number of topics that this connection is meant to carry.
    pub fn desired_topics(&self) -> usize {
        self.topics.values().filter(|topic| topic.desired).count()
    }

    /// Whether there is neither a topic nor a connection.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Whether the login was rejected permanently, which ends the session.
    pub fn is_failed(&self) -> bool {
        matches!(self.state, State::Failed)
    }

    /// Emits [`SessionEvent::Stale`] once per idle period.
    pub(super) fn mark_stale(&mut self, since: Instant) {
        if let State::LoggingIn { socket, .. } | State::Open { socket } = &mut self.state {
            socket.stale = true;
            self.emit(SessionEvent::Stale { since });
        }
    }
}
