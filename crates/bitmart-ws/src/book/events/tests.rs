//! A book as a stream of changes.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::book::subscription::tests::{Harness, bids, depth, harness, malformed};
use crate::spot;
use crate::update::Update;

async fn event(harness: &mut Harness) -> BookEvent {
    harness.book.next_event().await.expect("not ended").expect("no error")
}

fn level(price: i64, size: i64) -> Level {
    Level { price: price.into(), size: size.into() }
}

#[tokio::test]
async fn events_contain_the_changed_levels_and_the_reason_of_a_resync() {
    let mut harness = harness();
    harness.push(bids("snapshot", 4, r#"["99","2"],["100","1"]"#));
    harness.push(bids("update", 5, r#"["99","0"],["98","3"]"#));
    harness.push(bids("update", 5, r#"["1","1"]"#));
    harness.push(bids("update", 8, ""));
    harness.push(bids("update", 9, ""));
    harness.push(bids("snapshot", 9, ""));
    let time = Some(Timestamp::from_millis(1_698_292_343_610));
    let change = |version, bids: &[Level]| BookChange {
        version,
        timestamp: time,
        asks: vec![],
        bids: bids.to_vec(),
    };
    assert_eq!(
        event(&mut harness).await,
        BookEvent::Snapshot(change(4, &[level(100, 1), level(99, 2)])),
        "sorted"
    );
    let changed = BookEvent::Changed(change(5, &[level(99, 0), level(98, 3)]));
    assert_eq!(event(&mut harness).await, changed);
    let gap = SyncError::SequenceGap { expected: 6, received: 8 };
    assert_eq!(event(&mut harness).await, BookEvent::Resyncing(ResyncReason::OutOfSync(gap)));
    assert_eq!(event(&mut harness).await, BookEvent::Snapshot(change(9, &[])));
}

#[tokio::test]
async fn reports_every_reason_of_a_resync() {
    let mut harness = harness();
    let closed = ReconnectReason::closed();
    let reasons = [
        (Update::Reconnecting(closed.clone()), Some(ResyncReason::Reconnecting(closed))),
        (Update::Lagged(7), Some(ResyncReason::Lagged(7))),
        (malformed(), None),
        (bids("delta", 6, ""), Some(ResyncReason::OutOfSync(SyncError::UnknownKind))),
    ];
    for (update, expected) in reasons {
        harness.push(depth("snapshot", 4, "100"));
        harness.push(update);
        assert!(matches!(event(&mut harness).await, BookEvent::Snapshot(_)));
        let BookEvent::Resyncing(reason) = event(&mut harness).await else { panic!("a book") };
        match expected {
            Some(expected) => assert_eq!(reason, expected),
            None => assert!(matches!(reason, ResyncReason::Malformed(_))),
        }
        assert!(!reason.to_string().is_empty());
    }
}

#[tokio::test]
async fn an_idle_connection_is_reported_and_keeps_the_book() {
    let mut harness = harness();
    let since = Instant::now();
    harness.push(depth("snapshot", 4, "100"));
    harness.push(Update::Stale(since));
    harness.push(Update::Alive);
    assert!(matches!(event(&mut harness).await, BookEvent::Snapshot(_)));
    assert_eq!(event(&mut harness).await, BookEvent::Stale(since));
    assert!(harness.book.book().is_synchronized());
    assert_eq!(harness.book.stale_since(), Some(since));
    assert_eq!(event(&mut harness).await, BookEvent::Alive);
    assert_eq!(harness.book.stale_since(), None);
}

#[tokio::test]
async fn levels_beyond_the_depth_are_reported_as_removed() {
    let rows = |range: std::ops::Range<u32>| {
        range.map(|price| format!(r#"["{price}","1"]"#)).collect::<Vec<_>>().join(",")
    };
    let harness = harness();
    harness.push(bids("snapshot", 4, &rows(100..200)));
    harness.push(bids("update", 5, &rows(200..202)));
    let mut events = harness.book.events();
    assert!(matches!(events.next().await, Some(Ok(BookEvent::Snapshot(_)))));
    let Some(Ok(BookEvent::Changed(change))) = events.next().await else { panic!("no change") };
    assert_eq!(change.bids, [level(200, 1), level(201, 1), level(100, 0), level(101, 0)]);
    assert_eq!(events.topic().name(), "spot/depth/increase100:BTC_USDT");
    drop(harness.writer);
    assert!(futures_util::StreamExt::next(&mut events).await.is_none());
}

/// An event on the connection. Updates and snapshots have the next version and these rows.
#[derive(Clone, Debug)]
enum Incoming {
    Update(Vec<(u32, u32)>),
    Snapshot(Vec<(u32, u32)>),
    Gap,
    Malformed,
    Cut,
}

fn incoming() -> impl Strategy<Value = Incoming> {
    let rows = |count| vec((1..160_u32, 0..3_u32), 0..count);
    prop_oneof![
        12 => rows(40).prop_map(Incoming::Update),
        3 => rows(200).prop_map(Incoming::Snapshot),
        1 => Just(Incoming::Gap),
        1 => Just(Incoming::Malformed),
        1 => Just(Incoming::Cut),
    ]
}

fn json_rows(rows: &[(u32, u32)]) -> String {
    let rows = rows.iter().map(|(price, size)| format!(r#"["{price}","{size}"]"#));
    rows.collect::<Vec<_>>().join(",")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_map_that_applies_the_events_equals_the_book(events in vec(incoming(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut harness = harness();
            let mut mirror: Option<BTreeMap<Decimal, Decimal>> = None;
            let mut version = 1;
            for event in events {
                version += 1;
                let update: Update<spot::DepthUpdate> = match event {
                    Incoming::Update(rows) => bids("update", version, &json_rows(&rows)),
                    Incoming::Snapshot(rows) => bids("snapshot", version, &json_rows(&rows)),
                    Incoming::Gap => { version += 1; bids("update", version, "") }
                    Incoming::Malformed => malformed(),
                    Incoming::Cut => {
                        Update::Reconnecting(ReconnectReason::closed())
                    }
                };
                harness.push(update);
                let waiting = harness.book.next_event();
                let next = tokio::time::timeout(std::time::Duration::from_secs(1), waiting).await;
                match next.ok().flatten().map(|event| event.expect("no error")) {
                    Some(BookEvent::Snapshot(change)) => {
                        mirror = Some(change.bids.iter().map(|l| (l.price, l.size)).collect());
                    }
                    Some(BookEvent::Changed(change)) => {
                        let mirror = mirror.as_mut().expect("a snapshot first");
                        for level in change.bids {
                            mirror.insert(level.price, level.size);
                        }
                        mirror.retain(|_, size| !size.is_zero());
                    }
                    Some(BookEvent::Resyncing(_)) => mirror = None,
                    Some(BookEvent::Stale(_) | BookEvent::Alive) | None => {}
                }
                harness.requested();
                let book = harness.book.book();
                assert_eq!(mirror.is_some(), book.is_synchronized());
                let expected = mirror.iter().flatten().rev();
                let expected: Vec<_> = expected.map(|(price, size)| (*price, *size)).collect();
                let book: Vec<_> = book.bids().map(|level| (level.price, level.size)).collect();
                assert_eq!(book, expected);
            }
        });
    }
}
