//! Observability: spans and events of `tracing`, and metrics with the feature `metrics`.
//!
//! All names are listed in `docs/observability.md`; a test compares that page with what is emitted.
//! Bodies, keys, signatures, order ids and symbols are never recorded. Everything except `drift` is part
//! of the client; drift is also counted without it.

#[cfg(feature = "client")]
mod call;
#[cfg(feature = "client")]
mod labels;
#[cfg(feature = "client")]
mod log;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(all(feature = "client", not(feature = "metrics")))]
#[path = "observe/no_metrics.rs"]
mod metrics;

use crate::drift::DriftKind;

#[cfg(feature = "client")]
pub(crate) use self::call::Call;
#[cfg(feature = "client")]
pub(crate) use self::log::{
    clock_sync_failed, clock_synchronized, extra_response, request_failed, response_received,
    retrying,
};
#[cfg(feature = "client")]
pub(crate) use self::metrics::{
    BucketMetrics, Metrics, OpenConnection, connection_attempt, rate_limited,
};

/// Counts a difference between a response and the API description.
pub(crate) fn drift(endpoint: &'static str, kind: DriftKind) {
    #[cfg(feature = "metrics")]
    metrics::drift(endpoint, kind);
    #[cfg(not(feature = "metrics"))]
    let _ = (endpoint, kind);
}
