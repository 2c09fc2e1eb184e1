//! The seam: whoever opens byte streams implements it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::{ConnectError, Stream, Target};

/// What [`Connect::connect`] returns.
pub type ConnectFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Stream, ConnectError>> + Send + 'a>>;

/// Opens byte streams to hosts. TLS, HTTP and WebSocket are spoken over them by the clients.
///
/// The rules that an implementation must keep, because money depends on them:
/// - Each call opens a stream of its own. A stream is never handed out twice, neither at the same
///   time nor one after the other: pooling is the client's business, and it knows when a stream is
///   clean.
/// - What the client writes goes out once, in order and unchanged. Nothing is written again, to this
///   or to another host, and nothing is written that the client did not write.
/// - What the host sends comes back once, in order and unchanged, and no byte of another stream or of
///   an earlier one comes with it. Before the client has written, only the host may have been heard.
/// - A read tells at once what has arrived. A stream that keeps bytes back, waiting for more, could
///   have a surplus response taken for the response to the next request. (Of a TCP or Unix stream
///   that is handed to [`Stream::new`] as it is, the operating system is asked as well.)
/// - The end of the host's stream is the end of the read half, and dropping the stream closes it.
/// - An error means that nothing of the client's has left this machine. It says which hop failed.
///
/// The client gives up after a time of its own; [`Target::limit`] tells it. Feature `testing` has a
/// test of these rules for implementations.
pub trait Connect: Send + Sync + 'static {
    /// Opens a stream to `target`.
    ///
    /// # Errors
    /// When there is no stream. The client has sent nothing then.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the attempt.
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

/// A [`Connect`] made of a closure.
///
/// ```
/// use bitmart_net::{ConnectError, Stream, from_fn};
///
/// let (client, server) = tokio::io::duplex(4096);
/// let once = std::sync::Mutex::new(Some(client));
/// let in_memory = from_fn(move |_target| {
///     let stream = once.lock().ok().and_then(|mut place| place.take());
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
