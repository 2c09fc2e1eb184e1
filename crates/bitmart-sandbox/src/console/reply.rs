//! Responses of the console.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::{
    Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
};

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;
pub(super) type Reply = Response<Body>;

/// Nothing from elsewhere, no inline script or style, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub(super) fn new(status: StatusCode, content: &'static str, body: Body) -> Reply {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

pub(super) fn html(status: StatusCode, page: String) -> Reply {
    new(status, "text/html; charset=utf-8", full(page))
}

pub(super) fn text(status: StatusCode, text: &'static str) -> Reply {
    new(status, "text/plain; charset=utf-8", full(text))
}

pub(super) fn json(value: &serde_json::Value) -> Reply {
    new(StatusCode::OK, "application/json", full(value.to_string()))
}

pub(super) fn file(status: StatusCode, content: &'static str, bytes: Vec<u8>) -> Reply {
    new(status, content, full(bytes))
}

pub(super) fn asset(content: &'static str, text: &'static str) -> Reply {
    new(StatusCode::OK, content, full(text))
}

/// Leads the browser to another page, by GET.
pub(super) fn redirect(path: &str) -> Reply {
    let mut response = new(StatusCode::SEE_OTHER, "text/plain", full(""));
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static(super::PATH));
    response.headers_mut().insert(header::LOCATION, location);
    response
}

pub(super) fn with_cookie(mut reply: Reply, cookie: &str) -> Reply {
    if let Ok(mut cookie) = HeaderValue::from_str(cookie) {
        cookie.set_sensitive(true);
        reply.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    reply
}
