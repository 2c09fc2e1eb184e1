//! Environments: the addresses of a deployment of the exchange.

mod ready;
mod text;

use std::fmt;
use std::net::IpAddr;

pub use self::ready::{ReadyLine, ReadyLineError};
pub use self::text::EnvironmentError;
use crate::Roots;

/// A deployment of the exchange: base addresses of its services and the roots that its
/// TLS certificates are checked against. Plain data, used by the REST and WebSocket crates alike.
///
/// An empty address means that the deployment has no such service; [`address`](Self::address)
/// reports that as an error.
///
/// ```
/// use bitmart_types::{Environment, Roots, Service};
///
/// let live = Environment::live();
/// assert_eq!(live.address(Service::SpotRest)?, "https://api-cloud.bitmart.com");
///
/// let mut local = Environment::custom("local")
///     .with(Service::SpotRest, "http://127.0.0.1:8801")
///     .with(Service::SpotWsPublic, "ws://127.0.0.1:8801/api?protocol=1.1");
/// local.roots = Roots::none();
/// assert!(local.address(Service::FuturesRest).is_err());
/// # Ok::<(), bitmart_types::NoAddress>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// Short name for logs: `live`, `futures-demo`, `sandbox` or your own.
    pub name: String,
    /// Base address of the spot REST host, without a trailing slash. Behind a gateway it may have a
    /// path (`https://gateway.example/bitmart`), which is put before the path of each endpoint;
    /// signatures do not cover the path.
    pub spot_rest: String,
    /// Base address of the futures REST host.
    pub futures_rest: String,
    /// Public spot WebSocket address, path and query included.
    pub spot_ws_public: String,
    /// Private spot WebSocket address.
    pub spot_ws_private: String,
    /// Public futures WebSocket address.
    pub futures_ws_public: String,
    /// Private futures WebSocket address.
    pub futures_ws_private: String,
    /// Trust anchors for TLS.
    pub roots: Roots,
}

impl Environment {
    /// The live exchange: real money.
    pub fn live() -> Self {
        Self::custom("live")
            .with(Service::SpotRest, "https://api-cloud.bitmart.com")
            .with(Service::FuturesRest, "https://api-cloud-v2.bitmart.com")
            .with(Service::SpotWsPublic, "wss://ws-manager-compress.bitmart.com/api?protocol=1.1")
            .with(Service::SpotWsPrivate, "wss://ws-manager-compress.bitmart.com/user?protocol=1.1")
            .with(Service::FuturesWsPublic, "wss://openapi-ws-v2.bitmart.com/api?protocol=1.1")
            .with(Service::FuturesWsPrivate, "wss://openapi-ws-v2.bitmart.com/user?protocol=1.1")
    }

    /// The exchange's demo of futures trading, with play money and the keys of the live exchange.
    /// BitMart documents that it has futures only: no spot, deposits, withdrawals or transfers.
    pub fn futures_demo() -> Self {
        Self::custom("futures-demo")
            .with(Service::FuturesRest, "https://demo-api-cloud-v2.bitmart.com")
            .with(Service::FuturesWsPublic, "wss://openapi-wsdemo-v2.bitmart.com/api?protocol=1.1")
            .with(
                Service::FuturesWsPrivate,
                "wss://openapi-wsdemo-v2.bitmart.com/user?protocol=1.1",
            )
    }

    /// A deployment without addresses that trusts the bundled roots.
    pub fn custom(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            spot_rest: String::new(),
            futures_rest: String::new(),
            spot_ws_public: String::new(),
            spot_ws_private: String::new(),
            futures_ws_public: String::new(),
            futures_ws_private: String::new(),
            roots: Roots::bundled(),
        }
    }

    /// Sets the address of one service. Slashes at its end are dropped.
    #[must_use]
    pub fn with(mut self, service: Service, address: impl Into<String>) -> Self {
        let mut address = address.into();
        address.truncate(address.trim_end_matches('/').len());
        *match service {
            Service::SpotRest => &mut self.spot_rest,
            Service::FuturesRest => &mut self.futures_rest,
            Service::SpotWsPublic => &mut self.spot_ws_public,
            Service::SpotWsPrivate => &mut self.spot_ws_private,
            Service::FuturesWsPublic => &mut self.futures_ws_public,
            Service::FuturesWsPrivate => &mut self.futures_ws_private,
        } = address;
        self
    }

    /// Sets the trust anchors.
    #[must_use]
    pub fn with_roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// The address of a service.
    ///
    /// # Errors
    /// When this deployment does not have the service.
    pub fn address(&self, service: Service) -> Result<&str, NoAddress> {
        let address = match service {
            Service::SpotRest => &self.spot_rest,
            Service::FuturesRest => &self.futures_rest,
            Service::SpotWsPublic => &self.spot_ws_public,
            Service::SpotWsPrivate => &self.spot_ws_private,
            Service::FuturesWsPublic => &self.futures_ws_public,
            Service::FuturesWsPrivate => &self.futures_ws_private,
        };
        if address.is_empty() {
            return Err(NoAddress { environment: self.name.clone(), service });
        }
        Ok(address)
    }

    /// Whether traffic with a service, API keys included, is sent unencrypted over the network: its
    /// address is `http://` or `ws://` and its host is neither `localhost` nor a loopback address.
    ///
    /// ```
    /// use bitmart_types::{Environment, Service};
    ///
    /// let near = Environment::custom("near").with(Service::SpotRest, "http://127.0.0.1:8801");
    /// assert!(!near.is_plain_text(Service::SpotRest));
    /// let far = Environment::custom("far").with(Service::SpotRest, "http://10.0.0.7:8801");
    /// assert!(far.is_plain_text(Service::SpotRest));
    /// ```
    pub fn is_plain_text(&self, service: Service) -> bool {
        self.address(service).ok().and_then(|address| address.split_once("://")).is_some_and(
            |(scheme, rest)| {
                let plain =
                    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("ws");
                plain && !is_loopback(host(rest))
            },
        )
    }
}

/// The host at the beginning of an address without its scheme.
fn host(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A user name before the host may look like one.
    let authority = authority.rsplit('@').next().unwrap_or_default();
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// Names other than `localhost` may resolve to any address.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The default is the live exchange.
impl Default for Environment {
    fn default() -> Self {
        Self::live()
    }
}

/// A service of a deployment with its own address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Spot, margin, funding and sub-accounts over REST.
    SpotRest,
    /// Futures over REST.
    FuturesRest,
    /// Public spot WebSocket.
    SpotWsPublic,
    /// Private spot WebSocket.
    SpotWsPrivate,
    /// Public futures WebSocket.
    FuturesWsPublic,
    /// Private futures WebSocket.
    FuturesWsPrivate,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SpotRest => "spot REST",
            Self::FuturesRest => "futures REST",
            Self::SpotWsPublic => "public spot WebSocket",
            Self::SpotWsPrivate => "private spot WebSocket",
            Self::FuturesWsPublic => "public futures WebSocket",
            Self::FuturesWsPrivate => "private futures WebSocket",
        })
    }
}

/// The error for a service that the environment does not have, such as spot in the futures demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAddress {
    environment: String,
    service: Service,
}

impl NoAddress {
    /// The requested service.
    pub fn service(&self) -> Service {
        self.service
    }
}

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "environment {:?} has no {} service; choose another environment or set its address",
            self.environment, self.service
        )
    }
}

impl std::error::Error for NoAddress {}
