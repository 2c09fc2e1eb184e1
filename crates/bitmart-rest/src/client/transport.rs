//! The interface to an HTTP stack. The `client` feature contains one with hyper and rustls.

#[cfg(feature = "client")]
mod connect;
mod from_fn;
#[cfg(feature = "client")]
mod hyper_rustls;
#[cfg(feature = "http2")]
mod opening;
#[cfg(feature = "client")]
mod pool;
#[cfg(feature = "client")]
mod reservation;
#[cfg(feature = "tower")]
mod service;
#[cfg(feature = "client")]
mod socket;

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::error::BoxError;

pub use self::from_fn::{FromFn, from_fn};
#[cfg(feature = "client")]
pub(crate) use self::hyper_rustls::CONNECT_TIMEOUT;
#[cfg(feature = "client")]
pub use self::hyper_rustls::{HyperTransport, HyperTransportBuilder};
#[cfg(feature = "client")]
pub use self::reservation::Reservation;
#[cfg(feature = "testing")]
pub(crate) use self::reservation::ReservationProbe;
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub use self::service::{ServiceTransport, from_service};

/// Chunks of a body that are read before the task yields. Without it, a body whose chunks are always
/// ready, even empty ones, could keep the deadline from firing.
const CHUNKS_BEFORE_YIELD: usize = 64;

/// What [`Transport::send`] returns.
pub type TransportFuture<'a> =
    Pin<Box<dyn Future<Output = Result<http::Response<Body>, TransportError>> + Send + 'a>>;

