//! The transport that the client uses by default: hyper and rustls.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bitmart_net::{Connect, Connector as ReadyMade, TlsOptions};
use bitmart_types::Roots;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};

use super::connect::warn_of_surplus;
use super::connect::{Connection, Connector, Origin};
#[cfg(feature = "http2")]
use super::opening::Openings;
use super::places::Places;
use super::pool::{Pool, PoolLimits};
use super::{
    Body, Chunks, ReservationFuture, Transport, TransportError, TransportErrorKind, TransportFuture,
};
use crate::ConfigError;
use crate::client::observe::connection_attempt;

/// Limit for opening a connection, unless it is set.
///
/// A request is signed with the time before its connection is opened, and the exchange refuses one
/// that is older than its `recvWindow`, 5 seconds by default. What is left is for the way there and
/// for a clock that is off.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Most requests in flight to one host, and so connections, unless it is set.
const MAX_CONNECTIONS: usize = 128;

/// hyper and rustls on tokio, with connections that are used again.
///
/// HTTP/1.1, one request at a time per connection, as many connections as there are requests in
/// flight, up to [a limit](HyperTransportBuilder::max_connections_per_host). Small answers come back sooner this way than over HTTP/2, which can be chosen for many
/// requests at once. A connection is used again only when its last answer was read to the end.
/// No request is written twice: if an idle connection turns out to have ended before the first byte
/// of a request was written, the request goes to another connection, otherwise it fails.
///
/// Over HTTP/1.1 a response does not say which request it answers: its place in the order does. A
/// server that sends one response too many would have it taken for the response to the next request.
/// Bytes that have arrived before a request is written, wherever they are held, therefore end the
/// connection, and the request goes to another. A server that sends the surplus response only after
/// the next request cannot be told from one that answers it: whoever wants to exclude that as well
/// gives each write [a connection of its own](HyperTransportBuilder::fresh_connection_for_writes).
#[derive(Clone)]
pub struct HyperTransport(Arc<Shared>);

