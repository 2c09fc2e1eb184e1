//! Applies faults before and after a REST request is processed.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use hyper::{Request, body::Incoming};

use super::{
    body::{drip, half, null_rows, without_newest},
    response::{HttpResponse, html},
};
use crate::{fault::Fault, shared::Shared};

/// The error with which a fault closes the connection without a response.
#[derive(Debug)]
pub(super) struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a fault closes the connection")
    }
}

impl std::error::Error for Dropped {}

/// A request extension: how far the listed history lags behind (`Fault::LateHistory`).
#[derive(Debug, Clone, Copy)]
struct Lag(Duration);

/// The time of the newest listed row of a history that lags.
fn newest_listed_ms(shared: &Shared, lag: Duration) -> u64 {
    let lag = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
    shared.clock().now_ms().saturating_sub(lag)
}

/// The time of the newest row that a request may list, if its history lags.
pub(super) fn listed_until_ms(shared: &Shared, head: &hyper::http::request::Parts) -> Option<u64> {
    head.extensions.get().map(|Lag(lag)| newest_listed_ms(shared, *lag))
}

/// Applies a fault before the request is processed. A returned response replaces the processing.
pub(super) async fn before(
    fault: Option<Fault>,
    shared: &Shared,
    request: &mut Request<Incoming>,
) -> Result<Option<HttpResponse>, Dropped> {
    match fault {
        Some(Fault::DropBefore) => return Err(Dropped),
        Some(Fault::Html(status)) => return Ok(Some(html(status))),
        Some(Fault::LateHistory(lag)) => drop(request.extensions_mut().insert(Lag(lag))),
        Some(Fault::HoldBefore) => {
            let path = request.uri().path().to_owned();
            shared.hold(&path).await;
        }
        _ => {}
    }
    Ok(None)
}

/// The error code of a fault that rejects a request without processing it.
pub(super) fn rejection(fault: Fault) -> Option<u32> {
    match fault {
        Fault::Unavailable => Some(30014),
        Fault::Maintenance => Some(30016),
        Fault::RateLimited => Some(30013),
        Fault::Banned => Some(30017),
        _ => None,
    }
}

/// Applies a fault after the request was processed. It may change the body; a returned response replaces it.
pub(super) async fn after(
    fault: Option<Fault>,
    shared: &Shared,
    path: &str,
    body: &mut Bytes,
) -> Result<Option<HttpResponse>, Dropped> {
    match fault {
        Some(Fault::DropAfter) => return Err(Dropped),
        Some(Fault::HtmlAfter(status)) => return Ok(Some(html(status))),
        Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
        Some(Fault::HoldAfter) => shared.hold(path).await,
        Some(Fault::TruncatedJson) => body.truncate(body.len() / 2),
        Some(Fault::NullRows) => *body = null_rows(body),
        // For lists without a time window. The others were limited before.
        Some(Fault::LateHistory(lag)) => {
            *body = without_newest(body, newest_listed_ms(shared, lag));
        }
        _ => {}
    }
    Ok(None)
}

/// Applies a fault to the transfer of a body. Sets `reset` if the connection has to end with a reset.
pub(super) fn send(
    fault: Option<Fault>,
    response: &mut HttpResponse,
    body: Bytes,
    reset: &AtomicBool,
) {
    let sent = match fault {
        Some(Fault::ResetMidBody) => {
            reset.store(true, Ordering::Relaxed);
            half(response.headers_mut(), &body)
        }
        Some(Fault::SlowDrip(time)) => drip(response.headers_mut(), body, time),
        _ => return,
    };
    *response.body_mut() = sent;
}
