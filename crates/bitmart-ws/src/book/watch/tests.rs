//! A book that many readers share.

use bitmart_types::dec;

use super::*;
use crate::book::subscription::tests::{bids, depth, harness};
use crate::error::ErrorKind;
use crate::spot::DepthUpdate;
use crate::update::Update;

async fn version(watch: &mut BookWatch<DepthUpdate>) -> Option<u64> {
    watch.next().await.expect("not ended").expect("no error").version()
}

#[tokio::test]
async fn every_reader_receives_the_latest_book() {
    let harness = harness();
    let mut first = harness.book.watch();
    let mut second = first.clone();
    assert!(!first.book().is_synchronized());
    harness.writer.push(depth("snapshot", 4, "100"));
    assert_eq!((version(&mut first).await, version(&mut second).await), (Some(4), Some(4)));
    let old = first.book();
    harness.writer.push(bids("update", 5, r#"["100","0"],["99","1"]"#));
    assert_eq!(version(&mut second).await, Some(5));
    assert_eq!(first.book().best_bid().map(|bid| bid.price), Some(dec!(99)));
    assert_eq!(
        old.best_bid().map(|bid| bid.price),
        Some(dec!(100)),
        "a published book never changes"
    );
    assert_eq!(version(&mut first).await, Some(5));
}

#[tokio::test]
async fn readers_receive_a_resyncing_book() {
    let harness = harness();
    let mut watch = harness.book.watch();
    harness.writer.push(depth("snapshot", 4, "100"));
    assert_eq!(version(&mut watch).await, Some(4));
    harness.writer.push(Update::Lagged(3));
    assert_eq!(version(&mut watch).await, None);
    assert_eq!(watch.book().limit(), Some(100));
}

#[tokio::test]
async fn readers_see_that_the_connection_is_idle() {
    let harness = harness();
    let mut watch = harness.book.watch();
    harness.writer.push(depth("snapshot", 4, "100"));
    assert_eq!(version(&mut watch).await, Some(4));
    let since = Instant::now();
    harness.writer.push(Update::Stale(since));
    assert_eq!(version(&mut watch).await, Some(4));
    assert_eq!(watch.stale_since(), Some(since));
    harness.writer.push(Update::Alive);
    assert_eq!(version(&mut watch).await, Some(4));
    assert_eq!(watch.stale_since(), None);
}

#[tokio::test]
async fn a_slow_reader_skips_to_the_latest_book() {
    let harness = harness();
    let mut slow = harness.book.watch();
    let mut fast = slow.clone();
    harness.writer.push(depth("snapshot", 4, "100"));
    for next in 5..50 {
        harness.writer.push(depth("update", next, "100"));
        while version(&mut fast).await < Some(next) {}
    }
    assert_eq!(version(&mut slow).await, Some(49));
}

#[tokio::test]
async fn readers_that_hold_books_do_not_block_the_task() {
    let harness = harness();
    let mut watch = harness.book.watch();
    let held: Vec<_> = (0..1_000).map(|_| watch.book()).collect();
    harness.writer.push(depth("snapshot", 4, "100"));
    assert_eq!(version(&mut watch).await, Some(4));
    assert!(held.iter().all(|book| !book.is_synchronized()));
}

#[tokio::test]
async fn is_a_stream_that_can_be_shared() {
    fn assert_sync<T: Send + Sync>(_: &T) {}
    let harness = harness();
    let mut watch = harness.book.watch();
    assert_sync(&watch);
    assert_eq!(watch.topic().name(), "spot/depth/increase100:BTC_USDT");
    // A canceled call loses no book, and `book` works meanwhile.
    tokio::select! {
        biased;
        _ = watch.next() => panic!("no book yet"),
        () = tokio::task::yield_now() => {}
    }
    assert!(!watch.book().is_synchronized());
    harness.writer.push(depth("snapshot", 4, "100"));
    let book = futures_util::StreamExt::next(&mut watch).await.expect("live").expect("no error");
    assert_eq!(book.version(), Some(4));
    let mut clone = watch.clone();
    harness.writer.push(depth("update", 5, "100"));
    assert_eq!(version(&mut clone).await, Some(5));
}

#[tokio::test]
async fn unsubscribes_when_the_last_reader_is_dropped() {
    let harness = harness();
    let watch = harness.book.watch();
    let other = watch.clone();
    harness.writer.push(depth("snapshot", 4, "100"));
    drop(watch);
    tokio::task::yield_now().await;
    assert!(!harness.writer.is_closed());
    drop(other);
    while !harness.writer.is_closed() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_ended_subscription_clears_the_book() {
    let harness = harness();
    let mut watch = harness.book.watch();
    let mut other = watch.clone();
    harness.writer.push(depth("snapshot", 4, "100"));
    assert_eq!(version(&mut watch).await, Some(4));
    harness.writer.end(Error::new(ErrorKind::ShutDown, "over"));
    for watch in [&mut watch, &mut other] {
        let error = watch.next().await.expect("an error").expect_err("no book");
        assert_eq!(error.kind(), ErrorKind::ShutDown);
        assert!(!watch.book().is_synchronized());
        assert!(watch.next().await.is_none());
    }
}

#[test]
fn a_runtime_that_shuts_down_clears_the_book() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let watch = runtime.block_on(async {
        let harness = harness();
        let mut watch = harness.book.watch();
        harness.writer.push(depth("snapshot", 4, "100"));
        assert_eq!(version(&mut watch).await, Some(4));
        // Only the runtime ends the task, not the end of the subscription.
        std::mem::forget(harness.writer);
        watch
    });
    assert!(watch.book().is_synchronized());
    drop(runtime);
    assert!(!watch.book().is_synchronized());
}
