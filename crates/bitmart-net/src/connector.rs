//! The ready-made connector.

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

/// How long a connection may take when the client does not say.
const LIMIT: Duration = Duration::from_secs(10);

/// Opens connections: straight to the host, through a proxy, from a local address, to a Unix socket.
/// Cheap to clone.
///
/// Over TCP, IPv6 and IPv4 addresses race, so that a family without a way out costs 300 ms and not
/// the whole attempt; the time that there is ([`Target::limit`], else 10 s) is shared evenly by the
/// addresses of a family. Small writes are sent at once.
///
/// Through a proxy, whatever its kind, TLS is spoken with the host itself: the proxy sees names and
/// sizes, no keys and no orders. A host without TLS is reached through a tunnel as well.
#[derive(Clone, Debug)]
pub struct Connector {
    direct: Direct,
    route: Route,
}

#[derive(Clone)]
enum Route {
    Net {
        rules: Rules,
        /// For proxies that speak TLS.
        tls: Option<Arc<ClientConfig>>,
    },
    #[cfg_attr(not(unix), expect(dead_code, reason = "refused when it is built"))]
    Unix(Arc<Path>),
}

impl Connector {
    /// Straight to the host, whatever the environment says.
    pub fn direct() -> Self {
        let route = Route::Net { rules: Rules::default(), tls: None };
        Self { direct: Direct::default(), route }
    }

    /// As the variables of the environment say, which are read as curl reads them: `https_proxy` or
    /// `HTTPS_PROXY` for hosts with TLS (`https://` and `wss://`), `http_proxy` (lower case only) for
    /// those without, `all_proxy` or `ALL_PROXY` for both, and `no_proxy` or `NO_PROXY` for hosts that
    /// are reached without a proxy: names, which cover what is below them, addresses, networks
    /// (`192.0.2.0/24`), or `*`, with commas or blanks between them. The lower-case name goes first,
    /// and an empty value is none. Hosts of this machine are never reached through a proxy.
    ///
    /// The variables are read once, here. This is the default of both clients.
    ///
    /// # Errors
    /// When a variable names a proxy that cannot be used.
    pub fn from_env() -> Result<Self, ConnectorError> {
        Self::builder().build()
    }

    /// Starts a configuration.
    pub fn builder() -> ConnectorBuilder {
        ConnectorBuilder::default()
    }

    /// The proxy that `target` is reached through, if any.
    pub fn proxy_for(&self, target: &Target) -> Option<ProxyInUse> {
        match &self.route {
            Route::Net { rules, .. } => rules.proxy_for(target).cloned().map(ProxyInUse),
            Route::Unix(_) => None,
        }
    }

    async fn open(&self, target: &Target) -> Result<Stream, ConnectError> {
        let deadline = Instant::now() + target.limit().unwrap_or(LIMIT);
        match &self.route {
            Route::Net { rules, tls } => match rules.proxy_for(target) {
                None => self.direct.dial(Hop::Host, target, deadline).await,
                Some(proxy) => self.open_through(proxy, tls.as_ref(), target, deadline).await,
            },
            #[cfg(unix)]
            Route::Unix(path) => {
                let connecting = tokio::net::UnixStream::connect(path);
                let found = timeout_at(deadline, connecting).await;
                let error = match found {
                    Ok(Ok(stream)) => return Ok(Stream::new(stream)),
                    Ok(Err(error)) => ConnectError::io(Hop::UnixSocket, error),
                    Err(_) => ConnectError::new(Hop::UnixSocket, ConnectErrorKind::Timeout),
                };
                Err(error.at(path.display().to_string()))
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
        let stream = self.direct.dial(Hop::Proxy, &proxy.target, deadline).await?;
        let late = |hop| ConnectError::new(hop, ConnectErrorKind::Timeout).at(proxy.to_string());
        let stream = match tls.filter(|_| proxy.protocol == Protocol::Https) {
            Some(config) => {
                let securing = secure(proxy, Arc::clone(config), stream);
                timeout_at(deadline, securing).await.map_err(|_| late(Hop::ProxyTls))??
            }
            None => stream,
        };
        let looked_up;
        let target = if proxy.protocol == Protocol::Socks5 {
            let addresses = self.direct.look_up_any(target.host(), deadline).await?;
            let first = addresses.first().map_or_else(String::new, ToString::to_string);
            looked_up = Target::new(first, target.port(), target.is_tls());
            &looked_up
        } else {
            target
        };
        let asking = proxy::connect(proxy, stream, target);
        timeout_at(deadline, asking).await.map_err(|_| late(Hop::ProxyHandshake))?
    }
}

/// TLS with the proxy itself.
async fn secure(
    proxy: &Proxy,
    config: Arc<ClientConfig>,
    stream: Stream,
) -> Result<Stream, ConnectError> {
    let failed = |error: std::io::Error| {
        // What rustls finds wrong is its error within one of the stream.
        let kind =
            if error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some() {
                ConnectErrorKind::Tls
            } else {
                ConnectErrorKind::of(&error)
            };
        ConnectError::new(Hop::ProxyTls, kind).at(proxy.to_string()).with_source(error)
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

/// A proxy that a host is reached through. Shows its address without user name and password.
#[derive(Clone, Debug)]
pub struct ProxyInUse(Arc<Proxy>);

impl ProxyInUse {
    /// The variable of the environment that names it, or `proxy` if a setting does.
    pub fn origin(&self) -> &'static str {
        self.0.origin
    }

    /// Where it listens: host, port and whether it speaks TLS itself.
    pub fn target(&self) -> &Target {
        &self.0.target
    }
}

/// Its address without user name and password.
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
