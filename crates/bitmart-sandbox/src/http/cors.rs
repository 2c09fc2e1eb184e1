//! What lets web pages call the hosts: preflights, and headers on every response. The admin API has none
//! of it.

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

/// The names are spelled out for browsers that do not know the asterisk.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "content-type, x-bm-broker-id, x-bm-key, x-bm-sign, x-bm-timestamp, *",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "x-bm-ratelimit-limit, x-bm-ratelimit-mode, x-bm-ratelimit-remaining, x-bm-ratelimit-reset, \
     x-sandbox-answer, x-sandbox-reason",
);

/// Whether a browser asks first if a page may send a request.
pub(super) fn is_preflight<T>(request: &Request<T>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The response to a preflight, the same for every path: what is wrong with the request itself is told
/// when it comes.
pub(super) fn preflight() -> HttpResponse {
    let mut reply = Response::new(body::whole(Bytes::new()));
    *reply.status_mut() = StatusCode::NO_CONTENT;
    let headers = reply.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    allow(headers);
    reply
}

/// Lets the page read every response. Keys go in headers of their own and never in cookies,
/// so that every origin may.
pub(super) fn allow(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}
