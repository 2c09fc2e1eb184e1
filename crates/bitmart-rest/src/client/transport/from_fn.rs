//! A transport from a function.

use std::fmt;

use bytes::Bytes;

use super::{Body, Transport, TransportError, TransportFuture};

/// Creates a [`Transport`] that calls an async function for every request: the shortest way to use
/// another HTTP stack, or to test without a network.
///
/// The function must follow the rules of [`Transport`]. Its future must own its data: clone handles into
/// it.
///
/// ```
/// use bitmart_rest::Client;
/// use bitmart_rest::bytes::Bytes;
/// use bitmart_rest::http;
/// use bitmart_rest::transport::{self, Body};
///
/// let transport = transport::from_fn(async |request: http::Request<Bytes>| {
///     assert_eq!(request.uri().path(), "/system/time");
///     let response = r#"{"code":1000,"message":"OK","data":{"server_time":1700000000000}}"#;
///     Ok(http::Response::new(Body::from(Bytes::from(response))))
/// });
/// # async fn run(transport: impl bitmart_rest::transport::Transport) -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder().transport(transport).build()?;
/// assert_eq!(client.system().time().await?.server_time.as_secs(), 1_700_000_000);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
/// #     .block_on(run(transport)).unwrap();
/// ```
pub fn from_fn<F, A>(function: F) -> FromFn<F>
where
    F: Fn(http::Request<Bytes>) -> A + Send + Sync + 'static,
    A: Future<Output = Result<http::Response<Body>, TransportError>> + Send + 'static,
{
    FromFn(function)
}

/// What [`from_fn`] returns.
#[derive(Clone)]
pub struct FromFn<F>(F);

impl<F, A> Transport for FromFn<F>
where
    F: Fn(http::Request<Bytes>) -> A + Send + Sync + 'static,
    A: Future<Output = Result<http::Response<Body>, TransportError>> + Send + 'static,
{
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin((self.0)(request))
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn").finish_non_exhaustive()
    }
}
