//! Many topics on many connections, within every limit.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::*;
use crate::error::ErrorKind;
use crate::testing::test_support::{CLOSE, PING, parts, server_and_client};
use crate::{ConnectionPolicy, ConnectionState, Limits};

/// A server that acknowledges everything and records what the limits of the exchange count.
#[derive(Clone, Default)]
struct LimitRecorder(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    /// When each connection was made.
    attempts: Vec<Instant>,
    /// Open connections, and the most at one time.
    open: usize,
    max_open: usize,
    /// The most topics of one connection.
    max_topics: usize,
    /// The topics of all connections.
    topics: BTreeSet<String>,
    /// How often a topic was subscribed that another connection carried.
    duplicates: usize,
    /// The most topics of one command.
    max_arguments: usize,
    /// The most frames of one connection within 10 s.
    max_messages: usize,
}

impl LimitRecorder {
    fn with<R>(&self, f: impl FnOnce(&mut Counts) -> R) -> R {
        f(&mut self.0.lock().expect("no panic"))
    }

    /// Serves until dropped. Every connection is cut when `cut` changes.
    async fn serve(self, mut server: ScriptedServer, cut: watch::Receiver<u32>) {
        let mut connections = JoinSet::new();
        loop {
            let mut peer = server.accept().await;
            let (recorder, mut cut) = (self.clone(), cut.clone());
            cut.mark_unchanged();
            self.with(|counts| counts.attempts.push(Instant::now()));
            connections.spawn(async move {
                recorder.with(|counts| {
                    counts.open += 1;
                    counts.max_open = counts.max_open.max(counts.open);
                });
                let mut own = BTreeSet::new();
                tokio::select! {
                    () = recorder.handle_commands(&mut peer, &mut own) => {}
                    _ = cut.changed() => {}
                }
                recorder.with(|counts| {
                    counts.open -= 1;
                    counts.topics.retain(|topic| !own.contains(topic));
                });
            });
        }
    }

