use std::collections::BTreeSet;

use super::*;
use crate::run::workspace_root;

/// Checks the rules that deserialization does not enforce.
#[test]
fn description_is_consistent() {
    for description in load(&workspace_root().join("crates/bitmart-ws/api")).expect("reads") {
        let prefix = format!("{:?}/", description.dialect).to_lowercase();
        let mut seen = BTreeSet::new();
        let date_length = "2026-01-01".len();
        for channel in &description.channels {
            let topic = &channel.topic;
            assert!(topic.starts_with(&prefix), "{topic}: belongs to the other dialect");
            assert!(seen.insert(topic), "{topic}: described twice");
            assert!(!description.owner(channel).fields.is_empty(), "{topic}: no fields");
            assert!(
                channel.docs.is_some() || channel.unverified,
                "{topic}: no address of its documentation"
            );
            assert!(
                channel.fields.is_empty() == channel.same_fields_as.is_some(),
                "{topic}: either fields or same_fields_as"
            );
            assert!(
                !topic.contains("{levels}") || !channel.levels.is_empty(),
                "{topic}: no levels"
            );
            assert_eq!(topic.contains("{interval}"), !channel.intervals.is_empty(), "{topic}");
            assert_eq!(topic.contains("{speed}"), !channel.speeds.is_empty(), "{topic}: speeds");
            assert!(
                !channel.sources.is_empty() && channel.checked.len() == date_length,
                "{topic}: sources"
            );
        }
    }
}
