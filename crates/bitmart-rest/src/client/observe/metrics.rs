//! Metrics with the crate `metrics`. Handles are registered at their first use and cached per client and
//! per bucket, so that a call needs no lookup in the recorder.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use metrics::{Gauge, Histogram, Unit, counter, gauge, histogram};

use super::labels::{self, Ended};
use crate::protocol::endpoint::{Host, LimitScope, Metadata};
use crate::protocol::rate_limit::ThrottleReason;
use crate::transport::TransportError;

/// Metrics of a client.
pub(crate) struct Metrics {
    endpoints: RwLock<HashMap<&'static str, EndpointMetrics>>,
    clock_offset: Gauge,
    /// Waits for a connection, for spot and futures.
    connection_waits: Arc<[OnceLock<Histogram>; 2]>,
}

impl Metrics {
    /// The recorder must be installed before.
    pub(crate) fn new() -> Self {
        describe();
        Self {
            endpoints: RwLock::default(),
            clock_offset: gauge!("bitmart_rest_clock_offset_seconds"),
            connection_waits: Arc::default(),
        }
    }

    pub(super) fn endpoint(&self, metadata: &'static Metadata) -> EndpointMetrics {
        let known = self.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(endpoint) = known.get(metadata.id) {
            return endpoint.clone();
        }
        drop(known);
        let mut endpoints = self.endpoints.write().unwrap_or_else(PoisonError::into_inner);
        let new = || EndpointMetrics(Arc::new(Handles::new(metadata, &self.connection_waits)));
        endpoints.entry(metadata.id).or_insert_with(new).clone()
    }

    pub(crate) fn clock(&self, offset_millis: i64) {
        let seconds = Duration::from_millis(offset_millis.unsigned_abs()).as_secs_f64();
        self.clock_offset.set(if offset_millis < 0 { seconds.copysign(-1.0) } else { seconds });
    }
}

/// Metrics of an endpoint.
#[derive(Clone)]
pub(super) struct EndpointMetrics(Arc<Handles>);

struct Handles {
    endpoint: &'static str,
    /// By outcome.
    calls: [OnceLock<Histogram>; 5],
    requests: Histogram,
    connection_waits: Arc<[OnceLock<Histogram>; 2]>,
}

impl Handles {
    fn new(metadata: &'static Metadata, connection_waits: &Arc<[OnceLock<Histogram>; 2]>) -> Self {
        Self {
            endpoint: metadata.id,
            calls: Default::default(),
            requests: histogram!(
                "bitmart_rest_request_duration_seconds", "endpoint" => metadata.id
            ),
            connection_waits: Arc::clone(connection_waits),
        }
    }
}

impl EndpointMetrics {
    pub(super) fn retried(&self) {
        counter!("bitmart_rest_retries_total", "endpoint" => self.0.endpoint).increment(1);
    }

    pub(super) fn reserved(&self, host: Host, waited: Duration) {
        let (place, host) = match host {
            Host::Spot => (0, "spot"),
            Host::Futures => (1, "futures"),
        };
        if let Some(waits) = self.0.connection_waits.get(place) {
            let new = || histogram!("bitmart_rest_connection_wait_seconds", "host" => host);
            waits.get_or_init(new).record(waited);
        }
    }

    pub(super) fn sent(&self, latency: Duration) {
        self.0.requests.record(latency);
    }

    pub(super) fn ended(&self, outcome: Ended, fault: Option<&'static str>, total: Duration) {
        let endpoint = self.0.endpoint;
        if let Some(calls) = self.0.calls.get(outcome as usize) {
            let new = || {
                histogram!(
                    "bitmart_rest_call_duration_seconds",
                    "endpoint" => endpoint,
                    "outcome" => outcome.label()
                )
            };
            calls.get_or_init(new).record(total);
        }
        if let Some(fault @ ("decode" | "unexpected")) = fault {
            counter!("bitmart_rest_decode_faults_total", "endpoint" => endpoint, "kind" => fault)
                .increment(1);
        }
    }
}

/// Metrics of a bucket of the limiter.
pub(crate) struct BucketMetrics {
    endpoint: &'static str,
    waits: Histogram,
    free: Gauge,
}