struct Shared {
    connector: Connector,
    pool: Pool,
    places: Places,
    fresh_for_writes: bool,
    /// Keeps a burst of first requests from opening one shareable connection each.
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
    /// Certificate authorities to trust. Without any, only `http://` addresses work.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }
    /// What is asked of a server beyond a certificate of a trusted authority. Nothing by default.
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.tls = options;
        self
    }
    /// How hosts are reached: through a proxy, from a local address, over a stream of your own. TLS
    /// is spoken over it, and connections are pooled above it. By default as the environment's
    /// variables say ([`Connector::from_env`](bitmart_net::Connector::from_env)).
    pub fn connector(mut self, connector: impl Connect) -> Self {
        self.connect = Some(Arc::new(connector));
        self
    }
    pub(crate) fn shared_connector(mut self, connect: Option<Arc<dyn Connect>>) -> Self {
        self.connect = connect;
        self
    }
    /// Limit for opening a connection: name, TCP and TLS together. 3 seconds by default.
    ///
    /// Keep it below the client's time limit: a request that fails while connecting is known not to
    /// have been sent. Keep it well below the `recvWindow` of your requests too, which is 5 seconds
    /// unless it is set: a request carries the time at which it was signed, and that is before its
    /// connection is opened. Over HTTP/2 a request may wait as long again for a connection that
    /// another request opens.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }
    /// A connection that was idle for longer is not used again. 50 seconds by default.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.limits.idle_timeout = limit;
        self
    }
    /// Idle connections kept per host; those beyond are closed. 128 by default.
    pub fn max_idle_per_host(mut self, limit: usize) -> Self {
        self.limits.max_idle = limit;
        self
    }
    /// Requests in flight per host, and so open connections; a request beyond them waits for its turn
    /// before it is signed. At least 1; 128 by default. The wait counts against the client's time
    /// limit; a request that got no room in nine tenths of it was not sent. Over HTTP/2, where all
    /// share one connection, it is the number of requests.
    ///
    /// The client keeps this limit by [reserving](Transport::reserve) room; who calls
    /// [`send`](Transport::send) himself does the same.
    pub fn max_connections_per_host(mut self, limit: usize) -> Self {
        self.max_connections = limit;
        self
    }
    /// Opens a new HTTP/1.1 connection for every `POST`, which all requests with an effect are, and
    /// closes it after the response. Costs the time of a TCP and a TLS handshake for each. Off by
    /// default.
    pub fn fresh_connection_for_writes(mut self, on: bool) -> Self {
        self.fresh_for_writes = on;
        self
    }
    /// Speaks HTTP/2 with servers that can, all requests to a host over one connection.
    #[cfg(feature = "http2")]
    pub fn http2(mut self) -> Self {
        self.http2 = true;
        self
    }
    /// Builds the transport. No connection is opened yet.
    ///
    /// # Errors
    /// When the certificate authorities cannot be read, or a variable of the environment names a proxy
    /// that cannot be used.
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
            None => Arc::new(ReadyMade::from_env().map_err(|source| {
                ConfigError::new("connector", "follows a variable that is unfit")
                    .with_source(source)
            })?),
        };
        let connector = Connector::new(connect, tls, self.connect_timeout);
        #[cfg(feature = "http2")]
        let connector = connector.http2(self.http2);
        Ok(HyperTransport(Arc::new(Shared {
            connector,
            pool: Pool::new(self.limits),
            places: Places::new(self.max_connections),
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
        Box::pin(self.0.places.reserve(host))
    }
}

async fn send(
    shared: &Arc<Shared>,
    request: Request<Bytes>,
) -> Result<Response<Body>, TransportError> {
    let (origin, mut request) = split(request)?;
    let alone = shared.fresh_for_writes && request.method() == Method::POST;
    loop {
        let (mut connection, is_fresh) = shared.connection(&origin, alone).await?;
        match connection.send(&origin, request).await {
            Ok(response) => {
                return Ok(response.map(|incoming| {
                    Body::chunks(Arriving {
                        incoming,
                        lease: Some(Lease {
                            connection,
                            origin,
                            shared: Arc::clone(shared),
                            alone,
                        }),
                    })
                }));
            }
            Err(mut error) => match error.take_message() {
                // Not one byte was written: this is still the first time that it is sent.
                Some(unwritten) if !is_fresh => {
                    warn_of_surplus(error.error());
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

/// hyper reads a head of 100 headers and some 400 KB at most. It tells this error from other faults
/// of the protocol by its text alone.
fn is_head_too_large(error: &hyper::Error) -> bool {
    error.is_parse() && error.to_string().contains("head is too large")
}

impl Shared {
    /// A connection that waits, or a fresh one, and which it is.
    ///
    /// With `alone` no other HTTP/1.1 request was or will be sent on it.
    async fn connection(
        &self,
        origin: &Origin,
        alone: bool,
    ) -> Result<(Connection, bool), TransportError> {
        if let Some(connection) = self.waiting(origin, alone).await {
            return Ok((connection, false));
        }
        #[cfg(feature = "http2")]
        if self.connector.http2 {
            let mut turn = self.openings.turn(origin).await?;
            if let Some(connection) = self.waiting(origin, alone).await {
                return Ok((connection, false));
            }
            turn.check()?;
            let opened = self.open(origin).await;
            turn.ended(opened.as_ref().err());
            return opened;
        }
        self.open(origin).await
    }

    async fn waiting(&self, origin: &Origin, alone: bool) -> Option<Connection> {
        while let Some(mut connection) = self.pool.take(origin, Instant::now(), alone) {
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
            self.pool.put(origin, shared, Instant::now());
        }
        Ok((connection, true))
    }
}

/// Splits the address of `request` into where it goes and what is asked for there.
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

/// The connection that an answer arrives on.
struct Lease {
    connection: Connection,
    origin: Origin,
    shared: Arc<Shared>,
    /// It is not given back.
    alone: bool,
}

/// An answer's body. Gives the connection back at its end; dropped before, it closes it.
struct Arriving {
    incoming: Incoming,
    lease: Option<Lease>,
}

impl Chunks for Arriving {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        let this = &mut *self;
        loop {
            if this.incoming.is_end_stream() {
                this.give_back();
                return Poll::Ready(None);
            }
            match ready!(Pin::new(&mut this.incoming).poll_frame(cx)) {
                // Trailers carry nothing of interest.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Some(Err(error)) => {
                    this.lease = None;
                    let error = TransportError::maybe_sent(TransportErrorKind::Interrupted)
                        .with_source(error);
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    this.give_back();
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl Arriving {
    fn give_back(&mut self) {
        if let Some(lease) = self.lease.take()
            && lease.connection.share().is_none()
            && !lease.alone
        {
            lease.connection.rest();
            let pool = &lease.shared.pool;
            pool.put(&lease.origin, lease.connection, Instant::now());
        }
    }
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
