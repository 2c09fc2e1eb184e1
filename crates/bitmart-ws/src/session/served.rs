//! Topics that are confirmed by their data.

use std::time::Instant;

use super::Session;
use crate::dialect::Operation;
use crate::topic;

impl Session {
    /// Confirms the topics that this data frame belongs to, as their acknowledgements would.
    pub(super) fn data_arrived(&mut self, now: Instant, channel: &str, text: &str) {
        if !self.flight.waits_for(Operation::Subscribe) {
            return;
        }
        let symbols: Vec<_> = symbols(text).map(Some).collect();
        let symbols = if symbols.is_empty() { &[None][..] } else { &symbols };
        let subscribed = |topic: &str| self.topics.contains_key(topic);
        let served: Vec<_> = self
            .topics
            .iter()
            .filter(|(_, entry)| entry.is_asked())
            .map(|(topic, _)| topic)
            .filter(|topic| {
                symbols.iter().any(|symbol| topic::receives(topic, channel, *symbol, subscribed))
            })
            .cloned()
            .collect();
        for topic in served {
            let verdict = self.flight.answered(Operation::Subscribe, &topic);
            self.confirm(&topic);
            self.judge(now, verdict);
        }
        self.flush(now);
    }
}

/// The values of all members called `symbol`. Names in JSON text need no escapes, so none are read.
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
    fn the_symbols_of_a_frame_are_found_in_any_spacing() {
        let text = r#"{"data":[{"symbol":"A_B","x":"symbol"},{"symbol" : "C_D"},{"symbol":1}]}"#;
        assert_eq!(symbols(text).collect::<Vec<_>>(), ["A_B", "C_D"]);
    }
}
