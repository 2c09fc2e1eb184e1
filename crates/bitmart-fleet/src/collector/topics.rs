//! The topics of a collector and how far each was published.

use std::time::{Duration, Instant};

use bitmart_types::Timestamp;
use bitmart_ws::topic::Topic;
use bitmart_ws::{Market, catalog};
use bytes::Bytes;

use super::frame::RawFrame;
use super::publisher::StoredSnapshot;
use crate::nats::message::{Kind, Message};
use crate::nats::reader::Channel;
use crate::nats::subject;

/// Pause before a topic is subscribed again that the collector could not subscribe; it doubles with each failure.
const RETRY: Duration = Duration::from_millis(500);
const MAX_RETRY: Duration = Duration::from_secs(30);
/// The same for a topic that the exchange rejected: it may be listed later.
const RETRY_REJECTED: Duration = Duration::from_secs(60);
const MAX_RETRY_REJECTED: Duration = Duration::from_secs(600);

/// A topic that is to be collected.
#[derive(Clone, Debug)]
pub(super) struct CollectedTopic {
    pub(super) topic: Topic<RawFrame>,
    /// The part of its subject behind the prefix.
    pub(super) suffix: String,
    pub(super) channel: Channel,
    /// Whether a snapshot can be requested from the exchange.
    pub(super) supports_request: bool,
}

impl CollectedTopic {
    pub(super) fn new<T>(topic: Topic<T>) -> Self {
        let topic: Topic<RawFrame> = topic.read_as();
        let suffix = subject::suffix(topic.market(), topic.is_private(), topic.name());
        let channel = Channel::of(topic.name());
        let supports_request = catalog::channel(topic.market(), topic.name())
            .is_some_and(|channel| channel.supports_request);
        Self { topic, suffix, channel, supports_request }
    }

    pub(super) fn public(market: Market, name: &str) -> Self {
        Self::new(Topic::<RawFrame>::public(market, name))
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
    /// Shard and replica.
    pub(super) lease: (usize, usize),
    pub(super) subject: String,
    pub(super) term: u64,
    /// The number of the next message.
    pub(super) next_number: u64,
    /// Whether the published messages say that it delivers.
    pub(super) is_up: bool,
    /// The sequence of the last snapshot in the stream, if nothing is missing since.
    snapshot: Option<u64>,
    /// The number of the first message after the last loss. Readers cannot begin with a snapshot before it.
    complete_from: u64,
    /// When a snapshot was last requested or received.
    pub(super) snapshot_at: Instant,
    /// When a snapshot was last requested.
    pub(super) requested_at: Option<Instant>,
    /// The last frame and when it was received, of channels whose last frame replaces all earlier ones.
    last_state: Option<(Bytes, i64)>,
    /// When something was last published.
    pub(super) published_at: Instant,
    /// Why the exchange rejected it: the payload of the message that says so.
    rejected: Option<Bytes>,
    /// When it is to be subscribed again.
    pub(super) retry_at: Option<Instant>,
    /// Failed attempts to subscribe it since it last delivered.
    failures: u32,
}

impl HeldTopic {
    /// A topic whose next message has this number.
    pub(super) fn new(
        topic: CollectedTopic,
        lease: (usize, usize),
        (term, next_number): (u64, u64),
        prefix: &str,
    ) -> Self {
        let subject = subject::of_replica(prefix, lease.1, &topic.suffix);
        let now = Instant::now();
        Self {
            topic,
            lease,
            subject,
            term,
            next_number,
            is_up: false,
            snapshot: None,
            complete_from: next_number,
            snapshot_at: now,
            requested_at: None,
            last_state: None,
            published_at: now,
            rejected: None,
            retry_at: None,
            failures: 0,
        }
    }

    /// Records that the stream has stored a snapshot. Later readers begin with it, if nothing is missing since.
    pub(super) fn snapshot_was_stored(&mut self, stored: &StoredSnapshot) {
        let is_complete = stored.number >= self.complete_from;
        if self.is_up && stored.term == self.term && is_complete {
            self.snapshot = self.snapshot.max(Some(stored.sequence));
        }
    }

    /// Schedules another attempt, after the topic could not be subscribed or its subscription has ended.
    pub(super) fn failed(&mut self, is_rejection: bool, now: Instant) {
        let (first, most) =
            if is_rejection { (RETRY_REJECTED, MAX_RETRY_REJECTED) } else { (RETRY, MAX_RETRY) };
        self.retry_at = Some(now + (first * 2u32.pow(self.failures.min(10))).min(most));
        self.failures = self.failures.saturating_add(1);
    }

