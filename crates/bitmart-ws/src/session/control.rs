//! Control frames of the server: acknowledgements, rejections and logins.

use std::sync::Arc;
use std::time::Instant;

use super::pending::Resolution;
use super::{Action, ServerState, Session, SessionEvent, State};
use crate::dialect::{Access, Control, Operation};
use crate::reason::{Permanence, ReconnectReason, Rejection};

impl Session {
    pub(super) fn handle_control(&mut self, now: Instant, control: Control) {
        match control {
            Control::Pong | Control::Unknown => {}
            Control::LoggedIn => self.logged_in(),
            Control::LoginRejected(rejection) => self.login_rejected(now, rejection),
            Control::Acknowledged { operation, topic } => {
                self.mark_responsive();
                let topic = self.find_topic(&topic).unwrap_or_else(|| topic.into());
                let resolution = self.pending.remove_topic(operation, &topic);
                match operation {
                    Operation::Subscribe => self.confirm(&topic),
                    Operation::Unsubscribe => self.release(&topic),
                    Operation::Request => {}
                }
                self.apply_resolution(now, resolution);
            }
            Control::Rejected { operation, topic, rejection } => {
                self.command_rejected(now, operation, topic, rejection);
            }
        }
        self.start_unused_timer(now);
        self.flush(now);
    }

    fn logged_in(&mut self) {
        if let State::LoggingIn { socket, .. } = self.state {
            self.state = State::Open { socket };
        }
    }

    fn login_rejected(&mut self, now: Instant, rejection: Rejection) {
        if !matches!(self.state, State::LoggingIn { .. }) {
            return;
        }
        let retry = match rejection.permanence() {
            _ if rejection.is_logged_in() => return self.logged_in(),
            Permanence::Transient => true,
            Permanence::Unknown => self.may_retry_unexplained(),
            Permanence::Permanent => false,
        };
        if retry {
            self.abort(now, ReconnectReason::Rejected(rejection));
        } else {
            // The session that replaces this one must wait as after a failed attempt.
            self.pacing.record_failure(now);
            self.topics.clear();
            self.clear_connection();
            self.actions.push_back(Action::Close);
            self.emit(SessionEvent::LoginRejected { rejection });
            self.state = State::Failed;
        }
    }

    /// Counts a rejection of the login without a code or text that tells whether it is permanent. Returns `false` if
    /// there were too many.
    fn may_retry_unexplained(&mut self) -> bool {
        self.unexplained_rejections += 1;
        self.unexplained_rejections < self.limits.max_unexplained_rejections
    }

    fn command_rejected(
        &mut self,
        now: Instant,
        operation: Option<Operation>,
        topic: Option<String>,
        rejection: Rejection,
    ) {
        if rejection.is_about_connection() {
            return self.abort(now, ReconnectReason::Rejected(rejection));
        }
        if operation.is_none() && matches!(self.state, State::LoggingIn { .. }) {
            return self.login_rejected(now, rejection);
        }
        if self.access == Access::Private
            && rejection.is_about_login()
            && self.may_retry_unexplained()
        {
            return self.abort(now, ReconnectReason::Rejected(rejection));
        }
        self.mark_responsive();
        // An error that does not even name the operation is attributed to the oldest subscription.
        let operation = operation.unwrap_or(Operation::Subscribe);
        if let Some(topic) = topic.and_then(|topic| self.find_topic(&topic)) {
            let resolution = self.pending.remove_topic(operation, &topic);
            self.apply_rejection(now, operation, &topic, rejection);
            self.apply_resolution(now, resolution);
        } else {
            let resolution = self.pending.reject_oldest(operation, rejection);
            self.apply_resolution(now, resolution);
        }
    }

    /// Finds the topic that a control frame names. Data frames may name another `@…` suffix than was
    /// subscribed (observed), so control frames may as well, as long as only one topic matches.
    fn find_topic(&self, name: &str) -> Option<Arc<str>> {
        if let Some((topic, _)) = self.topics.get_key_value(name) {
            return Some(topic.clone());
        }
        let mut variants = self.variants(name);
        let (topic, _) = variants.next()?;
        variants.next().is_none().then(|| topic.clone())
    }

    pub(super) fn apply_resolution(&mut self, now: Instant, resolution: Resolution) {
        match resolution {
            Resolution::Undecided | Resolution::Ambiguous(Operation::Request, _) => {}
            Resolution::Rejected(operation, topics, rejection) => {
                for topic in topics {
                    self.apply_rejection(now, operation, &topic, rejection.clone());
                }
            }
            Resolution::Ambiguous(Operation::Subscribe, topics) => {
                self.retry_individually(&topics);
            }
            Resolution::Ambiguous(Operation::Unsubscribe, topics) => {
                for topic in &topics {
                    self.release(topic);
                }
            }
        }
    }

