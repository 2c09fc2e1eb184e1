//! The topics of a collector and how far each was published.

use std::time::Instant;

use bitmart_types::Timestamp;
use bitmart_ws::topic::Topic;
use bitmart_ws::{Dialect, catalog};
use bytes::Bytes;

use super::frame::RawFrame;
use crate::nats::message::{Kind, Message};
use crate::nats::reader::Channel;
use crate::nats::subject;

/// A topic that is to be collected.
#[derive(Clone, Debug)]
pub(super) struct CollectedTopic {
    pub(super) topic: Topic<RawFrame>,
    pub(super) tail: String,
    pub(super) channel: Channel,
    pub(super) supports_request: bool,
}

impl CollectedTopic {
    pub(super) fn new<T>(topic: Topic<T>) -> Self {
        let topic: Topic<RawFrame> = topic.read_as();
        let tail = subject::tail(topic.dialect(), topic.is_private(), topic.name());
        let channel = Channel::of(topic.name());
        let supports_request = catalog::channel(topic.dialect(), topic.name())
            .is_some_and(|channel| channel.supports_request);
        Self { topic, tail, channel, supports_request }
    }

    pub(super) fn public(dialect: Dialect, name: &str) -> Self {
        Self::new(Topic::<RawFrame>::public(dialect, name))
    }

    pub(super) fn name(&self) -> &str {
        self.topic.name()
    }

    pub(super) fn is_private(&self) -> bool {
        self.topic.is_private()
    }
}

/// A topic whose lease is held.
#[derive(Debug)]
pub(super) struct HeldTopic {
    pub(super) topic: CollectedTopic,
    pub(super) lease: (usize, usize),
    pub(super) subject: String,
    pub(super) term: u64,
    next: u64,
    pub(super) is_up: bool,
    /// The sequence of the last snapshot in the stream.
    pub(super) snapshot: Option<u64>,
    /// When a snapshot was last requested or received.
    pub(super) snapshot_at: Instant,
    pub(super) requested_at: Option<Instant>,
    /// The last frame, if it replaces all earlier ones, and when it was received.
    last: Option<(Bytes, i64)>,
    pub(super) published_at: Instant,
}

impl HeldTopic {
    pub(super) fn new(
        topic: CollectedTopic,
        lease: (usize, usize),
        term: u64,
        prefix: &str,
    ) -> Self {
        let subject = subject::of_replica(prefix, lease.1, &topic.tail);
        let now = Instant::now();
        Self {
            topic,
            lease,
            subject,
            term,
            next: 0,
            is_up: false,
            snapshot: None,
            snapshot_at: now,
            requested_at: None,
            last: None,
            published_at: now,
        }
    }

    /// The next message of the topic.
    pub(super) fn message(
        &mut self,
        kind: Kind,
        received: i64,
        payload: Bytes,
        collector: &str,
    ) -> Message {
        let number = self.next;
        self.next += 1;
        self.published_at = Instant::now();
        if kind == Kind::Frame && self.topic.channel == Channel::States {
            self.last = Some((payload.clone(), received));
        }
        let (term, collector, snapshot) = (self.term, collector.to_owned(), self.snapshot);
        let message = Message { kind, term, number, received, collector, snapshot, payload };
        match kind {
            Kind::Heartbeat | Kind::RequestRejected => {}
            _ => self.is_up = message.is_up(),
        }
        if !self.is_up {
            (self.snapshot, self.last) = (None, None);
        }
        message
    }

    /// The message of a topic of which nothing was published for a while.
    pub(super) fn heartbeat(&mut self, collector: &str) -> Message {
        if !self.is_up {
            return self.message(Kind::Down, now_ms(), Bytes::new(), collector);
        }
        let (payload, received) = self.last.clone().unwrap_or_else(|| (Bytes::new(), now_ms()));
        self.message(Kind::Heartbeat, received, payload, collector)
    }
}

pub(super) fn now_ms() -> i64 {
    Timestamp::now().as_millis()
}
