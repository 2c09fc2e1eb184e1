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

/// A host with its port and whether it speaks TLS.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
}

/// Opens connections.
pub(super) struct Connector {
    http: Dial,
    /// `None` when no certificate authority is trusted.
    https: Option<HttpsConnector<Dial>>,
    /// Limit for name, TCP and TLS together.
    timeout: Duration,
    /// Whether to speak HTTP/2 where the server can.
    #[cfg(feature = "http2")]
    pub(super) http2: bool,
}

/// The sending half of an open connection. A task of its own drives the socket and ends with it.
pub(super) enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>, Idle),
    #[cfg(feature = "http2")]
    Http2(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

impl Connector {
    /// Speaks TLS only if there is a configuration for it.
    pub(super) fn new(
        connect: Arc<dyn Connect>,
        tls: Option<ClientConfig>,
        timeout: Duration,
    ) -> Self {
        // A little less than all: the connector can tell which hop took too long.
        let http = Dial::new(connect, timeout * 9 / 10);
        let https = tls.map(|config| HttpsConnector::from((http.clone(), config)));
        Self {
            http,
            https,
            timeout,
            #[cfg(feature = "http2")]
            http2: false,
        }
    }

    /// Whether to speak HTTP/2 where the server can.
    #[cfg(feature = "http2")]
    pub(super) fn http2(self, http2: bool) -> Self {
        Self { http2, ..self }
    }

    /// Opens a connection. Nothing of a request has left this machine when it fails.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<Connection, TransportError> {
        tokio::time::timeout(self.timeout, self.open(origin))
            .await
            .unwrap_or_else(|_| Err(TransportError::not_sent(TransportErrorKind::Timeout)))
    }

    async fn open(&self, origin: &Origin) -> Result<Connection, TransportError> {
        let address = origin.uri(PathAndQuery::from_static("/"));
        if origin.scheme != Scheme::HTTPS {
            let stream = call(self.http.clone(), address).await.map_err(unreached)?;
            return self.speak(stream.into()).await;
        }
        let https = self.https.clone().ok_or_else(|| {
            TransportError::not_sent(TransportErrorKind::Tls)
                .with_source("the environment trusts no certificate authority")
        })?;
        let stream = call(https, address).await.map_err(|error| {
            // The handshake fails with an error of the stream, the connector with one of its own.
            match error.downcast::<ConnectError>() {
                Ok(error) => unreached(*error),
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
        self.speak(stream).await
    }

    /// Starts HTTP on `stream`. On a plain connection HTTP/2 is used without being negotiated.
    async fn speak(&self, stream: Stream) -> Result<Connection, TransportError> {
        let failed = |error: hyper::Error| {
            TransportError::not_sent(TransportErrorKind::Connect).with_source(error)
        };
        #[cfg(feature = "http2")]
        if self.http2 && speaks_http2(&stream) {
            use hyper::client::conn::http2;
            use hyper_util::rt::{TokioExecutor, TokioTimer};

            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .handshake(stream)
                .await
                .map_err(failed)?;
            // How the connection ends is reported to the requests on it.
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
                warn_of_surplus(&error);
            }
            open.closed();
        });
        Ok(Connection::Http1(sender, idle))
    }
}

/// There is no stream to the host.
fn unreached(error: ConnectError) -> TransportError {
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

/// Says so when a server sent more than it was asked for. The bytes were not used, but a server that
/// does that may have mixed up earlier responses as well. hyper tells this error by its text alone.
pub(super) fn warn_of_surplus(error: &(dyn std::error::Error + 'static)) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("unexpected message") {
            observe::surplus();
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
    /// The absolute address of `path` here.
    fn uri(&self, path: PathAndQuery) -> Uri {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        // All three parts are there, which is all that an address asks for.
        Uri::from_parts(parts).unwrap_or_default()
    }
}

impl Connection {
    /// Whether the connection is known to have ended.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender, _) => sender.is_closed(),
            #[cfg(feature = "http2")]
            Self::Http2(sender) => sender.is_closed(),
        }
    }
    /// Notes that the last response was read to its end.
    pub(super) fn rest(&self) {
        match self {
            Self::Http1(_, idle) => idle.set(true),
            #[cfg(feature = "http2")]
            Self::Http2(_) => {}
        }
    }
    /// Waits until the answer before is done with. False if the connection ended instead.
    pub(super) async fn ready(&mut self) -> bool {
        match self {
            Self::Http1(sender, idle) => {
                idle.listen().await;
                sender.ready().await.is_ok()
            }
            #[cfg(feature = "http2")]
            Self::Http2(sender) => sender.ready().await.is_ok(),
        }
    }
    /// Another handle to the connection, if it carries several requests at once.
    pub(super) fn share(&self) -> Option<Self> {
        match self {
            Self::Http1(..) => None,
            #[cfg(feature = "http2")]
            Self::Http2(sender) => Some(Self::Http2(sender.clone())),
        }
    }
    /// Sends the request, whose address is path and query only, and waits for the head of the
    /// answer. The error hands the request back if not one byte of it was written.
    pub(super) async fn send(
        &mut self,
        origin: &Origin,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>> {
        match self {
            Self::Http1(sender, _) => {
                // An authority is always fit for a header.
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
