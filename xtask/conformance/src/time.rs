//! Times in the spellings of the exchange.

use bitmart_types::{Note, Timestamp, codec, collect_notes};
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};

const MILLISECONDS: &str = "milliseconds";

/// A time and the unit in which it was written.
#[derive(Clone, Copy)]
pub(crate) struct WireTime {
    time: Timestamp,
    pub(crate) unit: &'static str,
}

impl WireTime {
    /// Parses it as the models do.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text: StrDeserializer<'_, ValueError> = text.into_deserializer();
        let (time, notes) = collect_notes(|| codec::millis::deserialize(text));
        let unit = match &notes[..] {
            [Note::OtherUnit { found, .. }] => found,
            _ => MILLISECONDS,
        };
        Some(Self { time: time.ok()?, unit })
    }
}

/// Whether both are the same time, in the precision of `got`.
pub(crate) fn is_same(recorded: WireTime, got: WireTime) -> bool {
    match got.unit {
        "seconds" => recorded.time.as_secs() == got.time.as_secs(),
        _ => recorded.time == got.time,
    }
}
