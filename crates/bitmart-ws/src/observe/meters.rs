//! Figures with the crate `metrics`. Handles are registered once per connection, so that a frame or an
//! event looks nothing up in the recorder.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use metrics::{Counter, Gauge, Histogram, Unit, counter, gauge, histogram};

use super::words;
use crate::book::{ResyncReason, SyncError};
use crate::dialect::{Access, Dialect};
use crate::event::DecodeErrorKind;

/// Figures of a connection; nothing by default.
#[derive(Clone, Default)]
pub(crate) struct Meters(Option<Arc<Handles>>);

struct Handles {
    dialect: &'static str,
    side: &'static str,
    open: Gauge,
    received: Traffic,
    sent: Traffic,
    depth: Gauge,
    age: Histogram,
}

/// One direction.
struct Traffic {
    frames: Counter,
    bytes: Counter,
}

impl Traffic {
    fn new(dialect: &'static str, side: &'static str, direction: &'static str) -> Self {
        let labels = [("dialect", dialect), ("side", side), ("direction", direction)];
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

impl Meters {
    /// The recorder must be installed by now.
    pub(crate) fn new(dialect: Dialect, side: Access) -> Self {
        describe();
        let (dialect, side) = (words::dialect(dialect), words::side(side));
        let labels = [("dialect", dialect), ("side", side)];
        Self(Some(Arc::new(Handles {
            dialect,
            side,
            open: gauge!("bitmart_ws_connections_open", &labels),
            received: Traffic::new(dialect, side, "receive"),
            sent: Traffic::new(dialect, side, "transmit"),
            depth: gauge!("bitmart_ws_queue_depth", &labels),
            age: histogram!("bitmart_ws_event_age_seconds", &labels),
        })))
    }

    /// An attempt to connect ended.
    pub(super) fn attempted(&self, outcome: &'static str) {
        self.count("bitmart_ws_connection_attempts_total", Some(("outcome", outcome)), 1);
    }

    /// A connection is open.
    pub(super) fn opened(&self) {
        if let Some(handles) = &self.0 {
            handles.open.increment(1);
        }
    }

    /// A connection that was open is no more.
    pub(super) fn closed(&self, reason: &'static str) {
        if let Some(handles) = &self.0 {
            handles.open.decrement(1);
        }
        if !words::is_wanted(reason) {
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

    /// A frame, or an entry of one, cannot be read.
    pub(crate) fn decode_fault(&self, kind: DecodeErrorKind) {
        self.count("bitmart_ws_decode_faults_total", Some(("kind", words::fault(kind))), 1);
    }

    /// A queue ran full, and so many events were dropped.
    pub(crate) fn overflowed(&self, dropped: u64) {
        self.count("bitmart_ws_queue_overflows_total", None, 1);
        self.count("bitmart_ws_dropped_events_total", None, dropped);
    }

    /// An event was read that had arrived at `received`.
    pub(crate) fn read(&self, received: Instant) {
        if let Some(handles) = &self.0 {
            let now = tokio::time::Instant::now().into_std();
            handles.age.record(now.saturating_duration_since(received));
        }
    }

    /// What is rare is registered when it happens.
    fn count(&self, name: &'static str, label: Option<(&'static str, &'static str)>, number: u64) {
        if let Some(handles) = &self.0 {
            let labels = [("dialect", handles.dialect), ("side", handles.side)];
            let labels: Vec<_> = labels.into_iter().chain(label).collect();
            counter!(name, &labels).increment(number);
        }
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}

/// What was told of the length of a queue.
#[derive(Debug, Default)]
pub(crate) struct Depth(u32);

impl Depth {
    /// The queue is this long now.
    pub(crate) fn tell(&mut self, meters: &Meters, length: usize) {
        let Some(handles) = &meters.0 else { return };
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        if length > self.0 {
            handles.depth.increment(length - self.0);
        } else if length < self.0 {
            handles.depth.decrement(self.0 - length);
        }
        self.0 = length;
    }
}

/// A book that was whole was lost.
pub(crate) fn book_resync(dialect: Dialect, resync: &ResyncReason) {
    let reason = match resync {
        ResyncReason::Reconnecting(_) => "reconnecting",
        ResyncReason::Lagged(_) => "lagged",
        ResyncReason::Malformed(_) => "malformed",
        ResyncReason::OutOfSync(SyncError::SequenceGap { .. }) => "gap",
        ResyncReason::OutOfSync(SyncError::Crossed) => "crossed",
        ResyncReason::OutOfSync(SyncError::UnknownKind) => "unknown_kind",
    };
    let dialect = words::dialect(dialect);
    counter!("bitmart_ws_book_resyncs_total", "dialect" => dialect, "reason" => reason)
        .increment(1);
}

/// Tells the recorder what each figure is: the same words as in `docs/observability.md`.
fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    let counters = [
        ("bitmart_ws_connection_attempts_total", "Attempts to connect that ended."),
        ("bitmart_ws_reconnects_total", "Connections that were lost."),
        ("bitmart_ws_frames_total", "Messages, control frames included."),
        ("bitmart_ws_decode_faults_total", "Frames and entries of frames that cannot be read."),
        ("bitmart_ws_queue_overflows_total", "How often the queue of a subscription ran full."),
        ("bitmart_ws_dropped_events_total", "Events dropped because a queue was full."),
        ("bitmart_ws_book_resyncs_total", "Books that were whole and had to start over."),
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
