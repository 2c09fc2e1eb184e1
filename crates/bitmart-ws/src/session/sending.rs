//! Which commands are sent, and when.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Instant;

use super::pending::PendingCommand;
use super::{Action, ServerState, Session, SessionEvent, State, TopicState};
use crate::dialect::{self, Operation};
use crate::topic;

impl Session {
    /// The topics that need this command now. Snapshot requests are kept in a queue of their own.
    fn topics_needing(
        &self,
        operation: Operation,
    ) -> impl Iterator<Item = (&Arc<str>, &TopicState)> {
        self.topics.iter().filter(move |(name, topic)| match operation {
            Operation::Subscribe => {
                topic.desired
                    && topic.server_state == ServerState::Absent
                    && topic.retry_at.is_none()
                    // Waits until another variant, which is being unsubscribed, is gone.
                    && self.variants(name).count() == 1
            }
            Operation::Unsubscribe => {
                (!topic.desired || topic.renewal_due)
                    && topic.server_state == ServerState::Confirmed
                    && topic.retry_at.is_none()
            }
            Operation::Request => false,
        })
    }

    /// The topics with this name, whatever their `@…` suffix is: this topic and its variants.
    pub(super) fn variants<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a TopicState)> {
        let base = topic::without_suffix(name);
        self.topics
            .range::<str, _>((Bound::Included(base), Bound::Unbounded))
            .take_while(move |(other, _)| other.starts_with(base))
            .filter(move |(other, _)| topic::without_suffix(other) == base)
    }

    /// The index of the first snapshot request whose topic is confirmed.
    fn next_snapshot_request(&self) -> Option<usize> {
        self.snapshot_requests.iter().position(|topic| {
            self.topics
                .get(topic)
                .is_some_and(|topic_state| topic_state.server_state == ServerState::Confirmed)
        })
    }

    /// Returns whether a topic needs a command. It may have to wait: for the message limit, for room on the
    /// connection, or until another topic that is retried alone has been acknowledged.
    pub(super) fn has_unsent_commands(&self) -> bool {
        self.next_snapshot_request().is_some()
            || self.topics_needing(Operation::Unsubscribe).next().is_some()
            || self.topics_needing(Operation::Subscribe).next().is_some()
    }

    /// Sends the commands that the topics need, and leaves those that have to wait to a later call.
    pub(super) fn flush(&mut self, now: Instant) {
        if !matches!(self.state, State::Open { .. }) {
            return;
        }
        self.limiter.expire(now);
        // First, because it makes room for other topics.
        let unsubscribe: Vec<_> =
            self.topics_needing(Operation::Unsubscribe).map(|(name, _)| name.clone()).collect();
        if !self.send(now, Operation::Unsubscribe, &unsubscribe) {
            return;
        }
        let subscribe = self.topics_to_subscribe();
        // A topic counts until the exchange has acknowledged that it is unsubscribed.
        let carried =
            self.topics.values().filter(|topic| topic.server_state != ServerState::Absent).count();
        let free = self.limits.topics_per_connection.saturating_sub(carried);
        if !self.send(now, Operation::Subscribe, &subscribe[..free.min(subscribe.len())]) {
            return;
        }
        while let Some(index) = self.next_snapshot_request() {
            let topic = self.snapshot_requests[index].clone();
            if !self.send(now, Operation::Request, &[topic]) {
                return;
            }
            self.snapshot_requests.remove(index);
        }
    }

    /// Returns the topics of the next subscribe command. A topic to be retried alone is the only one, and waits until
    /// no other subscribe command is in flight; while it is in flight, other topics wait. Only then can a rejection
    /// without a name be attributed to it.
    fn topics_to_subscribe(&self) -> Vec<Arc<str>> {
        let is_alone_in_flight = self
            .topics
            .values()
            .any(|topic| topic.retry_alone && topic.server_state == ServerState::Subscribing);
        if is_alone_in_flight {
            return Vec::new();
        }
        let retried_alone =
            self.topics_needing(Operation::Subscribe).find(|(_, topic)| topic.retry_alone);
        match retried_alone {
            Some(_) if self.pending.contains(Operation::Subscribe) => Vec::new(),
            Some((name, _)) => vec![name.clone()],
            None => {
                self.topics_needing(Operation::Subscribe).map(|(name, _)| name.clone()).collect()
            }
        }
    }

    /// Sends a command for these topics, in as many frames as the limits of a frame require. Returns `false` if the
    /// message limit was reached before all were sent.
    fn send(&mut self, now: Instant, operation: Operation, mut topics: &[Arc<str>]) -> bool {
        while !topics.is_empty() {
            if !self.limiter.try_acquire(now) {
                return false;
            }
            let (text, count) =
                dialect::command_frame(self.market, operation, topics, &self.limits);
            let (sent, rest) = topics.split_at(count);
            topics = rest;
            self.actions.push_back(Action::Send(text));
            for name in sent {
                if let Some(topic) = self.topics.get_mut(name) {
                    match operation {
                        Operation::Subscribe => topic.server_state = ServerState::Subscribing,
                        Operation::Unsubscribe => {
                            topic.server_state = ServerState::Unsubscribing;
                            topic.renewal_due = false;
                        }
                        Operation::Request => {}
                    }
                }
            }
            let deadline = now + self.limits.acknowledgement_timeout;
            self.pending.push(PendingCommand {
                operation,
                topics: sent.to_vec(),
                rejections: Vec::new(),
                deadline,
            });
        }
        true
    }

    pub(super) fn emit(&mut self, event: SessionEvent) {
        self.actions.push_back(Action::Emit(event));
    }
}
