//! One call of the client: its times, its span and its figures.

use std::time::Duration;

use http::StatusCode;
use http::uri::Authority;
use tokio::time::Instant;
use tracing::Span;
use tracing::field::Empty;

use super::meters::EndpointMeters;
use super::{Meters, words};
use crate::error::Error;
use crate::wire::endpoint::{Host, Metadata};

/// The times of a call, as [`Detailed`](crate::Detailed) tells them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Timing {
    pub(crate) latency: Duration,
    pub(crate) waited: Duration,
    pub(crate) total: Duration,
}

/// A call that is under way. Dropped before its end, it was cancelled, and says so.
pub(crate) struct Call {
    span: Span,
    meters: EndpointMeters,
    host: Host,
    begin: Instant,
    /// Begin of the wait that goes on.
    waiting: Option<Instant>,
    attempts: u32,
    timing: Timing,
    ended: bool,
}

impl Call {
    /// The call begins. `server` says where its request goes, if the environment does; it is asked
    /// only if somebody listens.
    pub(crate) fn begin<'a>(
        meters: &Meters,
        metadata: &'static Metadata,
        server: impl FnOnce() -> Option<(&'a Authority, u16)>,
    ) -> Self {
        let span = tracing::info_span!(
            target: "bitmart_rest",
            "bitmart.rest.call",
            otel.kind = "client",
            otel.status_code = Empty,
            bitmart.endpoint = metadata.id,
            http.request.method = words::method(metadata.method),
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
            meters: meters.endpoint(metadata),
            host: metadata.host,
            begin: Instant::now(),
            waiting: None,
            attempts: 0,
            timing: Timing::default(),
            ended: false,
        }
    }

    /// The span, for what happens during the call.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Another attempt begins.
    pub(crate) fn attempt(&mut self) {
        self.attempts += 1;
        if self.attempts > 1 {
            self.meters.sent_again();
        }
    }

    /// From now on the attempt waits to be sent.
    pub(crate) fn wait_begins(&mut self) {
        self.waiting = Some(Instant::now());
    }

    /// There is no permit for the attempt.
    pub(crate) fn refused(&mut self) {
        self.add_wait(Instant::now());
    }

    /// There is a place on a connection, or there was none in time. It was asked for at `since`.
    pub(crate) fn reserved(&mut self, since: Instant) {
        let now = Instant::now();
        self.meters.reserved(self.host, now.saturating_duration_since(since));
        self.add_wait(now);
    }

    /// The attempt took so long from the transport to the end of its response, or to its failure.
    pub(crate) fn sent(&mut self, latency: Duration) {
        self.timing.latency = latency;
        self.meters.sent(latency);
    }

    fn add_wait(&mut self, now: Instant) {
        if let Some(since) = self.waiting.take() {
            self.timing.waited += now.saturating_duration_since(since);
        }
    }

    /// The call ends with an error, or with data that was decoded.
    pub(crate) fn end(mut self, end: Result<StatusCode, &Error>) -> Timing {
        self.ended = true;
        let fault = end.err().map(words::error_type);
        self.note(words::outcome(end.err()), fault);
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

    fn note(&mut self, outcome: words::Ended, fault: Option<&'static str>) {
        let now = Instant::now();
        // A wait that was dropped.
        self.add_wait(now);
        self.timing.total = now.saturating_duration_since(self.begin);
        self.meters.ended(outcome, fault, self.timing.total);
        if self.span.is_disabled() {
            return;
        }
        self.span.record("bitmart.outcome", outcome.word());
        if let Some(fault) = fault {
            self.span.record("error.type", fault);
            self.span.record("otel.status_code", "ERROR");
        }
        self.span.record("bitmart.attempts", self.attempts);
        self.span.record("bitmart.waited_ms", words::millis(self.timing.waited));
        self.span.record("bitmart.latency_ms", words::millis(self.timing.latency));
        self.span.record("bitmart.total_ms", words::millis(self.timing.total));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.ended {
            self.note(words::Ended::Cancelled, Some("cancelled"));
        }
    }
}
