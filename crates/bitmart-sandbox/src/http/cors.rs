//! CORS: preflight responses, and headers on every response, so that web pages can call the hosts. The admin API has
//! none.

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
        HeaderValue,
    },
};

use super::{body, response::HttpResponse};

/// The names are listed for browsers that do not support the wildcard.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "content-type, x-bm-broker-id, x-bm-key, x-bm-sign, x-bm-timestamp, *",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "x-bm-ratelimit-limit, x-bm-ratelimit-mode, x-bm-ratelimit-remaining, x-bm-ratelimit-reset, \
     x-sandbox-response, x-sandbox-reason",
);

/// Whether a request is a CORS preflight.
pub(super) fn is_preflight<T>(request: &Request<T>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The response to a preflight, which is the same for every path. Errors are reported by the request itself.
pub(super) fn preflight() -> HttpResponse {
    let mut reply = Response::new(body::complete(Bytes::new()));
    *reply.status_mut() = StatusCode::NO_CONTENT;
    let headers = reply.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    allow(headers);
    reply
}

/// Allows pages of every origin to read a response. This is safe, because keys are sent in headers and never in
/// cookies.
pub(super) fn allow(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}
