//! Observability: spans and events of `tracing`, and metrics with the feature `metrics`.
//!
//! All names are listed in `docs/observability.md`; a test compares that page with what is emitted.
//! Bodies, keys, signatures, order ids and symbols are never recorded. Drift is counted
//! where it is found, since it is also found without a client.

mod call;
mod labels;
mod log;
#[cfg(feature = "metrics")]
mod meters;
#[cfg(not(feature = "metrics"))]
#[path = "observe/no_meters.rs"]
mod meters;

pub(crate) use self::call::Call;
pub(crate) use self::log::{
    clock_kept, clock_synchronized, request_failed, response_received, sent_again, surplus,
};
pub(crate) use self::meters::{
    BucketMeters, Meters, OpenConnection, connection_attempt, rate_limited,
};
