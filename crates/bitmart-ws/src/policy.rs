//! How connections are made, monitored and filled.

mod error;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::backoff::Backoff;
use crate::catalog::PublishedLimits;
use crate::dialect::{Access, Limits, Market};

pub use error::{LimitSource, PolicyError};

use error::Check;

/// The longest backoff that can be set.
const MAX_BACKOFF: Duration = Duration::from_secs(3600);

/// The longest timeout of a connection attempt that can be set.
const MAX_CONNECT_TIMEOUT: Duration = Duration::from_secs(60);

/// How connections are made, monitored and filled. What is not set follows from the [`Limits`] of the
/// endpoint.
///
/// Every value is checked against what the exchange allows on each endpoint that the client can use.
/// A value beyond that is rejected with a [`PolicyError`], never adjusted. Endpoints differ, so give
/// one that needs other values a policy of its own.
///
/// ```
/// use std::time::Duration;
/// use bitmart_ws::{Access, Backoff, Client, ConnectionPolicy, Market};
///
/// let policy = ConnectionPolicy::new()
///     .backoff(Backoff::new(Duration::from_secs(1), Duration::from_secs(120)))
///     .idle_timeout(Duration::from_secs(8));
/// let client = Client::builder()
///     .connection_policy(policy)
///     // Another program at this address needs the other 15 connections.
///     .endpoint_policy(Market::Spot, Access::Public, policy.connections_per_endpoint(5))
///     .build()?;
/// assert_eq!(client.limits(Market::Spot, Access::Public).connections, 5);
///
/// let greedy = ConnectionPolicy::new().topics_per_connection(116);
/// let error = Client::builder().connection_policy(greedy).build().unwrap_err();
/// assert!(error.to_string().contains("at most 115"), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "a policy does nothing until a client is built with it"]
pub struct ConnectionPolicy {
    backoff: Backoff,
    connect_timeout: Option<Duration>,
    heartbeat_interval: Option<Duration>,
    idle_timeout: Option<Duration>,
    unused_timeout: Option<Duration>,
    topics_per_connection: Option<usize>,
    connections_per_endpoint: Option<usize>,
}

impl ConnectionPolicy {
    /// Creates a policy with default values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the backoff after failed connection attempts.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets how long one connection attempt may take, from the name lookup to the end of the WebSocket
    /// handshake. Longer than zero and at most one minute; 10 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// Sets the time between heartbeats. At least 1 s, and shorter than
    /// [`idle_timeout`](Self::idle_timeout); by default half of it, which is 10 s.
    pub fn heartbeat_interval(mut self, interval: Duration) -> Self {
        self.heartbeat_interval = Some(interval);
        self
    }

    /// Sets after how long without a frame the connection counts as dead. At most the idle timeout of
    /// the exchange, which is 20 s and the default. Halfway between a heartbeat and this timeout,
    /// [`Update::Stale`](crate::Update::Stale) is reported.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Sets how long a connection without topics is kept for the next topic. Shorter than the exchange
    /// keeps it, which is 5 min on spot and 5 s on futures; 60 s and 3 s by default.
    pub fn unused_timeout(mut self, timeout: Duration) -> Self {
        self.unused_timeout = Some(timeout);
        self
    }

    /// Sets the maximum number of topics on one connection, so that a lost connection affects fewer. At
    /// least 1 and at most the default, [`Limits::topics_per_connection`].
    pub fn topics_per_connection(mut self, max: usize) -> Self {
        self.topics_per_connection = Some(max);
        self
    }

    /// Sets the maximum number of connections of an endpoint, to leave capacity for other programs at
    /// this address. At least 1 and at most the default, [`Limits::connections`].
    pub fn connections_per_endpoint(mut self, max: usize) -> Self {
        self.connections_per_endpoint = Some(max);
        self
    }

    /// Sets the connect timeout unless it is set already.
    #[cfg(feature = "client")]
    pub(crate) fn or_connect_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.connect_timeout = self.connect_timeout.or(timeout);
        self
    }

    /// Returns the limits and timeouts of one endpoint under this policy.
    ///
    /// # Errors
    /// A value exceeds what the exchange allows on this endpoint, or makes no sense.
    pub fn limits(&self, market: Market, access: Access) -> Result<Limits, PolicyError> {
        let published = PublishedLimits::new(market, access);
        let mut limits = Limits::for_endpoint(market, access);
        let check = Check { market, access };
        if let Some(max) = self.topics_per_connection {
            let source = match published.topics_per_connection {
                Some(_) => LimitSource::Exchange,
                None => LimitSource::Library,
            };
            let setting = "topics_per_connection";
            check.count(setting, max, limits.topics_per_connection, source)?;
            limits.topics_per_connection = max;
        }
        if let Some(max) = self.connections_per_endpoint {
            let setting = "connections_per_endpoint";
            check.count(setting, max, limits.connections, LimitSource::Exchange)?;
            limits.connections = max;
        }
        self.apply_idle_timeout(&mut limits, &published, check)?;
        if let Some(timeout) = self.unused_timeout {
            let closes_after = published.no_topic_close;
            check.below("unused_timeout", timeout, closes_after, "a connection without topics")?;
            limits.unused_timeout = timeout;
        }
        if let Some(timeout) = self.connect_timeout {
            let setting = "connect_timeout";
            check.positive(setting, timeout)?;
            check.at_most(setting, timeout, MAX_CONNECT_TIMEOUT, LimitSource::Library)?;
            limits.connect_timeout = timeout;
        }
        self.apply_backoff(&mut limits, check)?;
        Ok(limits)
    }

    fn apply_idle_timeout(
        &self,
        limits: &mut Limits,
        published: &PublishedLimits,
        check: Check,
    ) -> Result<(), PolicyError> {
        let closes_after = published.idle_close;
        let idle = self.idle_timeout.unwrap_or(limits.idle_timeout);
        let heartbeat = self.heartbeat_interval.unwrap_or(idle / 2);
        check.at_most("idle_timeout", idle, closes_after, LimitSource::Exchange)?;
        // Heartbeats must fit into the frames that are reserved for them.
        let reserved = u32::try_from(limits.messages_reserved).unwrap_or(u32::MAX).max(1);
        let shortest = limits.message_window / reserved;
        if self.heartbeat_interval.is_some() {
            check.below("heartbeat_interval", heartbeat, closes_after, "an idle connection")?;
            check.at_least("heartbeat_interval", heartbeat, shortest, LimitSource::Library)?;
        } else {
            check.at_least("idle_timeout", idle, shortest * 2, LimitSource::Library)?;
        }
        check.longer_than("idle_timeout", idle, "heartbeat_interval", heartbeat)?;
        limits.idle_timeout = idle;
        limits.heartbeat_interval = heartbeat;
        limits.stale_after = heartbeat + idle.saturating_sub(heartbeat) / 2;
        Ok(())
    }

    fn apply_backoff(&self, limits: &mut Limits, check: Check) -> Result<(), PolicyError> {
        let Backoff { base, cap, healthy_after } = self.backoff;
        check.positive("backoff.base", base)?;
        check.at_least("backoff.cap", cap, base, LimitSource::Library)?;
        check.at_most("backoff.cap", cap, MAX_BACKOFF, LimitSource::Library)?;
        let spacing = limits.connect_spacing;
        check.at_least("backoff.healthy_after", healthy_after, spacing, LimitSource::Exchange)?;
        limits.backoff_base = base;
        limits.backoff_cap = cap;
        limits.healthy_after = healthy_after;
        Ok(())
    }
}
