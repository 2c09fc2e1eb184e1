//! Feeds that a test fills, under the client and its queues.

use std::time::Duration;

use bitmart_types::Timestamp;
use tokio::sync::mpsc;

use super::{Feed, FeedRequest, Source};
use crate::event::{DecodeErrorKind, RawEvent};
use crate::reason::ReconnectReason;
use crate::spot::{DepthUpdate, Trade};
use crate::topic::{self, Topic};
use crate::{
    Client, ConnectionState, Error, ErrorKind, FanInOptions, Market, Subscription, Update,
};

/// A source that passes its feeds to the test.
struct ToTest(mpsc::UnboundedSender<Feed>);

impl Source for ToTest {
    fn open(&self, feed: Feed) {
        let _ = self.0.send(feed);
    }
}

fn client() -> (Client, mpsc::UnboundedReceiver<Feed>) {
    client_with_queue(64)
}

fn client_with_queue(capacity: usize) -> (Client, mpsc::UnboundedReceiver<Feed>) {
    let (sender, feeds) = mpsc::unbounded_channel();
    let client = Client::builder().source(ToTest(sender)).queue_capacity(capacity).build();
    (client.expect("a client"), feeds)
}

fn trade(symbol: &str, price: u32) -> String {
    let entry = format!(
        r#"{{"symbol":"{symbol}","price":"{price}","side":"buy","size":"1","s_t":1,"ms_t":1000}}"#
    );
    format!(r#"{{"table":"spot/trade","data":[{entry}]}}"#)
}

fn lost() -> ReconnectReason {
    ReconnectReason::Lost { detail: "test".to_owned() }
}

/// Subscribes to trades of X and confirms the topic.
async fn subscribe(
    client: &Client,
    feeds: &mut mpsc::UnboundedReceiver<Feed>,
) -> (Subscription<Trade>, Feed) {
    let confirmed = async {
        let mut feed = feeds.recv().await.expect("a feed");
        feed.connected();
        feed
    };
    let (subscription, feed) = tokio::join!(client.subscribe(topic::spot::trades("X")), confirmed);
    (subscription.expect("subscribed"), feed)
}

async fn next(subscription: &mut Subscription<Trade>) -> Update<String> {
    let update = subscription.next().await.expect("an update").expect("no error");
    update.map(|trade| trade.price.to_string())
}

#[tokio::test(start_paused = true)]
async fn delivers_frames_and_lifecycle_in_order() {
    let (client, mut feeds) = client();
    let (mut trades, mut feed) = subscribe(&client, &mut feeds).await;
    assert_eq!(
        (feed.topic(), feed.market(), feed.is_private()),
        ("spot/trade:X", Market::Spot, false)
    );
    let received_at = feed.received_at(Timestamp::from_millis(5));
    feed.frame(&trade("X", 1), received_at);
    feed.frame(&trade("OTHER", 2), received_at);
    feed.frame(r#"{"event":"subscribe","topic":"spot/trade:X"}"#, received_at);
    feed.lagged(3);
    feed.reconnecting(lost());
    feed.frame(&trade("X", 4), received_at);
    feed.frame("{", received_at);
    let since = std::time::Instant::now();
    feed.stale(since);
    feed.alive();

    assert_eq!(next(&mut trades).await, Update::Subscribed);
    assert_eq!(next(&mut trades).await, Update::Data("1".to_owned()));
    assert_eq!(trades.received_at(), Some(received_at));
    assert_eq!(received_at.timestamp, Timestamp::from_millis(5));
    assert_eq!(next(&mut trades).await, Update::Lagged(3));
    assert_eq!(next(&mut trades).await, Update::Reconnecting(lost()));
    assert_eq!(next(&mut trades).await, Update::Resynced, "implied by the frame");
    assert_eq!(next(&mut trades).await, Update::Data("4".to_owned()));
    let Update::Malformed(error) = next(&mut trades).await else { panic!("not malformed") };
    assert_eq!(error.kind(), DecodeErrorKind::Truncated);
    assert_eq!(next(&mut trades).await, Update::Stale(since));
    assert_eq!(next(&mut trades).await, Update::Alive);
}

#[tokio::test(start_paused = true)]
async fn subscribe_waits_until_the_topic_is_connected() {
    let (client, mut feeds) = client();
    let subscribing = client.subscribe(topic::spot::trades("X"));
    let mut subscribing = std::pin::pin!(subscribing);
    let mut feed = tokio::select! {
        _ = &mut subscribing => panic!("subscribed"),
        feed = feeds.recv() => feed.expect("a feed"),
    };
    assert!(matches!(client.connections()[0].status().state, ConnectionState::Connecting));
    feed.reconnecting(lost());
    let error = subscribing.await.expect_err("never connected");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("test"), "the last problem: {error}");
    assert_eq!(feed.next_request().await, None, "nobody subscribes any more");
}

#[tokio::test(start_paused = true)]
async fn subscriptions_to_a_topic_share_its_feed() {
    let (client, mut feeds) = client();
    let (mut first, mut feed) = subscribe(&client, &mut feeds).await;
    let serving = tokio::spawn(async move {
        let request = feed.next_request().await;
        (feed, request)
    });
    let mut second = client.subscribe(topic::spot::trades("X")).await.expect("confirmed at once");
    client.request_snapshot(&topic::spot::trades("X")).await.expect_err("has no snapshots");
    let book: Topic<RawEvent> = topic::spot::depth_updates("X").read_as();
    client.request_snapshot(&book).await.expect_err("is not subscribed");
    assert!(feeds.try_recv().is_err(), "no second feed");
    drop(second.next().await);
    drop(first.next().await);
    drop((first, second));
    let (feed, request) = serving.await.expect("served");
    assert_eq!(request, None, "the last subscription is gone");
    assert_eq!(client.connections().len(), 1);
    drop(feed);
    assert_eq!(client.connections().len(), 0);
    let (_trades, _feed) = subscribe(&client, &mut feeds).await;
}

#[tokio::test(start_paused = true)]
async fn a_feed_ends_when_its_last_lease_is_dropped() {
    let (client, mut feeds) = client();
    let (trades, mut feed) = subscribe(&client, &mut feeds).await;
    // A call of `subscribe` that is dropped before its command arrives leaves such a lease.
    let lease = feed.lease().expect("a lease");
    drop(trades);
    let mut request = std::pin::pin!(feed.next_request());
    let early = tokio::time::timeout(Duration::from_secs(1), &mut request).await;
    early.expect_err("a lease is left");
    drop(lease);
    assert_eq!(tokio::time::timeout(Duration::from_secs(1), request).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_lags_and_lost_frames_count() {
    let (client, mut feeds) = client_with_queue(8);
    let (mut trades, mut feed) = subscribe(&client, &mut feeds).await;
    feed.lagged(5);
    for price in 0..8 {
        let received_at = feed.now();
        feed.frame(&trade("X", price), received_at);
    }
    // Subscribed, Lagged(5) and six trades fill the queue, and the next trade drops the events.
    assert_eq!(next(&mut trades).await, Update::Lagged(11));
    assert_eq!(next(&mut trades).await, Update::Subscribed);
    assert_eq!(next(&mut trades).await, Update::Data("6".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_private_topic_ends_with_a_loss() {
    let (client, mut feeds) = client();
    let orders: Topic<RawEvent> = topic::spot::user_orders("X").read_as();
    let confirmed = async {
        let mut feed = feeds.recv().await.expect("a feed");
        feed.connected();
        feed
    };
    let (orders, mut feed) = tokio::join!(client.subscribe(orders), confirmed);
    let mut orders = orders.expect("no credentials are needed");
    assert!(feed.is_private());
    feed.lagged(1);
    assert!(matches!(orders.next().await, Some(Ok(Update::Subscribed))));
    let kind =
        |item: Option<Result<_, Error>>| item.and_then(Result::err).map(|error| error.kind());
    assert_eq!(kind(orders.next().await), Some(ErrorKind::Overflow));
}

#[tokio::test(start_paused = true)]
async fn a_topic_ends_with_the_reason_of_its_source() {
    type End = fn(Feed);
    let ends: [(End, ErrorKind); 3] = [
        (|feed| feed.reject(Some(90_001), "no such pair"), ErrorKind::Rejected),
        (|feed| feed.end("the recording is over"), ErrorKind::Source),
        (drop, ErrorKind::Source),
    ];
    for (end, kind) in ends {
        let (client, mut feeds) = client();
        let (mut trades, feed) = subscribe(&client, &mut feeds).await;
        end(feed);
        assert_eq!(next(&mut trades).await, Update::Subscribed);
        let error = trades.next().await.expect("an item").expect_err("the end");
        assert_eq!(error.kind(), kind);
        assert!(trades.next().await.is_none());
    }
    let (client, mut feeds) = client();
    let rejected = async { feeds.recv().await.expect("a feed").reject(None, "no") };
    let (subscribed, ()) = tokio::join!(client.subscribe(topic::spot::trades("X")), rejected);
    assert_eq!(subscribed.expect_err("rejected").kind(), ErrorKind::Rejected);
}

#[tokio::test(start_paused = true)]
async fn shutdown_ends_the_feeds() {
    let (client, mut feeds) = client();
    let (mut trades, mut feed) = subscribe(&client, &mut feeds).await;
    tokio::join!(client.shutdown(), async move {
        assert_eq!(feed.next_request().await, None);
        drop(feed);
    });
    assert_eq!(next(&mut trades).await, Update::Subscribed);
    let error = trades.next().await.expect("an item").expect_err("the end");
    assert_eq!(error.kind(), ErrorKind::ShutDown);
}

#[tokio::test(start_paused = true)]
async fn a_book_requests_a_snapshot_after_a_loss() {
    fn depth(kind: &str, version: u64) -> String {
        format!(
            r#"{{"table":"spot/depth/increase100","data":[{{"symbol":"X","asks":[["2","1"]],"bids":[["1","1"]],"ms_t":1,"version":{version},"type":"{kind}"}}]}}"#
        )
    }
    let (client, mut feeds) = client();
    let serve = async {
        let mut feed = feeds.recv().await.expect("a feed");
        let at = feed.now();
        feed.frame(&depth("snapshot", 1), at);
        feed.lagged(1);
        feed.frame(&depth("update", 3), at);
        let request = feed.next_request().await;
        feed.frame(&depth("snapshot", 3), at);
        (feed, request)
    };
    let read = async {
        let topic: Topic<DepthUpdate> = topic::spot::depth_updates("X");
        let mut books = client.order_book(topic).await.expect("a book");
        let mut versions = Vec::new();
        while versions.len() < 3 {
            let book = books.next().await.expect("a change").expect("no error");
            versions.push(book.version());
        }
        versions
    };
    let ((_feed, request), versions) = tokio::join!(serve, read);
    assert_eq!(request, Some(FeedRequest::Snapshot));
    assert_eq!(versions, [Some(1), None, Some(3)]);
}

#[tokio::test(start_paused = true)]
async fn many_topics_are_one_stream() {
    let (client, mut feeds) = client();
    let topics = ["X", "Y"].map(topic::spot::trades);
    let mut trades = client.fan_in_with(topics, FanInOptions::new()).await.expect("a stream");
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut feed = feeds.recv().await.expect("a feed");
        let symbol = feed.topic().trim_start_matches("spot/trade:").to_owned();
        let at = feed.now();
        feed.frame(&trade(&symbol, 1), at);
        open.push(feed);
    }
    let mut seen = Vec::new();
    for _ in 0..4 {
        let item = trades.next().await.expect("an item").expect("no error");
        seen.push((item.topic.name().to_owned(), matches!(item.update, Update::Data(_))));
    }
    seen.sort();
    let expected = [("spot/trade:X", false), ("spot/trade:X", true)];
    assert_eq!(seen[..2], expected.map(|(topic, data)| (topic.to_owned(), data)));
    tokio::time::timeout(Duration::from_secs(1), trades.next()).await.expect_err("nothing more");
}

#[tokio::test]
async fn a_source_sees_what_its_readers_have_not_taken() {
    let (client, mut feeds) = client();
    let (mut subscription, mut feed) = subscribe(&client, &mut feeds).await;
    assert_eq!(next(&mut subscription).await, Update::Subscribed);
    assert_eq!(feed.queued(), 0);
    for price in [1, 2, 3] {
        feed.frame(&trade("X", price), feed.now());
    }
    assert_eq!(feed.queued(), 3);
    next(&mut subscription).await;
    assert_eq!(feed.queued(), 2);
    drop(subscription);
    assert_eq!(feed.queued(), 0, "nobody reads it any more");
}
