//! Answers: the envelope, the headers, and the pages of a proxy.

use bytes::Bytes;
use hyper::{Response, StatusCode, header};
use serde_json::{Value, json};

use super::{
    HandlerResult,
    body::{self, Body},
    limits::Usage,
};
use crate::{exchange::refusal::Refusal, generated::Envelope};

pub(super) type Reply = Response<Body>;

/// The words of success differ by path, as in the published samples.
fn good(path: &str) -> &'static str {
    if path.starts_with("/contract/") {
        "Ok"
    } else if path.starts_with("/spot/quotation/") || path.contains("/query/") {
        "success"
    } else {
        "OK"
    }
}

/// Status and body of an answer. Refusals come in the standard envelope everywhere.
pub(super) fn envelope(
    path: &str,
    around: Envelope,
    answer: HandlerResult,
    trace: &str,
) -> (u16, Bytes) {
    let (status, body) = match answer {
        Ok(data) => (200, success(path, around, data, trace)),
        Err(Refusal { status, code, message, .. }) => (
            status,
            json!({ "code": code, "trace": trace, "message": message, "data": Value::Null }),
        ),
    };
    (status, Bytes::from(body.to_string()))
}

/// No source states the codes of success of the two envelopes with a flag: the flag decides.
fn success(path: &str, around: Envelope, data: Value, trace: &str) -> Value {
    let words = good(path);
    match around {
        Envelope::Standard => {
            json!({ "code": 1000, "trace": trace, "message": words, "data": data })
        }
        Envelope::Errno => {
            json!({ "errno": "OK", "message": words, "data": data, "success": true })
        }
        Envelope::AccountInfo => {
            json!({ "code": 0, "msg": words, "data": data, "errorData": null, "success": true })
        }
        Envelope::None => data,
    }
}

/// Adds status and headers.
pub(super) fn reply(status: u16, body: Bytes, usage: Option<Usage>, made_up: bool) -> Reply {
    let mut reply = Response::new(body::whole(body));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = reply.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json;charset=UTF-8"),
    );
    if let Some(usage) = usage {
        // Named "Remaining", but it counts what is used.
        headers.insert("x-bm-ratelimit-remaining", usage.used.into());
        headers.insert("x-bm-ratelimit-limit", usage.limit.count.into());
        headers.insert("x-bm-ratelimit-reset", usage.limit.window_secs.into());
        headers.insert("x-bm-ratelimit-mode", header::HeaderValue::from_static("1"));
    }
    if made_up {
        headers.insert("x-sandbox-answer", header::HeaderValue::from_static("plausible"));
    }
    reply
}

/// The answer to a request for which there is no room.
pub(super) fn crowded() -> Reply {
    let body = json!({
        "code": 50000, "message": "Service Unavailable: too many connections", "data": Value::Null,
    });
    let mut reply = reply(503, Bytes::from(body.to_string()), None, false);
    reply.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    reply
}

/// What the proxy in front of the venue answers in place of JSON.
pub(super) fn html(status: u16) -> Reply {
    let page =
        format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>");
    let mut reply = reply(status, Bytes::from(page), None, false);
    reply
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html; charset=UTF-8"));
    reply
}
