//! Observability: spans and events of `tracing`, and metrics with the feature `metrics`.
//!
//! All names are listed in `docs/observability.md`; a test compares that page with what is emitted.
//! Bodies, keys, signatures, order ids and symbols are never recorded. Drift is counted
//! where it is found, since it is also found without a client.

mod call;
mod labels;
mod log;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "observe/no_metrics.rs"]
mod metrics;

pub(crate) use self::call::Call;
pub(crate) use self::log::{
    clock_sync_failed, clock_sync_timed_out, clock_synchronized, extra_response, request_failed,
    response_received, retrying,
};
pub(crate) use self::metrics::{
    BucketMetrics, Metrics, OpenConnection, connection_attempt, rate_limited,
};
