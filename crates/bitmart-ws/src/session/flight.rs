//! Commands that were sent and not yet answered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::dialect::Operation;
use crate::reason::Rejection;

/// One command frame in flight.
///
/// The venue answers each topic of it. Spot's refusals do not name the topic, so they are counted;
/// once as many topics are left as there were refusals, those topics are the refused ones.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) operation: Operation,
    pub(super) topics: Vec<Arc<str>>,
    pub(super) refusals: Vec<Rejection>,
    pub(super) deadline: Instant,
}

/// What is known about a batch after an anonymous refusal.
#[derive(Debug)]
pub(super) enum Verdict {
    /// More answers must come first.
    Open,
    /// These topics were refused, all for the same reason.
    Refused(Operation, Vec<Arc<str>>, Rejection),
    /// Refused for different reasons: it cannot be said which topic met which.
    Mixed(Operation, Vec<Arc<str>>),
}

#[derive(Debug, Default)]
pub(super) struct Flight {
    batches: VecDeque<Batch>,
}

impl Flight {
    pub(super) fn push(&mut self, batch: Batch) {
        self.batches.push_back(batch);
    }

    pub(super) fn clear(&mut self) {
        self.batches.clear();
    }

    /// Whether any frame of this kind waits for its answers.
    pub(super) fn waits_for(&self, operation: Operation) -> bool {
        self.batches.iter().any(|batch| batch.operation == operation)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.batches.iter().map(|batch| batch.deadline).min()
    }

    /// Takes the answered topic out of its batch and says what that means for the others in it.
    pub(super) fn answered(&mut self, operation: Operation, topic: &str) -> Verdict {
        let found = self.batches.iter().enumerate().find_map(|(index, batch)| {
            let place = batch.topics.iter().position(|other| &**other == topic)?;
            (batch.operation == operation).then_some((index, place))
        });
        let Some((index, place)) = found else {
            return Verdict::Open;
        };
        self.batches[index].topics.swap_remove(place);
        self.settle(index)
    }

    /// Counts a refusal without a topic for the oldest batch that still lacks answers: the venue
    /// answers in order.
    pub(super) fn refused(&mut self, operation: Operation, rejection: Rejection) -> Verdict {
        let oldest = self.batches.iter().position(|batch| {
            batch.operation == operation && batch.refusals.len() < batch.topics.len()
        });
        let Some(index) = oldest else {
            return Verdict::Open;
        };
        self.batches[index].refusals.push(rejection);
        self.settle(index)
    }

    fn settle(&mut self, index: usize) -> Verdict {
        let batch = &self.batches[index];
        if batch.topics.len() > batch.refusals.len() {
            return Verdict::Open;
        }
        let Some(batch) = self.batches.remove(index) else {
            return Verdict::Open;
        };
        let mut refusals = batch.refusals.into_iter();
        match refusals.next() {
            Some(first) if refusals.all(|other| other.code == first.code) => {
                Verdict::Refused(batch.operation, batch.topics, first)
            }
            Some(_) if !batch.topics.is_empty() => Verdict::Mixed(batch.operation, batch.topics),
            _ => Verdict::Open,
        }
    }

    /// Removes the batches whose time is up.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<Batch> {
        let (overdue, waiting) = self.batches.drain(..).partition(|batch| now >= batch.deadline);
        self.batches = waiting;
        Vec::from_iter::<VecDeque<Batch>>(overdue)
    }
}
