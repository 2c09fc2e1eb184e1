//! Commands that were sent and not yet acknowledged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::dialect::Operation;
use crate::reason::Rejection;

/// One command frame in flight.
///
/// The exchange acknowledges or rejects each of its topics. Acknowledged topics are removed. Rejections
/// on spot do not name the topic, so they are counted: once as many topics remain as there were
/// rejections, the remaining ones are the rejected ones.
#[derive(Debug)]
pub(super) struct PendingCommand {
    pub(super) operation: Operation,
    pub(super) topics: Vec<Arc<str>>,
    pub(super) rejections: Vec<Rejection>,
    pub(super) deadline: Instant,
}

/// What an acknowledgement or rejection reveals about the other topics of its command.
#[derive(Debug)]
pub(super) enum Resolution {
    /// Nothing: more acknowledgements must arrive first, or none is missing.
    Undecided,
    /// These topics were rejected, all with the same code.
    Rejected(Operation, Vec<Arc<str>>, Rejection),
    /// These topics were rejected with different codes, which cannot be attributed.
    Ambiguous(Operation, Vec<Arc<str>>),
}

#[derive(Debug, Default)]
pub(super) struct PendingCommands {
    commands: VecDeque<PendingCommand>,
}

impl PendingCommands {
    pub(super) fn push(&mut self, command: PendingCommand) {
        self.commands.push_back(command);
    }

    pub(super) fn clear(&mut self) {
        self.commands.clear();
    }

    /// Whether any command of this kind is in flight.
    pub(super) fn contains(&self, operation: Operation) -> bool {
        self.commands.iter().any(|command| command.operation == operation)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.commands.iter().map(|command| command.deadline).min()
    }

    /// Removes a topic that was acknowledged or rejected by name.
    pub(super) fn remove_topic(&mut self, operation: Operation, topic: &str) -> Resolution {
        let place = self.commands.iter().enumerate().find_map(|(index, command)| {
            let position = command.topics.iter().position(|other| &**other == topic)?;
            (command.operation == operation).then_some((index, position))
        });
        let Some((index, position)) = place else {
            return Resolution::Undecided;
        };
        self.commands[index].topics.swap_remove(position);
        self.resolve(index)
    }

    /// Counts a rejection without a topic for the oldest command that still lacks
    /// acknowledgements: the exchange handles commands in order.
    pub(super) fn reject_oldest(
        &mut self,
        operation: Operation,
        rejection: Rejection,
    ) -> Resolution {
        let oldest = self.commands.iter().position(|command| {
            command.operation == operation && command.rejections.len() < command.topics.len()
        });
        let Some(index) = oldest else {
            return Resolution::Undecided;
        };
        self.commands[index].rejections.push(rejection);
        self.resolve(index)
    }

    fn resolve(&mut self, index: usize) -> Resolution {
        let command = &self.commands[index];
        if command.topics.len() > command.rejections.len() {
            return Resolution::Undecided;
        }
        let Some(command) = self.commands.remove(index) else {
            return Resolution::Undecided;
        };
        let mut rejections = command.rejections.into_iter();
        match rejections.next() {
            Some(first) if rejections.all(|other| other.code == first.code) => {
                Resolution::Rejected(command.operation, command.topics, first)
            }
            Some(_) if !command.topics.is_empty() => {
                Resolution::Ambiguous(command.operation, command.topics)
            }
            _ => Resolution::Undecided,
        }
    }

    /// Removes and returns the commands whose deadline has passed.
    pub(super) fn take_expired(&mut self, now: Instant) -> Vec<PendingCommand> {
        let (expired, waiting) =
            self.commands.drain(..).partition(|command| now >= command.deadline);
        self.commands = waiting;
        Vec::from_iter::<VecDeque<PendingCommand>>(expired)
    }
}
