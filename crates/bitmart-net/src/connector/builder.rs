//! The builder of [`Connector`].

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
    route: RouteSetting,
    exceptions: String,
    proxy_loopback: bool,
    proxy_roots: Roots,
}

#[derive(Clone, Default)]
enum RouteSetting {
    /// The proxies of the environment variables.
    #[default]
    Environment,
    Direct,
    Proxy(String),
    Unix(PathBuf),
}

/// Omits the address of the proxy, which may contain a password.
impl std::fmt::Debug for RouteSetting {
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
    /// Uses this proxy for all hosts and ignores the environment variables.
    ///
    /// `http://host:port` and `https://host:port` (over TLS) use HTTP `CONNECT`. `socks5h://host:port`
    /// sends host names to the proxy; `socks5://host:port` resolves them locally and sends addresses.
    /// `user:password@` before the host must be percent-encoded. The default port is 443 for `https`
    /// and 1080 otherwise, as with curl.
    ///
    /// Loopback hosts are reached directly unless [`proxy_loopback`](Self::proxy_loopback) is set.
    pub fn proxy(mut self, address: impl Into<String>) -> Self {
        self.route = RouteSetting::Proxy(address.into());
        self
    }

    /// Uses no proxy and ignores the environment variables.
    pub fn without_proxy(mut self) -> Self {
        self.route = RouteSetting::Direct;
        self
    }

    /// Sets the hosts that are reached without the [`proxy`](Self::proxy), in the format of
    /// `NO_PROXY`.
    pub fn proxy_exceptions(mut self, patterns: impl Into<String>) -> Self {
        self.exceptions = patterns.into();
        self
    }

    /// Sets whether the proxy is used for loopback hosts as well: `localhost`, its subdomains, and loopback
    /// addresses. Default: off.
    pub fn proxy_loopback(mut self, on: bool) -> Self {
        self.proxy_loopback = on;
        self
    }

    /// Sets the certificate authorities for an `https://` proxy. The bundled web roots by default.
    pub fn proxy_roots(mut self, roots: Roots) -> Self {
        self.proxy_roots = roots;
        self
    }

    /// Connects to this Unix socket for all hosts, for a gateway on this machine. Names are not
    /// resolved, and no proxy is used.
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.route = RouteSetting::Unix(path.into());
        self
    }

    /// Sets the resolver for proxies and for hosts that are reached directly or through `socks5://`.
    /// The operating system's resolver by default.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.direct.resolver = Arc::new(resolver);
        self
    }

    /// Sets the local IP address to connect from. Call it once for IPv4 and once for IPv6 to use
    /// both. With only one of them, hosts (or proxies) of the other family cannot be reached.
    pub fn bind(mut self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => self.direct.v4 = Some(address),
            IpAddr::V6(address) => self.direct.v6 = Some(address),
        }
        self
    }

    /// Sets the network interface to connect through, such as `eth1` (`SO_BINDTODEVICE`). Linux only;
    /// older kernels require root.
    pub fn interface(mut self, name: impl Into<String>) -> Self {
        self.direct.interface = Some(name.into());
        self
    }

    /// Builds the connector. Reads the environment variables once; opens no connection.
    ///
    /// # Errors
    /// A setting or an environment variable is invalid.
    pub fn build(self) -> Result<Connector, ConnectorError> {
        // A variable that is not Unicode cannot be a valid proxy address and counts as not set.
        self.build_with(|name| std::env::var(name).ok())
    }

    pub(super) fn build_with(
        self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Connector, ConnectorError> {
        if self.direct.interface.is_some() && !cfg!(target_os = "linux") {
            return Err(ConnectorError::new("interface", ConnectorErrorKind::Unsupported));
        }
        let mut rules = match self.route {
            RouteSetting::Unix(_) if !cfg!(unix) => {
                return Err(ConnectorError::new("unix_socket", ConnectorErrorKind::Unsupported));
            }
            RouteSetting::Unix(path) => {
                return Ok(Connector { direct: self.direct, route: Route::Unix(path.into()) });
            }
            RouteSetting::Direct => Rules::default(),
            RouteSetting::Proxy(address) => {
                let proxy = Proxy::parse(&address, "proxy")
                    .map_err(|error| ConnectorError::invalid_proxy(("proxy", error)))?;
                Rules::all(proxy, &self.exceptions)
            }
            RouteSetting::Environment => {
                Rules::from_variables(variable).map_err(ConnectorError::invalid_proxy)?
            }
        };
        rules.proxy_loopback = self.proxy_loopback;
        let needs_tls = rules.proxies().any(|proxy| proxy.protocol == Protocol::Https);
        let tls = if needs_tls {
            let config = TlsOptions::default().client_config(&self.proxy_roots, &[]);
            let config = config.map_err(|error| {
                ConnectorError::new("proxy_roots", ConnectorErrorKind::InvalidProxyRoots)
                    .with_source(error)
            })?;
            Some(Arc::new(config))
        } else {
            None
        };
        Ok(Connector { direct: self.direct, route: Route::Net { rules, tls } })
    }
}
