use bitmart_types::dec;
use std::sync::Arc;
use tokio::sync::mpsc;

use super::BookSubscription;
use crate::driver::Command;
use crate::event::{Event, Level};
use crate::queue::{Overflow, Writer, queue};
use crate::reason::{ReconnectReason, Rejection};
use crate::spot;
use crate::testing::own::subscription;
use crate::topic;
use crate::update::Update;

/// A book without a connection: the test writes its updates and reads its commands.
pub(in crate::book) struct Bench {
    pub(in crate::book) book: BookSubscription<spot::DepthIncrease>,
    pub(in crate::book) writer: Writer<spot::DepthIncrease>,
    commands: mpsc::Receiver<Command>,
}

pub(in crate::book) fn bench() -> Bench {
    let (writer, reader) = queue(8, Overflow::Lag, Arc::default());
    let (sender, commands) = mpsc::channel(4);
    let topic = topic::spot::depth_increase("BTC_USDT");
    let book = BookSubscription::new(subscription(topic, reader, sender));
    Bench { book, writer, commands }
}

pub(in crate::book) fn depth(kind: &str, version: u64, bid: &str) -> Update<spot::DepthIncrease> {
    bids(kind, version, &format!(r#"["{bid}","1"]"#))
}

/// An event with these bids, as they are written in the frame.
pub(in crate::book) fn bids(kind: &str, version: u64, rows: &str) -> Update<spot::DepthIncrease> {
    let frame = format!(
        r#"{{"table":"spot/depth/increase100","data":[{{"symbol":"BTC_USDT","type":"{kind}",
        "version":{version},"ms_t":1698292343610,"asks":[],"bids":[{rows}]}}]}}"#
    );
    let mut entries = Vec::new();
    spot::DepthIncrease::decode(&frame, &mut entries).expect("decodes");
    Update::Data(entries.remove(0))
}

impl Bench {
    pub(in crate::book) fn push(&self, update: Update<spot::DepthIncrease>) {
        assert!(self.writer.push(update));
    }

    /// Version of the book after the next change; `None` while it is resyncing.
    async fn version(&mut self) -> Option<u64> {
        self.book.next().await.expect("goes on").expect("no error").version()
    }

    pub(in crate::book) fn requested(&mut self) -> bool {
        matches!(self.commands.try_recv(), Ok(Command::Request(topic)) if &*topic == "spot/depth/increase100:BTC_USDT")
    }
}

#[tokio::test]
async fn changes_are_given_one_by_one_and_idle_repeats_are_not() {
    let mut bench = bench();
    bench.push(Update::Subscribed);
    bench.push(depth("snapshot", 4, "100"));
    bench.push(depth("update", 4, "999"));
    bench.push(depth("update", 5, "101"));
    assert_eq!(bench.version().await, Some(4));
    assert_eq!(bench.version().await, Some(5));
    assert_eq!(bench.book.book().best_bid(), Some(Level { price: dec!(101), size: dec!(1) }));
    assert!(!bench.requested());
}

#[tokio::test]
async fn a_gap_shows_at_once_and_requests_one_snapshot() {
    let mut bench = bench();
    bench.push(depth("snapshot", 4, "100"));
    bench.push(depth("update", 9, "101"));
    bench.push(depth("update", 10, "102"));
    bench.push(depth("snapshot", 10, "103"));
    assert_eq!(bench.version().await, Some(4));
    assert_eq!(bench.version().await, None);
    assert!(bench.requested());
    assert_eq!(bench.version().await, Some(10));
    assert!(!bench.requested());
}

#[tokio::test]
async fn a_lost_connection_empties_the_book_without_a_request() {
    let mut bench = bench();
    bench.push(depth("snapshot", 4, "100"));
    bench.push(Update::Reconnecting(ReconnectReason::closed()));
    bench.push(Update::Resynced);
    bench.push(depth("snapshot", 2, "103"));
    assert_eq!(bench.version().await, Some(4));
    assert_eq!(bench.version().await, None);
    assert_eq!(bench.version().await, Some(2));
    assert!(!bench.requested());
}

#[tokio::test]
async fn an_event_that_cannot_be_decoded_empties_the_book_and_requests_a_snapshot() {
    let mut bench = bench();
    bench.push(depth("snapshot", 4, "100"));
    bench.push(malformed());
    bench.push(depth("update", 5, "101"));
    bench.push(depth("snapshot", 9, "103"));
    assert_eq!((bench.version().await, bench.version().await), (Some(4), None));
    assert!(bench.requested());
    assert_eq!(bench.version().await, Some(9));
    assert!(!bench.requested());
}

