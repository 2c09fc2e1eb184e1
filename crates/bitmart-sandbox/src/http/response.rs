//! Responses: envelope, headers, and HTML pages of a proxy.

use bytes::Bytes;
use hyper::{Response, StatusCode, header, header::HeaderValue};
use serde_json::{Value, json};

use super::body::{self, Body};
use crate::{
    generated::{EndpointId, Envelope, Route},
    rate_limits::Usage,
    wire::{HandlerResult, error::WireError},
};

pub(super) type HttpResponse = Response<Body>;

/// Status and body of a response. Errors always have the standard envelope.
pub(super) fn envelope(route: Option<&Route>, result: HandlerResult, trace: &str) -> (u16, Bytes) {
    let (status, body) = match result {
        Ok(data) => (200, success(route, data, trace)),
        Err(WireError { status, code, message, .. }) => (
            status,
            json!({ "code": code, "trace": trace, "message": message, "data": Value::Null }),
        ),
    };
    (status, Bytes::from(body.to_string()))
}

/// The envelope of a success. No source states the codes of the envelopes with a `success` flag, so clients have to
/// use the flag.
fn success(route: Option<&Route>, data: Value, trace: &str) -> Value {
    let (envelope, message) =
        route.map_or((Envelope::Standard, "OK"), |route| (route.envelope, route.success));
    match envelope {
        Envelope::Standard => {
            let code = if is_text(route) { json!("1000") } else { json!(1000) };
            json!({ "code": code, "trace": trace, "message": message, "data": data })
        }
        Envelope::Errno => {
            json!({ "errno": "OK", "message": message, "data": data, "success": true })
        }
        Envelope::AccountInfo => {
            json!({ "code": 0, "msg": message, "data": data, "errorData": null, "success": true })
        }
        Envelope::None => data,
    }
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
    headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    if let Some(usage) = usage {
        // The header is named "Remaining", but contains the used number.
        headers.insert("x-bm-ratelimit-remaining", usage.used.into());
        headers.insert("x-bm-ratelimit-limit", usage.limit.count.into());
        headers.insert("x-bm-ratelimit-reset", usage.limit.window_secs.into());
        headers.insert("x-bm-ratelimit-mode", HeaderValue::from_static("1"));
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
