//! What the venue allows on one connection, and the bounds this crate sets itself.

use std::time::Duration;

use super::{Access, Dialect};
use crate::backoff::Backoff;
use crate::catalog::{PublishedLimits, Rate};

// Futures states no such limits; what spot states is kept there as well.
const UNSTATED_TOPICS: usize = 100;
/// So that one lost connection takes only so many topics with it.
const UNSTATED_TOPICS_PER_CONNECTION: usize = 200;
const UNSTATED_MESSAGES: Rate = Rate { count: 100, window: Duration::from_secs(10) };
const UNSTATED_CONNECTS: Rate = Rate { count: 30, window: Duration::from_secs(60) };

/// Limits and times of one connection. They come from what BitMart publishes
/// ([`PublishedLimits`]) with some headroom, and where it states nothing from this crate. A
/// [`ConnectionPolicy`](crate::ConnectionPolicy) sets some of them otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Most topics in one command frame. Spot documents 20; futures states none.
    pub topics_per_message: usize,
    /// Most bytes in one command frame: a little less than the published or observed number. Futures
    /// was seen to accept 2,020 and to close the socket at 2,186, so its frames stay under 2,000.
    pub bytes_per_message: usize,
    /// Most topics on one connection: 115 on public and 100 on private spot connections
    /// (documented); futures states none and gets 200.
    pub topics_per_connection: usize,
    /// Most connections of this side from one address: 20 public and 10 private ones on spot, 500 on
    /// futures (documented). Other programs at the same address count as well.
    pub connections: usize,
    /// Most attempts to connect within [`connect_window`](Self::connect_window), by all connections
    /// of this side together: 30 on spot (documented). Futures states none; the same number is kept.
    /// The client stays a tenth below it.
    pub connects_per_window: usize,
    /// The window of that limit: 60 s.
    pub connect_window: Duration,
    /// Most frames that the client may send within [`message_window`](Self::message_window), pings
    /// included: 100 on spot (documented). Futures states none; the same number is kept.
    pub messages_per_window: usize,
    /// How many of those frames are kept back for heartbeats.
    pub messages_reserved: usize,
    /// The window of the message limit: 10 s.
    pub message_window: Duration,
    /// How long one attempt to connect may take, TLS and handshake included: 10 s.
    pub connect_timeout: Duration,
    /// Shortest time between two attempts of one connection. Spot documents 30 attempts a minute.
    pub connect_spacing: Duration,
    /// Time between heartbeats: 10 s. BitMart asks for less than 20 s and its own SDKs use 10 s.
    pub ping_interval: Duration,
    /// Silence after which the connection counts as dead: 20 s. Any frame counts as life.
    pub silence: Duration,
    /// Silence after which what was received counts as [stale](crate::Update::Stale): 15 s, which is
    /// a heartbeat that was not answered for 5 s.
    pub stale_after: Duration,
    /// How long an acknowledgement may take: 10 s.
    pub acknowledge_within: Duration,
    /// How long the answer to a login may take: 10 s.
    pub login_within: Duration,
    /// How long a connection without topics is kept for the next one. Futures closes it after 5 s,
    /// spot after 5 min (both documented), so the client closes it earlier: 3 s and 60 s.
    pub linger: Duration,
    /// Pause before a topic is asked for again that was refused for a passing reason: 5 s.
    pub retry_pause: Duration,
    /// After so many refusals of a login, or of a private topic, whose meaning nobody knows the
    /// refusal counts as final: 5. Futures gives no codes, so that most of its refusals are of that
    /// kind. Those that are known to pass (clock, rate, a fault of the server) are not counted, those
    /// that are known to stay (key, signature, permission) are final at once.
    pub unexplained_refusals: u32,
    /// First step of the reconnection backoff: 500 ms, doubled each time.
    pub backoff_base: Duration,
    /// Longest step of the reconnection backoff: 30 s.
    pub backoff_cap: Duration,
    /// How long a connection must last before the backoff starts from the first step again: 2 s. One
    /// that is cut every 2 s connects 25 times a minute then, still below what the venue allows.
    pub healthy_after: Duration,
    /// So many frames in a row that cannot be read (no JSON, no deflate, no UTF-8) end a connection:
    /// 5. Fewer are told as [`Update::Malformed`](crate::Update::Malformed) and skipped.
    pub unreadable_frames: u32,
    /// Pause after a handshake that was answered by HTTP 429 or 403 without `Retry-After`: 10 s. The
    /// backoff makes it longer.
    pub refused_pause: Duration,
    /// Longest pause that a `Retry-After` can ask for: 15 minutes.
    pub longest_refused_pause: Duration,
}

impl Limits {
    /// The limits of this side of this dialect.
    pub fn of(dialect: Dialect, access: Access) -> Self {
        let published = PublishedLimits::new(dialect, access);
        let backoff = Backoff::default();
        let messages = published.messages.unwrap_or(UNSTATED_MESSAGES);
        let connects = published.connects.unwrap_or(UNSTATED_CONNECTS);
        let spacing = connects.window / u32::try_from(connects.count).unwrap_or(u32::MAX).max(1);
        Self {
            topics_per_message: published.topics_per_message.unwrap_or(UNSTATED_TOPICS),
            bytes_per_message: published.bytes_per_message - published.bytes_per_message / 64,
            topics_per_connection: published
                .topics_per_connection
                .unwrap_or(UNSTATED_TOPICS_PER_CONNECTION),
            connections: published.connections_per_address,
            connects_per_window: connects.count,
            connect_window: connects.window,
            messages_per_window: messages.count,
            messages_reserved: messages.count / 10,
            message_window: messages.window,
            connect_timeout: Duration::from_secs(10),
            connect_spacing: spacing,
            ping_interval: published.idle_close / 2,
            silence: published.idle_close,
            stale_after: published.idle_close * 3 / 4,
            acknowledge_within: Duration::from_secs(10),
            login_within: Duration::from_secs(10),
            linger: (published.no_topic_close * 3 / 5).min(Duration::from_secs(60)),
            retry_pause: Duration::from_secs(5),
            unexplained_refusals: 5,
            backoff_base: backoff.base,
            backoff_cap: backoff.cap,
            healthy_after: backoff.healthy_after,
            unreadable_frames: 5,
            refused_pause: Duration::from_secs(10),
            longest_refused_pause: Duration::from_secs(900),
        }
    }
}
