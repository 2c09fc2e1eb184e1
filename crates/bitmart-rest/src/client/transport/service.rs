//! A transport that sends through a `tower` service.

#[cfg(feature = "client")]
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
#[cfg(feature = "client")]
use std::sync::MutexGuard;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tower_service::Service;

use super::{Body, Chunks, Transport, TransportError, TransportErrorKind, TransportFuture};
#[cfg(feature = "client")]
use super::{Reservation, ReservationFuture};
use crate::error::BoxError;

/// Makes a [`Transport`] of a `tower` service, such as a hyper-util client or a stack of layers around one. Needs the
/// feature `tower`.
///
/// Each request has its own clone of the service, which is polled until it is ready before the request is signed
/// ([`reserve`](Transport::reserve)). If it is not ready in time, or `poll_ready` fails, the request was *not sent*. A
/// failure of the call *may have been sent*, unless [`classify`](ServiceTransport::classify) is set. A failure while the
/// body arrives was always sent. The body is streamed, so that the client's size limit holds; trailers are dropped.
///
/// # Settings that other stacks need
///
/// A request must be sent at most once, and its body and its response must not be changed. These
/// defaults violate that, or come close:
///
/// - **hyper-util** (`client::legacy::Client`): `retry_canceled_requests` is on. It sends a request
///   again if a reused connection turned out to be closed *before* the first byte was written, and
///   not afterwards. Turn it off with `Builder::retry_canceled_requests(false)` to get an
///   error instead. It closes a connection on which it has read more than the response,
///   but does not check again before it writes, as our own transport does: an extra response that
///   arrives between two requests may be taken for the next one. `pool_max_idle_per_host(0)` uses
///   each connection once, which excludes that.
/// - **reqwest**: follows up to 10 redirects, and sends the request to another address: set
///   `ClientBuilder::redirect(redirect::Policy::none())`. It sends requests again that the server
///   refused at the level of the protocol (HTTP/2 `REFUSED_STREAM`, `GOAWAY`): set
///   `ClientBuilder::retry(retry::never())`. Its pool is hyper-util's, with
///   `retry_canceled_requests` on and no setting for it. With the features `gzip`, `brotli`, `zstd`
///   or `deflate` it requests compressed responses and inflates them: `no_gzip()` and its like. It
///   reads proxies from the environment: `no_proxy()`. Its client is no service of `http::Request`:
///   hand it to [`from_fn`](super::from_fn()) with `reqwest::Request::try_from` and
///   `http::Response::from`.
/// - **tower**: `retry` sends again by its policy, `hedge` sends a second copy of what is slow;
///   neither may be in the stack. A `buffer` is ready as long as its queue has room, so a request waits in it
///   after it was signed, and its errors do not show whether the request was sent. Those of `timeout` do not show
///   it either, which is why they *may have been sent*.
/// - **tower-http**: `FollowRedirect` sends again. `Decompression` inflates without the client's
///   size limit in the way, and `SetRequestHeader` or `NormalizePath` change what was signed.
///   `Timeout` makes up a response with status 408.
///
/// `testing::transport_conformance` (feature `testing`) checks a transport against a local server that closes
/// connections, redirects, compresses and sends extra responses. It speaks HTTP/1.1 without TLS and without a proxy, so
/// what is said above about these is not checked.
///
/// ```
/// use bitmart_rest::bytes::Bytes;
/// use bitmart_rest::{Client, transport};
/// use http_body_util::Full;
/// use hyper_util::client::legacy;
/// use hyper_util::rt::TokioExecutor;
///
/// # fn main() -> Result<(), bitmart_rest::types::ConfigError> {
/// // Plain HTTP, as to a sandbox or a local gateway; put an `HttpsConnector` in for TLS.
/// let service: legacy::Client<_, Full<Bytes>> = legacy::Client::builder(TokioExecutor::new())
///     .retry_canceled_requests(false)
///     .pool_max_idle_per_host(0)
///     .build_http();
/// let client = Client::builder().transport(transport::from_service(service)).build()?;
/// # Ok(())
/// # }
/// ```
pub fn from_service<S, B>(service: S) -> ServiceTransport<S, B>
where
    S: Service<http::Request<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
{
    ServiceTransport {
        service: Mutex::new(service),
        #[cfg(feature = "client")]
        ready: Arc::default(),
        classify: Arc::new(|error: S::Error| {
            TransportError::maybe_sent(TransportErrorKind::Other).with_source(error)
        }),
        body: PhantomData,
    }
}

/// What [`from_service`] returns. `B` is the service's request body.
pub struct ServiceTransport<S: Service<http::Request<B>>, B> {
    /// Behind a lock because a service need not be `Sync`. Held to clone it and no longer.
    service: Mutex<S>,
    #[cfg(feature = "client")]
    ready: Arc<Mutex<ReadyInstances<S>>>,
    classify: Arc<dyn Fn(S::Error) -> TransportError + Send + Sync>,
    body: PhantomData<fn(B)>,
}

