//! A span of the history: what the topics were between two times.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use bitmart_fleet::nats::history::{HistoryEvent, HistoryItem};
//! use bitmart_fleet::nats::{History, Options};
//! use bitmart_types::Timestamp;
//! use bitmart_ws::topic;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let now = Timestamp::now();
//! let from = Timestamp::from_millis(now.as_millis() - 300_000);
//! let mut history = History::builder(Options::new("nats://127.0.0.1:4222"))
//!     .topic(topic::spot::trades("BTC_USDT"))
//!     .open(from..now)
//!     .await?;
//! while let Some(item) = history.next().await {
//!     match item? {
//!         HistoryItem::BeginsLate(first) => println!("nothing before {first:?}"),
//!         HistoryItem::Message(message) => {
//!             if let HistoryEvent::Frame(text) = message.event {
//!                 println!("{} {text}", message.received_at);
//!             }
//!         }
//!         other => println!("a gap: {other:?}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod builder;
mod cursor;
mod item;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use bitmart_types::Timestamp;
use bitmart_ws::Market;

pub use builder::HistoryBuilder;
pub use item::{HistoryEvent, HistoryItem, HistoryMessage, HistoryTopic};

pub(crate) use cursor::StoredMessage;

use super::{Error, Options, direct_get};
use crate::nats::message::Message;
use cursor::{Cursor, StreamSpan};

/// The messages of topics between two times, in the order of the stream. See the [module](self).
///
/// Messages are read in batches: up to 256 messages of each topic and replica, and together up to 64 MiB, or the
/// largest message of NATS for each if that is more. What is stored after it was opened is not part of it.
pub struct History {
    span: StreamSpan,
    topics: Vec<TopicName>,
    topic_replicas: Vec<TopicReplica>,
    /// The sequence of the next message of each that has one, and the index of its topic replica.
    next: BinaryHeap<Reverse<(u64, usize)>>,
    /// The index of the topic replica whose batch may be empty.
    to_fill: Option<usize>,
    /// Items that are complete and not yet returned.
    ready: VecDeque<RawItem>,
    /// When the oldest message of the stream was stored; `None` if it was empty.
    oldest: Option<Timestamp>,
    has_failed: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct TopicName {
    pub(crate) market: Market,
    pub(crate) name: Arc<str>,
    /// The part of its subject behind the prefix.
    pub(crate) suffix: String,
}

/// The messages of one topic by one of its replicas, and how far they were checked.
struct TopicReplica {
    /// The index of the topic in the history.
    topic: usize,
    replica: usize,
    cursor: Cursor,
    /// The highest term so far and the number after it.
    known: Option<(u64, u64)>,
    /// The stream may have removed messages since then: before one that was left out.
    has_expired: bool,
}

/// An item by the index of its topic, with the message as it is stored.
#[derive(Debug)]
pub(crate) enum RawItem {
    BeginsLate(Option<Timestamp>),
    Message { topic: usize, replica: usize, stored: StoredMessage },
    NewTerm { topic: usize, replica: usize, before: u64, term: u64, collector: String },
    Lost { topic: usize, replica: usize, missing: Option<u64> },
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History")
            .field("topics", &self.topics.len())
            .field("span", &self.span())
            .finish_non_exhaustive()
    }
}

impl History {
    /// Returns a builder for a history of topics of this fleet.
    pub fn builder(options: Options) -> HistoryBuilder {
        HistoryBuilder::new(options)
    }

    /// Returns the span: messages that were stored from its start on, and before its end. The end is that of
    /// [`open`](HistoryBuilder::open), or the time of opening if that was earlier.
    pub fn span(&self) -> Range<Timestamp> {
        Timestamp::from_millis(self.span.from)..Timestamp::from_millis(self.span.to)
    }

    /// Returns whether the stream did not prove that it had all of the span: it begins with
    /// [`HistoryItem::BeginsLate`].
    pub fn begins_late(&self) -> bool {
        begins_late(self.oldest, self.span.from)
    }

