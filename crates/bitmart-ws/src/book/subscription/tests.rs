//! A book that requests the snapshots that it needs.

use bitmart_types::dec;
use std::sync::Arc;
use tokio::sync::mpsc;

use super::BookSubscription;
use crate::driver::Command;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, Level};
use crate::queue::{Overflow, Writer, queue};
use crate::reason::{ReconnectReason, Rejection};
use crate::spot;
use crate::testing::test_support::subscription;
use crate::topic;
use crate::update::Update;

/// A book without a connection: the test writes its updates and reads its commands.
pub(in crate::book) struct Harness {
    pub(in crate::book) book: BookSubscription<spot::DepthUpdate>,
    pub(in crate::book) writer: Writer<spot::DepthUpdate>,
    commands: mpsc::Receiver<Command>,
}

pub(in crate::book) fn harness() -> Harness {
    let (writer, reader) = queue(8, Overflow::Lag, Arc::default());
    let (sender, commands) = mpsc::channel(4);
    let topic = topic::spot::depth_updates("BTC_USDT");
    let book = BookSubscription::new(subscription(topic, reader, sender));
    Harness { book, writer, commands }
}

pub(in crate::book) fn depth(kind: &str, version: u64, bid: &str) -> Update<spot::DepthUpdate> {
    bids(kind, version, &format!(r#"["{bid}","1"]"#))
}

/// Returns an event with these rows of bids.
pub(in crate::book) fn bids(kind: &str, version: u64, rows: &str) -> Update<spot::DepthUpdate> {
    let frame = format!(
        r#"{{"table":"spot/depth/increase100","data":[{{"symbol":"BTC_USDT","type":"{kind}",
        "version":{version},"ms_t":1698292343610,"asks":[],"bids":[{rows}]}}]}}"#
    );
    let mut entries = Vec::new();
    spot::DepthUpdate::decode(&frame, &mut entries).expect("decodes");
    Update::Data(entries.remove(0))
}

impl Harness {
    pub(in crate::book) fn push(&self, update: Update<spot::DepthUpdate>) {
        assert!(self.writer.push(update));
    }

    /// Returns the version of the book after the next change; `None` while it is resyncing.
    async fn version(&mut self) -> Option<u64> {
        self.book.next().await.expect("not ended").expect("no error").version()
    }

    pub(in crate::book) fn requested(&mut self) -> bool {
        matches!(self.commands.try_recv(), Ok(Command::RequestSnapshot(topic)) if &*topic == "spot/depth/increase100:BTC_USDT")
    }
}

#[tokio::test]
async fn returns_each_change_and_skips_idle_repeats() {
    let mut harness = harness();
    harness.push(Update::Subscribed);
    harness.push(depth("snapshot", 4, "100"));
    harness.push(depth("update", 4, "999"));
    harness.push(depth("update", 5, "101"));
    assert_eq!(harness.version().await, Some(4));
    assert_eq!(harness.version().await, Some(5));
    assert_eq!(harness.book.book().best_bid(), Some(Level { price: dec!(101), size: dec!(1) }));
    assert!(!harness.requested());
}

#[tokio::test]
async fn a_sequence_gap_shows_at_once_and_requests_one_snapshot() {
    let mut harness = harness();
    harness.push(depth("snapshot", 4, "100"));
    harness.push(depth("update", 9, "101"));
    harness.push(depth("update", 10, "102"));
    harness.push(depth("snapshot", 10, "103"));
    assert_eq!(harness.version().await, Some(4));
    assert_eq!(harness.version().await, None);
    assert!(harness.requested());
    assert_eq!(harness.version().await, Some(10));
    assert!(!harness.requested());
}

#[tokio::test]
async fn a_lost_connection_clears_the_book_without_a_request() {
    let mut harness = harness();
    harness.push(depth("snapshot", 4, "100"));
    harness.push(Update::Reconnecting(ReconnectReason::closed()));
    harness.push(Update::Resynced);
    harness.push(depth("snapshot", 2, "103"));
    assert_eq!(harness.version().await, Some(4));
    assert_eq!(harness.version().await, None);
    assert_eq!(harness.version().await, Some(2));
    assert!(!harness.requested());
}

#[tokio::test]
async fn a_malformed_event_clears_the_book_and_requests_a_snapshot() {
    let mut harness = harness();
    harness.push(depth("snapshot", 4, "100"));
    harness.push(malformed());
    harness.push(depth("update", 5, "101"));
    harness.push(depth("snapshot", 9, "103"));
    assert_eq!((harness.version().await, harness.version().await), (Some(4), None));
    assert!(harness.requested());
    assert_eq!(harness.version().await, Some(9));
    assert!(!harness.requested());
}

pub(in crate::book) fn malformed() -> Update<spot::DepthUpdate> {
    let error = spot::DepthUpdate::decode("{", &mut Vec::new()).expect_err("not JSON");
    Update::Malformed(error)
}

#[tokio::test]
async fn lag_clears_the_book_and_requests_a_snapshot() {
    let mut harness = harness();
    harness.push(depth("snapshot", 4, "100"));
    assert_eq!(harness.version().await, Some(4));
    for version in 5..20 {
        harness.push(depth("update", version, "100"));
    }
    assert_eq!(harness.version().await, None);
    assert!(harness.requested());
}

