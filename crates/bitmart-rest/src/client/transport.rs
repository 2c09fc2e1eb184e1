//! The seam to an HTTP stack: bring your own, or use the one behind the `client` feature.

#[cfg(feature = "client")]
mod connect;
mod from_fn;
#[cfg(feature = "client")]
mod hyper_rustls;
#[cfg(feature = "http2")]
mod opening;
#[cfg(feature = "client")]
mod places;
#[cfg(feature = "client")]
mod pool;
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
pub use self::places::Reservation;
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub use self::service::{ServiceTransport, from_service};

/// Pieces of a body that are read before the task gives way to others, deadlines among them. A body
/// whose pieces are always there, even empty ones, cannot keep a deadline from passing.
const PIECES_AT_ONCE: usize = 64;

/// What [`Transport::send`] returns.
pub type TransportFuture<'a> =
    Pin<Box<dyn Future<Output = Result<http::Response<Body>, TransportError>> + Send + 'a>>;

/// Sends one HTTP request and returns its answer: the seam to any HTTP stack.
///
/// The rules that an implementation must keep, because money depends on them:
/// - One call sends the request at most once. No retry after the first byte may have left, no
///   redirects.
/// - The bytes of the body are signed: send them as they are.
/// - The answer's body is handed out as it arrived: the client inflates it, within its size limit.
/// - An error says whether the request may have left this machine. When in doubt, it may have.
/// - Dropping the future or the [`Body`] abandons the request; a connection with a half-read
///   answer is not used again.
///
/// Time limit and size limit are not the transport's business: the client drops the future when
/// the deadline has passed, and the body when it grows beyond the cap. A transport may have tighter
/// limits of its own, such as a limit for connecting, which lets it report *not sent* for sure.
///
/// The client that calls it needs a tokio runtime with time enabled in any case, and panics outside of one:
/// its deadlines and waits are tokio's. A transport that runs elsewhere answers through a channel.
///
/// The request has an absolute address. The answer is returned whatever its status: only
/// transport faults are errors.
///
/// ```
/// use bitmart_rest::bytes::Bytes;
/// use bitmart_rest::http;
/// use bitmart_rest::transport::{Body, Transport, TransportFuture};
///
/// /// Answers every request with the same bytes.
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
    /// When no answer's head arrived. The error must not claim *not sent* unless that is certain.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the request; the server may have received it.
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_>;

    /// Waits until there is room for one more request to `host`. The client asks before it signs a
    /// request, so that the signature does not age in a queue, and holds what it gets until the
    /// response was read. The wait counts against the client's time limit; a request that got no
    /// room in nine tenths of it was not sent. By default there is always room.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue.
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

/// The body of an answer as it arrives, piece by piece.
pub trait Chunks: Send {
    /// The next piece, or `None` at the end. Not called again after the end or an error.
    fn poll_chunk(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>>;
}

/// The body of an answer: whole, or still arriving.
///
/// Hand out the stream of a large answer rather than collecting it, so that the client can refuse
/// it at its size limit.
pub struct Body(Inner);

enum Inner {
    Whole(Bytes),
    Chunks(Pin<Box<dyn Chunks>>),
}

impl Body {
    /// A body that is still arriving.
    pub fn chunks(chunks: impl Chunks + 'static) -> Self {
        Self(Inner::Chunks(Box::pin(chunks)))
    }

    /// Reads all of the body, `limit` bytes at most.
    ///
    /// # Errors
    /// [`TransportErrorKind::BodyTooLarge`] beyond the limit; what the transport reports while
    /// reading. The request has been sent in either case.
    ///
    /// # Cancel safety
    /// Dropping the future drops what was read and abandons the rest.
    pub async fn collect(self, limit: usize) -> Result<Bytes, TransportError> {
        let mut chunks = match self.0 {
            Inner::Whole(bytes) if bytes.len() > limit => return Err(too_large(limit)),
            Inner::Whole(bytes) => return Ok(bytes),
            Inner::Chunks(chunks) => chunks,
        };
        // Most answers arrive in one piece, which needs no copy.
        let mut first = Bytes::new();
        let mut rest = Vec::new();
        let mut pieces = 0;
        while let Some(chunk) = poll_fn(|cx| chunks.as_mut().poll_chunk(cx)).await {
            pieces += 1;
            if pieces % PIECES_AT_ONCE == 0 {
                give_way().await;
            }
            let chunk = chunk.map_err(TransportError::sent)?;
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
        Self(Inner::Whole(bytes))
    }
}

/// Shows the size only.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Whole(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Inner::Chunks(_) => f.write_str("Body(arriving)"),
        }
    }
}

/// Lets the executor look at other tasks and at timers before it goes on.
async fn give_way() {
    let mut gave_way = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut gave_way, true) {
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

/// Where a transport failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The host was not found or did not accept the connection.
    Connect,
    /// The TLS handshake failed, for example because of an unknown certificate authority.
    Tls,
    /// A time limit passed.
    Timeout,
    /// The connection ended before the answer was complete.
    Interrupted,
    /// The answer is larger than the limit, as it arrived or inflated.
    BodyTooLarge,
    /// The answer has more headers than can be read, which are 100, or its head is too long.
    HeadTooLarge,
    /// Something else.
    Other,
}

impl TransportErrorKind {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Connect => "could not connect",
            Self::Tls => "the TLS handshake failed",
            Self::Timeout => "the time limit passed",
            Self::Interrupted => "the connection ended before the answer was complete",
            Self::BodyTooLarge => "the answer is too large",
            Self::HeadTooLarge => "the answer has more than 100 headers or too long a head",
            Self::Other => "the transport failed",
        }
    }
}

/// A request that a transport could not carry out, and whether it may have left this machine.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    may_have_been_sent: bool,
    source: Option<BoxError>,
}

impl TransportError {
    /// Not one byte of the request left this machine.
    pub fn not_sent(kind: TransportErrorKind) -> Self {
        Self { kind, may_have_been_sent: false, source: None }
    }
    /// The request may have arrived. Use this whenever the contrary is not certain.
    pub fn maybe_sent(kind: TransportErrorKind) -> Self {
        Self { kind, may_have_been_sent: true, source: None }
    }
    /// Keeps the error below.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
    /// Where it failed.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }
    /// Whether the request could have left this machine.
    pub fn may_have_been_sent(&self) -> bool {
        self.may_have_been_sent
    }
    pub(crate) fn into_source(self) -> Option<BoxError> {
        self.source
    }
    /// An answer began to arrive, whatever the transport says.
    fn sent(mut self) -> Self {
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
