//! How a connection stands.

use std::time::Instant;

use super::{Notice, Session, State};

/// How one connection stands. See [`Session::status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// What the connection is doing.
    pub condition: Condition,
    /// How many topics it is meant to carry.
    pub topics: usize,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// Nothing: there are no topics, or the task has ended.
    Idle,
    /// Waiting for the next attempt, or attempting.
    Connecting,
    /// Connected, the login is not answered yet.
    LoggingIn,
    /// Commands and data flow since then.
    Open {
        /// When the socket was opened.
        since: Instant,
    },
    /// Open, but nothing has been heard for a while, not even the answer to a heartbeat.
    Stale {
        /// When something was heard last.
        since: Instant,
    },
    /// The login was refused. Nothing more will happen.
    Failed,
}

impl Session {
    /// How this connection stands.
    pub fn status(&self) -> Status {
        let condition = match &self.state {
            State::Idle => Condition::Idle,
            State::Connecting => Condition::Connecting,
            State::LoggingIn { link, .. } | State::Open { link } if link.stale => {
                Condition::Stale { since: link.heard }
            }
            State::LoggingIn { .. } => Condition::LoggingIn,
            State::Open { link } => Condition::Open { since: link.since },
            State::Failed => Condition::Failed,
        };
        Status { condition, topics: self.desired_topics() }
    }

    /// How many topics this connection is meant to carry.
    pub fn desired_topics(&self) -> usize {
        self.topics.values().filter(|topic| topic.desired).count()
    }

    /// Whether there is neither a topic nor a connection.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Whether the login was refused and nothing more will happen.
    pub fn is_failed(&self) -> bool {
        matches!(self.state, State::Failed)
    }

    /// Tells the user once that what he has may be old.
    pub(super) fn grow_stale(&mut self, since: Instant) {
        if let State::LoggingIn { link, .. } | State::Open { link } = &mut self.state {
            link.stale = true;
            self.emit(Notice::Stale { since });
        }
    }
}