    fn apply_rejection(
        &mut self,
        now: Instant,
        operation: Operation,
        topic: &str,
        rejection: Rejection,
    ) {
        let Some(name) = self.topics.get_key_value(topic).map(|(name, _)| name.clone()) else {
            return;
        };
        let Some(topic_state) = self.topics.get_mut(topic) else {
            return;
        };
        let retry_at = Some(now + self.limits.topic_retry_delay);
        let retry = match rejection.permanence() {
            // The login was already repeated as often as allowed.
            Permanence::Transient => !rejection.is_about_login(),
            // On a public endpoint a text without a code is about the topic.
            Permanence::Unknown => {
                self.access == Access::Private
                    && topic_state.unexplained_rejections + 1
                        < self.limits.max_unexplained_rejections
            }
            Permanence::Permanent => false,
        };
        match (operation, topic_state.server_state) {
            (Operation::Request, _) => {
                self.emit(SessionEvent::RequestRejected { topic: name, rejection });
            }
            (Operation::Unsubscribe, ServerState::Unsubscribing) if rejection.is_transient() => {
                topic_state.server_state = ServerState::Confirmed;
                if topic_state.desired {
                    // Desired again in the meantime, and it was never unsubscribed.
                    self.emit(SessionEvent::Subscribed { topic: name });
                } else {
                    topic_state.retry_at = retry_at;
                }
            }
            // A topic that cannot be unsubscribed is not subscribed.
            (Operation::Unsubscribe, _) => self.release(topic),
            (Operation::Subscribe, _) if rejection.is_duplicate() => self.confirm(topic),
            (Operation::Subscribe, ServerState::Subscribing) if retry && topic_state.desired => {
                if !rejection.is_transient() {
                    topic_state.unexplained_rejections += 1;
                }
                topic_state.server_state = ServerState::Absent;
                topic_state.retry_at = retry_at;
            }
            (Operation::Subscribe, ServerState::Subscribing) => self.reject(topic, rejection),
            // Already confirmed or rejected.
            (Operation::Subscribe, _) => {}
        }
    }

    pub(super) fn confirm(&mut self, topic: &str) {
        let Some((name, _)) = self.topics.get_key_value(topic) else {
            return;
        };
        let topic = name.clone();
        let Some(topic_state) = self.topics.get_mut(&topic) else {
            return;
        };
        if matches!(topic_state.server_state, ServerState::Confirmed | ServerState::Unsubscribing) {
            return;
        }
        topic_state.server_state = ServerState::Confirmed;
        topic_state.retry_alone = false;
        topic_state.retry_at = None;
        topic_state.unexplained_rejections = 0;
        self.unexplained_rejections = 0;
        let is_new = !std::mem::replace(&mut topic_state.confirmed_before, true);
        if topic_state.desired {
            self.emit(if is_new {
                SessionEvent::Subscribed { topic }
            } else {
                SessionEvent::Resynced { topic }
            });
        }
    }

    /// Handles a topic that the server does not carry any more.
    pub(super) fn release(&mut self, topic: &str) {
        let Some(topic_state) = self.topics.get_mut(topic) else {
            return;
        };
        if topic_state.server_state != ServerState::Unsubscribing {
            return;
        }
        topic_state.server_state = ServerState::Absent;
        topic_state.retry_alone = false;
        if !topic_state.desired {
            self.forget(topic);
        }
    }

    /// Removes a topic that was desired.
    pub(super) fn reject(&mut self, topic: &str, rejection: Rejection) {
        if let Some(topic) = self.remove(topic) {
            self.emit(SessionEvent::Rejected { topic, rejection });
        }
    }

    /// Rejects a topic whose acknowledgements did not arrive. The server may carry it all the same. So it is
    /// unsubscribed, and counts against the topic limit until then.
    pub(super) fn abandon(&mut self, topic: &str, rejection: Rejection) {
        let Some((name, _)) = self.topics.get_key_value(topic) else {
            return;
        };
        let name = name.clone();
        if let Some(topic_state) = self.topics.get_mut(&name) {
            topic_state.desired = false;
            topic_state.retry_alone = false;
            topic_state.server_state = ServerState::Confirmed;
        }
        self.emit(SessionEvent::Rejected { topic: name, rejection });
    }

    /// Removes a topic that is no longer desired.
    pub(super) fn forget(&mut self, topic: &str) {
        if let Some(topic) = self.remove(topic) {
            self.emit(SessionEvent::Unsubscribed { topic });
        }
    }

    fn remove(&mut self, topic: &str) -> Option<Arc<str>> {
        let (topic, _) = self.topics.remove_entry(topic)?;
        self.snapshot_requests.retain(|other| *other != topic);
        Some(topic)
    }
}
