//! Errors of opening a connection.

use std::error::Error as StdError;
use std::fmt;
use std::io;

type Source = Box<dyn StdError + Send + Sync>;

/// The step of connecting that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hop {
    /// Resolving the name of the host or, with a proxy, of the proxy.
    Resolver,
    /// The TCP connection to the host.
    Host,
    /// The TCP connection to the proxy.
    Proxy,
    /// The TLS handshake with the proxy.
    ProxyTls,
    /// The `CONNECT` or SOCKS5 handshake with the proxy.
    ProxyHandshake,
    /// The connection to a Unix socket.
    UnixSocket,
    /// A custom [`Connect`](crate::Connect) implementation.
    Custom,
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolver => "name",
            Self::Host => "host",
            Self::Proxy | Self::ProxyHandshake => "proxy",
            Self::ProxyTls => "TLS with proxy",
            Self::UnixSocket => "Unix socket",
            Self::Custom => "connector",
        })
    }
}

/// What went wrong at a [`Hop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectErrorKind {
    /// Name resolution failed.
    Lookup,
    /// The name resolved to no address.
    NoAddress,
    /// The name has no address of the same family as the local address: only IPv6 addresses for a
    /// local IPv4 address, or the other way round.
    WrongFamily,
    /// The connection was refused: nothing listens on the port.
    Refused,
    /// The network or the host is unreachable.
    Unreachable,
    /// The local address does not belong to this machine or is in use, or the network interface does
    /// not exist or may not be used.
    LocalAddress,
    /// The timeout elapsed.
    Timeout,
    /// The proxy requires a user name and password, or rejected those it got.
    Unauthorized,
    /// The proxy rejected the request for a connection to the host.
    Rejected {
        /// The HTTP status, such as 502, or the SOCKS5 reply code, such as 5 for *connection refused*.
        code: u16,
    },
    /// The proxy responded with an HTML page, as the login page of a network does.
    HtmlPage,
    /// The response is not of the expected protocol.
    Protocol,
    /// The peer closed the connection before it was established.
    Closed,
    /// The TLS handshake with the proxy failed.
    Tls,
    /// Another error; see the source.
    Other,
}

impl ConnectErrorKind {
    pub(crate) fn from_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => Self::Unreachable,
            io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable => Self::LocalAddress,
            io::ErrorKind::TimedOut => Self::Timeout,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for ConnectErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lookup => "could not be resolved",
            Self::NoAddress => "has no address",
            Self::WrongFamily => "has no address of the local address's family",
            Self::Refused => "refused the connection",
            Self::Unreachable => "cannot be reached",
            Self::LocalAddress => "cannot be reached from the local address or interface",
            Self::Timeout => "timed out",
            Self::Unauthorized => "rejected the user name and password, or requires them",
            Self::Rejected { code } => {
                return write!(f, "rejected the connection to the host: code {code}");
            }
            Self::HtmlPage => "responded with an HTML page",
            Self::Protocol => "speaks another protocol",
            Self::Closed => "closed the connection",
            Self::Tls => "failed",
            Self::Other => "could not connect",
        })
    }
}

/// A connection could not be opened. Nothing of a request has been sent.
#[derive(Debug)]
pub struct ConnectError {
    hop: Hop,
    kind: ConnectErrorKind,
    address: String,
    source: Option<Source>,
}

impl ConnectError {
    /// Creates an error of this kind at this hop.
    pub fn new(hop: Hop, kind: ConnectErrorKind) -> Self {
        Self { hop, kind, address: String::new(), source: None }
    }

    /// Creates an error of a custom connector.
    pub fn other(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Hop::Custom, ConnectErrorKind::Other).with_source(source)
    }

    /// Creates an error from an I/O error at this hop.
    pub fn io(hop: Hop, error: io::Error) -> Self {
        Self::new(hop, ConnectErrorKind::from_io(&error)).with_source(error)
    }

    /// Sets the address of the hop: a name, `host:port` or a path. It must not contain a secret.
    #[must_use]
    pub fn with_address(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// Sets the cause. It must not contain a secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the hop that failed.
    pub fn hop(&self) -> Hop {
        self.hop
    }

    /// Returns the kind of failure.
    pub fn kind(&self) -> ConnectErrorKind {
        self.kind
    }

    /// Returns the address of the hop: a name, `host:port` or a path. Empty if not set.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::io(Hop::Custom, error)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.hop)?;
        if !self.address.is_empty() {
            write!(f, "{} ", self.address)?;
        }
        self.kind.fmt(f)
    }
}

impl StdError for ConnectError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Formats an error and its sources in one line, separated by colons.
pub fn error_chain(error: &(dyn StdError + 'static)) -> String {
    let sources = std::iter::successors(error.source(), |&error| error.source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_chain_contains_every_source() {
        let cause = io::Error::other("cause");
        let error = ConnectError::io(Hop::Host, cause).with_address("api.example:443");
        assert_eq!(error_chain(&error), "host api.example:443 could not connect: cause");
    }
}
