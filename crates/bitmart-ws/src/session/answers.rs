//! What the server's answers change.

use std::sync::Arc;
use std::time::Instant;

use super::flight::Verdict;
use super::{Action, Notice, OnWire, Session, State};
use crate::dialect::{Access, Control, Operation};
use crate::reason::{Prospect, ReconnectReason, Rejection};

impl Session {
    pub(super) fn control(&mut self, now: Instant, control: Control) {
        match control {
            Control::Pong | Control::Unknown => {}
            Control::LoggedIn => self.logged_in(),
            Control::LoginRefused(rejection) => self.login_refused(now, rejection),
            Control::Acknowledged { operation, topic } => {
                self.prove();
                let topic = self.resolve(&topic).unwrap_or_else(|| topic.into());
                let verdict = self.flight.answered(operation, &topic);
                match operation {
                    Operation::Subscribe => self.confirm(&topic),
                    Operation::Unsubscribe => self.release(&topic),
                    Operation::Request => {}
                }
                self.judge(now, verdict);
            }
            Control::Refused { operation, topic, rejection } => {
                self.refused(now, operation, topic, rejection);
            }
        }
        self.note_emptiness(now);
        self.flush(now);
    }

    fn logged_in(&mut self) {
        if let State::LoggingIn { link, .. } = self.state {
            self.state = State::Open { link };
        }
    }

    fn login_refused(&mut self, now: Instant, rejection: Rejection) {
        if !matches!(self.state, State::LoggingIn { .. }) {
            return;
        }
        let again = match rejection.prospect() {
            _ if rejection.is_logged_in() => return self.logged_in(),
            Prospect::Passing => true,
            Prospect::Unknown => self.may_ask_again(),
            Prospect::Final => false,
        };
        if again {
            self.lose(now, ReconnectReason::Refused(rejection));
        } else {
            // Whoever follows keeps the distance that a failed attempt calls for.
            self.pace.note_failure(now);
            self.topics.clear();
            self.disconnect();
            self.actions.push_back(Action::Close);
            self.emit(Notice::LoginRefused { rejection });
            self.state = State::Failed;
        }
    }

    /// Counts a refusal that says nothing about the next attempt. `false` when there were too many.
    fn may_ask_again(&mut self) -> bool {
        self.unexplained += 1;
        self.unexplained < self.limits.unexplained_refusals
    }

    fn refused(
        &mut self,
        now: Instant,
        operation: Option<Operation>,
        topic: Option<String>,
        rejection: Rejection,
    ) {
        if rejection.is_about_connection() {
            return self.lose(now, ReconnectReason::Refused(rejection));
        }
        if operation.is_none() && matches!(self.state, State::LoggingIn { .. }) {
            return self.login_refused(now, rejection);
        }
        if self.access == Access::Private && rejection.is_about_login() && self.may_ask_again() {
            return self.lose(now, ReconnectReason::Refused(rejection));
        }
        self.prove();
        // An error that does not even name the operation is taken for the oldest subscription.
        let operation = operation.unwrap_or(Operation::Subscribe);
        if let Some(topic) = topic.and_then(|topic| self.resolve(&topic)) {
            let verdict = self.flight.answered(operation, &topic);
            self.apply_refusal(now, operation, &topic, rejection);
            self.judge(now, verdict);
        } else {
            let verdict = self.flight.refused(operation, rejection);
            self.judge(now, verdict);
        }
    }

    /// Our name of a topic that an answer names. Groups of data frames may come back with another
    /// `@…` suffix (observed), so an answer may as well, if it still means one topic only.
    fn resolve(&self, answer: &str) -> Option<Arc<str>> {
        if let Some((topic, _)) = self.topics.get_key_value(answer) {
            return Some(topic.clone());
        }
        let mut variants = self.variants(answer);
        let (found, _) = variants.next()?;
        variants.next().is_none().then(|| found.clone())
    }

