//! The items of a span of the history: messages, and reports of what is missing.

use std::sync::Arc;

use bitmart_types::Timestamp;
use bitmart_ws::{Market, ReconnectReason};

use crate::nats::message::{Kind, Message, Rejected};

/// One item of a [`History`](super::History), in the order of the stream.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum HistoryItem {
    /// The first item, if the stream does not prove that it has all of the span: its oldest message was stored at this
    /// time, not before the first millisecond of the span. `None` if the stream is empty.
    BeginsLate(Option<Timestamp>),
    /// A message of a topic.
    Message(HistoryMessage),
    /// Another collector has taken over the topic, or the same one after a restart. Comes before its first message.
    /// What happened between the two was not received.
    NewTerm {
        /// The topic.
        topic: HistoryTopic,
        /// The term before.
        before: u64,
        /// The new term, which is higher.
        term: u64,
        /// The id of its collector.
        collector: String,
    },
    /// Messages of a topic are missing before the next item of the topic, or before the end of the span.
    Lost {
        /// The topic.
        topic: HistoryTopic,
        /// How many numbers are missing. `None` if that is not known, or not even whether there were any: the stream
        /// has removed its oldest messages while they were about to be read.
        missing: Option<u64>,
    },
}

/// A topic as one of its collectors has published it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HistoryTopic {
    /// The side of the exchange.
    pub market: Market,
    /// The name, such as `spot/trade:BTC_USDT`.
    pub name: Arc<str>,
    /// 0, or up to 3 if several collectors publish each topic (`replicas`). Terms and numbers are those of a replica.
    pub replica: usize,
}

/// A message of a topic.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HistoryMessage {
    /// The topic.
    pub topic: HistoryTopic,
    /// Its place in the stream.
    pub sequence: u64,
    /// When the stream stored it, on the clock of NATS.
    pub stored_at: Timestamp,
    /// When the collector received it from the exchange, on the clock of the collector.
    pub received_at: Timestamp,
    /// The id of the collector.
    pub collector: String,
    /// The term of the collector's lease.
    pub term: u64,
    /// From 0 in each term, one more for each message of the topic.
    pub number: u64,
    /// The event that the message reports.
    pub event: HistoryEvent,
}

/// The event that a message of a topic reports.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum HistoryEvent {
    /// A frame as the exchange sent it, inflated.
    Frame(String),
    /// The collector has subscribed the topic.
    Subscribed,
    /// The topic delivers again after `Reconnecting`.
    Resynced,
    /// The collector has lost the topic, and receives nothing for now.
    Reconnecting(ReconnectReason),
    /// Nothing has arrived since `received_at`.
    Stale,
    /// A stale topic delivers again, and nothing is missing.
    Alive,
    /// The collector has lost this many frames.
    Lagged(u64),
    /// The collector has received a frame that is not text.
    Unreadable(Vec<u8>),
    /// The exchange has rejected a request for a snapshot.
    RequestRejected {
        /// The error code, if it sent one.
        code: Option<u32>,
        /// Its text.
        text: String,
    },
    /// The exchange has rejected the topic.
    Rejected {
        /// The error code, if it sent one.
        code: Option<u32>,
        /// Its text.
        text: String,
    },
    /// Nothing has happened for 5 s, and the topic delivers. With its last frame, if that replaces all earlier ones.
    Heartbeat(Option<String>),
    /// Nothing has happened for 5 s, and the topic does not deliver.
    Down,
}

impl HistoryEvent {
    pub(super) fn read(message: &Message) -> Self {
        let text = || std::str::from_utf8(&message.payload).map(str::to_owned);
        match message.kind {
            Kind::Frame => match text() {
                Ok(text) => Self::Frame(text),
                Err(_) => Self::Unreadable(message.payload.to_vec()),
            },
            Kind::Subscribed => Self::Subscribed,
            Kind::Resynced => Self::Resynced,
            Kind::Reconnecting => Self::Reconnecting(message.reason()),
            Kind::Stale => Self::Stale,
            Kind::Alive => Self::Alive,
            Kind::Lagged => Self::Lagged(message.missed()),
            Kind::Unreadable => Self::Unreadable(message.payload.to_vec()),
            Kind::RequestRejected => {
                let Rejected { code, text } = message.rejected();
                Self::RequestRejected { code, text }
            }
            Kind::Rejected => {
                let Rejected { code, text } = message.rejected();
                Self::Rejected { code, text }
            }
            Kind::Heartbeat => Self::Heartbeat(text().ok().filter(|text| !text.is_empty())),
            Kind::Down => Self::Down,
        }
    }
}
