//! A book's snapshot and what changed since, as one snapshot.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

const SIDES: [&str; 2] = ["asks", "bids"];

/// Folds frames of a book, the first a snapshot, into a frame with the book after the last of them. `None`
/// when the first is no snapshot, or one is missing: there is no book then.
pub(super) fn fold<'a>(mut frames: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut whole: Value = serde_json::from_str(frames.next()?).ok()?;
    let mut book = std::mem::take(entry(&mut whole)?);
    if book.get("type")? != "snapshot" {
        return None;
    }
    let mut sides = SIDES.map(|_| BTreeMap::new());
    change(&mut sides, &book)?;
    for frame in frames {
        // What cannot be read was recorded all the same; its number is missing then.
        let Ok(mut frame) = serde_json::from_str(frame) else { continue };
        let update = entry(&mut frame)?;
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
    *entry(&mut whole)? = book;
    Some(whole.to_string())
}

/// What a frame says of its book: on spot a list of one, on futures an object.
fn entry(frame: &mut Value) -> Option<&mut Map<String, Value>> {
    let data = frame.get_mut("data")?;
    if data.is_array() { data.get_mut(0)?.as_object_mut() } else { data.as_object_mut() }
}

fn version(entry: &Map<String, Value>) -> Option<u64> {
    entry.get("version")?.as_u64()
}

fn change(sides: &mut [BTreeMap<Decimal, Value>; 2], entry: &Map<String, Value>) -> Option<()> {
    for (side, name) in sides.iter_mut().zip(SIDES) {
        let Some(levels) = entry.get(name).filter(|levels| !levels.is_null()) else { continue };
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

    use super::fold;

    fn folded(frames: &[Value]) -> Option<Value> {
        let frames: Vec<_> = frames.iter().map(Value::to_string).collect();
        let text = fold(frames.iter().map(String::as_str))?;
        Some(serde_json::from_str(&text).expect("JSON"))
    }

    #[test]
    fn a_spot_book_has_its_changes_and_the_last_version() {
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
        let whole = frame("snapshot", 9, asks, bids);
        // What came before the snapshot, or twice, changes nothing.
        let frames = [snapshot, first.clone(), first.clone(), second];
        assert_eq!(folded(&frames), Some(whole.clone()));
        assert_eq!(folded(&[first]), None);
        let gap = frame("update", 11, json!([]), json!([]));
        assert_eq!(folded(&[whole.clone(), gap]), None, "one is missing");
        let whole = whole.to_string();
        assert_eq!(fold([whole.as_str(), "{"].into_iter()), Some(whole.clone()), "no frame");
    }

    #[test]
    fn a_futures_book_has_its_changes_as_well() {
        let frame = |kind: &str, version: u64, asks: Value| {
            json!({
                "group": "futures/depthIncrease5:BTCUSDT@200ms",
                "data": { "symbol": "BTCUSDT", "type": kind, "version": version, "asks": asks, "bids": [] },
            })
        };
        let level = |price: &str, size: &str| json!({ "price": price, "vol": size });
        let snapshot = frame("snapshot", 1, json!([level("100", "1"), level("101", "2")]));
        let update = frame("update", 2, json!([level("100", "0"), level("101", "3")]));
        let whole = frame("snapshot", 2, json!([level("101", "3")]));
        assert_eq!(folded(&[snapshot, update]), Some(whole));
    }
}
