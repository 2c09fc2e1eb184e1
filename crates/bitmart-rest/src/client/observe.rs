//! What this crate tells of itself: spans and events of `tracing`, and figures with the feature
//! `metrics`.
//!
//! All names stand in `docs/observability.md`; a test compares that table with what is emitted. Nothing
//! here takes a body, a key, a signature, an order id or a symbol.

#[cfg(feature = "client")]
mod call;
#[cfg(feature = "client")]
mod log;
#[cfg(feature = "metrics")]
mod meters;
#[cfg(all(feature = "client", not(feature = "metrics")))]
#[path = "observe/no_meters.rs"]
mod meters;
#[cfg(feature = "client")]
mod words;

use crate::wire::drift::DriftKind;

#[cfg(feature = "client")]
pub(crate) use self::call::Call;
#[cfg(feature = "client")]
pub(crate) use self::log::{
    clock_kept, clock_synchronised, request_answered, request_failed, sent_again, surplus,
};
#[cfg(feature = "client")]
pub(crate) use self::meters::{
    BucketMeters, Meters, OpenConnection, connection_attempt, rate_limited,
};

/// An answer differed from its description.
pub(crate) fn drift(endpoint: &'static str, kind: DriftKind) {
    #[cfg(feature = "metrics")]
    meters::drift(endpoint, kind);
    #[cfg(not(feature = "metrics"))]
    let _ = (endpoint, kind);
}
