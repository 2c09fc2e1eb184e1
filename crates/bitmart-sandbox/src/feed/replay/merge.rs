//! Merges a book snapshot and its updates into one snapshot.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

const SIDES: [&str; 2] = ["asks", "bids"];

/// Merges frames of a book into a snapshot frame with the book after the last update. Returns `None` if the first
/// frame is not a snapshot or an update is missing.
pub(super) fn merge<'a>(mut frames: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut frame_with_book: Value = serde_json::from_str(frames.next()?).ok()?;
    let mut book = std::mem::take(book_of(&mut frame_with_book)?);
    if book.get("type")? != "snapshot" {
        return None;
    }
    let mut sides = SIDES.map(|_| BTreeMap::new());
    change(&mut sides, &book)?;
    for frame in frames {
        // A recording may contain unreadable frames. Their updates count as missing.
        let Ok(mut frame) = serde_json::from_str(frame) else { continue };
        let update = book_of(&mut frame)?;
        let (last, number) = (version(&book)?, version(update)?);
        if number <= last {
            continue;
        }
        if number > last + 1 {
            return None;
        }
        change(&mut sides, update)?;
        book.append(update);
    }
    let [asks, bids] = sides;
    book.insert("asks".to_owned(), asks.into_values().collect());
    book.insert("bids".to_owned(), bids.into_values().rev().collect());
    book.insert("type".to_owned(), "snapshot".into());
    *book_of(&mut frame_with_book)? = book;
    Some(frame_with_book.to_string())
}

/// The data of a frame: an array with one object on spot, an object on futures.
fn book_of(frame: &mut Value) -> Option<&mut Map<String, Value>> {
    let data = frame.get_mut("data")?;
    if data.is_array() { data.get_mut(0)?.as_object_mut() } else { data.as_object_mut() }
}

fn version(book: &Map<String, Value>) -> Option<u64> {
    book.get("version")?.as_u64()
}

fn change(sides: &mut [BTreeMap<Decimal, Value>; 2], book: &Map<String, Value>) -> Option<()> {
    for (side, name) in sides.iter_mut().zip(SIDES) {
        let Some(levels) = book.get(name).filter(|levels| !levels.is_null()) else { continue };
        for level in levels.as_array()? {
            let (price, size) = match level {
                Value::Array(cells) => (cells.first()?, cells.get(1)?),
                _ => (level.get("price")?, level.get("vol")?),
            };
            let price = price.as_str()?.parse().ok()?;
            if size.as_str()?.parse::<Decimal>().ok()?.is_zero() {
                side.remove(&price);
            } else {
                side.insert(price, level.clone());
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::merge;

    fn merged(frames: &[Value]) -> Option<Value> {
        let frames: Vec<_> = frames.iter().map(Value::to_string).collect();
        let text = merge(frames.iter().map(String::as_str))?;
        Some(serde_json::from_str(&text).expect("JSON"))
    }

    #[test]
    fn updates_of_a_spot_book_are_merged_and_gaps_are_detected() {
        let frame = |kind: &str, version: u64, asks: Value, bids: Value| {
            let entry = json!({
                "symbol": "BTC_USDT", "type": kind, "version": version, "ms_t": version * 10,
                "asks": asks, "bids": bids,
            });
            json!({ "table": "spot/depth/increase100", "data": [entry] })
        };
        let (asks, bids) = (json!([["9.5", "1"], ["10", "2"]]), json!([["9", "3"], ["8", "4"]]));
        let snapshot = frame("snapshot", 7, asks, bids);
        let first = frame("update", 8, json!([["9.5", "0"], ["11", "5"]]), json!([]));
        let second = frame("update", 9, json!([]), json!([["9.1", "6"], ["8", "7"]]));
        let (asks, bids) =
            (json!([["10", "2"], ["11", "5"]]), json!([["9.1", "6"], ["9", "3"], ["8", "7"]]));
        let expected = frame("snapshot", 9, asks, bids);
        // Updates from before the snapshot, and duplicates, have no effect.
        let frames = [snapshot, first.clone(), first.clone(), second];
        assert_eq!(merged(&frames), Some(expected.clone()));
        assert_eq!(merged(&[first]), None);
        let gap = frame("update", 11, json!([]), json!([]));
        assert_eq!(merged(&[expected.clone(), gap]), None, "update 10 is missing");
        let expected = expected.to_string();
        assert_eq!(
            merge([expected.as_str(), "{"].into_iter()),
            Some(expected.clone()),
            "an unreadable frame is skipped"
        );
    }

    #[test]
    fn updates_of_a_futures_book_are_merged() {
        let frame = |kind: &str, version: u64, asks: Value| {
            json!({
                "group": "futures/depthIncrease5:BTCUSDT@200ms",
                "data": { "symbol": "BTCUSDT", "type": kind, "version": version, "asks": asks, "bids": [] },
            })
        };
        let level = |price: &str, size: &str| json!({ "price": price, "vol": size });
        let snapshot = frame("snapshot", 1, json!([level("100", "1"), level("101", "2")]));
        let update = frame("update", 2, json!([level("100", "0"), level("101", "3")]));
        let expected = frame("snapshot", 2, json!([level("101", "3")]));
        assert_eq!(merged(&[snapshot, update]), Some(expected));
    }
}
