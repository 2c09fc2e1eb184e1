//! What is dialled.

use std::fmt;
use std::time::Duration;

/// A host and a port, and whether TLS follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    host: String,
    port: u16,
    tls: bool,
    limit: Option<Duration>,
}

impl Target {
    /// The brackets of an IPv6 address in a URL belong to the URL: `host` may have them or not.
    pub fn new(host: impl Into<String>, port: u16, tls: bool) -> Self {
        let mut host = host.into();
        if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            host = inner.to_owned();
        }
        Self { host, port, tls, limit: None }
    }

    /// Says how long the client will wait for the connection.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// A name or an IP address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the client will speak TLS over the stream. It does so itself: a connector does not.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// How long the client will wait for the stream, if it says so. A connector that gives up in this
    /// time can tell which hop took too long; the client alone could not.
    pub fn limit(&self) -> Option<Duration> {
        self.limit
    }
}

/// `host:port`, with brackets around an IPv6 address.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
