//! A transport that responds at once, so that only the client is measured.

use bitmart_rest::bytes::Bytes;
use bitmart_rest::http;
use bitmart_rest::transport::{Body, Transport, TransportFuture};

/// Responds to every request with the same bytes.
pub(crate) struct Canned(pub(crate) &'static str);

impl Transport for Canned {
    fn send(&self, _request: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async {
            Ok(http::Response::new(Body::from(Bytes::from_static(self.0.as_bytes()))))
        })
    }
}

/// The response to an order.
pub(crate) const PLACED: &str = r#"{"code":1000,"message":"OK","trace":"886fb6ae-456b-4654-b4e0-d681ac05cea1","data":{"order_id":"1223181"}}"#;
