use bitmart_types::dec;

use super::*;
use crate::book::subscription::tests::{bench, bids, depth};
use crate::error::ErrorKind;
use crate::update::Update;

async fn version(watch: &mut BookWatch) -> Option<u64> {
    watch.changed().await.expect("goes on").expect("no error").version()
}

#[tokio::test]
async fn every_reader_sees_the_newest_whole_book() {
    let bench = bench();
    let mut first = bench.book.watch();
    let mut second = first.clone();
    assert!(!first.latest().is_whole());
    bench.writer.push(depth("snapshot", 4, "100"));
    assert_eq!((version(&mut first).await, version(&mut second).await), (Some(4), Some(4)));
    let old = first.latest();
    bench.writer.push(bids("update", 5, r#"["100","0"],["99","1"]"#));
    assert_eq!(version(&mut second).await, Some(5));
    assert_eq!(first.latest().best_bid().map(|bid| bid.price), Some(dec!(99)));
    assert_eq!(old.best_bid().map(|bid| bid.price), Some(dec!(100)), "never changes");
    assert_eq!(version(&mut first).await, Some(5));
}

#[tokio::test]
async fn readers_see_that_the_book_is_resyncing() {
    let bench = bench();
    let mut watch = bench.book.watch();
    bench.writer.push(depth("snapshot", 4, "100"));
    assert_eq!(version(&mut watch).await, Some(4));
    bench.writer.push(Update::Lagged(3));
    assert_eq!(version(&mut watch).await, None);
    assert_eq!(watch.latest().limit(), Some(100));
}

#[tokio::test]
async fn readers_see_that_the_connection_is_silent() {
    let bench = bench();
    let mut watch = bench.book.watch();
    bench.writer.push(depth("snapshot", 4, "100"));
    assert_eq!(version(&mut watch).await, Some(4));
    let since = Instant::now();
    bench.writer.push(Update::Stale(since));
    assert_eq!(version(&mut watch).await, Some(4));
    assert_eq!(watch.stale_since(), Some(since));
    bench.writer.push(Update::Alive);
    assert_eq!(version(&mut watch).await, Some(4));
    assert_eq!(watch.stale_since(), None);
}

#[tokio::test]
async fn a_slow_reader_skips_to_the_newest() {
    let bench = bench();
    let mut slow = bench.book.watch();
    let mut quick = slow.clone();
    bench.writer.push(depth("snapshot", 4, "100"));
    for next in 5..50 {
        bench.writer.push(depth("update", next, "100"));
        while version(&mut quick).await < Some(next) {}
    }
    assert_eq!(version(&mut slow).await, Some(49));
}

#[tokio::test]
async fn a_reader_that_keeps_the_lock_busy_does_not_hold_up_the_task() {
    let bench = bench();
    let mut watch = bench.book.watch();
    let kept: Vec<_> = (0..1_000).map(|_| watch.latest()).collect();
    bench.writer.push(depth("snapshot", 4, "100"));
    assert_eq!(version(&mut watch).await, Some(4));
    assert!(kept.iter().all(|book| !book.is_whole()));
}

#[tokio::test]
async fn without_readers_the_topic_is_given_back() {
    let bench = bench();
    let watch = bench.book.watch();
    let other = watch.clone();
    bench.writer.push(depth("snapshot", 4, "100"));
    drop(watch);
    tokio::task::yield_now().await;
    assert!(!bench.writer.is_closed());
    drop(other);
    while !bench.writer.is_closed() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_ended_subscription_leaves_no_book_behind() {
    let bench = bench();
    let mut watch = bench.book.watch();
    let mut other = watch.clone();
    bench.writer.push(depth("snapshot", 4, "100"));
    assert_eq!(version(&mut watch).await, Some(4));
    bench.writer.end(Error::new(ErrorKind::ShutDown, "over"));
    for watch in [&mut watch, &mut other] {
        let error = watch.changed().await.expect("an error").expect_err("no book");
        assert_eq!(error.kind(), ErrorKind::ShutDown);
        assert!(!watch.latest().is_whole());
        assert!(watch.changed().await.is_none());
    }
}

#[test]
fn a_runtime_that_ends_leaves_no_book_behind() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let watch = runtime.block_on(async {
        let bench = bench();
        let mut watch = bench.book.watch();
        bench.writer.push(depth("snapshot", 4, "100"));
        assert_eq!(version(&mut watch).await, Some(4));
        // The writer stays, so that nothing else ends the task.
        std::mem::forget(bench.writer);
        watch
    });
    assert!(watch.latest().is_whole());
    drop(runtime);
    assert!(!watch.latest().is_whole());
}
