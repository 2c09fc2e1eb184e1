//! Events of `tracing`. The events of a call are inside its span, which names the endpoint.

use std::time::Duration;

use http::StatusCode;
use tracing::{debug, warn};

use super::labels;
use crate::client::ClockEstimate;
use crate::error::Error;
use crate::transport::TransportErrorKind;

/// A response arrived completely.
pub(crate) fn response_received(status: StatusCode, bytes: usize, latency: Duration) {
    debug!(
        target: "bitmart_rest",
        {
            http.response.status_code = status.as_u16(),
            http.response.body.size = bytes,
            bitmart.latency_ms = labels::millis(latency),
        },
        "response received"
    );
}

/// No complete response arrived.
pub(crate) fn request_failed(kind: TransportErrorKind, latency: Duration) {
    debug!(
        target: "bitmart_rest",
        {
            error.type = labels::transport(kind),
            bitmart.latency_ms = labels::millis(latency),
        },
        "request failed"
    );
}

/// A read is sent again after a pause.
pub(crate) fn retrying(attempts: u32, pause: Duration, error: &Error) {
    debug!(
        target: "bitmart_rest",
        {
            error.type = labels::error_type(error),
            bitmart.attempts = attempts,
            bitmart.pause_ms = labels::millis(pause),
        },
        "retrying the read"
    );
}

/// The client's clock was set by the exchange's.
pub(crate) fn clock_synchronized(estimate: ClockEstimate) {
    debug!(
        target: "bitmart_rest",
        {
            bitmart.clock.offset_ms = estimate.offset_millis,
            bitmart.clock.round_trip_ms = labels::millis(estimate.round_trip),
        },
        "clock synchronized"
    );
}

/// The exchange's time could not be read; the clock is unchanged.
pub(crate) fn clock_sync_failed(error: &Error) {
    warn!(
        target: "bitmart_rest",
        {
            error.type = labels::error_type(error),
        },
        "the clock could not be synchronized"
    );
}

/// The exchange's time was not read within `limit`; the clock is unchanged.
pub(crate) fn clock_sync_timed_out(limit: Duration) {
    warn!(
        target: "bitmart_rest",
        limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
        "the clock was not synchronized in time"
    );
}

/// A server sent bytes after the response, before another request.
pub(crate) fn extra_response() {
    warn!(
        target: "bitmart_rest",
        "the server sent an extra response: its connection is closed"
    );
}
