//! Recorded frames through the decoders.
//!
//! `tests/data/sandbox.gz` was recorded from the sandbox by the command in `docs/recording.md`. Another
//! recording, as of the exchange, is checked by `BITMART_RECORDING=FILE cargo test -p bitmart
//! --all-features --test facade recording::`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;

use bitmart::rest::recording::frames::Reader;
use bitmart::ws::{Market, catalog};
use serde_json::Value;

/// Adds the paths of the members of `wire`, a row as it was received, that `typed`, the same row decoded and encoded
/// again, lacks.
fn add_lost_members(wire: &Value, typed: &Value, path: &str, lost: &mut BTreeSet<String>) {
    match (wire, typed) {
        (Value::Object(wire), Value::Object(typed)) => {
            for (name, value) in wire {
                let path = format!("{path}.{name}");
                match typed.get(name) {
                    Some(known) => add_lost_members(value, known, &path, lost),
                    None if value.is_null() => {}
                    None => {
                        lost.insert(format!("{path} is not in the type"));
                    }
                }
            }
        }
        (Value::Array(wire), Value::Array(typed)) => {
            if wire.len() != typed.len() {
                lost.insert(format!("{path} has {} rows, not {}", typed.len(), wire.len()));
            }
            for (wire, typed) in wire.iter().zip(typed) {
                add_lost_members(wire, typed, &format!("{path}[]"), lost);
            }
        }
        _ => {}
    }
}

/// The name of a channel without its symbol, so that a channel with a symbol and the one about all are the same.
fn without_symbol(pattern: &'static str) -> &'static str {
    pattern.split(':').next().unwrap_or(pattern)
}

#[test]
fn every_recorded_frame_decodes_and_nothing_in_it_is_unknown() {
    let other = std::env::var_os("BITMART_RECORDING");
    let path = other
        .clone()
        .unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sandbox.gz").into());
    let file = File::open(&path).expect("a recording");
    let reader = Reader::new(BufReader::new(file)).expect("a recording");
    let (mut frames, mut channels, mut unknown) = (0, BTreeSet::new(), BTreeSet::new());
    for entry in reader {
        let entry = entry.expect("an entry");
        let Some(text) = entry.frame else { continue };
        let market = if entry.topic.starts_with("spot/") { Market::Spot } else { Market::Futures };
        let channel = catalog::channel(market, &entry.topic).expect("a known channel");
        channels.insert(without_symbol(channel.pattern));
        let typed = catalog::recode(market, &text)
            .unwrap_or_else(|error| panic!("{}: {error}", entry.topic))
            .unwrap_or_else(|| panic!("{}: no channel", entry.topic));
        let value = |text: &str| -> Value {
            let frame: Value = serde_json::from_str(text).expect("JSON");
            frame.get("data").cloned().unwrap_or(frame)
        };
        let data = |text: &str| match value(text) {
            Value::Array(rows) => rows,
            row => vec![row],
        };
        add_lost_members(
            &data(&text).into(),
            &data(&typed.text).into(),
            channel.pattern,
            &mut unknown,
        );
        frames += 1;
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    if other.is_none() {
        let public = catalog::channels().iter().filter(|channel| !channel.private);
        let wanted: BTreeSet<_> = public.map(|channel| without_symbol(channel.pattern)).collect();
        let missing: Vec<_> = wanted.difference(&channels).collect();
        assert!(missing.is_empty(), "nothing was recorded of {missing:?}");
        assert!(frames > 100, "{frames} frames");
    }
}
