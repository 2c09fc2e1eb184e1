//! Many topics in one stream, with the driver, the client and a scripted venue.

use std::time::Duration;

use bitmart_auth::Credentials;

use super::{FanIn, FanInOptions, Received, SlowReader};
use crate::client::{Client, ClientBuilder};
use crate::dialect::Dialect;
use crate::error::{Error, ErrorKind};
use crate::event::RawEvent;
use crate::testing::own::{patient, venue, venue_with};
use crate::testing::{Frame, ScriptedServer, ServerConnection};
use crate::topic::Topic;
use crate::update::Update;

const PAIRS: [&str; 3] = ["A_USDT", "B_USDT", "C_USDT"];

fn ticker(pair: &str) -> Topic<RawEvent> {
    Topic::public(Dialect::Spot, format!("spot/ticker:{pair}"))
}

fn tickers() -> impl Iterator<Item = Topic<RawEvent>> {
    PAIRS.into_iter().map(ticker)
}

fn options(capacity: usize, slow: SlowReader) -> FanInOptions {
    FanInOptions::new().capacity(capacity).slow_reader(slow)
}

fn tick(pair: &str, value: u32) -> String {
    format!(r#"{{"data":[{{"symbol":"{pair}","v":{value}}}],"table":"spot/ticker"}}"#)
}

fn value(received: &Received<RawEvent>) -> u32 {
    let Update::Data(event) = &received.update else { panic!("{received:?}") };
    let entry: serde_json::Value = serde_json::from_str(event.json.get()).expect("JSON");
    entry["v"].as_u64().and_then(|value| value.try_into().ok()).expect("a value")
}

async fn item(stream: &mut FanIn<RawEvent>) -> Result<Received<RawEvent>, Error> {
    patient(stream.next()).await.expect("an item")
}

async fn next(stream: &mut FanIn<RawEvent>) -> Received<RawEvent> {
    item(stream).await.expect("no error")
}

/// A stream whose topics are subscribed, the words about that taken.
async fn open(
    venue: &mut ScriptedServer,
    client: &Client,
    options: FanInOptions,
) -> (ServerConnection, FanIn<RawEvent>) {
    let mut stream = client.subscribe_many_with(tickers(), options).await.expect("room");
    let mut peer = venue.accept().await;
    assert_eq!(peer.accept_command().await.arguments.len(), PAIRS.len(), "in one frame");
    for pair in PAIRS {
        let received = next(&mut stream).await;
        assert_eq!(received.topic.symbol(), Some(pair));
        assert!(matches!(received.update, Update::Subscribed));
    }
    (peer, stream)
}

/// Waits until the driver has seen everything that was said.
async fn heard(peer: &mut ServerConnection) {
    peer.ping(b"").await;
}

fn with_account(client: ClientBuilder) -> ClientBuilder {
    let credentials = Credentials::new("canary-key", "canary-secret", "canary-memo");
    client.credentials(credentials.expect("credentials"))
}

#[tokio::test(start_paused = true)]
async fn topics_come_in_the_order_in_which_they_were_read_and_tell_their_gaps() {
    let (mut venue, client) = venue();
    let (mut peer, mut stream) = open(&mut venue, &client, FanInOptions::new()).await;
    for (index, pair) in [2, 0, 0, 1].into_iter().map(|at| PAIRS[at]).enumerate() {
        peer.push(&tick(pair, u32::try_from(index).expect("few"))).await;
    }
    for (index, pair) in [2, 0, 0, 1].into_iter().map(|at| PAIRS[at]).enumerate() {
        let received = next(&mut stream).await;
        assert_eq!(received.topic.symbol(), Some(pair));
        assert_eq!(usize::try_from(value(&received)), Ok(index));
    }
    drop(peer);
    let mut second = venue.accept().await;
    second.accept_command().await;
    let mut words = Vec::new();
    for _ in 0..6 {
        let received = next(&mut stream).await;
        words.push((received.topic.name().to_owned(), received.update));
    }
    for topic in tickers() {
        let of_topic: Vec<_> =
            words.iter().filter(|(name, _)| name == topic.name()).map(|(_, word)| word).collect();
        assert!(matches!(of_topic[..], [Update::Reconnecting(_), Update::Resynced]), "{words:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_knows_when_it_was_read_however_late_it_is_taken() {
    let (mut venue, client) = venue();
    let (mut peer, mut stream) = open(&mut venue, &client, FanInOptions::new()).await;
    let mut alone = {
        let topic = ticker(PAIRS[0]);
        client.subscribe(topic).await.expect("subscribed")
    };
    patient(alone.next()).await.expect("an update").expect("subscribed");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let said = tokio::time::Instant::now();
    peer.push(&tick(PAIRS[0], 7)).await;
    heard(&mut peer).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((stream.waiting(), alone.waiting()), (1, 1));
    let received = next(&mut stream).await;
    assert_eq!(received.received_at.instant, said.into_std());
    patient(alone.next()).await.expect("an update").expect("data");
    assert_eq!(alone.received_at(), Some(received.received_at), "the same frame");
    let stale = next(&mut stream).await;
    assert!(matches!(stale.update, Update::Stale(_)), "{stale:?}");
    assert_eq!(stale.received_at.instant - said.into_std(), Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn the_busiest_topic_pays_for_a_slow_reader() {
    let (mut venue, client) = venue();
    let (mut peer, mut stream) =
        open(&mut venue, &client, options(12, SlowReader::DropOldest)).await;
    peer.push(&tick(PAIRS[1], 1)).await;
    for number in 1..=100 {
        peer.push(&tick(PAIRS[0], number)).await;
    }
    peer.push(&tick(PAIRS[2], 1)).await;
    heard(&mut peer).await;
    assert_eq!(stream.waiting(), 12);
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
async fn only_the_newest_of_each_topic_waits_when_asked_for() {
    let (mut venue, client) = venue();
    let (mut peer, mut stream) = open(&mut venue, &client, options(12, SlowReader::Conflate)).await;
    for number in 1..=100 {
        peer.push(&tick(PAIRS[0], number)).await;
        peer.push(&tick(PAIRS[1], number)).await;
    }
    heard(&mut peer).await;
    assert_eq!(stream.waiting(), 2);
    for pair in &PAIRS[..2] {
        let lagged = next(&mut stream).await;
        assert_eq!(lagged.topic.symbol(), Some(*pair));
        assert!(matches!(lagged.update, Update::Lagged(99)), "{lagged:?}");
        assert_eq!(value(&next(&mut stream).await), 100);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_may_drop_nothing_ends_when_it_runs_full() {
    let (mut venue, client) = venue();
    let (mut peer, mut stream) = open(&mut venue, &client, options(12, SlowReader::End)).await;
    for number in 0..100 {
        peer.push(&tick(PAIRS[0], number)).await;
    }
    heard(&mut peer).await;
    for number in 0..12 {
        assert_eq!(value(&next(&mut stream).await), number);
    }
    let error = item(&mut stream).await.expect_err("full");
    assert_eq!((error.kind(), error.topic()), (ErrorKind::Overflow, None));
    assert!(patient(stream.next()).await.is_none(), "the error is the last item");
    assert_eq!(stream.topics(), 0);
    let mut left = 0;
    while left < PAIRS.len() {
        let command = peer.accept_command().await;
        assert_eq!(command.operation, "unsubscribe");
        left += command.arguments.len();
    }
    let error = stream.add(tickers()).await.expect_err("it is over");
    assert_eq!(error.kind(), ErrorKind::Overflow);
}

#[tokio::test(start_paused = true)]
async fn private_topics_are_never_dropped_whatever_was_chosen() {
    let (mut venue, client) = venue_with(1 << 22, with_account);
    let orders =
        |pair: &str| Topic::<RawEvent>::private(Dialect::Spot, format!("spot/user/order:{pair}"));
    let opening =
        client.subscribe_many_with(PAIRS.map(orders), options(12, SlowReader::DropOldest));
    let mut stream = opening.await.expect("room");
    assert_eq!(stream.slow_reader(), SlowReader::End);
    let mut peer = venue.accept().await;
    peer.next_text().await;
    peer.push(r#"{"event":"login"}"#).await;
    peer.accept_command().await;
    let frame = r#"{"data":[{"symbol":"A_USDT","v":1}],"table":"spot/user/order"}"#;
    for _ in 0..100 {
        peer.push(frame).await;
    }
    heard(&mut peer).await;
    let mut events = 0;
    let error = loop {
        match item(&mut stream).await {
            Ok(received) => events += u32::from(matches!(received.update, Update::Data(_))),
            Err(error) => break error,
        }
    };
    assert_eq!((events, error.kind()), (9, ErrorKind::Overflow));
    let error = client.subscribe_many([orders("A_USDT"), ticker("A_USDT")]).await.expect_err("mix");
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test(start_paused = true)]
async fn topics_come_and_go() {
    let (mut venue, client) = venue();
    let (mut peer, mut stream) = open(&mut venue, &client, FanInOptions::new()).await;
    peer.push(&tick(PAIRS[0], 1)).await;
    peer.push(&tick(PAIRS[1], 1)).await;
    heard(&mut peer).await;
    assert!(stream.remove(&ticker(PAIRS[0])) && !stream.remove(&ticker(PAIRS[0])));
    assert_eq!((stream.topics(), stream.waiting()), (2, 1), "what waited went with it");
    peer.expect_unsubscribe(&[ticker(PAIRS[0]).name()]).await;
    stream.add([ticker("D_USDT"), ticker(PAIRS[1])]).await.expect("room");
    // The other was there.
    peer.expect_subscribe(&[ticker("D_USDT").name()]).await;
    assert_eq!(value(&next(&mut stream).await), 1);
    let received = next(&mut stream).await;
    assert_eq!(received.topic.symbol(), Some("D_USDT"));
    assert!(matches!(received.update, Update::Subscribed));
    for topic in [ticker("D_USDT"), ticker(PAIRS[1]), ticker(PAIRS[2])] {
        assert!(stream.contains(&topic) && stream.remove(&topic));
    }
    assert!(patient(stream.next()).await.is_none(), "no topics, so nothing will come");
    stream.add([ticker(PAIRS[0])]).await.expect("room");
    while peer.accept_command().await.operation != "subscribe" {}
    assert!(matches!(next(&mut stream).await.update, Update::Subscribed));
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_is_refused_ends_alone() {
    let (mut venue, client) = venue();
    let mut stream = client.subscribe_many(tickers().take(1)).await.expect("room");
    let mut peer = venue.accept().await;
    peer.next_text().await;
    let refusal = r#"{"event":"subscribe","errorCode":"90004","errorMessage":"Invalid channel"}"#;
    stream.add(tickers()).await.expect("room");
    peer.next_text().await;
    peer.push(refusal).await;
    for pair in &PAIRS[1..] {
        let topic = ticker(pair);
        peer.push(&format!(r#"{{"event":"subscribe","topic":"{}"}}"#, topic.name())).await;
    }
    let error = item(&mut stream).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(error.topic(), Some(ticker(PAIRS[0]).name()));
    assert_eq!(stream.topics(), 2);
    peer.push(&tick(PAIRS[1], 5)).await;
    for _ in 0..2 {
        assert!(matches!(next(&mut stream).await.update, Update::Subscribed));
    }
    assert_eq!(value(&next(&mut stream).await), 5);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_every_topic_and_then_the_stream() {
    let (mut venue, client) = venue();
    let (mut peer, mut stream) = open(&mut venue, &client, FanInOptions::new()).await;
    peer.push(&tick(PAIRS[0], 1)).await;
    heard(&mut peer).await;
    client.shutdown().await;
    assert_eq!(value(&next(&mut stream).await), 1, "what waited is given first");
    let mut ended = Vec::new();
    while let Some(item) = patient(stream.next()).await {
        let error = item.expect_err("the end");
        assert_eq!(error.kind(), ErrorKind::ShutDown);
        ended.extend(error.topic().map(str::to_owned));
    }
    ended.sort_unstable();
    assert_eq!(ended, tickers().map(|topic| topic.name().to_owned()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_too_small_for_its_topics_is_refused() {
    let (_venue, client) = venue();
    let small = client.subscribe_many_with(tickers(), options(11, SlowReader::Conflate));
    let error = small.await.expect_err("three topics need twelve places");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(client.connections().is_empty(), "nothing was begun");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_stream_unsubscribes_and_ends_the_connection() {
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (mut venue, client) = venue();
    let (mut peer, stream) = open(&mut venue, &client, FanInOptions::new()).await;
    drop(stream);
    assert_eq!(peer.accept_command().await.arguments.len(), PAIRS.len(), "in one frame");
    while let Some(Frame { payload, .. }) = peer.next_frame().await {
        if payload == b"ping" {
            peer.push("pong").await;
        }
    }
    patient(async {
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(client.connections().is_empty());
}
