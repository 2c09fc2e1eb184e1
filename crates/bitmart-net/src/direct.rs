//! Name resolution and TCP connections.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use tokio::time::{Instant, timeout_at};
use tower_service::Service;

use crate::resolve::{Resolve, System};
use crate::{ConnectError, ConnectErrorKind, Hop, Stream, Target};

/// How TCP connections are opened.
#[derive(Clone)]
pub(crate) struct Direct {
    pub(crate) resolver: Arc<dyn Resolve>,
    /// Local addresses to bind to.
    pub(crate) v4: Option<Ipv4Addr>,
    pub(crate) v6: Option<Ipv6Addr>,
    pub(crate) interface: Option<String>,
}

impl Default for Direct {
    fn default() -> Self {
        Self { resolver: Arc::new(System), v4: None, v6: None, interface: None }
    }
}

impl Direct {
    /// Connects to `target`. Errors are attributed to `hop`.
    pub(crate) async fn dial(
        &self,
        hop: Hop,
        target: &Target,
        deadline: Instant,
    ) -> Result<Stream, ConnectError> {
        let addresses = self.resolve_reachable(target.host(), deadline).await?;
        let timed_out =
            || ConnectError::new(hop, ConnectErrorKind::Timeout).with_address(target.to_string());
        let mut connector = self.connector(addresses);
        connector.set_connect_timeout(Some(deadline.saturating_duration_since(Instant::now())));
        let dialing = connector.call(uri(target)?);
        match timeout_at(deadline, dialing).await {
            Ok(Ok(stream)) => Ok(Stream::new(stream.into_inner())),
            Ok(Err(error)) => Err(classify(hop, error).with_address(target.to_string())),
            Err(_) => Err(timed_out()),
        }
    }

    /// Resolves a host to the addresses reachable from the local addresses: at least one.
    async fn resolve_reachable(
        &self,
        host: &str,
        deadline: Instant,
    ) -> Result<Vec<IpAddr>, ConnectError> {
        let mut addresses = self.resolve_all(host, deadline).await?;
        addresses.retain(|&address| self.is_reachable_family(address));
        if addresses.is_empty() {
            let error = ConnectError::new(Hop::Resolver, ConnectErrorKind::WrongFamily);
            return Err(error.with_address(host));
        }
        Ok(addresses)
    }

    /// Resolves a host to its addresses: at least one.
    pub(crate) async fn resolve_all(
        &self,
        host: &str,
        deadline: Instant,
    ) -> Result<Vec<IpAddr>, ConnectError> {
        let failed = |kind| ConnectError::new(Hop::Resolver, kind).with_address(host);
        let addresses = match host.parse() {
            Ok(address) => vec![address],
            Err(_) => timeout_at(deadline, self.resolver.resolve(host))
                .await
                .map_err(|_| failed(ConnectErrorKind::Timeout))?
                .map_err(|error| failed(ConnectErrorKind::Lookup).with_source(error))?,
        };
        if addresses.is_empty() {
            return Err(failed(ConnectErrorKind::NoAddress));
        }
        Ok(addresses)
    }

    /// A bound local address reaches only its own family.
    fn is_reachable_family(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(_) => self.v4.is_some() || self.v6.is_none(),
            IpAddr::V6(_) => self.v6.is_some() || self.v4.is_none(),
        }
    }

    fn connector(&self, addresses: Vec<IpAddr>) -> HttpConnector<FixedAddresses> {
        let mut connector = HttpConnector::new_with_resolver(FixedAddresses(addresses));
        // With Nagle's algorithm a request can wait 40 ms for the acknowledgement of the previous one.
        connector.set_nodelay(true);
        match (self.v4, self.v6) {
            (Some(v4), Some(v6)) => connector.set_local_addresses(v4, v6),
            (v4, v6) => connector.set_local_address(v4.map(IpAddr::V4).or(v6.map(IpAddr::V6))),
        }
        #[cfg(target_os = "linux")]
        if let Some(interface) = &self.interface {
            connector.set_interface(interface);
        }
        connector
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct")
            .field("v4", &self.v4)
            .field("v6", &self.v6)
            .field("interface", &self.interface)
            .finish_non_exhaustive()
    }
}

/// Finds the operating system's error among the sources of the connector's error.
fn classify(hop: Hop, error: impl StdError + Send + Sync + 'static) -> ConnectError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
    while let Some(current) = cause {
        if let Some(io_error) = current.downcast_ref::<io::Error>() {
            // A missing or forbidden interface has no `io::ErrorKind`.
            let kind = if error.to_string().contains("interface") {
                ConnectErrorKind::LocalAddress
            } else {
                ConnectErrorKind::from_io(io_error)
            };
            return ConnectError::new(hop, kind).with_source(error);
        }
        cause = current.source();
    }
    ConnectError::new(hop, ConnectErrorKind::Other).with_source(error)
}

/// Converts a target for hyper's connectors, which ignore scheme and path.
pub(crate) fn uri(target: &Target) -> Result<Uri, ConnectError> {
    Uri::builder().scheme("http").authority(target.to_string()).path_and_query("/").build().map_err(
        |error| {
            ConnectError::new(Hop::Resolver, ConnectErrorKind::Lookup)
                .with_address(target.host())
                .with_source(error)
        },
    )
}

/// A resolver that returns these addresses for every name.
#[derive(Clone)]
struct FixedAddresses(Vec<IpAddr>);

impl Service<Name> for FixedAddresses {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        // The connector sets the port.
        let addresses: Vec<_> = self.0.iter().map(|&address| SocketAddr::new(address, 0)).collect();
        std::future::ready(Ok(addresses.into_iter()))
    }
}
