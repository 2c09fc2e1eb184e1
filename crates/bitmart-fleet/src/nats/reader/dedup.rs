//! Passes each trade once, although several collectors publish it.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bitmart_ws::event::{Event as _, RawEvent};
use bitmart_ws::peek;
use bytes::Bytes;

/// Distinct trades that are stored. If a collector is further behind than these, its trades are passed again.
const WINDOW: usize = 8_192;

/// Removes trades that another collector has published already.
///
/// Trades have no id on spot, and two equal ones may be two trades. So the occurrences of each text are counted for
/// each collector: the n-th is new if no collector has published n of them before.
#[derive(Debug)]
pub(super) struct Dedup {
    inputs: usize,
    counts: HashMap<u64, Counts>,
    order: VecDeque<u64>,
}

#[derive(Debug)]
struct Counts {
    passed: u32,
    of_input: Vec<u32>,
}

impl Dedup {
    pub(super) fn new(inputs: usize) -> Self {
        Self { inputs, counts: HashMap::new(), order: VecDeque::new() }
    }

    /// Resets the count of one collector, which may repeat trades after a new subscription.
    pub(super) fn restart(&mut self, input: usize) {
        for counts in self.counts.values_mut() {
            counts.of_input[input] = 0;
        }
    }

    /// Returns the frame without the trades that were passed before; `None` if nothing is left. A frame whose trades
    /// are all new, or which is not readable, stays as it is.
    pub(super) fn pass(&mut self, input: usize, frame: &Bytes) -> Option<Bytes> {
        let text = std::str::from_utf8(frame).unwrap_or_default();
        let mut entries = Vec::new();
        if RawEvent::decode(text, &mut entries).is_err() || entries.is_empty() {
            return self.is_new(input, text).then(|| frame.clone());
        }
        let total = entries.len();
        entries.retain(|entry| self.is_new(input, entry.json.get()));
        if entries.is_empty() {
            return None;
        }
        if entries.len() == total {
            return Some(frame.clone());
        }
        let key = if text.contains("\"group\"") { "group" } else { "table" };
        let frame_name = peek::frame_name(text).unwrap_or_default();
        let entries: Vec<_> = entries.iter().map(|entry| entry.json.get()).collect();
        Some(format!(r#"{{"{key}":"{frame_name}","data":[{}]}}"#, entries.join(",")).into())
    }

    fn is_new(&mut self, input: usize, text: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let key = hasher.finish();
        if !self.counts.contains_key(&key) {
            if self.order.len() >= WINDOW
                && let Some(oldest) = self.order.pop_front()
            {
                self.counts.remove(&oldest);
            }
            self.order.push_back(key);
        }
        let inputs = self.inputs;
        let counts = self
            .counts
            .entry(key)
            .or_insert_with(|| Counts { passed: 0, of_input: vec![0; inputs] });
        counts.of_input[input] += 1;
        let is_new = counts.of_input[input] > counts.passed;
        counts.passed = counts.passed.max(counts.of_input[input]);
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(trades: &[&str]) -> Bytes {
        let data: Vec<_> =
            trades.iter().map(|t| format!(r#"{{"symbol":"X","p":"{t}"}}"#)).collect();
        format!(r#"{{"table":"spot/trade","data":[{}]}}"#, data.join(",")).into()
    }

    #[test]
    fn equal_trades_of_one_collector_are_two_trades() {
        let mut dedup = Dedup::new(2);
        assert_eq!(dedup.pass(0, &frame(&["a", "a"])), Some(frame(&["a", "a"])));
        assert_eq!(dedup.pass(1, &frame(&["a"])), None);
        assert_eq!(dedup.pass(1, &frame(&["a"])), None);
        assert_eq!(dedup.pass(1, &frame(&["a"])), Some(frame(&["a"])), "the third is new");
        assert_eq!(dedup.pass(0, &frame(&["a"])), None);
    }

    #[test]
    fn frames_of_another_size_pass_what_is_new() {
        let mut dedup = Dedup::new(2);
        assert_eq!(dedup.pass(0, &frame(&["a", "b"])), Some(frame(&["a", "b"])));
        assert_eq!(dedup.pass(1, &frame(&["b", "c"])), Some(frame(&["c"])));
        assert_eq!(dedup.pass(0, &frame(&["c", "d"])), Some(frame(&["d"])));
    }

    #[test]
    fn a_new_subscription_may_repeat_trades() {
        let mut dedup = Dedup::new(2);
        assert!(dedup.pass(0, &frame(&["a"])).is_some());
        dedup.restart(0);
        assert_eq!(dedup.pass(0, &frame(&["a"])), None);
    }
}