pub(in crate::book) fn malformed() -> Update<spot::DepthIncrease> {
    let error = spot::DepthIncrease::decode("{", &mut Vec::new()).expect_err("not JSON");
    Update::Malformed(error)
}

#[tokio::test]
async fn lag_empties_the_book_and_requests_a_snapshot() {
    let mut bench = bench();
    bench.push(depth("snapshot", 4, "100"));
    assert_eq!(bench.version().await, Some(4));
    for version in 5..20 {
        bench.push(depth("update", version, "100"));
    }
    assert_eq!(bench.version().await, None);
    assert!(bench.requested());
}

/// Waits for a change that does not come, for so long.
async fn wait(bench: &mut Bench, seconds: u64) {
    let patience = std::time::Duration::from_secs(seconds);
    tokio::time::timeout(patience, bench.book.next()).await.expect_err("no change");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_does_not_come_is_asked_for_by_time_and_then_by_subscribing_anew() {
    let mut bench = bench();
    bench.push(depth("snapshot", 4, "100"));
    bench.push(depth("update", 9, "101"));
    assert_eq!((bench.version().await, bench.version().await), (Some(4), None));
    assert!(bench.requested());
    for refused in [true, false] {
        if refused {
            bench.push(Update::RequestRejected(Rejection::new(Some(90_004), "no")));
        }
        wait(&mut bench, 4).await;
        assert!(!bench.requested(), "not at once");
        wait(&mut bench, 1).await;
        assert!(bench.requested(), "no update is needed to ask again");
    }
    wait(&mut bench, 5).await;
    assert!(matches!(bench.commands.try_recv(), Ok(Command::Renew(_))));
    wait(&mut bench, 5).await;
    assert!(bench.requested(), "and so on");
    bench.push(depth("snapshot", 20, "101"));
    assert_eq!(bench.version().await, Some(20));
    wait(&mut bench, 60).await;
    assert!(!bench.requested(), "a whole book needs nothing");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_while_the_connection_is_down() {
    let mut bench = bench();
    bench.push(depth("snapshot", 4, "100"));
    bench.push(Update::Reconnecting(ReconnectReason::closed()));
    assert_eq!((bench.version().await, bench.version().await), (Some(4), None));
    wait(&mut bench, 60).await;
    assert!(!bench.requested());
    bench.push(Update::Resynced);
    wait(&mut bench, 5).await;
    assert!(bench.requested(), "the snapshot of the new subscription is missing");
}

#[tokio::test]
async fn a_call_given_up_while_the_request_waits_loses_neither_request_nor_news() {
    let mut bench = bench();
    let busy = bench.book.subscription.request();
    busy.await.expect("room");
    for _ in 0..3 {
        bench.book.subscription.request().await.expect("room");
    }
    bench.push(depth("snapshot", 4, "100"));
    bench.push(depth("update", 9, "101"));
    assert_eq!(bench.version().await, Some(4));
    // The queue of commands is full, so the call waits, and is dropped there.
    tokio::select! {
        biased;
        _ = bench.book.next() => panic!("there is no room for the request"),
        () = tokio::task::yield_now() => {}
    }
    for _ in 0..4 {
        assert!(bench.requested());
    }
    assert!(!bench.requested());
    assert_eq!(bench.version().await, None);
    assert!(bench.requested());
}

#[tokio::test]
async fn the_end_of_the_subscription_is_the_end_of_the_book() {
    let mut bench = bench();
    bench.push(depth("snapshot", 4, "100"));
    drop(bench.writer);
    assert!(bench.book.next().await.is_some_and(|book| book.is_ok()));
    assert!(bench.book.next().await.is_none());
}

#[test]
fn the_name_of_a_topic_says_how_many_levels_it_covers() {
    use crate::topic::{DepthLevels, DepthSpeed, futures};
    assert_eq!(super::levels("spot/depth/increase100"), Some(100));
    let topic = futures::depth_increase("BTCUSDT", DepthLevels::Twenty, DepthSpeed::Ms200);
    assert_eq!(super::levels(topic.channel()), Some(20));
    assert_eq!(super::levels("futures/depth"), None);
    assert_eq!(super::levels("x99999999999999999999999"), None);
}
