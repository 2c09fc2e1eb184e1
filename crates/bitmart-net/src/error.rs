//! Why there is no connection, and which hop failed.

use std::error::Error as StdError;
use std::fmt;
use std::io;

type Source = Box<dyn StdError + Send + Sync>;

/// The step on the way to a host that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hop {
    /// Looking up a name: that of the host or, before a proxy, that of the proxy.
    Resolver,
    /// TCP to the host.
    Host,
    /// TCP to the proxy.
    Proxy,
    /// TLS with the proxy itself.
    ProxyTls,
    /// The exchange with the proxy that asks it for a connection to the host.
    ProxyHandshake,
    /// A Unix socket.
    UnixSocket,
    /// A connector that is not one of this crate's.
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
    /// The look-up itself failed.
    Lookup,
    /// The name has no address.
    NoAddress,
    /// The name has addresses, but none of the family of the local address that is bound to: IPv6
    /// only, for an IPv4 address.
    WrongFamily,
    /// Nobody listens there.
    Refused,
    /// There is no way there.
    Unreachable,
    /// The local address is not one of this machine, is in use, or the interface is not there or not
    /// allowed.
    LocalAddress,
    /// The time limit passed.
    Timeout,
    /// The proxy wants a user name and a password, or others than it got.
    Unauthorized,
    /// The proxy will not connect to the host: the HTTP status, or the reply code of SOCKS5.
    Denied {
        /// For example 502, or 5 for *connection refused*.
        code: u16,
    },
    /// The proxy answered with an HTML page, as the login page of a network does.
    Page,
    /// What answered speaks another protocol.
    Protocol,
    /// The other side closed the connection before it was usable.
    Closed,
    /// The TLS handshake with the proxy failed.
    Tls,
    /// Something else; the source says what.
    Other,
}

impl ConnectErrorKind {
    /// The kind of an error of the operating system.
    pub(crate) fn of(error: &io::Error) -> Self {
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
            Self::Lookup => "cannot be looked up",
            Self::NoAddress => "has no address",
            Self::WrongFamily => "has no address of the family that is bound to",
            Self::Refused => "refused the connection",
            Self::Unreachable => "cannot be reached",
            Self::LocalAddress => "cannot be reached from the local address or interface",
            Self::Timeout => "did not answer in time",
            Self::Unauthorized => "wants a user name and a password, or others",
            Self::Denied { code } => return write!(f, "will not connect to the host: code {code}"),
            Self::Page => "answered with an HTML page",
            Self::Protocol => "speaks another protocol",
            Self::Closed => "closed the connection",
            Self::Tls => "failed",
            Self::Other => "could not connect",
        })
    }
}

/// There is no connection; nothing of a request has left this machine.
#[derive(Debug)]
pub struct ConnectError {
    hop: Hop,
    kind: ConnectErrorKind,
    address: String,
    source: Option<Source>,
}

impl ConnectError {
    /// An error of this kind at this hop.
    pub fn new(hop: Hop, kind: ConnectErrorKind) -> Self {
        Self { hop, kind, address: String::new(), source: None }
    }

    /// An error of a connector of one's own.
    pub fn other(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Hop::Custom, ConnectErrorKind::Other).with_source(source)
    }

    /// An error of the operating system at this hop.
    pub fn io(hop: Hop, error: io::Error) -> Self {
        Self::new(hop, ConnectErrorKind::of(&error)).with_source(error)
    }

    /// Names what was to be reached: a name, `host:port` or a path. It must hold no secret.
    #[must_use]
    pub fn at(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// Keeps the error below. It must hold no secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Which hop failed.
    pub fn hop(&self) -> Hop {
        self.hop
    }

    /// What went wrong there.
    pub fn kind(&self) -> ConnectErrorKind {
        self.kind
    }

    /// What was to be reached: a name, `host:port` or a path; empty if nobody said.
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
