//! What the exchange allows on one connection, and the limits that this crate sets itself.

use std::time::Duration;

use super::{Access, Market};
use crate::backoff::Backoff;
use crate::catalog::{PublishedLimits, Rate};

/// Futures publishes no limit of topics in a command. The limit of bytes is reached earlier.
const DEFAULT_TOPICS_PER_MESSAGE: usize = 100;
/// Futures publishes no limit of topics on a connection. This one bounds how many topics a lost connection affects.
const DEFAULT_TOPICS_PER_CONNECTION: usize = 200;
/// Futures publishes no limit of messages: that of spot.
const DEFAULT_MESSAGES: Rate = Rate { count: 100, window: Duration::from_secs(10) };
/// Futures publishes no limit of connection attempts: that of spot.
const DEFAULT_CONNECTS: Rate = Rate { count: 30, window: Duration::from_secs(60) };
/// The longest duration that a session works with, a year. It stands for never.
const LONGEST: Duration = Duration::from_secs(31_536_000);

/// Limits and timeouts of the connections of one endpoint. They follow what BitMart publishes
/// ([`PublishedLimits`]) with some headroom; this crate sets the others. A
/// [`ConnectionPolicy`](crate::ConnectionPolicy) changes some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Most topics in one command frame: 20 on spot (documented); futures publishes none and gets 100. 0 counts as 1.
    pub topics_per_message: usize,
    /// Most bytes in one command frame: slightly less than the published or observed limit. Futures
    /// accepted 2,020 and closed the socket at 2,186 (observed), so its frames stay below 2,000.
    pub bytes_per_message: usize,
    /// Most topics on one connection: 115 on public and 100 on private spot connections
    /// (documented); futures publishes none and gets 200.
    pub topics_per_connection: usize,
    /// Most connections of the endpoint from one address: 20 public and 10 private ones on spot, 500 on
    /// futures (documented). Those of other programs at the same address count as well.
    pub connections: usize,
    /// Most connection attempts within [`connect_window`](Self::connect_window), of all connections of
    /// the endpoint together: 30 on spot (documented); futures publishes none and gets the same. The
    /// client stays a tenth below it.
    pub connects_per_window: usize,
    /// The window of that limit: 60 s.
    pub connect_window: Duration,
    /// Most frames that the client may send within [`message_window`](Self::message_window), pings
    /// included: 100 on spot (documented); futures publishes none and gets the same.
    pub messages_per_window: usize,
    /// How many of those frames are reserved for heartbeats.
    pub messages_reserved: usize,
    /// The window of the message limit: 10 s.
    pub message_window: Duration,
    /// How long one connection attempt may take, TLS and handshake included: 10 s.
    pub connect_timeout: Duration,
    /// Shortest time between two attempts of one connection: 2 s, from the 30 attempts per minute that
    /// spot documents.
    pub connect_spacing: Duration,
    /// Time between heartbeats: 10 s. BitMart requires less than 20 s, and its own SDKs use 10 s.
    pub heartbeat_interval: Duration,
    /// Time without any frame after which the connection counts as dead: 20 s.
    pub idle_timeout: Duration,
    /// Time without any frame after which the received data counts as
    /// [stale](crate::Update::Stale): 15 s, which is a heartbeat without a response for 5 s.
    pub stale_after: Duration,
    /// How long an acknowledgement may take: 10 s.
    pub acknowledgement_timeout: Duration,
    /// How long the acknowledgement of a login may take: 10 s.
    pub login_timeout: Duration,
    /// How long a connection without topics is kept for the next one. Futures closes it after 5 s,
    /// spot after 5 min (both documented), so the client closes it earlier: after 3 s and 60 s.
    pub unused_timeout: Duration,
    /// Delay before a topic that was rejected for a transient reason is subscribed again: 5 s.
    pub topic_retry_delay: Duration,
    /// After this many unexplained rejections of a login, or of a private topic, the rejection counts
    /// as permanent: 5. A rejection is unexplained if neither its code nor its text tells whether the
    /// cause is transient. Most rejections on futures are of that kind, because they have no code.
    /// Transient ones (clock, rate limit, server error) are not counted; those that are known
    /// to be permanent (key, signature, permission) are not repeated.
    pub max_unexplained_rejections: u32,
    /// First step of the reconnection backoff: 500 ms, doubled each time.
    pub backoff_base: Duration,
    /// Longest step of the reconnection backoff: 30 s.
    pub backoff_cap: Duration,
    /// How long a connection must last before the backoff starts over: 2 s. A connection that is cut
    /// every 2 s is made 25 times per minute then, still below the limit of the exchange.
    pub healthy_after: Duration,
    /// After this many unreadable frames in a row (no JSON, no deflate, no UTF-8) the connection ends:
    /// 5. Fewer are reported as [`Update::Malformed`](crate::Update::Malformed) and skipped.
    pub max_unreadable_frames: u32,
    /// Minimum delay after a handshake that was rejected with HTTP 429 or 403 without `Retry-After`:
    /// 10 s.
    pub handshake_retry_delay: Duration,
    /// Longest delay that a `Retry-After` can demand: 15 minutes.
    pub max_retry_after: Duration,
}

