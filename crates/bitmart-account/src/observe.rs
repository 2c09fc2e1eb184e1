//! Metrics of a tracker, with the feature `metrics`. `docs/observability.md` lists all names; a test
//! compares it with what is emitted.

#[cfg(not(feature = "metrics"))]
mod disabled;
#[cfg(feature = "metrics")]
mod enabled;

#[cfg(not(feature = "metrics"))]
pub(crate) use self::disabled::AccountMetrics;
#[cfg(feature = "metrics")]
pub(crate) use self::enabled::AccountMetrics;