    /// Creates the next message of the topic.
    pub(super) fn message(
        &mut self,
        kind: Kind,
        received: i64,
        payload: Bytes,
        collector: &str,
    ) -> Message {
        let number = self.next_number;
        self.next_number = self.next_number.saturating_add(1);
        self.published_at = Instant::now();
        if kind == Kind::Frame && self.topic.channel == Channel::States {
            self.last_state = Some((payload.clone(), received));
        }
        if matches!(kind, Kind::Lagged | Kind::Unreadable | Kind::Reconnecting) {
            (self.snapshot, self.complete_from) = (None, self.next_number);
        }
        let (term, collector, snapshot) = (self.term, collector.to_owned(), self.snapshot);
        let message = Message { kind, term, number, received, collector, snapshot, payload };
        match kind {
            Kind::Heartbeat | Kind::RequestRejected => {}
            _ => self.is_up = message.is_up(),
        }
        if !self.is_up {
            (self.snapshot, self.last_state) = (None, None);
        } else if kind != Kind::Heartbeat {
            (self.rejected, self.failures) = (None, 0);
        }
        if kind == Kind::Rejected {
            self.rejected = Some(message.payload.clone());
        }
        message
    }

    /// Creates the message that confirms the state of a topic after a while without messages.
    pub(super) fn heartbeat(&mut self, collector: &str) -> Message {
        if let Some(rejected) = self.rejected.clone() {
            // For readers that come later.
            return self.message(Kind::Rejected, now_ms(), rejected, collector);
        }
        if !self.is_up {
            return self.message(Kind::Down, now_ms(), Bytes::new(), collector);
        }
        let (payload, received) =
            self.last_state.clone().unwrap_or_else(|| (Bytes::new(), now_ms()));
        self.message(Kind::Heartbeat, received, payload, collector)
    }
}

pub(super) fn now_ms() -> i64 {
    Timestamp::now().as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> HeldTopic {
        let topic = CollectedTopic::public(Market::Spot, "spot/depth/increase100:X");
        assert_eq!(topic.channel, Channel::Book);
        HeldTopic::new(topic, (0, 0), (7, 0), "p")
    }

    fn publish(topic: &mut HeldTopic, kind: Kind) -> Message {
        topic.message(kind, 0, Bytes::new(), "a")
    }

    fn stored(term: u64, number: u64, sequence: u64) -> StoredSnapshot {
        let topic = (Market::Spot, book().topic.name().to_owned());
        StoredSnapshot { topic, term, number, sequence }
    }

    #[test]
    fn a_snapshot_before_a_loss_is_of_no_use_to_later_readers() {
        for loss in [Kind::Lagged, Kind::Unreadable, Kind::Reconnecting] {
            let mut topic = book();
            publish(&mut topic, Kind::Subscribed);
            let snapshot = publish(&mut topic, Kind::Frame).number;
            topic.snapshot_was_stored(&stored(7, snapshot, 40));
            assert_eq!(publish(&mut topic, Kind::Frame).snapshot, Some(40));
            assert_eq!(publish(&mut topic, loss).snapshot, None, "{loss:?}");
            publish(&mut topic, Kind::Resynced);
            // NATS confirms an old snapshot late.
            topic.snapshot_was_stored(&stored(7, snapshot, 40));
            assert_eq!(publish(&mut topic, Kind::Frame).snapshot, None, "{loss:?}");
            let snapshot = publish(&mut topic, Kind::Frame).number;
            topic.snapshot_was_stored(&stored(7, snapshot, 50));
            assert_eq!(publish(&mut topic, Kind::Frame).snapshot, Some(50));
            topic.snapshot_was_stored(&stored(6, snapshot, 60));
            assert_eq!(publish(&mut topic, Kind::Frame).snapshot, Some(50), "another term");
        }
    }

    #[test]
    fn a_rejection_is_repeated_until_the_topic_delivers() {
        let mut topic = book();
        assert_eq!(topic.heartbeat("a").kind, Kind::Down);
        let rejected = Bytes::from_static(b"{}");
        topic.message(Kind::Rejected, 0, rejected.clone(), "a");
        for _ in 0..2 {
            let repeated = topic.heartbeat("a");
            assert_eq!((repeated.kind, repeated.payload), (Kind::Rejected, rejected.clone()));
        }
        publish(&mut topic, Kind::Subscribed);
        assert_eq!(topic.heartbeat("a").kind, Kind::Heartbeat);
    }

    #[test]
    fn a_topic_that_fails_is_tried_again_ever_later() {
        let (mut topic, now) = (book(), Instant::now());
        let pauses: Vec<_> = (0..9)
            .map(|_| {
                topic.failed(false, now);
                topic.retry_at.expect("a time") - now
            })
            .collect();
        assert_eq!(pauses[..3], [RETRY, RETRY * 2, RETRY * 4]);
        assert_eq!(pauses[8], MAX_RETRY);
        publish(&mut topic, Kind::Subscribed);
        topic.failed(false, now);
        assert_eq!(topic.retry_at, Some(now + RETRY), "it has delivered meanwhile");
    }
}
