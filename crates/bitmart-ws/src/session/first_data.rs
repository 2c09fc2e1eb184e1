//! Topics that are confirmed by their first data.

use std::time::Instant;

use super::Session;
use crate::dialect::Operation;
use crate::topic;

impl Session {
    /// Confirms the unacknowledged topics of this data frame, as their acknowledgements would. `frame_name` is its
    /// `"table"` or `"group"`.
    pub(super) fn confirm_by_data(&mut self, now: Instant, frame_name: &str, text: &str) {
        if !self.pending.contains(Operation::Subscribe) {
            return;
        }
        let symbols: Vec<_> = symbols(text).map(Some).collect();
        let symbols = if symbols.is_empty() { &[None][..] } else { &symbols };
        let subscribed = |topic: &str| self.topics.contains_key(topic);
        let confirmed: Vec<_> = self
            .topics
            .iter()
            .filter(|(_, topic_state)| topic_state.awaits_acknowledgement())
            .map(|(topic, _)| topic)
            .filter(|topic| {
                symbols
                    .iter()
                    .any(|symbol| topic::takes_event(topic, frame_name, *symbol, subscribed))
            })
            .cloned()
            .collect();
        for topic in confirmed {
            let resolution = self.pending.remove_topic(Operation::Subscribe, &topic);
            self.confirm(&topic);
            self.apply_resolution(now, resolution);
        }
        self.flush(now);
    }
}

/// Returns the values of all members called `symbol`. Symbols contain no JSON escapes, so none are
/// decoded.
fn symbols(text: &str) -> impl Iterator<Item = &str> {
    text.split(r#""symbol""#).skip(1).filter_map(|rest| {
        let value = rest.trim_ascii_start().strip_prefix(':')?.trim_ascii_start();
        value.strip_prefix('"')?.split_once('"').map(|(symbol, _)| symbol)
    })
}

#[cfg(test)]
mod tests {
    use super::symbols;

    #[test]
    fn finds_the_symbols_of_a_frame_in_any_spacing() {
        let text = r#"{"data":[{"symbol":"A_B","x":"symbol"},{"symbol" : "C_D"},{"symbol":1}]}"#;
        assert_eq!(symbols(text).collect::<Vec<_>>(), ["A_B", "C_D"]);
    }
}
