//! One call of the client: its timing, its span and its metrics.

use std::time::Duration;

use http::StatusCode;
use http::uri::Authority;
use tokio::time::Instant;
use tracing::Span;
use tracing::field::Empty;

use super::metrics::EndpointMetrics;
use super::{Metrics, labels};
use crate::error::Error;
use crate::protocol::endpoint::{Host, Metadata};

/// The timing of a call, as in [`Detailed`](crate::Detailed).
#[derive(Clone, Copy, Default)]
pub(crate) struct Timing {
    pub(crate) latency: Duration,
    pub(crate) waited: Duration,
    pub(crate) total: Duration,
}

/// A call in progress. Dropping it before its end records it as canceled.
pub(crate) struct Call {
    span: Span,
    metrics: EndpointMetrics,
    host: Host,
    begin: Instant,
    /// Start of the current wait.
    waiting: Option<Instant>,
    attempts: u32,
    timing: Timing,
    ended: bool,
}

impl Call {
    /// Starts a call. `server` returns the server of the request; it is called only if the span is
    /// enabled.
    pub(crate) fn begin<'a>(
        metrics: &Metrics,
        metadata: &'static Metadata,
        server: impl FnOnce() -> Option<(&'a Authority, u16)>,
    ) -> Self {
        let span = tracing::info_span!(
            target: "bitmart_rest",
            "bitmart.rest.call",
            otel.kind = "client",
            otel.status_code = Empty,
            bitmart.endpoint = metadata.id,
            http.request.method = labels::method(metadata.method),
            url.template = metadata.path,
            server.address = Empty,
            server.port = Empty,
            http.response.status_code = Empty,
            error.type = Empty,
            bitmart.code = Empty,
            bitmart.outcome = Empty,
            bitmart.attempts = Empty,
            bitmart.waited_ms = Empty,
            bitmart.latency_ms = Empty,
            bitmart.total_ms = Empty,
        );
        if !span.is_disabled()
            && let Some((authority, port)) = server()
        {
            span.record("server.address", authority.host().trim_matches(['[', ']']));
            span.record("server.port", port);
        }
        Self {
            span,
            metrics: metrics.endpoint(metadata),
            host: metadata.host,
            begin: Instant::now(),
            waiting: None,
            attempts: 0,
            timing: Timing::default(),
            ended: false,
        }
    }

    /// The span of the call.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Counts an attempt.
    pub(crate) fn attempt(&mut self) {
        self.attempts += 1;
        if self.attempts > 1 {
            self.metrics.retried();
        }
    }

    /// Starts the wait for a permit and a connection.
    pub(crate) fn wait_begins(&mut self) {
        self.waiting = Some(Instant::now());
    }

    /// Ends the wait without a permit.
    pub(crate) fn throttled(&mut self) {
        self.add_wait(Instant::now());
    }

    /// Ends the wait: a connection was reserved, or none was available in time. The reservation was
    /// requested at `since`.
    pub(crate) fn reserved(&mut self, since: Instant) {
        let now = Instant::now();
        self.metrics.reserved(self.host, now.saturating_duration_since(since));
        self.add_wait(now);
    }

    /// Records the latency of the attempt, from the transport to the end of its response or to its error.
    pub(crate) fn sent(&mut self, latency: Duration) {
        self.timing.latency = latency;
        self.metrics.sent(latency);
    }

    fn add_wait(&mut self, now: Instant) {
        if let Some(since) = self.waiting.take() {
            self.timing.waited += now.saturating_duration_since(since);
        }
    }

    /// Ends the call with decoded data or with an error.
    pub(crate) fn end(mut self, end: Result<StatusCode, &Error>) -> Timing {
        self.ended = true;
        let fault = end.err().map(labels::error_type);
        self.record_end(labels::outcome(end.err()), fault);
        if !self.span.is_disabled() {
            let status = end.map_or_else(Error::status, Some);
            if let Some(status) = status {
                self.span.record("http.response.status_code", status.as_u16());
            }
            if let Some(code) = end.err().and_then(Error::code) {
                self.span.record("bitmart.code", code);
            }
        }
        self.timing
    }

    fn record_end(&mut self, outcome: labels::Ended, fault: Option<&'static str>) {
        let now = Instant::now();
        // The call may have been dropped during a wait.
        self.add_wait(now);
        self.timing.total = now.saturating_duration_since(self.begin);
        self.metrics.ended(outcome, fault, self.timing.total);
        if self.span.is_disabled() {
            return;
        }
        self.span.record("bitmart.outcome", outcome.label());
        if let Some(fault) = fault {
            self.span.record("error.type", fault);
            self.span.record("otel.status_code", "ERROR");
        }
        self.span.record("bitmart.attempts", self.attempts);
        self.span.record("bitmart.waited_ms", labels::millis(self.timing.waited));
        self.span.record("bitmart.latency_ms", labels::millis(self.timing.latency));
        self.span.record("bitmart.total_ms", labels::millis(self.timing.total));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.ended {
            self.record_end(labels::Ended::Canceled, Some("canceled"));
        }
    }
}
