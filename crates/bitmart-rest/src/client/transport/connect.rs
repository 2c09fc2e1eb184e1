//! Opening a connection: name, TCP, TLS, HTTP.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bitmart_net::{Connect, ConnectError, ConnectErrorKind};
use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tower_service::Service;

use super::socket::{Dial, Idle, Socket};
use super::{TransportError, TransportErrorKind};
use crate::client::observe::{self, OpenConnection};

type Stream = MaybeHttpsStream<TokioIo<Socket>>;

/// While requests wait for responses, an HTTP/2 connection on which nothing arrived for this long is checked.
#[cfg(feature = "http2")]
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(2);

/// How long the response to such a check may take, before the connection counts as dead.
#[cfg(feature = "http2")]
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(3);

/// A host with its port and whether it speaks TLS.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
}

/// Opens connections.
pub(super) struct Connector {
    http: Dial,
    /// `None` if no certificate authority is trusted.
    https: Option<HttpsConnector<Dial>>,
    /// Timeout for name lookup, TCP and TLS together.
    timeout: Duration,
    /// Whether to use HTTP/2 if the server supports it.
    #[cfg(feature = "http2")]
    pub(super) http2: bool,
}

/// The sending half of an open connection. A separate task drives the socket until it closes.
pub(super) enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>, Idle),
    #[cfg(feature = "http2")]
    Http2(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

impl Connector {
    /// Uses TLS only if `tls` is set.
    pub(super) fn new(
        connect: Arc<dyn Connect>,
        tls: Option<ClientConfig>,
        timeout: Duration,
    ) -> Self {
        // Slightly shorter than the timeout, so that the connector can name the hop that timed out.
        let http = Dial::new(connect, timeout / 10 * 9);
        let https = tls.map(|config| HttpsConnector::from((http.clone(), config)));
        Self {
            http,
            https,
            timeout,
            #[cfg(feature = "http2")]
            http2: false,
        }
    }

    /// Whether to use HTTP/2 if the server supports it.
    #[cfg(feature = "http2")]
    pub(super) fn http2(self, http2: bool) -> Self {
        Self { http2, ..self }
    }

    /// Opens a connection. If it fails, nothing was sent.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<Connection, TransportError> {
        tokio::time::timeout(self.timeout, self.open(origin))
            .await
            .unwrap_or_else(|_| Err(TransportError::not_sent(TransportErrorKind::Timeout)))
    }

    async fn open(&self, origin: &Origin) -> Result<Connection, TransportError> {
        let address = origin.uri(PathAndQuery::from_static("/"));
        if origin.scheme != Scheme::HTTPS {
            let stream = call(self.http.clone(), address).await.map_err(connect_error)?;
            return self.handshake(stream.into()).await;
        }
        let https = self.https.clone().ok_or_else(|| {
            TransportError::not_sent(TransportErrorKind::Tls)
                .with_source("the environment trusts no certificate authority")
        })?;
        let stream = call(https, address).await.map_err(|error| {
            // The handshake fails with an error of the stream, the connector with one of its own.
            match error.downcast::<ConnectError>() {
                Ok(error) => connect_error(*error),
                Err(error) => {
                    let handshake = error.is::<io::Error>();
                    let kind = if handshake {
                        TransportErrorKind::Tls
                    } else {
                        TransportErrorKind::Connect
                    };
                    TransportError::not_sent(kind).with_source(error)
                }
            }
        })?;
        self.handshake(stream).await
    }

    /// Performs the HTTP handshake on `stream`. Without TLS, HTTP/2 is used with prior knowledge.
    async fn handshake(&self, stream: Stream) -> Result<Connection, TransportError> {
        let failed = |error: hyper::Error| {
            TransportError::not_sent(TransportErrorKind::Connect).with_source(error)
        };
        #[cfg(feature = "http2")]
        if self.http2 && speaks_http2(&stream) {
            use hyper::client::conn::http2;
            use hyper_util::rt::{TokioExecutor, TokioTimer};

            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                // On a connection whose peer has vanished, requests would get no response until the
                // system closes it, after about 15 minutes.
                .keep_alive_interval(HTTP2_PING_INTERVAL)
                .keep_alive_timeout(HTTP2_PING_TIMEOUT)
                .handshake(stream)
                .await
                .map_err(failed)?;
            // The requests on the connection report how it ends.
            let open = OpenConnection::new();
            tokio::spawn(async move {
                drop(connection.await);
                open.closed();
            });
            return Ok(Connection::Http2(sender));
        }
        let idle = idle(&stream);
        let (sender, connection) = http1::handshake(stream).await.map_err(failed)?;
        let open = OpenConnection::new();
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                warn_about_extra_response(&error);
            }
            open.closed();
        });
        Ok(Connection::Http1(sender, idle))
    }
}

