//! Frames as they were received.

use bitmart_ws::event::{DecodeError, Event, RawEvent};
use bytes::Bytes;

use crate::nats::message::has_snapshot;

/// A whole frame, for one of the symbols in it.
#[derive(Clone, Debug)]
pub(super) struct RawFrame {
    pub(super) text: Bytes,
    /// Whether it is the snapshot of an incremental book.
    pub(super) is_snapshot: bool,
    symbol: Option<String>,
}

impl Event for RawFrame {
    fn decode(text: &str, out: &mut Vec<Self>) -> Result<(), DecodeError> {
        let mut entries = Vec::new();
        // What cannot be decoded here is published as it is: readers report it.
        let _ = RawEvent::decode(text, &mut entries);
        // Most frames contain no such word, and their entries are not read.
        let is_snapshot = text.contains("snapshot") && has_snapshot(&entries);
        let text = Bytes::copy_from_slice(text.as_bytes());
        let mut symbols: Vec<Option<&str>> = entries.iter().map(Event::symbol).collect();
        symbols.sort_unstable();
        symbols.dedup();
        if symbols.is_empty() || symbols.contains(&None) {
            // It concerns the whole channel.
            symbols = vec![None];
        }
        out.extend(symbols.into_iter().map(|symbol| Self {
            text: text.clone(),
            is_snapshot,
            symbol: symbol.map(str::to_owned),
        }));
        Ok(())
    }

    fn symbol(&self) -> Option<&str> {
        self.symbol.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Vec<(Option<String>, bool)> {
        let mut frames = Vec::new();
        RawFrame::decode(text, &mut frames).expect("never fails");
        assert!(frames.iter().all(|frame| frame.text == text));
        frames.into_iter().map(|frame| (frame.symbol, frame.is_snapshot)).collect()
    }

    #[test]
    fn a_frame_is_for_each_of_its_symbols() {
        let text =
            r#"{"table":"spot/ticker","data":[{"symbol":"A"},{"symbol":"B"},{"symbol":"A"}]}"#;
        assert_eq!(decode(text), [(Some("A".to_owned()), false), (Some("B".to_owned()), false)]);
        let text =
            r#"{"group":"futures/depthIncrease5:A","data":{"symbol":"A","type":"snapshot"}}"#;
        assert_eq!(decode(text), [(Some("A".to_owned()), true)]);
    }

    #[test]
    fn a_frame_that_is_not_readable_is_for_the_channel() {
        assert_eq!(decode(r#"{"table":"spot/ticker","data":[{]}"#), [(None, false)]);
        assert_eq!(decode(r#"{"table":"spot/ticker","data":[{"type":1}]}"#), [(None, false)]);
    }
}
