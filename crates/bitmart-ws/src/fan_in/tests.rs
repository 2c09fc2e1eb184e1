//! Fan-ins with the driver, the client and a scripted server.

use std::time::Duration;

use bitmart_auth::Credentials;
use futures_core::FusedStream as _;

use super::{FanIn, FanInOptions, OverflowPolicy, TopicUpdate};
use crate::client::{Client, ClientBuilder};
use crate::dialect::Market;
use crate::error::{Error, ErrorKind};
use crate::event::RawEvent;
use crate::testing::test_support::{server_and_client, server_and_client_with, with_timeout};
use crate::testing::{Frame, ScriptedServer, ServerConnection};
use crate::topic::Topic;
use crate::update::Update;

const PAIRS: [&str; 3] = ["A_USDT", "B_USDT", "C_USDT"];

fn ticker(pair: &str) -> Topic<RawEvent> {
    Topic::public(Market::Spot, format!("spot/ticker:{pair}"))
}

fn tickers() -> impl Iterator<Item = Topic<RawEvent>> {
    PAIRS.into_iter().map(ticker)
}

fn options(capacity: usize, slow: OverflowPolicy) -> FanInOptions {
    FanInOptions::new().capacity(capacity).overflow_policy(slow)
}

fn tick(pair: &str, value: u32) -> String {
    format!(r#"{{"data":[{{"symbol":"{pair}","v":{value}}}],"table":"spot/ticker"}}"#)
}

fn value(received: &TopicUpdate<RawEvent>) -> u32 {
    let Update::Data(event) = &received.update else { panic!("{received:?}") };
    let entry: serde_json::Value = serde_json::from_str(event.json.get()).expect("JSON");
    entry["v"].as_u64().and_then(|value| value.try_into().ok()).expect("a value")
}

async fn item(stream: &mut FanIn<RawEvent>) -> Result<TopicUpdate<RawEvent>, Error> {
    with_timeout(stream.next()).await.expect("an item")
}

async fn next(stream: &mut FanIn<RawEvent>) -> TopicUpdate<RawEvent> {
    item(stream).await.expect("no error")
}

/// Opens a stream and waits until its topics are subscribed.
async fn open(
    server: &mut ScriptedServer,
    client: &Client,
    options: FanInOptions,
) -> (ServerConnection, FanIn<RawEvent>) {
    let mut stream = client.fan_in_with(tickers(), options).await.expect("enough capacity");
    let mut peer = server.accept().await;
    assert_eq!(peer.accept_command().await.arguments.len(), PAIRS.len(), "in one frame");
    for pair in PAIRS {
        let received = next(&mut stream).await;
        assert_eq!(received.topic.symbol(), Some(pair));
        assert!(matches!(received.update, Update::Subscribed));
    }
    (peer, stream)
}

/// Waits until the driver has read everything that was sent.
async fn wait_until_read(peer: &mut ServerConnection) {
    peer.ping(b"").await;
}

fn with_account(client: ClientBuilder) -> ClientBuilder {
    let credentials = Credentials::new("canary-key", "canary-secret", "canary-memo");
    client.credentials(credentials.expect("credentials"))
}

#[tokio::test(start_paused = true)]
async fn delivers_topics_in_order_of_arrival_and_marks_reconnections() {
    let (mut server, client) = server_and_client();
    let (mut peer, mut stream) = open(&mut server, &client, FanInOptions::new()).await;
    for (index, pair) in [2, 0, 0, 1].into_iter().map(|at| PAIRS[at]).enumerate() {
        peer.push(&tick(pair, u32::try_from(index).expect("few"))).await;
    }
    for (index, pair) in [2, 0, 0, 1].into_iter().map(|at| PAIRS[at]).enumerate() {
        let received = next(&mut stream).await;
        assert_eq!(received.topic.symbol(), Some(pair));
        assert_eq!(usize::try_from(value(&received)), Ok(index));
    }
    drop(peer);
    let mut second = server.accept().await;
    second.accept_command().await;
    let mut updates = Vec::new();
    for _ in 0..6 {
        let received = next(&mut stream).await;
        updates.push((received.topic.name().to_owned(), received.update));
    }
    for topic in tickers() {
        let of_topic: Vec<_> = updates
            .iter()
            .filter(|(name, _)| name == topic.name())
            .map(|(_, update)| update)
            .collect();
        assert!(matches!(of_topic[..], [Update::Reconnecting(_), Update::Resynced]), "{updates:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_receive_time_does_not_depend_on_when_an_update_is_read() {
    let (mut server, client) = server_and_client();
    let (mut peer, mut stream) = open(&mut server, &client, FanInOptions::new()).await;
    let mut alone = {
        let topic = ticker(PAIRS[0]);
        client.subscribe(topic).await.expect("subscribed")
    };
    with_timeout(alone.next()).await.expect("an update").expect("subscribed");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let sent_at = tokio::time::Instant::now();
    peer.push(&tick(PAIRS[0], 7)).await;
    wait_until_read(&mut peer).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((stream.queued(), alone.queued()), (1, 1));
    let received = next(&mut stream).await;
    assert_eq!(received.received_at.instant, sent_at.into_std());
    with_timeout(alone.next()).await.expect("an update").expect("data");
    assert_eq!(alone.received_at(), Some(received.received_at), "the same frame");
    let stale = next(&mut stream).await;
    assert!(matches!(stale.update, Update::Stale(_)), "{stale:?}");
    assert_eq!(stale.received_at.instant - sent_at.into_std(), Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn drops_the_oldest_events_of_the_busiest_topic() {
    let (mut server, client) = server_and_client();
    let (mut peer, mut stream) =
        open(&mut server, &client, options(12, OverflowPolicy::DropOldest)).await;
    peer.push(&tick(PAIRS[1], 1)).await;
    for number in 1..=100 {
        peer.push(&tick(PAIRS[0], number)).await;
    }
    peer.push(&tick(PAIRS[2], 1)).await;
    wait_until_read(&mut peer).await;
    assert_eq!(stream.queued(), 12);
    let quiet = next(&mut stream).await;
    assert_eq!((quiet.topic.symbol(), value(&quiet)), (Some(PAIRS[1]), 1));
    let lagged = next(&mut stream).await;
    assert_eq!(lagged.topic.symbol(), Some(PAIRS[0]));
    assert!(matches!(lagged.update, Update::Lagged(90)), "{lagged:?}");
    for number in 91..=100 {
        assert_eq!(value(&next(&mut stream).await), number);
    }
    assert_eq!(next(&mut stream).await.topic.symbol(), Some(PAIRS[2]));
}

#[tokio::test(start_paused = true)]
async fn conflates_to_the_newest_event_of_each_topic() {
    let (mut server, client) = server_and_client();
    let (mut peer, mut stream) =
        open(&mut server, &client, options(12, OverflowPolicy::Conflate)).await;
    for number in 1..=100 {
        peer.push(&tick(PAIRS[0], number)).await;
        peer.push(&tick(PAIRS[1], number)).await;
    }
    wait_until_read(&mut peer).await;
    assert_eq!(stream.queued(), 2);
    for pair in &PAIRS[..2] {
        let lagged = next(&mut stream).await;
        assert_eq!(lagged.topic.symbol(), Some(*pair));
        assert!(matches!(lagged.update, Update::Lagged(99)), "{lagged:?}");
        assert_eq!(value(&next(&mut stream).await), 100);
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_policy_ends_the_stream_when_the_queue_is_full() {
    let (mut server, client) = server_and_client();
    let (mut peer, mut stream) = open(&mut server, &client, options(12, OverflowPolicy::End)).await;
    for number in 0..100 {
        peer.push(&tick(PAIRS[0], number)).await;
    }
    wait_until_read(&mut peer).await;
    for number in 0..12 {
        assert_eq!(value(&next(&mut stream).await), number);
    }
    let error = item(&mut stream).await.expect_err("full");
    assert_eq!((error.kind(), error.topic()), (ErrorKind::Overflow, None));
    assert!(with_timeout(stream.next()).await.is_none(), "the error is the last item");
    assert_eq!(stream.topic_count(), 0);
    let mut left = 0;
    while left < PAIRS.len() {
        let command = peer.accept_command().await;
        assert_eq!(command.operation, "unsubscribe");
        left += command.arguments.len();
    }
    let error = stream.add(tickers()).await.expect_err("the stream has ended");
    assert_eq!(error.kind(), ErrorKind::Overflow);
}

#[tokio::test(start_paused = true)]
async fn private_topics_ignore_the_overflow_policy_and_end() {
    let (mut server, client) = server_and_client_with(1 << 22, with_account);
    let orders =
        |pair: &str| Topic::<RawEvent>::private(Market::Spot, format!("spot/user/order:{pair}"));
    let opening = client.fan_in_with(PAIRS.map(orders), options(12, OverflowPolicy::DropOldest));
    let mut stream = opening.await.expect("enough capacity");
    assert_eq!(stream.overflow_policy(), OverflowPolicy::End);
    let mut peer = server.accept().await;
    peer.next_text().await;
    peer.push(r#"{"event":"login"}"#).await;
    peer.accept_command().await;
    let frame = r#"{"data":[{"symbol":"A_USDT","v":1}],"table":"spot/user/order"}"#;
    for _ in 0..100 {
        peer.push(frame).await;
    }
    wait_until_read(&mut peer).await;
    let mut events = 0;
    let error = loop {
        match item(&mut stream).await {
            Ok(received) => events += u32::from(matches!(received.update, Update::Data(_))),
            Err(error) => break error,
        }
    };
    assert_eq!((events, error.kind()), (9, ErrorKind::Overflow));
    let error =
        client.fan_in([orders("A_USDT"), ticker("A_USDT")]).await.expect_err("mixed topics");
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test(start_paused = true)]
async fn adds_and_removes_topics() {
    let (mut server, client) = server_and_client();
    let (mut peer, mut stream) = open(&mut server, &client, FanInOptions::new()).await;
    peer.push(&tick(PAIRS[0], 1)).await;
    peer.push(&tick(PAIRS[1], 1)).await;
    wait_until_read(&mut peer).await;
    assert!(stream.remove(&ticker(PAIRS[0])) && !stream.remove(&ticker(PAIRS[0])));
    assert_eq!((stream.topic_count(), stream.queued()), (2, 1), "its queued updates are removed");
    peer.expect_unsubscribe(&[ticker(PAIRS[0]).name()]).await;
    stream.add([ticker("D_USDT"), ticker(PAIRS[1])]).await.expect("enough capacity");
    // The other topic is subscribed already.
    peer.expect_subscribe(&[ticker("D_USDT").name()]).await;
    assert_eq!(value(&next(&mut stream).await), 1);
    let received = next(&mut stream).await;
    assert_eq!(received.topic.symbol(), Some("D_USDT"));
    assert!(matches!(received.update, Update::Subscribed));
    for topic in [ticker("D_USDT"), ticker(PAIRS[1]), ticker(PAIRS[2])] {
        assert!(stream.contains(&topic) && stream.remove(&topic));
    }
    assert!(with_timeout(stream.next()).await.is_none(), "without topics the stream is finished");
    assert!(stream.is_terminated());
    stream.add([ticker(PAIRS[0])]).await.expect("enough capacity");
    assert!(!stream.is_terminated());
    while peer.accept_command().await.operation != "subscribe" {}
    assert!(matches!(next(&mut stream).await.update, Update::Subscribed));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_topic_ends_alone() {
    let (mut server, client) = server_and_client();
    let mut stream = client.fan_in(tickers().take(1)).await.expect("enough capacity");
    let mut peer = server.accept().await;
    peer.next_text().await;
    let rejection = r#"{"event":"subscribe","errorCode":"90004","errorMessage":"Invalid channel"}"#;
    stream.add(tickers()).await.expect("enough capacity");
    peer.next_text().await;
    peer.push(rejection).await;
    for pair in &PAIRS[1..] {
        let topic = ticker(pair);
        peer.push(&format!(r#"{{"event":"subscribe","topic":"{}"}}"#, topic.name())).await;
    }
    let error = item(&mut stream).await.expect_err("rejected");
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(error.topic(), Some(ticker(PAIRS[0]).name()));
    assert_eq!(stream.topic_count(), 2);
    peer.push(&tick(PAIRS[1], 5)).await;
    for _ in 0..2 {
        assert!(matches!(next(&mut stream).await.update, Update::Subscribed));
    }
    assert_eq!(value(&next(&mut stream).await), 5);
}

#[tokio::test(start_paused = true)]
async fn shutdown_ends_every_topic_and_then_the_stream() {
    let (mut server, client) = server_and_client();
    let (mut peer, mut stream) = open(&mut server, &client, FanInOptions::new()).await;
    peer.push(&tick(PAIRS[0], 1)).await;
    wait_until_read(&mut peer).await;
    client.shutdown().await;
    assert_eq!(value(&next(&mut stream).await), 1, "queued updates come first");
    let mut ended = Vec::new();
    while let Some(item) = with_timeout(stream.next()).await {
        let error = item.expect_err("the end");
        assert_eq!(error.kind(), ErrorKind::ShutDown);
        ended.extend(error.topic().map(str::to_owned));
    }
    ended.sort_unstable();
    assert_eq!(ended, tickers().map(|topic| topic.name().to_owned()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn rejects_more_topics_than_the_queue_has_capacity_for() {
    let (_server, client) = server_and_client();
    let small = client.fan_in_with(tickers(), options(11, OverflowPolicy::Conflate));
    let error = small.await.expect_err("three topics need a capacity of twelve");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(client.connections().is_empty(), "nothing was subscribed");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_stream_unsubscribes_and_ends_the_connection() {
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (mut server, client) = server_and_client();
    let (mut peer, stream) = open(&mut server, &client, FanInOptions::new()).await;
    drop(stream);
    assert_eq!(peer.accept_command().await.arguments.len(), PAIRS.len(), "in one frame");
    while let Some(Frame { payload, .. }) = peer.next_frame().await {
        if payload == b"ping" {
            peer.push("pong").await;
        }
    }
    with_timeout(async {
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(client.connections().is_empty());
}
