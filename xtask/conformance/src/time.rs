//! Moments in their spellings.

use bitmart_types::{Note, Timestamp, collect_notes, wire};
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};

const MILLISECONDS: &str = "milliseconds";

/// A moment and the unit that it was written in.
#[derive(Clone, Copy)]
pub(crate) struct Instant {
    time: Timestamp,
    pub(crate) unit: &'static str,
}

impl Instant {
    /// Reads it with the reader of the models.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text: StrDeserializer<'_, ValueError> = text.into_deserializer();
        let (time, notes) = collect_notes(|| wire::millis::deserialize(text));
        let unit = match notes.as_slice() {
            [Note::OtherUnit { found, .. }] => found,
            _ => MILLISECONDS,
        };
        Some(Self { time: time.ok()?, unit })
    }
}

/// Whether `got` is `recorded`, as exactly as `got` is written.
pub(crate) fn is_same(recorded: Instant, got: Instant) -> bool {
    match got.unit {
        "seconds" => recorded.time.as_secs() == got.time.as_secs(),
        _ => recorded.time == got.time,
    }
}