    pub(super) fn judge(&mut self, now: Instant, verdict: Verdict) {
        match verdict {
            Verdict::Open | Verdict::Mixed(Operation::Request, _) => {}
            Verdict::Refused(operation, topics, rejection) => {
                for topic in topics {
                    self.apply_refusal(now, operation, &topic, rejection.clone());
                }
            }
            Verdict::Mixed(Operation::Subscribe, topics) => self.ask_one_by_one(&topics),
            Verdict::Mixed(Operation::Unsubscribe, topics) => {
                for topic in &topics {
                    self.release(topic);
                }
            }
        }
    }

    fn apply_refusal(
        &mut self,
        now: Instant,
        operation: Operation,
        topic: &str,
        rejection: Rejection,
    ) {
        let Some(name) = self.topics.get_key_value(topic).map(|(name, _)| name.clone()) else {
            return;
        };
        let Some(entry) = self.topics.get_mut(topic) else {
            return;
        };
        let retry_at = Some(now + self.limits.retry_pause);
        let again = match rejection.prospect() {
            // The login was made again and again before this.
            Prospect::Passing => !rejection.is_about_login(),
            // On the public side a text without a code is about the topic.
            Prospect::Unknown => {
                self.access == Access::Private
                    && entry.refusals + 1 < self.limits.unexplained_refusals
            }
            Prospect::Final => false,
        };
        match (operation, entry.on_wire) {
            (Operation::Request, _) => {
                self.emit(Notice::RequestRejected { topic: name, rejection });
            }
            (Operation::Unsubscribe, OnWire::Unsubscribing) if rejection.is_passing() => {
                entry.on_wire = OnWire::Confirmed;
                if entry.desired {
                    // Wanted again in the meantime, and it never left.
                    self.emit(Notice::Subscribed { topic: name });
                } else {
                    entry.retry_at = retry_at;
                }
            }
            // What cannot be unsubscribed is not subscribed.
            (Operation::Unsubscribe, _) => self.release(topic),
            (Operation::Subscribe, _) if rejection.is_duplicate() => self.confirm(topic),
            (Operation::Subscribe, OnWire::Subscribing) if again && entry.desired => {
                if !rejection.is_passing() {
                    entry.refusals += 1;
                }
                entry.on_wire = OnWire::Absent;
                entry.retry_at = retry_at;
            }
            (Operation::Subscribe, OnWire::Subscribing) => self.reject(topic, rejection),
            // Answered already, one way or another.
            (Operation::Subscribe, _) => {}
        }
    }

    pub(super) fn confirm(&mut self, topic: &str) {
        let Some((name, _)) = self.topics.get_key_value(topic) else {
            return;
        };
        let topic = name.clone();
        let Some(entry) = self.topics.get_mut(&topic) else {
            return;
        };
        if matches!(entry.on_wire, OnWire::Confirmed | OnWire::Unsubscribing) {
            return;
        }
        entry.on_wire = OnWire::Confirmed;
        entry.alone = false;
        entry.retry_at = None;
        entry.refusals = 0;
        self.unexplained = 0;
        let known = std::mem::replace(&mut entry.known, true);
        if entry.desired {
            self.emit(if known {
                Notice::Resynced { topic }
            } else {
                Notice::Subscribed { topic }
            });
        }
    }

    /// The server no longer sends this topic.
    pub(super) fn release(&mut self, topic: &str) {
        let Some(entry) = self.topics.get_mut(topic) else {
            return;
        };
        if entry.on_wire != OnWire::Unsubscribing {
            return;
        }
        entry.on_wire = OnWire::Absent;
        entry.alone = false;
        if entry.desired {
            // Wanted again in the meantime: to the user this is a fresh subscription.
            entry.known = false;
        } else {
            self.forget(topic);
        }
    }

    /// Ends a topic that the user wanted.
    pub(super) fn reject(&mut self, topic: &str, rejection: Rejection) {
        if let Some(topic) = self.remove(topic) {
            self.emit(Notice::Rejected { topic, rejection });
        }
    }

    pub(super) fn forget(&mut self, topic: &str) {
        if let Some(topic) = self.remove(topic) {
            self.emit(Notice::Unsubscribed { topic });
        }
    }

    fn remove(&mut self, topic: &str) -> Option<Arc<str>> {
        let (topic, _) = self.topics.remove_entry(topic)?;
        self.requests.retain(|other| *other != topic);
        Some(topic)
    }
}