impl Limits {
    /// Returns the default limits of an endpoint.
    pub fn for_endpoint(market: Market, access: Access) -> Self {
        let published = PublishedLimits::new(market, access);
        let backoff = Backoff::default();
        let messages = published.messages.unwrap_or(DEFAULT_MESSAGES);
        let connects = published.connects.unwrap_or(DEFAULT_CONNECTS);
        let spacing = connects.window / u32::try_from(connects.count).unwrap_or(u32::MAX).max(1);
        Self {
            topics_per_message: published.topics_per_message.unwrap_or(DEFAULT_TOPICS_PER_MESSAGE),
            bytes_per_message: published.bytes_per_message - published.bytes_per_message / 64,
            topics_per_connection: published
                .topics_per_connection
                .unwrap_or(DEFAULT_TOPICS_PER_CONNECTION),
            connections: published.connections_per_address,
            connects_per_window: connects.count,
            connect_window: connects.window,
            messages_per_window: messages.count,
            messages_reserved: messages.count / 10,
            message_window: messages.window,
            connect_timeout: Duration::from_secs(10),
            connect_spacing: spacing,
            heartbeat_interval: published.idle_close / 2,
            idle_timeout: published.idle_close,
            stale_after: published.idle_close * 3 / 4,
            acknowledgement_timeout: Duration::from_secs(10),
            login_timeout: Duration::from_secs(10),
            unused_timeout: (published.no_topic_close * 3 / 5).min(Duration::from_secs(60)),
            topic_retry_delay: Duration::from_secs(5),
            max_unexplained_rejections: 5,
            backoff_base: backoff.base,
            backoff_cap: backoff.cap,
            healthy_after: backoff.healthy_after,
            max_unreadable_frames: 5,
            handshake_retry_delay: Duration::from_secs(10),
            max_retry_after: Duration::from_secs(900),
        }
    }

    /// These limits with values that a session can work with: at least one topic in a command frame, and no duration
    /// longer than a year, so that it can be added to a time.
    pub(crate) fn bounded(mut self) -> Self {
        // A frame without a topic would be sent again and again.
        self.topics_per_message = self.topics_per_message.max(1);
        for duration in [
            &mut self.connect_window,
            &mut self.message_window,
            &mut self.connect_timeout,
            &mut self.connect_spacing,
            &mut self.heartbeat_interval,
            &mut self.idle_timeout,
            &mut self.stale_after,
            &mut self.acknowledgement_timeout,
            &mut self.login_timeout,
            &mut self.unused_timeout,
            &mut self.topic_retry_delay,
            &mut self.backoff_base,
            &mut self.backoff_cap,
            &mut self.healthy_after,
            &mut self.handshake_retry_delay,
            &mut self.max_retry_after,
        ] {
            *duration = LONGEST.min(*duration);
        }
        self
    }
}
