//! Spans and events of `tracing`, and metrics with the feature `metrics`.
//!
//! `docs/observability.md` lists all names; a test compares it with what is emitted. Frames are never
//! logged: they may contain orders, keys and signatures.

mod labels;
mod log;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "observe/no_metrics.rs"]
mod metrics;

use std::time::Duration;

use tokio::time::Instant;
use tracing::Span;
use tracing::field::Empty;

use crate::dialect::{Access, Market};
use crate::event::DecodeError;
use crate::frame::Message;
use crate::session::SessionEvent;
use crate::{ConnectionState, ConnectionStatus};

pub(crate) use self::metrics::{Metrics, QueueDepth, book_resync};

/// Observes the successive connections of one driver.
pub(crate) struct ConnectionObserver {
    market: Market,
    access: Access,
    /// The number of the slot in the pool, from 1.
    number: usize,
    host: String,
    port: u16,
    metrics: Metrics,
    /// Attempts since the last open connection.
    attempts: u32,
    /// The span of the current connection or attempt; disabled if there is none.
    span: Span,
    current: Option<Attempt>,
}

/// A connection attempt, and the connection that it made.
struct Attempt {
    started_at: Instant,
    opened_at: Option<Instant>,
}

impl ConnectionObserver {
    pub(crate) fn new(
        (market, access): (Market, Access),
        number: usize,
        (host, port): (&str, u16),
        metrics: Metrics,
    ) -> Self {
        Self {
            market,
            access,
            number,
            host: host.to_owned(),
            port,
            metrics,
            attempts: 0,
            span: Span::none(),
            current: None,
        }
    }

    /// Records the start of a connection attempt after this delay.
    pub(crate) fn connecting(&mut self, delay: Duration, topics: usize) {
        self.end("idle");
        self.attempts += 1;
        self.span = tracing::info_span!(
            target: "bitmart_ws",
            parent: None,
            "bitmart.ws.connection",
            otel.kind = "client",
            otel.status_code = Empty,
            network.protocol.name = "websocket",
            server.address = self.host.as_str(),
            server.port = self.port,
            bitmart.market = labels::market(self.market),
            bitmart.side = labels::side(self.access),
            bitmart.connection = self.number,
            bitmart.attempt = self.attempts,
            bitmart.topics = topics,
            bitmart.reason = Empty,
            error.type = Empty,
            bitmart.delay_ms = labels::millis(delay),
            bitmart.connect_ms = Empty,
            bitmart.open_ms = Empty,
        );
        self.current = Some(Attempt { started_at: Instant::now() + delay, opened_at: None });
        log::connecting(&self.span);
    }

    /// Records that the connection is open.
    pub(crate) fn connected(&mut self) {
        let Some(current) = &mut self.current else { return };
        let now = Instant::now();
        current.opened_at = Some(now);
        let connect_duration = now.saturating_duration_since(current.started_at);
        self.attempts = 0;
        self.span.record("bitmart.connect_ms", labels::millis(connect_duration));
        self.metrics.attempted("ok");
        self.metrics.opened();
        log::connected(&self.span);
    }

    /// Records an event of the session, and the number of topics if it ends the connection or attempt.
    pub(crate) fn session_event(&mut self, event: &SessionEvent, topics: usize) {
        let is_open = self.current.as_ref().is_some_and(|current| current.opened_at.is_some());
        self.span.in_scope(|| log::session_event(event, is_open));
        if let SessionEvent::Reconnecting { reason } = event {
            self.span.record("bitmart.topics", topics);
            let reason = labels::reason(reason);
            self.span.record("error.type", reason);
            self.span.record("otel.status_code", "ERROR");
            self.end(reason);
        }
    }

    /// Records the end of the connection if the status implies it.
    pub(crate) fn status_changed(&mut self, status: ConnectionStatus) {
        match status.state {
            ConnectionState::Idle => self.end("idle"),
            ConnectionState::Failed => self.end("login_rejected"),
            _ => {}
        }
    }

    /// Counts a received frame.
    pub(crate) fn received(&self, message: &Message) {
        self.metrics.received(match message {
            Message::Text(bytes) | Message::Binary(bytes) | Message::Ping(bytes) => bytes.len(),
            Message::Close(_, text) => text.as_ref().map_or(0, String::len),
            Message::Pong => 0,
        });
    }

    /// Counts a sent frame with a payload of this size.
    pub(crate) fn sent(&self, bytes: usize) {
        self.metrics.sent(bytes);
    }

    /// Records a frame that could not be decoded, or has bytes after its end.
    pub(crate) fn malformed(&self, error: &DecodeError) {
        self.metrics.decode_error(error.kind());
        self.span.in_scope(|| log::malformed(error));
    }

    fn end(&mut self, reason: &'static str) {
        let Some(current) = self.current.take() else { return };
        self.span.record("bitmart.reason", reason);
        if let Some(opened_at) = current.opened_at {
            self.span.record("bitmart.open_ms", labels::millis(opened_at.elapsed()));
            self.metrics.closed(reason);
        } else {
            self.metrics.attempted(reason);
        }
        self.span = Span::none();
    }
}

impl Drop for ConnectionObserver {
    fn drop(&mut self) {
        self.end("shut_down");
    }
}
