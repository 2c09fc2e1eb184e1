//! The default transport: hyper and rustls.

mod response_body;
mod reused;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitmart_net::{Connect, Connector as NetConnector, TlsOptions};
use bitmart_types::Roots;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;

use self::response_body::ResponseBody;
use self::reused::ReusedConnection;
use super::connect::warn_about_extra_response;
use super::connect::{Connection, Connector, Origin};
#[cfg(feature = "http2")]
use super::opening::Openings;
use super::pool::{Pool, PoolLimits};
use super::reservation::HostLimits;
#[cfg(feature = "testing")]
use super::reservation::ReservationProbe;
use super::{
    Body, ReservationFuture, Transport, TransportError, TransportErrorKind, TransportFuture,
};
use crate::client::observe::connection_attempt;
use bitmart_types::ConfigError;

/// Default timeout for opening a connection.
///
/// A request is signed before its connection is opened, and the exchange rejects a request that is
/// older than its `recvWindow`, 5 seconds by default. The rest is a margin for latency and clock skew.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Default maximum number of requests in flight to one host, and so of connections.
const MAX_CONNECTIONS: usize = 128;

/// Maximum number of requests in flight over HTTP/2: what servers allow at least, and what hyper assumes until the
/// server has stated its limit. More would wait inside hyper, after they were signed.
#[cfg(feature = "http2")]
const MAX_STREAMS: usize = 100;

/// A transport on tokio with hyper, rustls and a connection pool.
///
/// It uses HTTP/1.1: one request at a time per connection, and as many connections as requests in
/// flight, up to [a limit](HyperTransportBuilder::max_connections_per_host). Small responses arrive
/// sooner this way than over HTTP/2, which can be enabled for many concurrent requests. A connection is
/// reused only if its last response was read completely. No request is written twice: if an idle
/// connection turns out to be closed before the first byte of a request was written, the request is
/// sent on another connection; otherwise it fails.
///
/// Over HTTP/1.1 responses are matched to requests by their order alone. If a server sent an extra
/// response, it would be taken for the response to the next request. Bytes that have arrived before a
/// request is written therefore close the connection, and the request is sent on another one. An extra
/// response that arrives after the next request cannot be detected. To exclude that as well, use
/// [a new connection for each write](HyperTransportBuilder::fresh_connection_for_writes).
#[derive(Clone)]
pub struct HyperTransport(Arc<Shared>);

struct Shared {
    connector: Connector,
    pool: Pool,
    host_limits: HostLimits,
    fresh_for_writes: bool,
    /// Keeps a burst of first requests from opening one multiplexed connection each.
    #[cfg(feature = "http2")]
    openings: Openings,
}

/// Settings of a [`HyperTransport`].
#[derive(Clone)]
#[must_use = "nothing happens until `build`"]
pub struct HyperTransportBuilder {
    roots: Roots,
    tls: TlsOptions,
    connect: Option<Arc<dyn Connect>>,
    connect_timeout: Duration,
    limits: PoolLimits,
    max_connections: usize,
    fresh_for_writes: bool,
    #[cfg(feature = "http2")]
    http2: bool,
}

impl HyperTransport {
    /// Default settings: bundled web roots, HTTP/1.1.
    pub fn builder() -> HyperTransportBuilder {
        HyperTransportBuilder {
            roots: Roots::default(),
            tls: TlsOptions::default(),
            connect: None,
            connect_timeout: CONNECT_TIMEOUT,
            limits: PoolLimits { idle_timeout: Duration::from_secs(50), max_idle: MAX_CONNECTIONS },
            max_connections: MAX_CONNECTIONS,
            fresh_for_writes: false,
            #[cfg(feature = "http2")]
            http2: false,
        }
    }
}

