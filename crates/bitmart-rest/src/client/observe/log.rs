//! Events of `tracing`. Those of a call stand inside its span, which names the endpoint.

use std::time::Duration;

use http::StatusCode;
use tracing::{debug, warn};

use super::words;
use crate::client::ClockEstimate;
use crate::error::Error;
use crate::transport::TransportErrorKind;

/// A response arrived completely.
pub(crate) fn request_answered(status: StatusCode, bytes: usize, latency: Duration) {
    debug!(
        target: "bitmart_rest",
        {
            http.response.status_code = status.as_u16(),
            http.response.body.size = bytes,
            bitmart.latency_ms = words::millis(latency),
        },
        "request answered"
    );
}

/// No complete response arrived.
pub(crate) fn request_failed(kind: TransportErrorKind, latency: Duration) {
    debug!(
        target: "bitmart_rest",
        {
            error.type = words::transport(kind),
            bitmart.latency_ms = words::millis(latency),
        },
        "request failed"
    );
}

/// A read is sent again after a pause.
pub(crate) fn sent_again(attempts: u32, pause: Duration, error: &Error) {
    debug!(
        target: "bitmart_rest",
        {
            error.type = words::error_type(error),
            bitmart.attempts = attempts,
            bitmart.pause_ms = words::millis(pause),
        },
        "the read is sent again"
    );
}

/// The clock follows the exchange.
pub(crate) fn clock_synchronised(estimate: ClockEstimate) {
    debug!(
        target: "bitmart_rest",
        {
            bitmart.clock.offset_ms = estimate.offset_millis,
            bitmart.clock.round_trip_ms = words::millis(estimate.round_trip),
        },
        "clock synchronised"
    );
}

/// The exchange did not tell its time.
pub(crate) fn clock_kept(error: &Error) {
    warn!(
        target: "bitmart_rest",
        {
            error.type = words::error_type(error),
        },
        "the clock could not be synchronised"
    );
}

/// A server sent bytes that nobody had asked for.
pub(crate) fn surplus() {
    warn!(
        target: "bitmart_rest",
        "the server sent more than it was asked for: its connection is given up"
    );
}