/// Asserts that nothing changes within this time.
async fn expect_no_change(harness: &mut Harness, seconds: u64) {
    let timeout = std::time::Duration::from_secs(seconds);
    tokio::time::timeout(timeout, harness.book.next()).await.expect_err("no change");
}

#[tokio::test(start_paused = true)]
async fn a_missing_snapshot_is_requested_again_and_then_by_subscribing_anew() {
    let mut harness = harness();
    harness.push(depth("snapshot", 4, "100"));
    harness.push(depth("update", 9, "101"));
    assert_eq!((harness.version().await, harness.version().await), (Some(4), None));
    assert!(harness.requested());
    for rejected in [true, false] {
        if rejected {
            harness.push(Update::RequestRejected(Rejection::new(Some(90_004), "no")));
        }
        expect_no_change(&mut harness, 4).await;
        assert!(!harness.requested(), "not at once");
        expect_no_change(&mut harness, 1).await;
        assert!(harness.requested(), "repeated without an update");
    }
    expect_no_change(&mut harness, 5).await;
    assert!(matches!(harness.commands.try_recv(), Ok(Command::Resubscribe(_))));
    expect_no_change(&mut harness, 5).await;
    assert!(harness.requested(), "the cycle repeats");
    harness.push(depth("snapshot", 20, "101"));
    assert_eq!(harness.version().await, Some(20));
    expect_no_change(&mut harness, 60).await;
    assert!(!harness.requested(), "a synchronized book requests nothing");
}

#[tokio::test(start_paused = true)]
async fn requests_nothing_while_the_connection_is_down() {
    let mut harness = harness();
    harness.push(depth("snapshot", 4, "100"));
    harness.push(Update::Reconnecting(ReconnectReason::closed()));
    assert_eq!((harness.version().await, harness.version().await), (Some(4), None));
    expect_no_change(&mut harness, 60).await;
    assert!(!harness.requested());
    harness.push(Update::Resynced);
    expect_no_change(&mut harness, 5).await;
    assert!(harness.requested(), "the snapshot of the new subscription is missing");
}

#[tokio::test]
async fn canceling_next_while_a_request_waits_loses_neither_request_nor_change() {
    let mut harness = harness();
    for _ in 0..4 {
        harness.book.subscription.request_snapshot().await.expect("capacity");
    }
    harness.push(depth("snapshot", 4, "100"));
    harness.push(depth("update", 9, "101"));
    assert_eq!(harness.version().await, Some(4));
    // The queue of commands is full. That the book is out of sync is known all the same.
    assert_eq!(harness.version().await, None);
    // The call waits and is canceled.
    tokio::select! {
        biased;
        _ = harness.book.next() => panic!("the queue of commands is full"),
        () = tokio::task::yield_now() => {}
    }
    for _ in 0..4 {
        assert!(harness.requested());
    }
    assert!(!harness.requested());
    expect_no_change(&mut harness, 0).await;
    assert!(harness.requested());
}

#[tokio::test]
async fn is_a_stream_of_copies_of_the_book() {
    use futures_util::StreamExt as _;
    let harness = harness();
    assert_eq!(harness.book.topic().name(), "spot/depth/increase100:BTC_USDT");
    harness.push(depth("snapshot", 4, "100"));
    harness.push(depth("update", 5, "101"));
    harness.push(depth("update", 9, "101"));
    drop(harness.writer);
    let books = harness.book.map(|book| book.expect("no error").version());
    assert_eq!(books.collect::<Vec<_>>().await, [Some(4), Some(5), None]);
}

#[tokio::test]
async fn ends_after_an_error_of_its_connection() {
    let mut harness = harness();
    harness.push(depth("update", 9, "101"));
    drop(harness.commands);
    assert!(harness.book.next().await.is_some_and(|book| book.is_err()));
    assert!(harness.book.next().await.is_none());
}

#[tokio::test]
async fn the_error_of_a_shutdown_is_the_last_item() {
    let mut harness = harness();
    harness.push(depth("snapshot", 4, "100"));
    harness.push(depth("update", 9, "101"));
    assert_eq!(harness.version().await, Some(4));
    // The request for a snapshot fails, and the subscription ends with a reason of its own.
    drop(harness.commands);
    harness.writer.end(Error::new(ErrorKind::ShutDown, "the client was shut down"));
    let mut items = Vec::new();
    while let Some(book) = harness.book.next().await {
        items.push(book.is_ok());
        assert!(items.len() < 9, "does not end");
    }
    assert_eq!(items, [true, false]);
}

#[tokio::test]
async fn ends_with_the_subscription() {
    let mut harness = harness();
    harness.push(depth("snapshot", 4, "100"));
    drop(harness.writer);
    assert!(harness.book.next().await.is_some_and(|book| book.is_ok()));
    assert!(harness.book.next().await.is_none());
}

#[test]
fn reads_the_number_of_levels_from_the_channel_name() {
    use crate::topic::{DepthLevels, DepthSpeed, futures};
    assert_eq!(super::levels_in_name("spot/depth/increase100"), Some(100));
    let topic = futures::depth_updates("BTCUSDT", DepthLevels::Twenty, DepthSpeed::Ms200);
    assert_eq!(super::levels_in_name(topic.channel()), Some(20));
    assert_eq!(super::levels_in_name("futures/depth"), None);
    assert_eq!(super::levels_in_name("x99999999999999999999999"), None);
}
