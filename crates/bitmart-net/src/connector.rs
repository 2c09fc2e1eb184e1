//! The default connector.

mod builder;
mod error;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use crate::direct::Direct;
use crate::proxy::{self, Protocol, Proxy, Rules};
use crate::{Connect, ConnectError, ConnectErrorKind, ConnectFuture, Hop, Stream, Target};

pub use self::builder::ConnectorBuilder;
pub use self::error::{ConnectorError, ConnectorErrorKind};

/// Connect timeout if the target has none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// A year, in place of a timeout that no time can be advanced by.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(31_536_000);

/// Opens connections directly, through a proxy, from a local address or to a Unix socket. Cheap to
/// clone.
///
/// IPv6 and IPv4 addresses are tried concurrently ("happy eyeballs"), so an unreachable family costs
/// 300 ms. The timeout ([`Target::timeout`], else 10 s) is divided evenly among the addresses of a
/// family. `TCP_NODELAY` is set.
///
/// With any kind of proxy, TLS is end-to-end with the host: the proxy sees host names and sizes, no
/// keys and no orders. A host without TLS is reached through a tunnel as well.
#[derive(Clone, Debug)]
pub struct Connector {
    direct: Direct,
    route: Route,
}

#[derive(Clone)]
enum Route {
    Net {
        rules: Rules,
        /// TLS configuration for `https://` proxies.
        tls: Option<Arc<ClientConfig>>,
    },
    #[cfg_attr(not(unix), expect(dead_code, reason = "rejected by the builder"))]
    Unix(Arc<Path>),
}

impl Connector {
    /// Creates a connector without a proxy. Ignores the environment variables.
    pub fn direct() -> Self {
        let route = Route::Net { rules: Rules::default(), tls: None };
        Self { direct: Direct::default(), route }
    }

    /// Creates a connector with the proxies of the environment. This is the default of both clients.
    ///
    /// The variables have the same meaning as for curl: `https_proxy` or `HTTPS_PROXY` for hosts with
    /// TLS (`https://` and `wss://`), `http_proxy` (lower case only) for hosts without, `all_proxy` or
    /// `ALL_PROXY` for both. `no_proxy` or `NO_PROXY` lists hosts that are reached without a proxy:
    /// domains including their subdomains, addresses, networks (`192.0.2.0/24`) or `*`, separated by
    /// commas or spaces. The lower-case name has precedence, and an empty value counts as not set.
    /// Loopback hosts are never reached through a proxy.
    ///
    /// The variables are read once, by this function.
    ///
    /// # Errors
    /// A variable contains an invalid proxy address.
    pub fn from_env() -> Result<Self, ConnectorError> {
        Self::builder().build()
    }

    /// Creates a builder.
    pub fn builder() -> ConnectorBuilder {
        ConnectorBuilder::default()
    }

    /// Returns the proxy for `target`, if any.
    pub fn proxy_for(&self, target: &Target) -> Option<ProxyInUse> {
        match &self.route {
            Route::Net { rules, .. } => rules.proxy_for(target).cloned().map(ProxyInUse),
            Route::Unix(_) => None,
        }
    }

    async fn open(&self, target: &Target) -> Result<Stream, ConnectError> {
        let (now, timeout) = (Instant::now(), target.timeout().unwrap_or(DEFAULT_TIMEOUT));
        let deadline = now.checked_add(timeout).unwrap_or(now + LONGEST_TIMEOUT);
        match &self.route {
            Route::Net { rules, tls } => match rules.proxy_for(target) {
                None => self.direct.dial(Hop::Host, target, deadline).await,
                Some(proxy) => self.open_through(proxy, tls.as_ref(), target, deadline).await,
            },
            #[cfg(unix)]
            Route::Unix(path) => {
                let connecting = tokio::net::UnixStream::connect(path);
                let error = match timeout_at(deadline, connecting).await {
                    Ok(Ok(stream)) => return Ok(Stream::new(stream)),
                    Ok(Err(error)) => ConnectError::io(Hop::UnixSocket, error),
                    Err(_) => ConnectError::new(Hop::UnixSocket, ConnectErrorKind::Timeout),
                };
                Err(error.with_address(path.display().to_string()))
            }
            #[cfg(not(unix))]
            Route::Unix(_) => Err(ConnectError::new(Hop::UnixSocket, ConnectErrorKind::Other)),
        }
    }

