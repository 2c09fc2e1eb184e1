//! The address of a host to connect to.

use std::fmt;
use std::time::Duration;

/// The host and port to connect to, and whether the client will use TLS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    host: String,
    port: u16,
    is_tls: bool,
    timeout: Option<Duration>,
}

impl Target {
    /// Creates a target that the client will use with TLS. An IPv6 address may be given with or without brackets.
    pub fn tls(host: impl Into<String>, port: u16) -> Self {
        Self::new(host, port, true)
    }

    /// Creates a target that the client will use without TLS. An IPv6 address may be given with or without brackets.
    pub fn plain_text(host: impl Into<String>, port: u16) -> Self {
        Self::new(host, port, false)
    }

    pub(crate) fn new(host: impl Into<String>, port: u16, is_tls: bool) -> Self {
        let mut host = host.into();
        if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            host = inner.to_owned();
        }
        Self { host, port, is_tls, timeout: None }
    }

    /// Sets how long the client waits for the connection.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Returns the host name or IP address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns whether the client will use TLS. The client does the handshake, not the connector.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Returns how long the client waits for the connection, if set. A connector that times out within
    /// this time can report which hop was too slow, which the client cannot.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

/// Displays `host:port`, with brackets around an IPv6 address.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