impl HyperTransportBuilder {
    /// Trusted certificate authorities. Without any, only `http://` addresses work.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }
    /// Additional TLS requirements, such as a pinned key. Default: none.
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.tls = options;
        self
    }
    /// How TCP connections are made: through a proxy, from a local address, over a custom stream. TLS
    /// and connection pooling are on top of it. Default: the proxy variables of the process environment
    /// ([`Connector::from_env`](bitmart_net::Connector::from_env)).
    pub fn connector(mut self, connector: impl Connect) -> Self {
        self.connect = Some(Arc::new(connector));
        self
    }
    pub(crate) fn shared_connector(mut self, connect: Option<Arc<dyn Connect>>) -> Self {
        self.connect = connect;
        self
    }
    /// Timeout for opening a connection: name lookup, TCP and TLS together. Default: 3 seconds.
    ///
    /// Keep it below the client's timeout, so that a request that fails while connecting is certainly
    /// not sent, and well below the `recvWindow` of requests, 5 seconds by default, because requests are
    /// signed before their connection is opened. Over HTTP/2 a request may wait for the same time again
    /// while another request opens the connection.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }
    /// How long an idle connection is kept for reuse. Default: 50 seconds.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.limits.idle_timeout = limit;
        self
    }
    /// Maximum number of idle connections per host. Default: 128.
    pub fn max_idle_per_host(mut self, limit: usize) -> Self {
        self.limits.max_idle = limit;
        self
    }
    /// Maximum number of requests in flight per host, and so of open connections; more requests wait
    /// before they are signed. At least 1. Default: 128. The wait counts toward the client's timeout:
    /// see [`reserve`](Transport::reserve). With HTTP/2 on, where requests share one connection, at most 100.
    ///
    /// The limit is enforced by [`reserve`](Transport::reserve), which the client calls before each
    /// request. Direct callers of [`send`](Transport::send) do the same.
    pub fn max_connections_per_host(mut self, limit: usize) -> Self {
        self.max_connections = limit;
        self
    }
    /// Opens a new HTTP/1.1 connection for every `POST`, which all requests with an effect are, and
    /// closes it after the response. Costs a TCP and a TLS handshake for each. Default: off.
    pub fn fresh_connection_for_writes(mut self, on: bool) -> Self {
        self.fresh_for_writes = on;
        self
    }
    /// Uses HTTP/2 with servers that support it: all requests to a host share one connection. Default:
    /// off.
    #[cfg(feature = "http2")]
    pub fn http2(mut self, on: bool) -> Self {
        self.http2 = on;
        self
    }
    /// Builds the transport. No connection is opened yet.
    ///
    /// # Errors
    /// The certificate authorities are invalid, or a proxy variable of the process environment is.
    pub fn build(self) -> Result<HyperTransport, ConfigError> {
        #[cfg(feature = "http2")]
        let protocols: &[&[u8]] = if self.http2 { &[b"h2", b"http/1.1"] } else { &[b"http/1.1"] };
        #[cfg(not(feature = "http2"))]
        let protocols: &[&[u8]] = &[b"http/1.1"];

        let tls = if self.roots == Roots::none() {
            None
        } else {
            let config = self.tls.client_config(&self.roots, protocols);
            let config = config
                .map_err(|source| ConfigError::new("roots", "are unusable").with_source(source))?;
            Some(config)
        };
        let connect = match self.connect {
            Some(connect) => connect,
            None => Arc::new(NetConnector::from_env().map_err(|source| {
                ConfigError::new(
                    "connector",
                    "is set by an invalid variable of the process environment",
                )
                .with_source(source)
            })?),
        };
        let connector = Connector::new(connect, tls, self.connect_timeout);
        #[cfg(feature = "http2")]
        let connector = connector.http2(self.http2);
        #[cfg(feature = "http2")]
        let max_connections =
            if self.http2 { self.max_connections.min(MAX_STREAMS) } else { self.max_connections };
        #[cfg(not(feature = "http2"))]
        let max_connections = self.max_connections;
        Ok(HyperTransport(Arc::new(Shared {
            connector,
            pool: Pool::new(self.limits),
            host_limits: HostLimits::new(max_connections),
            fresh_for_writes: self.fresh_for_writes,
            #[cfg(feature = "http2")]
            openings: Openings::new(self.connect_timeout),
        })))
    }
}

impl Transport for HyperTransport {
    fn send(&self, request: Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(send(&self.0, request))
    }
    fn reserve<'a>(&'a self, host: &'a http::uri::Authority) -> ReservationFuture<'a> {
        Box::pin(self.0.host_limits.reserve(host))
    }
}