impl BucketMetrics {
    pub(crate) fn new(metadata: &'static Metadata) -> Self {
        let scope = match metadata.limit.map(|limit| limit.scope) {
            None => "none",
            Some(LimitScope::Ip) => "ip",
            Some(LimitScope::Key) => "key",
            Some(LimitScope::Uid) => "uid",
        };
        let endpoint = metadata.id;
        Self {
            endpoint,
            waits: histogram!(
                "bitmart_rest_limiter_wait_seconds", "endpoint" => endpoint, "scope" => scope
            ),
            free: gauge!(
                "bitmart_rest_limiter_free_permits", "endpoint" => endpoint, "scope" => scope
            ),
        }
    }

    /// A permit was granted to a caller that has waited since `since`.
    pub(crate) fn granted(&self, since: Instant, free: impl FnOnce() -> Option<usize>) {
        let now = tokio::time::Instant::now().into_std();
        self.waits.record(now.saturating_duration_since(since));
        if let Some(free) = free() {
            self.free.set(f64::from(u32::try_from(free).unwrap_or(u32::MAX)));
        }
    }

    /// The limiter did not let a request through.
    pub(crate) fn throttled(&self, reason: ThrottleReason) {
        let reason = match reason {
            ThrottleReason::LimitReached => "limit_reached",
            ThrottleReason::TooManyRequests => "too_many_requests",
            ThrottleReason::Banned => "banned",
            ThrottleReason::BudgetUnavailable => "budget_unavailable",
        };
        let endpoint = self.endpoint;
        counter!("bitmart_rest_throttled_total", "endpoint" => endpoint, "reason" => reason)
            .increment(1);
    }
}

impl fmt::Debug for BucketMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketMetrics").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// An open connection, counted until it is dropped.
pub(crate) struct OpenConnection(Gauge);

impl OpenConnection {
    pub(crate) fn new() -> Self {
        let open = gauge!("bitmart_rest_connections_open");
        open.increment(1);
        Self(open)
    }

    /// Its task has ended.
    pub(crate) fn closed(self) {
        drop(self);
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// The exchange rejected a request for its rate limit.
pub(crate) fn rate_limited(endpoint: &'static str, banned: bool) {
    counter!("bitmart_rest_rate_limited_total", "endpoint" => endpoint).increment(1);
    if banned {
        counter!("bitmart_rest_bans_total").increment(1);
    }
}

/// An attempt to open a connection ended.
pub(crate) fn connection_attempt(error: Option<&TransportError>) {
    let outcome = error.map_or("ok", |error| labels::transport(error.kind()));
    counter!("bitmart_rest_connection_attempts_total", "outcome" => outcome).increment(1);
}

/// Describes each metric to the recorder, with the texts of `docs/observability.md`.
fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    let counters = [
        ("bitmart_rest_retries_total", "Retries of reads."),
        (
            "bitmart_rest_throttled_total",
            "Requests that the limiter held back: they were not sent.",
        ),
        (
            "bitmart_rest_rate_limited_total",
            "Requests that the exchange rejected for their rate, bans included.",
        ),
        ("bitmart_rest_bans_total", "Bans that the exchange responded with."),
        ("bitmart_rest_connection_attempts_total", "Attempts to open a connection."),
        ("bitmart_rest_decode_faults_total", "Responses that could not be read."),
        ("bitmart_rest_drift_total", "Differences from the description, if they are watched."),
    ];
    for (name, about) in counters {
        describe_counter!(name, Unit::Count, about);
    }
    let histograms = [
        (
            "bitmart_rest_call_duration_seconds",
            "From the call to the decoded response or the error: waits, attempts and pauses.",
        ),
        (
            "bitmart_rest_request_duration_seconds",
            "From the transport to the end of the response or to the failure, for each attempt.",
        ),
        ("bitmart_rest_limiter_wait_seconds", "Waits for a permit, those of no time included."),
        (
            "bitmart_rest_connection_wait_seconds",
            "Waits for a place on a connection, those of no time included.",
        ),
    ];
    for (name, about) in histograms {
        describe_histogram!(name, Unit::Seconds, about);
    }
    describe_gauge!(
        "bitmart_rest_limiter_free_permits",
        Unit::Count,
        "Permits left in a bucket after the last one that was granted."
    );
    describe_gauge!(
        "bitmart_rest_clock_offset_seconds",
        Unit::Seconds,
        "By how much the exchange's clock is ahead of this machine's, as last measured."
    );
    describe_gauge!("bitmart_rest_connections_open", Unit::Count, "Open connections.");
}
