//! Compares the published frames with the typed events.

use std::collections::{BTreeMap, BTreeSet};

use bitmart_types::{Decimal, wire};
use bitmart_ws::Dialect;
use bitmart_ws::catalog::{self, Channel};
use serde_json::Value;

use common::{Fixture, fixtures};

mod common;

/// Appends the differences between two values. Decimals compare by value; all spellings of "no value"
/// are equal, and so is the zero that is encoded for an absent time.
fn differences(path: &str, left: &Value, right: &Value, out: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let null = Value::Null;
                differences(&path, a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null), out);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (left, right) in a.iter().zip(b) {
                differences(&format!("{path}[]"), left, right, out);
            }
        }
        _ if same(left, right) => {}
        _ => out.push(format!("{path}: {left} became {right}")),
    }
}

fn same(left: &Value, right: &Value) -> bool {
    let decimal = |value: &Value| value.as_str().and_then(|text| text.parse::<Decimal>().ok());
    let nothing = |value: &Value| value.is_null() || value.as_str().is_some_and(wire::is_no_value);
    left == right
        || (nothing(left) && (nothing(right) || *right == 0))
        || decimal(left).zip(decimal(right)).is_some_and(|(a, b)| a == b)
}

/// Decodes a frame and encodes it again.
fn recoded(fixture: &Fixture) -> Value {
    let text = fixture.frame.to_string();
    let recoded = catalog::recode(fixture.dialect, &text)
        .unwrap_or_else(|error| panic!("{}: {error}", fixture.path.display()))
        .expect("a described channel");
    assert_eq!(recoded.faults, [], "{}", fixture.path.display());
    serde_json::from_str(&recoded.text).expect("JSON")
}

#[test]
fn published_frames_keep_all_fields() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 25, "{}", fixtures.len());
    for fixture in fixtures {
        let mut found = Vec::new();
        differences("", &fixture.frame, &recoded(&fixture), &mut found);
        let ignored = |line: &String| {
            let path = line.split(": ").next().unwrap_or_default();
            let channel = fixture.channel();
            let entry = path.split_once('.').map_or("", |(_, entry)| entry);
            let other = channel.aliases.iter().find(|(new, old)| [*new, *old].contains(&entry));
            let renamed = other.is_some_and(|(_, old)| fixture.entries()[0].get(old).is_some());
            renamed || channel.ignores.iter().any(|(ignored, _)| *ignored == path)
        };
        found.retain(|line| !ignored(line));
        assert!(found.is_empty(), "{}: {found:#?}", fixture.path.display());
    }
}

/// Appends the paths of an entry's scalars. A column of a row keeps its index.
fn leaves(path: &str, value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(&format!("{path}{dot}{key}"), value, out);
            }
        }
        Value::Array(items) => {
            let is_row = items.iter().any(|item| !item.is_array() && !item.is_object());
            for (index, value) in items.iter().enumerate() {
                let index = if is_row { index.to_string() } else { String::new() };
                leaves(&format!("{path}[{index}]"), value, out);
            }
        }
        _ => drop(out.insert(path.to_owned())),
    }
}

#[test]
fn models_and_description_have_the_same_fields() {
    let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for fixture in fixtures() {
        let recoded = recoded(&fixture);
        let names = seen.entry(fixture.channel().pattern).or_default();
        match &recoded["data"] {
            Value::Array(entries) => entries.iter().for_each(|entry| leaves("", entry, names)),
            entry => leaves("", entry, names),
        }
    }
    // Each channel has a published or observed frame, except an undocumented one and two that share
    // their fields with another.
    let unseen = |channel: &&Channel| !seen.contains_key(channel.pattern);
    let unseen: Vec<_> = catalog::channels().iter().filter(unseen).map(|one| one.pattern).collect();
    assert_eq!(
        unseen,
        ["spot/bookTicker:{symbol}", "spot/user/orders:ALL_SYMBOLS", "futures/ticker"]
    );
    for (pattern, names) in seen {
        let channel = catalog::channels().iter().find(|channel| channel.pattern == pattern);
        let described: BTreeSet<String> =
            channel.expect("found before").fields.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(names, described, "{pattern}");
    }
}

#[test]
fn finds_channels_by_the_names_in_frames() {
    let names = [
        (Dialect::Spot, "spot/kline1M", "spot/kline{interval}:{symbol}"),
        (Dialect::Spot, "spot/depth50:BTC_USDT", "spot/depth{levels}:{symbol}"),
        (Dialect::Spot, "spot/bookTicker", "spot/bookTicker:{symbol}"),
        (Dialect::Spot, "spot/user/balance", "spot/user/balance:BALANCE_UPDATE"),
        (Dialect::Futures, "futures/depth20:BTCUSDT", "futures/depth{levels}:{symbol}{speed}"),
        (
            Dialect::Futures,
            "futures/depthAll20:B@100ms",
            "futures/depthAll{levels}:{symbol}{speed}",
        ),
        (Dialect::Futures, "futures/klineBin1H:BTCUSDT", "futures/klineBin{interval}:{symbol}"),
        (
            Dialect::Futures,
            "futures/markPriceKlineBin1W:BTCUSDT",
            "futures/markPriceKlineBin{interval}:{symbol}",
        ),
        (Dialect::Futures, "futures/asset:USDT", "futures/asset:{currency}"),
        (Dialect::Spot, "spot/ticker", "spot/ticker:{symbol}"),
        (Dialect::Spot, "spot/ticker:BTC_USDT", "spot/ticker:{symbol}"),
        (Dialect::Spot, "spot/depth/increase100", "spot/depth/increase100:{symbol}"),
        (Dialect::Spot, "spot/user/orders", "spot/user/orders:ALL_SYMBOLS"),
        (Dialect::Futures, "futures/order", "futures/order"),
        (
            Dialect::Futures,
            "futures/depthIncrease5:BTCUSDT@100ms",
            "futures/depthIncrease{levels}:{symbol}{speed}",
        ),
    ];
    for (dialect, name, pattern) in names {
        assert_eq!(
            catalog::channel(dialect, name).map(|channel| channel.pattern),
            Some(pattern),
            "{name}"
        );
    }
    for name in [
        "spot/kline",
        "spot/depth/increase50",
        "futures/unicast",
        "v2/depthAll20:BTCUSDT",
        "spot/tick",
        "spot/tickers",
        "futures/depthIncrease",
        "futures/depthIncreaseX",
        "",
    ] {
        assert!(catalog::channel(Dialect::Spot, name).is_none(), "{name}");
        assert!(catalog::channel(Dialect::Futures, name).is_none(), "{name}");
    }
    assert_eq!(catalog::recode(Dialect::Spot, r#"{"table":"spot/unknown","data":[]}"#), Ok(None));
}