async fn send(
    shared: &Arc<Shared>,
    request: Request<Bytes>,
) -> Result<Response<Body>, TransportError> {
    let (origin, mut request) = split(request)?;
    #[cfg(feature = "testing")]
    if let Some(probe) = request.extensions().get::<ReservationProbe>()
        && !shared.host_limits.is_reserved(&origin.authority)
    {
        probe.report_missing();
    }
    let exclusive = shared.fresh_for_writes && request.method() == Method::POST;
    loop {
        let (mut connection, is_fresh) = shared.connection(&origin, exclusive).await?;
        let mut watch = (!is_fresh).then(|| ReusedConnection::new(shared, &origin));
        let sent = connection.send(&origin, request).await;
        if let (Ok(_), Some(watch)) = (&sent, watch.take()) {
            watch.responded();
        }
        match sent {
            Ok(response) => {
                return Ok(response.map(|incoming| {
                    let shared = Arc::clone(shared);
                    Body::chunks(ResponseBody::new(incoming, connection, origin, shared, exclusive))
                }));
            }
            Err(mut error) => match error.take_message() {
                // No byte was written, so sending it on another connection is not a retry.
                Some(unwritten) if !is_fresh => {
                    warn_about_extra_response(error.error());
                    request = unwritten;
                }
                Some(_) => {
                    return Err(TransportError::not_sent(TransportErrorKind::Interrupted)
                        .with_source(error.into_error()));
                }
                None => {
                    let error = error.into_error();
                    let kind = if is_head_too_large(&error) {
                        TransportErrorKind::HeadTooLarge
                    } else {
                        TransportErrorKind::Interrupted
                    };
                    return Err(TransportError::maybe_sent(kind).with_source(error));
                }
            },
        }
    }
}

/// Tokio's clock, which tests can pause.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// hyper reads at most 100 headers and about 400 KB. It identifies this error by its text only.
fn is_head_too_large(error: &hyper::Error) -> bool {
    error.is_parse() && error.to_string().contains("head is too large")
}

impl Shared {
    /// An idle or a new connection, and whether it is new.
    ///
    /// With `exclusive`, no other HTTP/1.1 request was or will be sent on it.
    async fn connection(
        &self,
        origin: &Origin,
        exclusive: bool,
    ) -> Result<(Connection, bool), TransportError> {
        if let Some(connection) = self.idle(origin, exclusive).await {
            return Ok((connection, false));
        }
        #[cfg(feature = "http2")]
        if self.connector.http2 {
            let mut turn = self.openings.turn(origin).await?;
            if let Some(connection) = self.idle(origin, exclusive).await {
                return Ok((connection, false));
            }
            turn.check()?;
            if !turn.is_http1() {
                let opened = Box::pin(self.open(origin)).await;
                let is_shared = opened.as_ref().map(|(connection, _)| connection.share().is_some());
                turn.ended(is_shared);
                return opened;
            }
        }
        // Boxed, so that a request on an open connection does not move this state around.
        Box::pin(self.open(origin)).await
    }

    async fn idle(&self, origin: &Origin, exclusive: bool) -> Option<Connection> {
        while let Some(mut connection) = self.pool.take(origin, now(), exclusive) {
            if connection.ready().await {
                return Some(connection);
            }
        }
        None
    }

    async fn open(&self, origin: &Origin) -> Result<(Connection, bool), TransportError> {
        let connection = self.connector.connect(origin).await;
        connection_attempt(connection.as_ref().err());
        let connection = connection?;
        if let Some(shared) = connection.share() {
            self.pool.put(origin, shared, now());
        }
        Ok((connection, true))
    }
}

/// Splits the URI of `request` into the origin, and a request with path and query.
fn split(request: Request<Bytes>) -> Result<(Origin, Request<Full<Bytes>>), TransportError> {
    let mut request = request.map(Full::new);
    let address = std::mem::take(request.uri_mut()).into_parts();
    let (Some(scheme), Some(authority), Some(path)) =
        (address.scheme, address.authority, address.path_and_query)
    else {
        let error = TransportError::not_sent(TransportErrorKind::Other);
        return Err(error.with_source("the request has no absolute address"));
    };
    *request.uri_mut() = path.into();
    Ok((Origin { scheme, authority }, request))
}

impl fmt::Debug for HyperTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransportBuilder")
            .field("roots", &self.roots)
            .field("tls", &self.tls)
            .field("own_connector", &self.connect.is_some())
            .field("connect_timeout", &self.connect_timeout)
            .field("limits", &self.limits)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").finish_non_exhaustive()
    }
}
