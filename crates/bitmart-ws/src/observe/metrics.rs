//! Metrics of the crate `metrics`. Handles are registered once per connection, so that frames and events
//! need no lookup in the recorder.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use metrics::{Counter, Gauge, Histogram, Unit, counter, gauge, histogram};

use super::labels;
use crate::book::{ResyncReason, SyncError};
use crate::dialect::{Access, Market};
use crate::event::DecodeErrorKind;

/// The metrics of a connection; the default records nothing.
#[derive(Clone, Default)]
pub(crate) struct Metrics(Option<Arc<Handles>>);

struct Handles {
    market: &'static str,
    side: &'static str,
    open: Gauge,
    received: Traffic,
    sent: Traffic,
    depth: Gauge,
    age: Histogram,
}

/// The frames of one direction.
struct Traffic {
    frames: Counter,
    bytes: Counter,
}

impl Traffic {
    fn new(market: &'static str, side: &'static str, direction: &'static str) -> Self {
        let labels = [("market", market), ("side", side), ("direction", direction)];
        Self {
            frames: counter!("bitmart_ws_frames_total", &labels),
            bytes: counter!("bitmart_ws_bytes_total", &labels),
        }
    }

    fn count(&self, bytes: usize) {
        self.frames.increment(1);
        self.bytes.increment(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}

impl Metrics {
    /// Registers the metrics with the recorder that is installed.
    pub(crate) fn new(market: Market, access: Access) -> Self {
        describe();
        let (market, side) = (labels::market(market), labels::side(access));
        let labels = [("market", market), ("side", side)];
        Self(Some(Arc::new(Handles {
            market,
            side,
            open: gauge!("bitmart_ws_connections_open", &labels),
            received: Traffic::new(market, side, "receive"),
            sent: Traffic::new(market, side, "transmit"),
            depth: gauge!("bitmart_ws_queue_depth", &labels),
            age: histogram!("bitmart_ws_event_age_seconds", &labels),
        })))
    }

    /// Counts a finished connection attempt.
    pub(super) fn attempted(&self, outcome: &'static str) {
        self.count("bitmart_ws_connection_attempts_total", Some(("outcome", outcome)), 1);
    }

    /// Counts an opened connection.
    pub(super) fn opened(&self) {
        if let Some(handles) = &self.0 {
            handles.open.increment(1);
        }
    }

    /// Counts the end of an open connection.
    pub(super) fn closed(&self, reason: &'static str) {
        if let Some(handles) = &self.0 {
            handles.open.decrement(1);
        }
        if !labels::is_intended(reason) {
            self.count("bitmart_ws_reconnects_total", Some(("reason", reason)), 1);
        }
    }

    pub(super) fn received(&self, bytes: usize) {
        if let Some(handles) = &self.0 {
            handles.received.count(bytes);
        }
    }

    pub(super) fn sent(&self, bytes: usize) {
        if let Some(handles) = &self.0 {
            handles.sent.count(bytes);
        }
    }

    /// Counts a frame, or an entry of one, that cannot be decoded.
    pub(crate) fn decode_error(&self, kind: DecodeErrorKind) {
        self.count("bitmart_ws_decode_faults_total", Some(("kind", labels::decode_error(kind))), 1);
    }

    /// Counts a data frame that no subscription receives.
    pub(crate) fn unrouted(&self) {
        self.count("bitmart_ws_unrouted_frames_total", None, 1);
    }

    /// Counts a queue overflow and the events it dropped.
    pub(crate) fn overflowed(&self, dropped: u64) {
        self.count("bitmart_ws_queue_overflows_total", None, 1);
        self.count("bitmart_ws_dropped_events_total", None, dropped);
    }

    /// Records the age of an event that the user reads.
    pub(crate) fn read(&self, received_at: Instant) {
        if let Some(handles) = &self.0 {
            let now = tokio::time::Instant::now().into_std();
            handles.age.record(now.saturating_duration_since(received_at));
        }
    }

    /// Adds to a rare counter, which is registered on use.
    fn count(&self, name: &'static str, label: Option<(&'static str, &'static str)>, number: u64) {
        if let Some(handles) = &self.0 {
            let labels = [("market", handles.market), ("side", handles.side)];
            let labels: Vec<_> = labels.into_iter().chain(label).collect();
            counter!(name, &labels).increment(number);
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// The length of a queue as last reported to its gauge.
#[derive(Debug, Default)]
pub(crate) struct QueueDepth(u32);

impl QueueDepth {
    /// Reports the current length.
    pub(crate) fn set(&mut self, metrics: &Metrics, length: usize) {
        let Some(handles) = &metrics.0 else { return };
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        if length > self.0 {
            handles.depth.increment(length - self.0);
        } else if length < self.0 {
            handles.depth.decrement(self.0 - length);
        }
        self.0 = length;
    }
}

/// Counts a synchronized book that must be resynchronized.
pub(crate) fn book_resync(market: Market, resync: &ResyncReason) {
    let reason = match resync {
        ResyncReason::Reconnecting(_) => "reconnecting",
        ResyncReason::Lagged(_) => "lagged",
        ResyncReason::Malformed(_) => "malformed",
        ResyncReason::OutOfSync(SyncError::SequenceGap { .. }) => "gap",
        ResyncReason::OutOfSync(SyncError::Crossed) => "crossed",
        ResyncReason::OutOfSync(SyncError::VersionReset { .. }) => "version_reset",
        ResyncReason::OutOfSync(SyncError::UnknownKind) => "unknown_kind",
    };
    let market = labels::market(market);
    counter!("bitmart_ws_book_resyncs_total", "market" => market, "reason" => reason).increment(1);
}

/// Describes each metric to the recorder, with the text of `docs/observability.md`.
fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    let counters = [
        ("bitmart_ws_connection_attempts_total", "Attempts to connect that ended."),
        ("bitmart_ws_reconnects_total", "Connections that were lost."),
        ("bitmart_ws_frames_total", "Messages, control frames included."),
        (
            "bitmart_ws_decode_faults_total",
            "Frames and entries of frames that could not be decoded.",
        ),
        (
            "bitmart_ws_unrouted_frames_total",
            "Data frames that no subscription receives: of an ended one, or of an unknown channel.",
        ),
        ("bitmart_ws_queue_overflows_total", "How often the queue of a subscription ran full."),
        ("bitmart_ws_dropped_events_total", "Events dropped because a queue was full."),
        (
            "bitmart_ws_book_resyncs_total",
            "Synchronized order books that had to be resynchronized.",
        ),
    ];
    for (name, about) in counters {
        describe_counter!(name, Unit::Count, about);
    }
    describe_counter!(
        "bitmart_ws_bytes_total",
        Unit::Bytes,
        "Bytes of those messages, as on the wire and without headers."
    );
    describe_gauge!("bitmart_ws_connections_open", Unit::Count, "Open connections.");
    describe_gauge!(
        "bitmart_ws_queue_depth",
        Unit::Count,
        "Updates that wait to be read, in all subscriptions."
    );
    describe_histogram!(
        "bitmart_ws_event_age_seconds",
        Unit::Seconds,
        "From the arrival of an event until it was read."
    );
}
