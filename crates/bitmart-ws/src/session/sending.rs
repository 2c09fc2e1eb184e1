//! Which commands go out, and when.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Instant;

use super::flight::Batch;
use super::{Action, Notice, OnWire, Session, State, Topic};
use crate::dialect::Operation;
use crate::topic;

impl Session {
    fn wants(&self, operation: Operation) -> impl Iterator<Item = (&Arc<str>, &Topic)> {
        self.topics.iter().filter(move |(name, topic)| match operation {
            Operation::Subscribe => {
                topic.desired
                    && topic.on_wire == OnWire::Absent
                    && topic.retry_at.is_none()
                    // Another variant has to leave first.
                    && self.variants(name).count() == 1
            }
            Operation::Unsubscribe => {
                !topic.desired && topic.on_wire == OnWire::Confirmed && topic.retry_at.is_none()
            }
            Operation::Request => false,
        })
    }

    /// The topics that differ from this name in their `@…` suffix at most.
    pub(super) fn variants<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Topic)> {
        let base = topic::base(name);
        self.topics
            .range::<str, _>((Bound::Included(base), Bound::Unbounded))
            .take_while(move |(other, _)| other.starts_with(base))
            .filter(move |(other, _)| topic::base(other) == base)
    }

    /// The first request whose topic is confirmed. The others wait for that.
    fn next_request(&self) -> Option<usize> {
        self.requests.iter().position(|topic| {
            self.topics.get(topic).is_some_and(|entry| entry.on_wire == OnWire::Confirmed)
        })
    }

    /// Whether anything waits to be sent.
    pub(super) fn has_work(&self) -> bool {
        self.next_request().is_some()
            || self.wants(Operation::Unsubscribe).next().is_some()
            || self.wants(Operation::Subscribe).next().is_some()
    }

    /// Sends what the topics need, as far as the message budget goes.
    pub(super) fn flush(&mut self, now: Instant) {
        if !matches!(self.state, State::Open { .. }) {
            return;
        }
        self.budget.expire(now);
        // Leave before entering, so that the topic limit holds.
        let leaving: Vec<_> =
            self.wants(Operation::Unsubscribe).map(|(name, _)| name.clone()).collect();
        if !self.send(now, Operation::Unsubscribe, &leaving) {
            return;
        }
        let alone = self
            .wants(Operation::Subscribe)
            .find(|(_, topic)| topic.alone)
            .map(|(name, _)| name.clone());
        let waiting: Vec<_> = match alone {
            // Only with nothing else in flight is it certain which topic an answer means.
            Some(_) if self.flight.waits_for(Operation::Subscribe) => Vec::new(),
            Some(name) => vec![name],
            None => self.wants(Operation::Subscribe).map(|(name, _)| name.clone()).collect(),
        };
        // Topics on their way out hold their place until the venue has let them go.
        let carried = self.topics.values().filter(|topic| topic.on_wire != OnWire::Absent).count();
        let free = self.limits.topics_per_connection.saturating_sub(carried);
        if !self.send(now, Operation::Subscribe, &waiting[..free.min(waiting.len())]) {
            return;
        }
        while let Some(index) = self.next_request() {
            let topic = self.requests[index].clone();
            if !self.send(now, Operation::Request, &[topic]) {
                return;
            }
            self.requests.remove(index);
        }
    }

    /// Sends the command in as many frames as it takes. `false` when the budget ran out.
    fn send(&mut self, now: Instant, operation: Operation, mut topics: &[Arc<str>]) -> bool {
        while !topics.is_empty() {
            if !self.budget.take(now) {
                return false;
            }
            let (text, taken) = self.dialect.command(operation, topics, &self.limits);
            let (batch, rest) = topics.split_at(taken);
            topics = rest;
            self.actions.push_back(Action::Send(text));
            for name in batch {
                if let Some(topic) = self.topics.get_mut(name) {
                    match operation {
                        Operation::Subscribe => topic.on_wire = OnWire::Subscribing,
                        Operation::Unsubscribe => topic.on_wire = OnWire::Unsubscribing,
                        Operation::Request => {}
                    }
                }
            }
            let deadline = now + self.limits.acknowledge_within;
            self.flight.push(Batch {
                operation,
                topics: batch.to_vec(),
                refusals: Vec::new(),
                deadline,
            });
        }
        true
    }

    pub(super) fn emit(&mut self, notice: Notice) {
        self.actions.push_back(Action::Emit(notice));
    }
}