    /// Returns when the stream has stored the oldest message that it had when it was opened. `None` if it was empty.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.oldest
    }

    /// Returns the next item. `None` at the end of the span: everything that was stored until then was returned, or
    /// reported as missing. Also `None` after an error.
    ///
    /// # Errors
    /// `JetStream` did not answer several times in a row, or has lost the stream.
    ///
    /// # Cancel safety
    /// Cancel-safe: no item is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Result<HistoryItem, Error>> {
        let raw = self.next_raw().await?;
        Some(raw.map(|raw| self.item(raw)))
    }

    pub(crate) fn topics(&self) -> &[TopicName] {
        &self.topics
    }

    /// The number of collectors of each topic.
    pub(crate) fn replicas(&self) -> usize {
        self.topic_replicas.len() / self.topics.len().max(1)
    }

    pub(crate) async fn next_raw(&mut self) -> Option<Result<RawItem, Error>> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(Ok(ready));
            }
            if self.has_failed {
                return None;
            }
            if let Some(index) = self.to_fill {
                let topic_replica = &mut self.topic_replicas[index];
                if let Err(error) = topic_replica.cursor.fill(&self.span).await {
                    self.has_failed = true;
                    return Some(Err(error));
                }
                self.to_fill = None;
                self.advance(index);
                continue;
            }
            let Reverse((_, index)) = self.next.pop()?;
            if let Some(stored) = self.topic_replicas[index].cursor.pop() {
                self.topic_replicas[index].check(stored, &mut self.ready);
            }
            self.to_fill = Some(index);
        }
    }

    /// Queues the next message of a topic replica, or its end.
    fn advance(&mut self, index: usize) {
        let topic_replica = &mut self.topic_replicas[index];
        match topic_replica.cursor.next_sequence() {
            Some(sequence) => self.next.push(Reverse((sequence, index))),
            None => topic_replica.end(&mut self.ready),
        }
    }

    /// The messages of one term from a sequence of the stream until before another.
    pub(crate) async fn before(
        &self,
        (topic, replica): (usize, usize),
        term: u64,
        range: Range<u64>,
    ) -> Result<Vec<Message>, Error> {
        let Some(last) = range.end.checked_sub(1) else { return Ok(Vec::new()) };
        let topic_replica =
            self.topic_replicas.iter().find(|i| (i.topic, i.replica) == (topic, replica));
        let Some(topic_replica) = topic_replica else { return Ok(Vec::new()) };
        direct_get::range(
            &self.span.stream,
            topic_replica.cursor.subject(),
            term,
            (range.start, last),
        )
        .await
    }

    fn item(&self, raw: RawItem) -> HistoryItem {
        let name = |topic: usize, replica| {
            let TopicName { market, name, .. } = &self.topics[topic];
            HistoryTopic { market: *market, name: name.clone(), replica }
        };
        match raw {
            RawItem::BeginsLate(first) => HistoryItem::BeginsLate(first),
            RawItem::Lost { topic, replica, missing } => {
                HistoryItem::Lost { topic: name(topic, replica), missing }
            }
            RawItem::NewTerm { topic, replica, before, term, collector } => {
                HistoryItem::NewTerm { topic: name(topic, replica), before, term, collector }
            }
            RawItem::Message {
                topic,
                replica,
                stored: StoredMessage { sequence, at, message, .. },
            } => HistoryItem::Message(HistoryMessage {
                topic: name(topic, replica),
                sequence,
                stored_at: Timestamp::from_millis(at),
                received_at: Timestamp::from_millis(message.received),
                term: message.term,
                number: message.number,
                event: HistoryEvent::read(&message),
                collector: message.collector,
            }),
        }
    }
}

/// The time of the oldest message is cut to a millisecond, in which others may have been removed.
fn begins_late(oldest: Option<Timestamp>, from: i64) -> bool {
    oldest.is_none_or(|oldest| oldest.as_millis() >= from)
}

impl TopicReplica {
    /// Compares a message with the one before. Messages that readers ignore are left out.
    fn check(&mut self, stored: StoredMessage, out: &mut VecDeque<RawItem>) {
        let (topic, replica) = (self.topic, self.replica);
        let Message { term, number, .. } = stored.message;
        let lost = |missing| RawItem::Lost { topic, replica, missing };
        let follows_expired = stored.follows_expired || self.has_expired;
        // For the next message, if this one is left out.
        self.has_expired = follows_expired;
        match self.known {
            Some((known, _)) if term < known => return,
            Some((known, next)) if term == known => {
                if number < next {
                    return;
                }
                if number > next {
                    out.push_back(lost(Some(number - next)));
                }
            }
            known => {
                if follows_expired {
                    // The end of the term before, or the first terms, may be gone.
                    out.push_back(lost(None));
                }
                if let Some((before, _)) = known {
                    let collector = stored.message.collector.clone();
                    out.push_back(RawItem::NewTerm { topic, replica, before, term, collector });
                    if number > 0 {
                        out.push_back(lost(Some(number)));
                    }
                }
            }
        }
        self.known = Some((term, number.saturating_add(1)));
        self.has_expired = false;
        out.push_back(RawItem::Message { topic, replica, stored });
    }