    async fn open_through(
        &self,
        proxy: &Proxy,
        tls: Option<&Arc<ClientConfig>>,
        target: &Target,
        deadline: Instant,
    ) -> Result<Stream, ConnectError> {
        if proxy.protocol != Protocol::Socks5 {
            return self.tunnel(proxy, tls, target, deadline).await;
        }
        // The proxy gets an address. It may lack a route to the first one, for example to one of IPv6.
        let addresses = self.direct.resolve_all(target.host(), deadline).await?;
        let mut last_error = None;
        let mut remaining = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        for address in addresses {
            let target = Target::new(address.to_string(), target.port(), target.is_tls());
            // Each has its share of the time, so that one that the proxy cannot reach leaves enough for the others.
            let now = Instant::now();
            let attempt_deadline = now + deadline.saturating_duration_since(now) / remaining.max(1);
            remaining = remaining.saturating_sub(1);
            match self.tunnel(proxy, tls, &target, attempt_deadline).await {
                Err(error) if is_about_address(&error) => last_error = Some(error),
                result => return result,
            }
        }
        // There is at least one address.
        Err(last_error
            .unwrap_or_else(|| ConnectError::new(Hop::Resolver, ConnectErrorKind::NoAddress)))
    }

    /// Connects to the proxy, and through it to this target.
    async fn tunnel(
        &self,
        proxy: &Proxy,
        tls: Option<&Arc<ClientConfig>>,
        target: &Target,
        deadline: Instant,
    ) -> Result<Stream, ConnectError> {
        let stream = self.direct.dial(Hop::Proxy, &proxy.target, deadline).await?;
        let timed_out =
            |hop| ConnectError::new(hop, ConnectErrorKind::Timeout).with_address(proxy.to_string());
        let stream = match tls.filter(|_| proxy.protocol == Protocol::Https) {
            Some(config) => {
                let handshake = tls_handshake(proxy, Arc::clone(config), stream);
                timeout_at(deadline, handshake).await.map_err(|_| timed_out(Hop::ProxyTls))??
            }
            None => stream,
        };
        let handshake = proxy::connect(proxy, stream, target);
        timeout_at(deadline, handshake).await.map_err(|_| timed_out(Hop::ProxyHandshake))?
    }
}

/// Whether the proxy may reach another address of the host.
fn is_about_address(error: &ConnectError) -> bool {
    match error.kind() {
        ConnectErrorKind::Rejected { .. } => true,
        ConnectErrorKind::Timeout | ConnectErrorKind::Closed => error.hop() == Hop::ProxyHandshake,
        _ => false,
    }
}

/// Performs the TLS handshake with the proxy.
async fn tls_handshake(
    proxy: &Proxy,
    config: Arc<ClientConfig>,
    stream: Stream,
) -> Result<Stream, ConnectError> {
    let failed = |error: std::io::Error| {
        // rustls wraps its own errors into I/O errors.
        let kind =
            if error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some() {
                ConnectErrorKind::Tls
            } else {
                ConnectErrorKind::from_io(&error)
            };
        ConnectError::new(Hop::ProxyTls, kind).with_address(proxy.to_string()).with_source(error)
    };
    let name = ServerName::try_from(proxy.target.host().to_owned())
        .map_err(|error| failed(std::io::Error::other(error)))?;
    let stream = stream.below_tls();
    let tls = TlsConnector::from(config).connect(name, stream).await.map_err(failed)?;
    Ok(Stream::over_tls(tls))
}

impl Connect for Connector {
    fn connect<'a>(&'a self, target: &'a Target) -> ConnectFuture<'a> {
        Box::pin(self.open(target))
    }
}

/// The proxy that is used for a host. Displays its address without user name and password.
#[derive(Clone, Debug)]
pub struct ProxyInUse(Arc<Proxy>);

impl ProxyInUse {
    /// Returns the environment variable that configures the proxy, or `proxy` for the builder setting.
    pub fn origin(&self) -> &'static str {
        self.0.origin
    }

    /// Returns the proxy's own address, and whether it is reached over TLS.
    pub fn target(&self) -> &Target {
        &self.0.target
    }
}

/// Displays the address without user name and password.
impl fmt::Display for ProxyInUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net { rules, .. } => rules.fmt(f),
            Self::Unix(path) => f.debug_tuple("Unix").field(path).finish(),
        }
    }
}
