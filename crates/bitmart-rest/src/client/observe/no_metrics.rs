//! The same functions as with the feature `metrics`, without effect.

use std::time::{Duration, Instant};

use super::labels::Ended;
use crate::protocol::endpoint::{Host, Metadata};
use crate::protocol::rate_limit::ThrottleReason;
use crate::transport::TransportError;

/// Metrics of a client.
pub(crate) struct Metrics;

impl Metrics {
    pub(crate) fn new() -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "as with the feature `metrics`")]
    pub(super) fn endpoint(&self, _: &'static Metadata) -> EndpointMetrics {
        EndpointMetrics
    }

    #[expect(clippy::unused_self, reason = "as with the feature `metrics`")]
    pub(crate) fn clock(&self, _offset_millis: i64) {}
}

/// Metrics of an endpoint.
pub(super) struct EndpointMetrics;

#[expect(clippy::unused_self, reason = "as with the feature `metrics`")]
impl EndpointMetrics {
    pub(super) fn retried(&self) {}
    pub(super) fn reserved(&self, _: Host, _waited: Duration) {}
    pub(super) fn sent(&self, _latency: Duration) {}
    pub(super) fn ended(&self, _: Ended, _fault: Option<&'static str>, _total: Duration) {}
}

/// Metrics of a bucket of the limiter.
#[derive(Debug)]
pub(crate) struct BucketMetrics;

#[expect(clippy::unused_self, reason = "as with the feature `metrics`")]
impl BucketMetrics {
    pub(crate) fn new(_: &'static Metadata) -> Self {
        Self
    }
    pub(crate) fn granted(&self, _since: Instant, _free: impl FnOnce() -> Option<usize>) {}
    pub(crate) fn throttled(&self, _: ThrottleReason) {}
}

/// An open connection.
pub(crate) struct OpenConnection;

#[expect(clippy::unused_self, reason = "as with the feature `metrics`")]
impl OpenConnection {
    pub(crate) fn new() -> Self {
        Self
    }
    pub(crate) fn closed(self) {}
}

pub(crate) fn rate_limited(_endpoint: &'static str, _banned: bool) {}

pub(crate) fn connection_attempt(_: Option<&TransportError>) {}