/// Sends one HTTP request and returns its response.
///
/// An implementation must follow these rules, because money depends on them:
/// - One call sends the request at most once: no retry after the first byte may have been sent, no
///   redirects.
/// - The body is signed: send its bytes unchanged.
/// - The response body is returned as received: the client inflates it, within its size limit.
/// - An error reports whether the request may have been sent. When in doubt, it may have been.
/// - Dropping the future or the [`Body`] abandons the request; a connection with a partly read response
///   is not reused.
///
/// The client enforces deadline and size limit: it drops the future when the deadline has passed, and
/// the body when it grows too large. A transport may have stricter limits, such as a connect timeout,
/// which allows it to report *not sent* with certainty.
///
/// The client always needs a tokio runtime with time enabled, and panics outside of one. A transport
/// that runs on another runtime can pass responses through a channel.
///
/// The request has an absolute URI. A response is returned whatever its status: only transport failures
/// are errors.
///
/// ```
/// use bitmart_rest::bytes::Bytes;
/// use bitmart_rest::http;
/// use bitmart_rest::transport::{Body, Transport, TransportFuture};
///
/// /// Responds to every request with the same bytes.
/// struct Canned(&'static str);
///
/// impl Transport for Canned {
///     fn send(&self, _request: http::Request<Bytes>) -> TransportFuture<'_> {
///         Box::pin(async { Ok(http::Response::new(Body::from(Bytes::from(self.0)))) })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a transport",
    label = "expected a `Transport`",
    note = "`transport::from_fn` makes one of an async function",
    note = "with the feature `tower`, `transport::from_service` makes one of a `tower::Service`"
)]
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` once.
    ///
    /// # Errors
    /// The head of a response was not received. The error must not claim *not sent* unless that is
    /// certain.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the request; the server may have received it.
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_>;

    /// Waits until one more request to `host` is allowed. The client calls it before signing a request,
    /// so that the signature does not age in a queue, and holds the reservation until the response was
    /// read. The wait counts toward the client's timeout. The request fails as not sent after nine tenths of
    /// what the connect timeout leaves of it: 6.3 of 10 seconds by default. The connect timeout is that of
    /// [`ClientBuilder::connect_timeout`](super::ClientBuilder::connect_timeout): set it there as well if the
    /// transport has one of its own. The default implementation never waits.
    ///
    /// **A transport that wraps another one must forward this call.** Otherwise the limit of the inner
    /// transport is not kept, or requests wait inside [`send`](Self::send), after they were signed.
    /// `testing::transport_conformance` detects a missing call if the inner transport is a
    /// `HyperTransport`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the queue.
    #[cfg(feature = "client")]
    fn reserve<'a>(&'a self, host: &'a http::uri::Authority) -> ReservationFuture<'a> {
        let _ = host;
        Box::pin(std::future::ready(Reservation::unlimited()))
    }
}

/// What [`Transport::reserve`] returns.
#[cfg(feature = "client")]
pub type ReservationFuture<'a> = Pin<Box<dyn Future<Output = Reservation> + Send + 'a>>;

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        (**self).send(request)
    }
    #[cfg(feature = "client")]
    fn reserve<'a>(&'a self, host: &'a http::uri::Authority) -> ReservationFuture<'a> {
        (**self).reserve(host)
    }
}

/// The body of a response that is still being received.
pub trait Chunks: Send {
    /// The next chunk, or `None` at the end. Not called again after the end or an error.
    fn poll_chunk(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>>;
}

/// The body of a response: complete, or a stream of chunks.
///
/// Return the stream of a large response rather than collecting it, so that the client can stop at its
/// size limit.
pub struct Body(Inner);

enum Inner {
    Complete(Bytes),
    Chunks(Pin<Box<dyn Chunks>>),
}

impl Body {
    /// A body that is still being received.
    pub fn chunks(chunks: impl Chunks + 'static) -> Self {
        Self(Inner::Chunks(Box::pin(chunks)))
    }

    /// Reads the complete body, `limit` bytes at most.
    ///
    /// # Errors
    /// [`TransportErrorKind::BodyTooLarge`] beyond the limit, or an error of the transport while
    /// reading. The request was sent in either case.
    ///
    /// # Cancel safety
    /// Dropping the future discards the body.
    pub async fn collect(self, limit: usize) -> Result<Bytes, TransportError> {
        let mut chunks = match self.0 {
            Inner::Complete(bytes) if bytes.len() > limit => return Err(too_large(limit)),
            Inner::Complete(bytes) => return Ok(bytes),
            Inner::Chunks(chunks) => chunks,
        };
        // Most responses have a single chunk, which needs no copy.
        let mut first = Bytes::new();
        let mut rest = Vec::new();
        let mut count = 0;
        while let Some(chunk) = poll_fn(|cx| chunks.as_mut().poll_chunk(cx)).await {
            count += 1;
            if count % CHUNKS_BEFORE_YIELD == 0 {
                yield_now().await;
            }
            // The response has begun, so the request was sent, whatever the transport says.
            let chunk = chunk.map_err(TransportError::into_maybe_sent)?;
            if first.len().max(rest.len()) + chunk.len() > limit {
                return Err(too_large(limit));
            }
            if first.is_empty() && rest.is_empty() {
                first = chunk;
            } else {
                if rest.is_empty() {
                    rest.extend_from_slice(&first);
                }
                rest.extend_from_slice(&chunk);
            }
        }
        Ok(if rest.is_empty() { first } else { rest.into() })
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Inner::Complete(bytes))
    }
}

/// Shows the size only.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Complete(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Inner::Chunks(_) => f.write_str("Body(stream)"),
        }
    }
}

/// Lets the executor run other tasks and timers. Without tokio, which is not needed without the client.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(crate) fn too_large(limit: usize) -> TransportError {
    TransportError::maybe_sent(TransportErrorKind::BodyTooLarge).with_source(OverLimit(limit))
}

/// A body beyond the limit, in bytes.
#[derive(Debug)]
struct OverLimit(usize);

impl fmt::Display for OverLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the limit is {} bytes", self.0)
    }
}

impl std::error::Error for OverLimit {}

/// The kinds of [`TransportError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The host was not found or did not accept the connection.
    Connect,
    /// The TLS handshake failed, for example because of an unknown certificate authority.
    Tls,
    /// A timeout elapsed.
    Timeout,
    /// The connection ended before the response was complete.
    Interrupted,
    /// The response is larger than the limit, compressed or inflated.
    BodyTooLarge,
    /// The response has more than 100 headers, or its head is too long.
    HeadTooLarge,
    /// Something else.
    Other,
}

impl TransportErrorKind {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Connect => "could not connect",
            Self::Tls => "the TLS handshake failed",
            Self::Timeout => "the request timed out",
            Self::Interrupted => "the connection ended before the response was complete",
            Self::BodyTooLarge => "the response is too large",
            Self::HeadTooLarge => "the response has more than 100 headers or too long a head",
            Self::Other => "the transport failed",
        }
    }
}

/// The error of a transport, and whether the request may have been sent.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    may_have_been_sent: bool,
    source: Option<BoxError>,
}

impl TransportError {
    /// No byte of the request was sent.
    pub fn not_sent(kind: TransportErrorKind) -> Self {
        Self { kind, may_have_been_sent: false, source: None }
    }
    /// The request may have been sent. Use this unless the opposite is certain.
    pub fn maybe_sent(kind: TransportErrorKind) -> Self {
        Self { kind, may_have_been_sent: true, source: None }
    }
    /// Adds the underlying error.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
    /// The kind of the error.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }
    /// Whether the request may have been sent.
    pub fn may_have_been_sent(&self) -> bool {
        self.may_have_been_sent
    }
    pub(crate) fn into_source(self) -> Option<BoxError> {
        self.source
    }
    /// Changes *not sent* to *may have been sent*.
    fn into_maybe_sent(mut self) -> Self {
        self.may_have_been_sent = true;
        self
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.text())
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
