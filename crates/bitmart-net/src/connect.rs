//! The [`Connect`] trait.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::{ConnectError, Stream, Target};

/// The future returned by [`Connect::connect`].
pub type ConnectFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Stream, ConnectError>> + Send + 'a>>;

/// Opens byte streams to hosts. The clients speak TLS, HTTP and WebSocket over them.
///
/// # Contract
/// A violation can duplicate an order or attribute a response to the wrong request. An implementation
/// must ensure that:
/// - Each call opens a new stream. A stream is never returned twice, not even after its first use:
///   the client does the pooling, because it knows when a stream can be reused.
/// - Bytes from the client are sent exactly once, in order and unchanged, and nothing else is sent.
/// - Bytes from the host are returned exactly once, in order and unchanged, without bytes of another
///   or an earlier stream.
/// - A read returns what has arrived without delay. If a stream held bytes back, an extra response
///   could be taken for the response to the next request. (For a TCP or Unix stream that is passed to
///   [`Stream::new`] unwrapped, the client also checks with the operating system.)
/// - End of stream from the host is end of stream for the reader, and dropping the stream closes it.
/// - On an error, no byte of the client has been sent. The error names the hop that failed.
///
/// The client has its own timeout and passes it as [`Target::timeout`]. The feature `testing` contains
/// a conformance test for implementations.
pub trait Connect: Send + Sync + 'static {
    /// Opens a stream to `target`.
    ///
    /// # Errors
    /// The connection could not be opened. Nothing has been sent.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the attempt.
    fn connect<'a>(&'a self, target: &'a Target) -> ConnectFuture<'a>;
}

impl<T: Connect + ?Sized> Connect for Arc<T> {
    fn connect<'a>(&'a self, target: &'a Target) -> ConnectFuture<'a> {
        (**self).connect(target)
    }
}

impl<T: Connect + ?Sized> Connect for Box<T> {
    fn connect<'a>(&'a self, target: &'a Target) -> ConnectFuture<'a> {
        (**self).connect(target)
    }
}

/// Creates a [`Connect`] from a closure.
///
/// ```
/// use bitmart_net::{ConnectError, Stream, from_fn};
///
/// let (client, server) = tokio::io::duplex(4096);
/// let slot = std::sync::Mutex::new(Some(client));
/// let in_memory = from_fn(move |_target| {
///     let stream = slot.lock().ok().and_then(|mut slot| slot.take());
///     async move { stream.map(Stream::new).ok_or_else(|| ConnectError::other("used up")) }
/// });
/// # drop((in_memory, server));
/// ```
pub fn from_fn<F, Fut>(open: F) -> impl Connect
where
    F: Fn(Target) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Stream, ConnectError>> + Send + 'static,
{
    FromFn(open)
}

struct FromFn<F>(F);

impl<F, Fut> Connect for FromFn<F>
where
    F: Fn(Target) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Stream, ConnectError>> + Send + 'static,
{
    fn connect<'a>(&'a self, target: &'a Target) -> ConnectFuture<'a> {
        Box::pin((self.0)(target.clone()))
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromFn")
    }
}
