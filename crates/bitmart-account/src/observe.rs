//! What a tracker tells of itself: figures with the feature `metrics`. All names stand in
//! `docs/observability.md`; a test compares that table with what is emitted.

#[cfg(feature = "metrics")]
mod meters;
#[cfg(not(feature = "metrics"))]
#[path = "observe/no_meters.rs"]
mod meters;

pub(crate) use self::meters::Meters;
