//! Commands that are not acknowledged in time.

use std::sync::Arc;
use std::time::Instant;

use super::{ServerState, Session, State};
use crate::dialect::Operation;
use crate::reason::{ReconnectReason, Rejection};

/// What to do with a topic whose acknowledgement is missing.
enum TimeoutAction {
    /// Send the command once more; a subscribe command in a frame of its own.
    Retry,
    /// Take it for unsubscribed and subscribe again: it was desired again meanwhile.
    Release,
    /// Remove it: it is no longer desired.
    Forget,
    /// Report it as rejected: its second subscribe command was not acknowledged either.
    Reject,
}

impl Session {
    /// Handles the commands whose acknowledgement is overdue. Returns `false` if the connection was
    /// aborted.
    ///
    /// A connection on which the server has never answered a command and never sent data counts as dead. On any other,
    /// the fault lies with the topic, and the other topics must not suffer for it.
    pub(super) fn expire_commands(&mut self, now: Instant) -> bool {
        for command in self.pending.take_expired(now) {
            // The exchange does not acknowledge requests, so nothing can be concluded.
            if command.operation == Operation::Request {
                continue;
            }
            if !self.is_responsive() {
                let reason = ReconnectReason::NotAcknowledged { operation: "subscription" };
                self.abort(now, reason);
                return false;
            }
            for topic in command.topics {
                self.expire_topic(&topic);
            }
        }
        self.start_unused_timer(now);
        true
    }

    /// Records that the server answers commands about topics.
    pub(super) fn mark_responsive(&mut self) {
        if let State::Open { socket } = &mut self.state {
            socket.responsive = true;
        }
    }

    fn is_responsive(&self) -> bool {
        matches!(self.state, State::Open { socket } if socket.responsive)
    }

    fn expire_topic(&mut self, topic: &Arc<str>) {
        let Some(topic_state) = self.topics.get_mut(topic) else {
            return;
        };
        let action = match (topic_state.server_state, topic_state.desired) {
            (ServerState::Absent | ServerState::Confirmed, _) => return,
            (ServerState::Subscribing, true) if topic_state.retry_alone => TimeoutAction::Reject,
            (ServerState::Unsubscribing, false) if !topic_state.retry_alone => TimeoutAction::Retry,
            (ServerState::Subscribing, true) => TimeoutAction::Retry,
            (ServerState::Unsubscribing, true) => TimeoutAction::Release,
            (ServerState::Subscribing | ServerState::Unsubscribing, false) => TimeoutAction::Forget,
        };
        match action {
            TimeoutAction::Retry => {
                topic_state.retry_alone = true;
                // `flush` derives the next command from this state and `desired`.
                topic_state.server_state =
                    if topic_state.desired { ServerState::Absent } else { ServerState::Confirmed };
            }
            TimeoutAction::Release => self.release(topic),
            TimeoutAction::Forget => self.forget(topic),
            TimeoutAction::Reject => {
                let text = "not acknowledged in time, sent twice";
                self.abandon(topic, Rejection::new(None, text));
            }
        }
    }

    /// Subscribes to topics again, each in a frame of its own, because their rejections cannot be
    /// attributed.
    pub(super) fn retry_individually(&mut self, topics: &[Arc<str>]) {
        for topic in topics {
            if let Some(topic_state) = self.topics.get_mut(topic)
                && topic_state.server_state == ServerState::Subscribing
            {
                topic_state.server_state = ServerState::Absent;
                topic_state.retry_alone = true;
                if !topic_state.desired {
                    self.forget(topic);
                }
            }
        }
    }
}
