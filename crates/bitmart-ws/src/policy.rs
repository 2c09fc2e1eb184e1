//! How connections are made, watched and filled.

mod error;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::backoff::Backoff;
use crate::catalog::PublishedLimits;
use crate::dialect::{Access, Dialect, Limits};

pub use error::{LimitSource, PolicyError};

use error::Check;

/// The longest pause between attempts that can be asked for.
const LONGEST_BACKOFF: Duration = Duration::from_secs(3600);

/// The longest time for one attempt to connect that can be asked for.
const LONGEST_CONNECT: Duration = Duration::from_secs(60);

/// How connections are made, watched and filled. What is not set follows from the side's
/// [`Limits`].
///
/// Every value is checked against what the venue allows on each side that the client can use, and a
/// value beyond is refused ([`PolicyError`]), never cut to size. Sides differ, so give one that
/// needs other values a policy of its own.
///
/// ```
/// use std::time::Duration;
/// use bitmart_ws::{Access, Backoff, Client, ConnectionPolicy, Dialect};
///
/// let policy = ConnectionPolicy::new()
///     .backoff(Backoff::new(Duration::from_secs(1), Duration::from_secs(120)))
///     .silence(Duration::from_secs(8));
/// let client = Client::builder()
///     .connection_policy(policy)
///     // Another program at this address needs the other 15 connections.
///     .connection_policy_of(Dialect::Spot, Access::Public, policy.connections_per_side(5))
///     .build()?;
/// assert_eq!(client.limits(Dialect::Spot, Access::Public).connections, 5);
///
/// let greedy = ConnectionPolicy::new().topics_per_connection(116);
/// let error = Client::builder().connection_policy(greedy).build().unwrap_err();
/// assert!(error.to_string().contains("at most 115"), "{error}");
/// # Ok::<(), bitmart_ws::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "a policy does nothing until a client is built with it"]
pub struct ConnectionPolicy {
    backoff: Backoff,
    connect_timeout: Option<Duration>,
    heartbeat: Option<Duration>,
    silence: Option<Duration>,
    linger: Option<Duration>,
    topics_per_connection: Option<usize>,
    connections_per_side: Option<usize>,
}

impl ConnectionPolicy {
    /// A policy in which nothing is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The pauses between attempts to connect that fail.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How long one attempt to connect may take, from the name lookup to the end of the WebSocket
    /// handshake. More than nothing and at most a minute; 10 s by default.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// Time between heartbeats. At least 1 s, and shorter than [`silence`](Self::silence); by
    /// default half of it, which is 10 s.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = Some(interval);
        self
    }

    /// How long without a frame before the connection counts as dead. At most as long as the venue
    /// itself waits, which is 20 s and the default. Between a heartbeat that was not answered and
    /// the end, at half of that time, comes [`Update::Stale`](crate::Update::Stale).
    pub fn silence(mut self, limit: Duration) -> Self {
        self.silence = Some(limit);
        self
    }

    /// How long a connection without topics is kept for the next topic. Shorter than the venue
    /// keeps it, which is 5 min on spot and 5 s on futures; 60 s and 3 s by default.
    pub fn linger(mut self, time: Duration) -> Self {
        self.linger = Some(time);
        self
    }

    /// Most topics on one connection, so that a connection that is lost takes no more with it. At
    /// least 1 and at most the default, [`Limits::topics_per_connection`].
    pub fn topics_per_connection(mut self, most: usize) -> Self {
        self.topics_per_connection = Some(most);
        self
    }

    /// Most connections of a side: for the public and for the private topics of spot and of futures
    /// each. Leave other programs at this address their share. At least 1 and at most the default,
    /// [`Limits::connections`].
    pub fn connections_per_side(mut self, most: usize) -> Self {
        self.connections_per_side = Some(most);
        self
    }

    /// The limits and times of one side under this policy.
    ///
    /// # Errors
    /// A value is beyond what the venue allows on this side, or makes no sense.
    pub fn limits(&self, dialect: Dialect, access: Access) -> Result<Limits, PolicyError> {
        let published = PublishedLimits::new(dialect, access);
        let mut limits = Limits::of(dialect, access);
        let check = Check { dialect, access };
        if let Some(most) = self.topics_per_connection {
            let source = match published.topics_per_connection {
                Some(_) => LimitSource::Venue,
                None => LimitSource::Crate,
            };
            let setting = "topics_per_connection";
            check.count(setting, most, limits.topics_per_connection, source)?;
            limits.topics_per_connection = most;
        }
        if let Some(most) = self.connections_per_side {
            check.count("connections_per_side", most, limits.connections, LimitSource::Venue)?;
            limits.connections = most;
        }
        self.set_silence(&mut limits, &published, check)?;
        if let Some(linger) = self.linger {
            let closes = published.no_topic_close;
            check.below("linger", linger, closes, "a connection without topics")?;
            limits.linger = linger;
        }
        if let Some(limit) = self.connect_timeout {
            check.positive("connect_timeout", limit)?;
            check.at_most("connect_timeout", limit, LONGEST_CONNECT, LimitSource::Crate)?;
            limits.connect_timeout = limit;
        }
        self.set_backoff(&mut limits, check)?;
        Ok(limits)
    }

    fn set_silence(
        &self,
        limits: &mut Limits,
        published: &PublishedLimits,
        check: Check,
    ) -> Result<(), PolicyError> {
        let idle_close = published.idle_close;
        let silence = self.silence.unwrap_or(limits.silence);
        let heartbeat = self.heartbeat.unwrap_or(silence / 2);
        check.at_most("silence", silence, idle_close, LimitSource::Venue)?;
        // Heartbeats must fit into their part of the frames that may be sent.
        let reserved = u32::try_from(limits.messages_reserved).unwrap_or(u32::MAX).max(1);
        let shortest = limits.message_window / reserved;
        if self.heartbeat.is_some() {
            check.below("heartbeat", heartbeat, idle_close, "a silent connection")?;
            check.at_least("heartbeat", heartbeat, shortest, LimitSource::Crate)?;
        } else {
            check.at_least("silence", silence, shortest * 2, LimitSource::Crate)?;
        }
        check.longer("silence", silence, "heartbeat", heartbeat)?;
        limits.silence = silence;
        limits.ping_interval = heartbeat;
        limits.stale_after = heartbeat + silence.saturating_sub(heartbeat) / 2;
        Ok(())
    }

    fn set_backoff(&self, limits: &mut Limits, check: Check) -> Result<(), PolicyError> {
        let Backoff { base, cap, healthy_after } = self.backoff;
        check.positive("backoff.base", base)?;
        check.at_least("backoff.cap", cap, base, LimitSource::Crate)?;
        check.at_most("backoff.cap", cap, LONGEST_BACKOFF, LimitSource::Crate)?;
        let spacing = limits.connect_spacing;
        check.at_least("backoff.healthy_after", healthy_after, spacing, LimitSource::Venue)?;
        limits.backoff_base = base;
        limits.backoff_cap = cap;
        limits.healthy_after = healthy_after;
        Ok(())
    }
}
