//! Opens a history.

use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;

use bitmart_types::Timestamp;
use bitmart_ws::Market;
use bitmart_ws::topic::Topic;
use futures_util::StreamExt as _;

use super::cursor::{Cursor, StreamSpan, millis};
use super::{History, RawItem, TopicName, TopicReplica};
use crate::nats::{Error, Options, Store, subject};

/// How large the batches of all topics may be together, unless one message for each needs more.
const MAX_BYTES: usize = 64 << 20;
/// Bytes of a message of the stream besides headers and payload: its subjects.
const SUBJECT_BYTES: usize = 4_096;
/// How many first batches are read at once.
const PARALLEL: usize = 16;

/// Configures a [`History`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `open`"]
pub struct HistoryBuilder {
    options: Options,
    topics: Vec<TopicName>,
}

impl HistoryBuilder {
    pub(super) fn new(options: Options) -> Self {
        Self { options, topics: Vec::new() }
    }

    /// Adds a topic. One that is added already is not added again.
    #[expect(clippy::needless_pass_by_value, reason = "as that of a collector and of a client")]
    pub fn topic<T>(self, topic: Topic<T>) -> Self {
        self.add(topic.market(), topic.is_private(), topic.name())
    }

    /// Adds topics by their names, such as `spot/trade:BTC_USDT`.
    pub fn topics<'a>(self, market: Market, names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().fold(self, |builder, name| builder.add(market, false, name))
    }

    fn add(mut self, market: Market, is_private: bool, name: &str) -> Self {
        let suffix = subject::suffix(market, is_private, name);
        if !self.topics.iter().any(|topic| topic.suffix == suffix) {
            self.topics.push(TopicName { market, name: name.into(), suffix });
        }
        self
    }

    /// Connects to NATS and reads the first messages of the span. It has the messages that the stream stored at or
    /// after its start and before its end, by the clock of NATS. A span that ends in the future ends now, by the local
    /// clock.
    ///
    /// # Errors
    /// The span is empty or no topic was added, a name is empty or too long, NATS cannot be reached or does not answer,
    /// or no collector has ever run for this prefix.
    ///
    /// # Cancel safety
    /// Cancel-safe: if the future is dropped early, the connection is closed.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O and time enabled.
    pub async fn open(self, span: Range<Timestamp>) -> Result<History, Error> {
        let (from, to) = (span.start.as_millis(), span.end.min(Timestamp::now()).as_millis());
        if from >= to {
            return Err(Error::config(
                "the span is empty: it ends before it begins, or is not past",
            ));
        }
        if self.topics.is_empty() {
            return Err(Error::config("a history needs topics"));
        }
        let most = subject::MAX_NAME_BYTES;
        if self.topics.iter().any(|topic| !(1..=most).contains(&topic.name.len())) {
            return Err(Error::config(format!("a topic name must have 1 to {most} bytes")));
        }
        let store = Store::open(&self.options, "bitmart-fleet history").await?;
        let Store { connection, stream, table, .. } = store;
        let pairs = (0..self.topics.len()).flat_map(|t| (0..table.replicas).map(move |r| (t, r)));
        let mut topic_replicas: Vec<TopicReplica> = pairs
            .map(|(topic, replica)| {
                let suffix = &self.topics[topic].suffix;
                let subject = subject::of_replica(&connection.prefix, replica, suffix);
                TopicReplica {
                    topic,
                    replica,
                    cursor: Cursor::new(subject),
                    known: None,
                    has_expired: false,
                }
            })
            .collect();
        let info = stream.get_info().await;
        let info = info.map_err(|error| Error::jetstream("the stream", error))?;
        let largest = connection.client.max_payload() + SUBJECT_BYTES;
        let batch_bytes = (MAX_BYTES / topic_replicas.len()).max(largest);
        let (last_sequence, created) = (info.state.last_sequence, info.created);
        let span = StreamSpan { stream, from, to, last_sequence, created, batch_bytes };
        let fills = topic_replicas.iter_mut().map(|topic_replica| topic_replica.cursor.fill(&span));
        let mut fills = futures_util::stream::iter(fills).buffer_unordered(PARALLEL);
        while let Some(filled) = fills.next().await {
            filled?;
        }
        drop(fills);
        // After the first batches: if the stream still reaches back before the span, it did when they were read.
        let state = span.state().await?;
        let oldest = (state.messages > 0)
            .then(|| Timestamp::from_millis(millis(state.first_timestamp.unix_timestamp_nanos())));
        let mut history = History {
            span,
            topics: self.topics,
            topic_replicas,
            next: BinaryHeap::new(),
            to_fill: None,
            ready: VecDeque::new(),
            oldest,
            has_failed: false,
        };
        if history.begins_late() {
            history.ready.push_back(RawItem::BeginsLate(oldest));
        }
        for index in 0..history.topic_replicas.len() {
            history.advance(index);
        }
        Ok(history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nats::ErrorKind;

    #[tokio::test]
    async fn rejects_topic_names_that_are_empty_or_too_long() {
        for name in [String::new(), "x".repeat(subject::MAX_NAME_BYTES + 1)] {
            // Nothing listens there.
            let builder = HistoryBuilder::new(Options::new("nats://127.0.0.1:1"));
            let builder = builder.topics(Market::Spot, ["spot/trade:BTC_USDT", &name]);
            let open = builder.open(Timestamp::from_millis(0)..Timestamp::from_millis(1));
            let error = open.await.expect_err("rejected");
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        }
    }
}