    async fn handle_commands(&self, peer: &mut ServerConnection, own: &mut BTreeSet<String>) {
        let mut sent: Vec<Instant> = Vec::new();
        while let Some((opcode, payload)) = peer.next_frame().await.map(parts) {
            if opcode == CLOSE {
                return;
            }
            assert_ne!(opcode, PING);
            let now = Instant::now();
            sent.retain(|&at| now < at + Duration::from_secs(10));
            sent.push(now);
            self.with(|counts| counts.max_messages = counts.max_messages.max(sent.len()));
            if payload == b"ping" {
                peer.push("pong").await;
                continue;
            }
            let command: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
            let operation = command["op"].as_str().expect("a command");
            let topics = command["args"].as_array().expect("args");
            self.with(|counts| counts.max_arguments = counts.max_arguments.max(topics.len()));
            for topic in topics.iter().filter_map(serde_json::Value::as_str) {
                let topic = topic.to_owned();
                peer.push(&format!(r#"{{"event":"{operation}","topic":"{topic}"}}"#)).await;
                self.with(|counts| {
                    if operation == "subscribe" {
                        own.insert(topic.clone());
                        counts.max_topics = counts.max_topics.max(own.len());
                        counts.duplicates += usize::from(!counts.topics.insert(topic));
                    } else {
                        own.remove(&topic);
                        counts.topics.remove(&topic);
                    }
                });
            }
        }
    }
}

struct Simulation {
    recorder: LimitRecorder,
    client: crate::Client,
    cut: watch::Sender<u32>,
    serving: JoinSet<()>,
}

fn simulation() -> Simulation {
    let (server, client) = server_and_client();
    let (cut, watched) = watch::channel(0);
    let recorder = LimitRecorder::default();
    let mut serving = JoinSet::new();
    serving.spawn(recorder.clone().serve(server, watched));
    Simulation { recorder, client, cut, serving }
}

fn pairs(range: std::ops::Range<usize>) -> impl Iterator<Item = Topic<RawEvent>> {
    range.map(|number| spot(&format!("spot/ticker:COIN{number}_USDT")))
}

async fn subscribe(
    client: &crate::Client,
    range: std::ops::Range<usize>,
) -> Vec<Subscription<RawEvent>> {
    let subscriptions = client.subscribe_each(pairs(range)).await;
    subscriptions.into_iter().map(|subscription| subscription.expect("subscribed")).collect()
}

impl Simulation {
    /// Panics if a limit of the exchange was exceeded.
    fn assert_limits_kept(&self) {
        let limits = Limits::for_endpoint(Market::Spot, Access::Public);
        self.recorder.with(|counts| {
            assert!(counts.max_open <= 20, "{} connections", counts.max_open);
            assert!(counts.max_topics <= 115, "{} topics on one", counts.max_topics);
            assert!(counts.max_arguments <= 20, "{} arguments", counts.max_arguments);
            assert!(counts.max_messages <= 100, "{} messages in 10 s", counts.max_messages);
            assert_eq!(counts.duplicates, 0, "a topic on two connections");
            for (index, &first) in counts.attempts.iter().enumerate() {
                let window = &counts.attempts[index..];
                let end = first + limits.connect_window;
                let attempts = window.iter().take_while(|&&attempt| attempt < end).count();
                assert!(attempts <= 30, "{attempts} attempts in a minute");
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn subscribes_2300_topics_within_every_limit_and_rejects_another() {
    let simulation = simulation();
    let begin = Instant::now();
    let subscriptions = subscribe(&simulation.client, 0..2_300).await;
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    simulation.assert_limits_kept();
    simulation.recorder.with(|counts| assert_eq!((counts.open, counts.topics.len()), (20, 2_300)));
    let error = simulation.client.subscribe(spot("spot/ticker:MORE_USDT")).await.expect_err("full");
    assert_eq!(error.kind(), ErrorKind::TopicLimit, "{error}");
    simulation.client.subscribe(spot("spot/ticker:COIN7_USDT")).await.expect("no new topic");
    drop(subscriptions);
    simulation
        .client
        .subscribe(spot("spot/ticker:MORE_USDT"))
        .await
        .expect("below the limit again");
}

#[tokio::test(start_paused = true)]
async fn reuses_freed_capacity_and_closes_connections_without_topics() {
    let before = Handle::current().metrics().num_alive_tasks();
    let simulation = simulation();
    let mut first = subscribe(&simulation.client, 0..115).await;
    let second = subscribe(&simulation.client, 115..230).await;
    assert_eq!(simulation.client.connections().len(), 2);
    let hundred = first.split_off(15);
    drop(first);
    let refilled = subscribe(&simulation.client, 1_000..1_015).await;
    assert_eq!(simulation.client.connections().len(), 2, "free capacity is used first");
    drop(second);
    let mut connections = simulation.client.connections();
    while let Some(status) = with_timeout(connections[1].changed()).await {
        assert!(
            matches!(status.state, ConnectionState::Open { .. } | ConnectionState::Idle),
            "{status:?}"
        );
    }
    assert_eq!(simulation.client.connections().len(), 1, "the second connection ended");
    simulation.recorder.with(|counts| assert_eq!(counts.topics.len(), 115));
    drop((hundred, refilled));
    with_timeout(async {
        while simulation.recorder.with(|counts| counts.open) > 0 {
            tokio::task::yield_now().await;
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    })
    .await;
    simulation.assert_limits_kept();
    let Simulation { client, serving, .. } = simulation;
    assert!(client.connections().is_empty());
    drop(serving);
    tasks_end(before).await;
}

#[tokio::test(start_paused = true)]
async fn reconnects_every_connection_within_the_connect_limit() {
    let simulation = simulation();
    let mut subscriptions = subscribe(&simulation.client, 0..2_300).await;
    for round in 1..=3 {
        simulation.cut.send(round).expect("a server");
        for subscription in &mut subscriptions {
            while !matches!(next(subscription).await, Update::Resynced) {}
        }
    }
    simulation.assert_limits_kept();
    simulation.recorder.with(|counts| {
        assert_eq!((counts.open, counts.topics.len()), (20, 2_300));
        assert_eq!(counts.attempts.len(), 80);
    });
}

#[tokio::test(start_paused = true)]
async fn keeps_the_connect_limit_with_a_server_that_accepts_and_closes() {
    let (mut server, client) = server_and_client();
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let recorded = attempts.clone();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        loop {
            drop(server.accept().await);
            recorded.lock().expect("no panic").push(Instant::now());
        }
    });
    let topics = client.subscribe_each(pairs(0..2_300));
    let outcome = tokio::time::timeout(Duration::from_secs(600), topics).await;
    let subscriptions = outcome.expect("each times out");
    assert!(subscriptions.iter().all(|subscription| {
        subscription.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout)
    }));
    let attempts = attempts.lock().expect("no panic");
    for (index, &first) in attempts.iter().enumerate() {
        let within =
            attempts[index..].iter().take_while(|&&at| at < first + Duration::from_secs(60));
        assert!(within.count() <= 30);
    }
    assert!(attempts.len() >= 20, "every connection was tried");
}

#[tokio::test(start_paused = true)]
async fn connections_per_endpoint_limits_the_topics() {
    let one = ConnectionPolicy::new().connections_per_endpoint(1);
    let (server, client) =
        crate::testing::test_support::server_and_client_with(1 << 20, |client| {
            client.connection_policy(one)
        });
    let recorder = LimitRecorder::default();
    let mut serving = JoinSet::new();
    let (_cut, watched) = watch::channel(0);
    serving.spawn(recorder.clone().serve(server, watched));
    let _full = subscribe(&client, 0..115).await;
    let error = client.subscribe(spot("spot/ticker:MORE_USDT")).await.expect_err("full");
    assert_eq!(error.kind(), ErrorKind::TopicLimit);
}

#[tokio::test(start_paused = true)]
async fn a_connection_reports_its_status() {
    let (mut server, client) = server_and_client();
    assert!(client.connections().is_empty());
    let (mut peer, tickers) = tokio::join!(serve(&mut server), client.subscribe(ticker()));
    let _tickers = tickers.expect("subscribed");
    let mut connection = client.connections().remove(0);
    assert_eq!(connection.market(), Market::Spot);
    assert_eq!(connection.status().topics, 1);
    assert!(matches!(connection.status().state, ConnectionState::Open { .. }));
    let status = async |connection: &mut crate::Connection| {
        with_timeout(connection.changed()).await.expect("a connection").state
    };
    assert!(matches!(status(&mut connection).await, ConnectionState::Stale { .. }));
    // A data frame ends it as well as a response to a ping.
    peer.push(&tick(1)).await;
    assert!(matches!(status(&mut connection).await, ConnectionState::Open { .. }));
    assert!(matches!(status(&mut connection).await, ConnectionState::Stale { .. }));
    peer.push("pong").await;
    assert!(matches!(status(&mut connection).await, ConnectionState::Open { .. }));
    drop(peer);
    assert_eq!(status(&mut connection).await, ConnectionState::Connecting);
    client.shutdown().await;
    with_timeout(async { while connection.changed().await.is_some() {} }).await;
}
