//! Responses: envelope, headers, and HTML pages of a proxy.

use bytes::Bytes;
use hyper::{
    Response, StatusCode, header,
    header::{HeaderName, HeaderValue},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::body::{self, Body};
use crate::{
    generated::{EndpointId, Envelope, Route},
    rate_limits::Usage,
    wire::{HandlerResult, error::WireError},
};

pub(super) type HttpResponse = Response<Body>;

/// Headers of a response, so that the map does not grow while they are added.
const HEADERS: usize = 12;

// Constants, so that the names are not parsed for each response.
const REMAINING: HeaderName = HeaderName::from_static("x-bm-ratelimit-remaining");
const LIMIT: HeaderName = HeaderName::from_static("x-bm-ratelimit-limit");
const RESET: HeaderName = HeaderName::from_static("x-bm-ratelimit-reset");
const MODE: HeaderName = HeaderName::from_static("x-bm-ratelimit-mode");

/// The standard envelope. It is written without a [`Value`] of it, because nearly every response has one.
#[derive(Serialize)]
struct Standard<'a, C> {
    code: C,
    data: &'a Value,
    message: &'a str,
    trace: &'a str,
}

/// Status and body of a response. Errors always have the standard envelope.
pub(super) fn envelope(route: Option<&Route>, result: HandlerResult, trace: &str) -> (u16, Bytes) {
    match result {
        Ok(data) => (200, success(route, &data, trace)),
        Err(WireError { status, code, message, .. }) => {
            (status, text(&Standard { code, data: &Value::Null, message: &message, trace }))
        }
    }
}

/// The envelope of a success. No source states the codes of the envelopes with a `success` flag, so clients have to
/// use the flag.
fn success(route: Option<&Route>, data: &Value, trace: &str) -> Bytes {
    let (envelope, message) =
        route.map_or((Envelope::Standard, "OK"), |route| (route.envelope, route.success));
    match envelope {
        Envelope::Standard if is_text(route) => {
            text(&Standard { code: "1000", data, message, trace })
        }
        Envelope::Standard => text(&Standard { code: 1000, data, message, trace }),
        Envelope::Errno => {
            text(&json!({ "errno": "OK", "message": message, "data": data, "success": true }))
        }
        Envelope::AccountInfo => text(
            &json!({ "code": 0, "msg": message, "data": data, "errorData": null, "success": true }),
        ),
        Envelope::None => text(data),
    }
}

/// The JSON of a body. It cannot fail: every name is a text.
fn text(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).unwrap_or_default().into()
}

/// Whether the code of a success is text, as in the only samples of these endpoints, of the exchange's reference.
fn is_text(route: Option<&Route>) -> bool {
    use EndpointId as Id;
    let texts = [
        Id::AffiliateUserRebate,
        Id::AffiliateApiRebate,
        Id::AffiliateInvitation,
        Id::AffiliateCustomers,
    ];
    route.is_some_and(|route| texts.contains(&route.id))
}

/// Adds status and headers.
pub(super) fn response(
    status: u16,
    body: Bytes,
    usage: Option<Usage>,
    invented: bool,
) -> HttpResponse {
    let mut response = Response::new(body::complete(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    if let Some(usage) = usage {
        // The header is named "Remaining", but contains the used number.
        headers.insert(REMAINING, usage.used.into());
        headers.insert(LIMIT, usage.limit.count.into());
        headers.insert(RESET, usage.limit.window_secs.into());
        headers.insert(MODE, HeaderValue::from_static("1"));
    }
    if invented {
        headers.insert("x-sandbox-response", HeaderValue::from_static("invented"));
    }
    response
}

/// The response if no connection slot is free.
pub(super) fn too_many_connections() -> HttpResponse {
    let body = json!({
        "code": 50000, "message": "Service Unavailable: too many connections", "data": Value::Null,
    });
    let mut response = response(503, Bytes::from(body.to_string()), None, false);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// An HTML page of the proxy in front of the exchange.
pub(super) fn html(status: u16) -> HttpResponse {
    let page =
        format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>");
    let mut response = response(status, Bytes::from(page), None, false);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
    response
}