impl<S, B> ServiceTransport<S, B>
where
    S: Service<http::Request<B>>,
{
    /// Sets how the service's errors are classified: their kind, and whether the request may have been
    /// sent.
    ///
    /// Only return [`not_sent`](TransportError::not_sent) for errors that occur before the first byte is
    /// written, such as `hyper_util::client::legacy::Error::is_connect`.
    #[must_use]
    pub fn classify(
        mut self,
        classify: impl Fn(S::Error) -> TransportError + Send + Sync + 'static,
    ) -> Self {
        self.classify = Arc::new(classify);
        self
    }
}

impl<S, B, R> Transport for ServiceTransport<S, B>
where
    S: Service<http::Request<B>, Response = http::Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: From<Bytes> + Send + 'static,
    R: http_body::Body + Send + 'static,
    R::Error: Into<BoxError>,
{
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async move {
            #[cfg(feature = "client")]
            let reserved = locked(&self.ready).instances.pop_front();
            #[cfg(not(feature = "client"))]
            let reserved: Option<Result<S, TransportError>> = None;
            let mut service = match reserved {
                Some(ready) => ready?,
                // Sent without a reservation, as by a transport that does not forward `reserve`.
                None => until_ready(self.instance()).await?,
            };
            let response =
                service.call(request.map(B::from)).await.map_err(|error| (self.classify)(error))?;
            Ok(response.map(|body| Body::chunks(Arriving(Box::pin(body)))))
        })
    }

    #[cfg(feature = "client")]
    fn reserve<'a>(&'a self, _host: &'a http::uri::Authority) -> ReservationFuture<'a> {
        Box::pin(async move {
            let instance = until_ready(self.instance()).await;
            let mut ready = locked(&self.ready);
            ready.instances.push_back(instance);
            ready.reservations += 1;
            Reservation::with_guard(ReservedInstance(Arc::clone(&self.ready)))
        })
    }
}

impl<S: Service<http::Request<B>> + Clone, B> ServiceTransport<S, B> {
    /// Returns the stored instance and stores a clone of it in its place. Readiness belongs to one instance, so each
    /// request needs its own.
    fn instance(&self) -> S {
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        let clone = service.clone();
        std::mem::replace(&mut *service, clone)
    }
}

async fn until_ready<S, B>(mut service: S) -> Result<S, TransportError>
where
    S: Service<http::Request<B>, Error: Into<BoxError>>,
{
    poll_fn(|cx| service.poll_ready(cx))
        .await
        .map_err(|error| TransportError::not_sent(TransportErrorKind::Other).with_source(error))?;
    Ok(service)
}

/// Instances that became ready, or their errors, for requests that were not sent yet.
#[cfg(feature = "client")]
struct ReadyInstances<S> {
    instances: VecDeque<Result<S, TransportError>>,
    /// Reservations that are held, also those whose request was sent.
    reservations: usize,
}

#[cfg(feature = "client")]
impl<S> Default for ReadyInstances<S> {
    fn default() -> Self {
        Self { instances: VecDeque::new(), reservations: 0 }
    }
}

#[cfg(feature = "client")]
fn locked<S>(ready: &Mutex<ReadyInstances<S>>) -> MutexGuard<'_, ReadyInstances<S>> {
    ready.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Held by a reservation. If its request is never sent, an instance remains that may hold a permit of the service. It
/// is dropped as soon as there are more instances than reservations.
#[cfg(feature = "client")]
struct ReservedInstance<S>(Arc<Mutex<ReadyInstances<S>>>);

#[cfg(feature = "client")]
impl<S> Drop for ReservedInstance<S> {
    fn drop(&mut self) {
        let mut ready = locked(&self.0);
        ready.reservations -= 1;
        let unused = ready.instances.len().saturating_sub(ready.reservations);
        let unused: Vec<_> = ready.instances.drain(..unused).collect();
        // The service runs code of its own when it is dropped, so not under the lock.
        drop(ready);
        drop(unused);
    }
}

impl<S: Service<http::Request<B>>, B> fmt::Debug for ServiceTransport<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceTransport").finish_non_exhaustive()
    }
}

/// A response body of the service.
struct Arriving<R>(Pin<Box<R>>);

impl<R> Chunks for Arriving<R>
where
    R: http_body::Body + Send,
    R::Error: Into<BoxError>,
{
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        loop {
            return Poll::Ready(match ready!(self.0.as_mut().poll_frame(cx)) {
                None => None,
                Some(Err(error)) => {
                    Some(Err(TransportError::maybe_sent(TransportErrorKind::Interrupted)
                        .with_source(error)))
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(mut data) => Some(Ok(data.copy_to_bytes(data.remaining()))),
                    // Trailers.
                    Err(_) => continue,
                },
            });
        }
    }
}
