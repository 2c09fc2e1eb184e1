//! Settings of a connector.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bitmart_types::Roots;

use super::{Connector, ConnectorError, ConnectorErrorKind, Route};
use crate::direct::Direct;
use crate::proxy::{Protocol, Proxy, Rules};
use crate::{Resolve, TlsOptions};

/// Configures a [`Connector`].
///
/// ```
/// use bitmart_net::Connector;
///
/// let connector = Connector::builder()
///     .proxy("socks5h://proxy.example:1080")
///     .bind([192, 0, 2, 10].into())
///     .build()?;
/// # Ok::<(), bitmart_net::ConnectorError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct ConnectorBuilder {
    direct: Direct,
    way: Way,
    except: String,
    loopback: bool,
    roots: Roots,
}

#[derive(Clone, Default)]
enum Way {
    /// As the variables of the environment say.
    #[default]
    Environment,
    Direct,
    Proxy(String),
    Unix(PathBuf),
}

/// The address of a proxy may hold a password.
impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment => f.write_str("Environment"),
            Self::Direct => f.write_str("Direct"),
            Self::Proxy(_) => f.write_str("Proxy(…)"),
            Self::Unix(path) => f.debug_tuple("Unix").field(path).finish(),
        }
    }
}

impl ConnectorBuilder {
    /// Reaches every host through this proxy, whatever the environment says:
    /// `http://host:port` and `https://host:port` are asked with `CONNECT`, over TLS in the second
    /// case; `socks5h://host:port` gets the names of hosts, `socks5://host:port` their addresses,
    /// looked up here. `user:password@` before the host is percent-encoded where it holds other
    /// characters than letters and digits. Without a port it is 443 for `https` and else 1080, as with
    /// curl.
    ///
    /// Hosts of this machine are reached without it unless [`proxy_loopback`](Self::proxy_loopback)
    /// says otherwise.
    pub fn proxy(mut self, address: impl Into<String>) -> Self {
        self.way = Way::Proxy(address.into());
        self
    }

    /// Reaches hosts without a proxy, whatever the environment says.
    pub fn without_proxy(mut self) -> Self {
        self.way = Way::Direct;
        self
    }

    /// Hosts that are reached without the [`proxy`](Self::proxy), written as in `NO_PROXY`.
    pub fn except(mut self, patterns: impl Into<String>) -> Self {
        self.except = patterns.into();
        self
    }

    /// Reaches hosts of this machine through the proxy as well: `localhost`, names below it, and
    /// loopback addresses.
    pub fn proxy_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// Whom to trust as an `https://` proxy. The bundled web roots by default.
    pub fn proxy_roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Connects to this Unix socket, whatever the host: a gateway on this machine leads on. Names are
    /// not looked up, and there is no proxy.
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.way = Way::Unix(path.into());
        self
    }

    /// Looks names up: those of hosts that are reached without a proxy or through `socks5://`, and
    /// those of proxies. The operating system does it by default.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.direct.resolver = Arc::new(resolver);
        self
    }

    /// Connects from this address of this machine, with a port that the system chooses. Say it once
    /// for IPv4 and once for IPv6 to use both; with one of them, hosts (or proxies) of the other
    /// family are not reached.
    pub fn bind(mut self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => self.direct.v4 = Some(address),
            IpAddr::V6(address) => self.direct.v6 = Some(address),
        }
        self
    }

    /// Connects through this network interface, such as `eth1` (`SO_BINDTODEVICE`). Linux only, and
    /// older kernels allow it to root alone.
    pub fn interface(mut self, name: impl Into<String>) -> Self {
        self.direct.interface = Some(name.into());
        self
    }

    /// Builds the connector. The environment is read now and not again; nothing is connected yet.
    ///
    /// # Errors
    /// When a setting cannot work, or a variable of the environment names a proxy that cannot.
    pub fn build(self) -> Result<Connector, ConnectorError> {
        // A variable that is no text is none, as for curl a name of other bytes would be of no use.
        self.build_with(|name| std::env::var(name).ok())
    }

    pub(super) fn build_with(
        self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Connector, ConnectorError> {
        if self.direct.interface.is_some() && !cfg!(target_os = "linux") {
            return Err(ConnectorError::new("interface", ConnectorErrorKind::Unsupported));
        }
        let mut rules = match self.way {
            Way::Unix(_) if !cfg!(unix) => {
                return Err(ConnectorError::new("unix_socket", ConnectorErrorKind::Unsupported));
            }
            Way::Unix(path) => {
                return Ok(Connector { direct: self.direct, route: Route::Unix(path.into()) });
            }
            Way::Direct => Rules::default(),
            Way::Proxy(address) => {
                let proxy = Proxy::parse(&address, "proxy")
                    .map_err(|unfit| ConnectorError::unfit(("proxy", unfit)))?;
                Rules::all(proxy, &self.except)
            }
            Way::Environment => Rules::read(variable).map_err(ConnectorError::unfit)?,
        };
        rules.loopback = self.loopback;
        let speaks_tls = rules.proxies().any(|proxy| proxy.protocol == Protocol::Https);
        let tls = if speaks_tls {
            let config = TlsOptions::default().client_config(&self.roots, &[]);
            let config = config.map_err(|error| {
                ConnectorError::new("proxy_roots", ConnectorErrorKind::ProxyRoots)
                    .with_source(error)
            })?;
            Some(Arc::new(config))
        } else {
            None
        };
        Ok(Connector { direct: self.direct, route: Route::Net { rules, tls } })
    }
}