/// The error for a failed connector: nothing was sent.
fn connect_error(error: ConnectError) -> TransportError {
    let kind = match error.kind() {
        ConnectErrorKind::Timeout => TransportErrorKind::Timeout,
        _ => TransportErrorKind::Connect,
    };
    TransportError::not_sent(kind).with_source(error)
}

fn idle(stream: &Stream) -> Idle {
    match stream {
        MaybeHttpsStream::Http(stream) => stream.inner().idle(),
        MaybeHttpsStream::Https(stream) => stream.inner().get_ref().0.inner().inner().idle(),
    }
}

/// Logs a warning if a server sent bytes beyond a response. The bytes were discarded, but such a server may
/// also have mixed up earlier responses. hyper identifies this error by its text only.
pub(super) fn warn_about_extra_response(error: &(dyn std::error::Error + 'static)) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("unexpected message") {
            observe::extra_response();
            return;
        }
        cause = error.source();
    }
}

async fn call<S: Service<Uri>>(mut connector: S, address: Uri) -> Result<S::Response, S::Error> {
    poll_fn(|cx| connector.poll_ready(cx)).await?;
    connector.call(address).await
}

#[cfg(feature = "http2")]
fn speaks_http2(stream: &Stream) -> bool {
    use hyper_util::client::legacy::connect::Connection as _;

    match stream {
        MaybeHttpsStream::Http(_) => true,
        MaybeHttpsStream::Https(_) => stream.connected().is_negotiated_h2(),
    }
}

impl Origin {
    /// The absolute URI of `path` at this origin.
    fn uri(&self, path: PathAndQuery) -> Uri {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        // A URI with all three parts is always valid.
        Uri::from_parts(parts).unwrap_or_default()
    }
}

impl Connection {
    /// Whether the connection is known to be closed.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender, _) => sender.is_closed(),
            #[cfg(feature = "http2")]
            Self::Http2(sender) => sender.is_closed(),
        }
    }
    /// Marks the connection as idle: its last response was read completely.
    pub(super) fn set_idle(&self) {
        match self {
            Self::Http1(_, idle) => idle.set(),
            #[cfg(feature = "http2")]
            Self::Http2(_) => {}
        }
    }
    /// Waits until the previous response was processed. Returns `false` if the connection was closed.
    pub(super) async fn ready(&mut self) -> bool {
        match self {
            Self::Http1(sender, idle) => {
                // TLS may have written on its own since the last response.
                idle.set();
                idle.process_notifications().await;
                sender.ready().await.is_ok()
            }
            #[cfg(feature = "http2")]
            Self::Http2(sender) => sender.ready().await.is_ok(),
        }
    }
    /// Another handle to the connection, if it is multiplexed.
    pub(super) fn share(&self) -> Option<Self> {
        match self {
            Self::Http1(..) => None,
            #[cfg(feature = "http2")]
            Self::Http2(sender) => Some(Self::Http2(sender.clone())),
        }
    }
    /// Sends the request, whose URI is path and query only, and waits for the head of the response. The
    /// error contains the request if no byte of it was written.
    pub(super) async fn send(
        &mut self,
        origin: &Origin,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>> {
        match self {
            Self::Http1(sender, _) => {
                // An authority is always a valid header value.
                if let Ok(host) = HeaderValue::from_str(origin.authority.as_str()) {
                    request.headers_mut().insert(HOST, host);
                }
                sender.try_send_request(request).await
            }
            #[cfg(feature = "http2")]
            Self::Http2(sender) => {
                let path = std::mem::take(request.uri_mut()).into_parts().path_and_query;
                *request.uri_mut() = origin.uri(path.unwrap_or(PathAndQuery::from_static("/")));
                request.headers_mut().remove(HOST);
                sender.try_send_request(request).await
            }
        }
    }
}
