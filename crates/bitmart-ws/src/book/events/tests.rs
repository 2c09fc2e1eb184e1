use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::book::subscription::tests::{Bench, bench, bids, depth, malformed};
use crate::spot;
use crate::update::Update;

async fn event(bench: &mut Bench) -> BookEvent {
    bench.book.next_event().await.expect("goes on").expect("no error")
}

fn level(price: i64, size: i64) -> Level {
    Level { price: price.into(), size: size.into() }
}

#[tokio::test]
async fn events_say_what_changed_and_why_there_is_no_book() {
    let mut bench = bench();
    bench.push(bids("snapshot", 4, r#"["99","2"],["100","1"]"#));
    bench.push(bids("update", 5, r#"["99","0"],["98","3"]"#));
    bench.push(bids("update", 5, r#"["1","1"]"#));
    bench.push(bids("update", 8, ""));
    bench.push(bids("update", 9, ""));
    bench.push(bids("snapshot", 9, ""));
    let time = Some(Timestamp::from_millis(1_698_292_343_610));
    let change = |version, bids: &[Level]| BookChange {
        version,
        timestamp: time,
        asks: vec![],
        bids: bids.to_vec(),
    };
    assert_eq!(
        event(&mut bench).await,
        BookEvent::Snapshot(change(4, &[level(100, 1), level(99, 2)])),
        "sorted"
    );
    let changed = BookEvent::Changed(change(5, &[level(99, 0), level(98, 3)]));
    assert_eq!(event(&mut bench).await, changed);
    let gap = Loss::Gap { expected: 6, received: 8 };
    assert_eq!(event(&mut bench).await, BookEvent::Resyncing(Resync::Lost(gap)));
    assert_eq!(event(&mut bench).await, BookEvent::Snapshot(change(9, &[])));
}

#[tokio::test]
async fn every_reason_is_told() {
    let mut bench = bench();
    let closed = ReconnectReason::closed();
    let reasons = [
        (Update::Reconnecting(closed.clone()), Some(Resync::Reconnecting(closed))),
        (Update::Lagged(7), Some(Resync::Lagged(7))),
        (malformed(), None),
        (bids("delta", 6, ""), Some(Resync::Lost(Loss::UnknownKind))),
    ];
    for (update, expected) in reasons {
        bench.push(depth("snapshot", 4, "100"));
        bench.push(update);
        assert!(matches!(event(&mut bench).await, BookEvent::Snapshot(_)));
        let BookEvent::Resyncing(reason) = event(&mut bench).await else { panic!("a book") };
        match expected {
            Some(expected) => assert_eq!(reason, expected),
            None => assert!(matches!(reason, Resync::Malformed(_))),
        }
        assert!(!reason.to_string().is_empty());
    }
}

#[tokio::test]
async fn silence_of_the_connection_is_told_and_leaves_the_book() {
    let mut bench = bench();
    let since = Instant::now();
    bench.push(depth("snapshot", 4, "100"));
    bench.push(Update::Stale(since));
    bench.push(Update::Alive);
    assert!(matches!(event(&mut bench).await, BookEvent::Snapshot(_)));
    assert_eq!(event(&mut bench).await, BookEvent::Stale(since));
    assert!(bench.book.book().is_whole());
    assert_eq!(bench.book.stale_since(), Some(since));
    assert_eq!(event(&mut bench).await, BookEvent::Alive);
    assert_eq!(bench.book.stale_since(), None);
}

#[tokio::test]
async fn levels_that_fall_out_of_the_topic_are_told() {
    let rows = |range: std::ops::Range<u32>| {
        range.map(|price| format!(r#"["{price}","1"]"#)).collect::<Vec<_>>().join(",")
    };
    let bench = bench();
    bench.push(bids("snapshot", 4, &rows(100..200)));
    bench.push(bids("update", 5, &rows(200..202)));
    let mut events = bench.book.events();
    assert!(matches!(events.next().await, Some(Ok(BookEvent::Snapshot(_)))));
    let Some(Ok(BookEvent::Changed(change))) = events.next().await else { panic!("no change") };
    assert_eq!(change.bids, [level(200, 1), level(201, 1), level(100, 0), level(101, 0)]);
    drop(bench.writer);
    assert!(events.next().await.is_none());
}

/// What happens on the connection: an update of the next version with these rows, or something else.
#[derive(Clone, Debug)]
enum Happening {
    Update(Vec<(u32, u32)>),
    Snapshot(Vec<(u32, u32)>),
    Gap,
    Malformed,
    Cut,
}

fn happening() -> impl Strategy<Value = Happening> {
    let rows = |count| vec((1..160_u32, 0..3_u32), 0..count);
    prop_oneof![
        12 => rows(40).prop_map(Happening::Update),
        3 => rows(200).prop_map(Happening::Snapshot),
        1 => Just(Happening::Gap),
        1 => Just(Happening::Malformed),
        1 => Just(Happening::Cut),
    ]
}

fn written(rows: &[(u32, u32)]) -> String {
    let rows = rows.iter().map(|(price, size)| format!(r#"["{price}","{size}"]"#));
    rows.collect::<Vec<_>>().join(",")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_map_that_takes_the_events_is_the_book(happenings in vec(happening(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut bench = bench();
            let mut mirror: Option<BTreeMap<Decimal, Decimal>> = None;
            let mut version = 1;
            for happening in happenings {
                version += 1;
                let update: Update<spot::DepthIncrease> = match happening {
                    Happening::Update(rows) => bids("update", version, &written(&rows)),
                    Happening::Snapshot(rows) => bids("snapshot", version, &written(&rows)),
                    Happening::Gap => { version += 1; bids("update", version, "") }
                    Happening::Malformed => malformed(),
                    Happening::Cut => {
                        Update::Reconnecting(ReconnectReason::closed())
                    }
                };
                bench.push(update);
                // Nobody answers requests here; they only must not be in the way.
                let waiting = bench.book.next_event();
                let next = tokio::time::timeout(std::time::Duration::from_secs(1), waiting).await;
                match next.ok().flatten().map(|event| event.expect("no error")) {
                    Some(BookEvent::Snapshot(change)) => {
                        mirror = Some(change.bids.iter().map(|l| (l.price, l.size)).collect());
                    }
                    Some(BookEvent::Changed(change)) => {
                        let mirror = mirror.as_mut().expect("a snapshot came before");
                        for level in change.bids {
                            mirror.insert(level.price, level.size);
                        }
                        mirror.retain(|_, size| !size.is_zero());
                    }
                    Some(BookEvent::Resyncing(_)) => mirror = None,
                    Some(BookEvent::Stale(_) | BookEvent::Alive) | None => {}
                }
                bench.requested();
                let book = bench.book.book();
                assert_eq!(mirror.is_some(), book.is_whole());
                let expected = mirror.iter().flatten().rev();
                let expected: Vec<_> = expected.map(|(price, size)| (*price, *size)).collect();
                let book: Vec<_> = book.bids().map(|level| (level.price, level.size)).collect();
                assert_eq!(book, expected);
            }
        });
    }
}
