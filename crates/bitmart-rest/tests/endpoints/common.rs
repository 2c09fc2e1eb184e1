//! Helpers of the tests of requests.

use bitmart_rest::endpoint::{Endpoint, Payload};

/// Validates and encodes a request.
pub(crate) fn encoded(request: &impl Endpoint) -> Payload {
    request.validate().expect("it is valid");
    let mut payload = Payload::new();
    request.encode(&mut payload).expect("it encodes");
    payload
}

/// Returns the body of a valid request.
pub(crate) fn body(request: &impl Endpoint) -> String {
    String::from_utf8(encoded(request).body().to_vec()).expect("UTF-8")
}

/// Returns the query text of a valid request.
pub(crate) fn query(request: &impl Endpoint) -> String {
    encoded(request).query_text().to_owned()
}

/// Returns the error of an invalid request.
pub(crate) fn rejection(request: &impl Endpoint) -> String {
    request.validate().expect_err("it is invalid").to_string()
}