    /// Handles the end of the span.
    fn end(&self, out: &mut VecDeque<RawItem>) {
        if self.cursor.has_expired || self.has_expired {
            let (topic, replica) = (self.topic, self.replica);
            out.push_back(RawItem::Lost { topic, replica, missing: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::nats::message::Kind;

    /// Returns the items of a history with messages of these terms and numbers. The flag of a message says that the
    /// stream may have removed others before it.
    fn check(messages: &[(u64, u64, bool)]) -> Vec<String> {
        let cursor = Cursor::new(String::new());
        let mut topic_replica =
            TopicReplica { topic: 0, replica: 0, cursor, known: None, has_expired: false };
        let mut out = VecDeque::new();
        for (sequence, (term, number, follows_expired)) in (1..).zip(messages) {
            let (payload, collector) = (Bytes::new(), "a".to_owned());
            let message = Message {
                kind: Kind::Frame,
                term: *term,
                number: *number,
                received: 0,
                collector,
                snapshot: None,
                payload,
            };
            let follows_expired = *follows_expired;
            topic_replica
                .check(StoredMessage { sequence, at: 0, message, follows_expired }, &mut out);
        }
        topic_replica.end(&mut out);
        let text = |raw| match raw {
            RawItem::Message { stored, .. } => {
                format!("{}.{}", stored.message.term, stored.message.number)
            }
            RawItem::NewTerm { before, term, .. } => format!("{before}->{term}"),
            RawItem::Lost { missing, .. } => format!("lost {missing:?}"),
            RawItem::BeginsLate(_) => "late".to_owned(),
        };
        out.into_iter().map(text).collect()
    }

    #[test]
    fn a_span_is_proven_only_by_a_message_before_its_first_millisecond() {
        let from = 1_000;
        for (oldest, is_late) in [(None, true), (Some(999), false), (Some(1_000), true)] {
            assert_eq!(
                begins_late(oldest.map(Timestamp::from_millis), from),
                is_late,
                "{oldest:?}"
            );
        }
    }

    #[test]
    fn missing_numbers_and_new_terms_are_items() {
        assert_eq!(check(&[(1, 7, false), (1, 8, false)]), ["1.7", "1.8"], "within a term");
        assert_eq!(check(&[(1, 0, false), (1, 3, false)]), ["1.0", "lost Some(2)", "1.3"]);
        assert_eq!(check(&[(1, 0, false), (5, 0, false)]), ["1.0", "1->5", "5.0"]);
        let late = check(&[(1, 0, false), (5, 2, false)]);
        assert_eq!(late, ["1.0", "1->5", "lost Some(2)", "5.2"]);
    }

    #[test]
    fn messages_that_readers_ignore_are_left_out() {
        let repeated = check(&[(5, 0, false), (5, 0, false), (1, 9, false), (5, 1, false)]);
        assert_eq!(repeated, ["5.0", "5.1"]);
    }

    #[test]
    fn messages_that_may_have_expired_are_a_loss_unless_the_numbers_continue() {
        assert_eq!(check(&[(1, 0, false), (1, 1, true)]), ["1.0", "1.1"]);
        assert_eq!(check(&[(1, 0, false), (1, 4, true)]), ["1.0", "lost Some(3)", "1.4"]);
        assert_eq!(check(&[(1, 0, false), (2, 0, true)]), ["1.0", "lost None", "1->2", "2.0"]);
    }

    #[test]
    fn a_possible_loss_before_a_message_that_readers_ignore_is_not_forgotten() {
        for ignored in [(1, 9, true), (2, 0, true)] {
            let new_term = check(&[(2, 0, false), ignored, (3, 0, false)]);
            assert_eq!(new_term, ["2.0", "lost None", "2->3", "3.0"]);
            let continued = check(&[(2, 0, false), ignored, (2, 1, false), (3, 0, false)]);
            assert_eq!(continued, ["2.0", "2.1", "2->3", "3.0"]);
            assert_eq!(check(&[(2, 0, false), ignored]), ["2.0", "lost None"], "at the end");
        }
    }
}
