//! Many topics over many connections, within every limit.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::*;
use crate::error::ErrorKind;
use crate::testing::own::{CLOSE, PING, parts, venue};
use crate::{Condition, ConnectionPolicy, Limits};

/// A venue that serves everybody and notes what its limits are about.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    attempts: Vec<Instant>,
    open: usize,
    most_open: usize,
    most_topics: usize,
    topics: BTreeSet<String>,
    doubled: usize,
    most_arguments: usize,
    most_messages: usize,
}

impl Ledger {
    fn note<R>(&self, note: impl FnOnce(&mut Counts) -> R) -> R {
        note(&mut self.0.lock().expect("no panic"))
    }

    /// Serves until dropped. Every connection is cut when `cut` changes.
    async fn serve(self, mut venue: ScriptedServer, cut: watch::Receiver<u32>) {
        let mut connections = JoinSet::new();
        loop {
            let mut peer = venue.accept().await;
            let (ledger, mut cut) = (self.clone(), cut.clone());
            cut.mark_unchanged();
            self.note(|counts| counts.attempts.push(Instant::now()));
            connections.spawn(async move {
                ledger.note(|counts| {
                    counts.open += 1;
                    counts.most_open = counts.most_open.max(counts.open);
                });
                let mut own = BTreeSet::new();
                tokio::select! {
                    () = ledger.attend(&mut peer, &mut own) => {}
                    _ = cut.changed() => {}
                }
                ledger.note(|counts| {
                    counts.open -= 1;
                    counts.topics.retain(|topic| !own.contains(topic));
                });
            });
        }
    }

    async fn attend(&self, peer: &mut ServerConnection, own: &mut BTreeSet<String>) {
        let mut sent: Vec<Instant> = Vec::new();
        while let Some((opcode, payload)) = peer.next_frame().await.map(parts) {
            if opcode == CLOSE {
                return;
            }
            assert_ne!(opcode, PING);
            let now = Instant::now();
            sent.retain(|&at| now < at + Duration::from_secs(10));
            sent.push(now);
            self.note(|counts| counts.most_messages = counts.most_messages.max(sent.len()));
            if payload == b"ping" {
                peer.push("pong").await;
                continue;
            }
            let command: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
            let operation = command["op"].as_str().expect("a command");
            let topics = command["args"].as_array().expect("args");
            self.note(|counts| counts.most_arguments = counts.most_arguments.max(topics.len()));
            for topic in topics.iter().filter_map(serde_json::Value::as_str) {
                let topic = topic.to_owned();
                peer.push(&format!(r#"{{"event":"{operation}","topic":"{topic}"}}"#)).await;
                self.note(|counts| {
                    if operation == "subscribe" {
                        own.insert(topic.clone());
                        counts.most_topics = counts.most_topics.max(own.len());
                        counts.doubled += usize::from(!counts.topics.insert(topic));
                    } else {
                        own.remove(&topic);
                        counts.topics.remove(&topic);
                    }
                });
            }
        }
    }
}

struct Scene {
    ledger: Ledger,
    client: crate::Client,
    cut: watch::Sender<u32>,
    serving: JoinSet<()>,
}

fn scene() -> Scene {
    let (venue, client) = venue();
    let (cut, watched) = watch::channel(0);
    let ledger = Ledger::default();
    let mut serving = JoinSet::new();
    serving.spawn(ledger.clone().serve(venue, watched));
    Scene { ledger, client, cut, serving }
}

fn pairs(range: std::ops::Range<usize>) -> impl Iterator<Item = Topic<RawEvent>> {
    range.map(|number| spot(&format!("spot/ticker:COIN{number}_USDT")))
}

async fn subscribe(
    client: &crate::Client,
    range: std::ops::Range<usize>,
) -> Vec<Subscription<RawEvent>> {
    let subscriptions = client.subscribe_all(pairs(range)).await;
    subscriptions.into_iter().map(|subscription| subscription.expect("subscribed")).collect()
}

impl Scene {
    /// Panics when the venue would have been right to complain.
    fn assert_limits_kept(&self) {
        let limits = Limits::of(Dialect::Spot, Access::Public);
        self.ledger.note(|counts| {
            assert!(counts.most_open <= 20, "{} connections", counts.most_open);
            assert!(counts.most_topics <= 115, "{} topics on one", counts.most_topics);
            assert!(counts.most_arguments <= 20, "{} arguments", counts.most_arguments);
            assert!(counts.most_messages <= 100, "{} messages in 10 s", counts.most_messages);
            assert_eq!(counts.doubled, 0, "a topic on two connections");
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
async fn two_thousand_three_hundred_topics_open_within_every_limit_and_one_more_has_no_room() {
    let scene = scene();
    let begin = Instant::now();
    let subscriptions = subscribe(&scene.client, 0..2_300).await;
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    scene.assert_limits_kept();
    scene.ledger.note(|counts| assert_eq!((counts.open, counts.topics.len()), (20, 2_300)));
    let error = scene.client.subscribe(spot("spot/ticker:MORE_USDT")).await.expect_err("full");
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    scene.client.subscribe(spot("spot/ticker:COIN7_USDT")).await.expect("no new topic");
    drop(subscriptions);
    scene.client.subscribe(spot("spot/ticker:MORE_USDT")).await.expect("room again");
}

#[tokio::test(start_paused = true)]
async fn topics_that_end_make_room_and_connections_without_topics_end() {
    let before = Handle::current().metrics().num_alive_tasks();
    let scene = scene();
    let mut first = subscribe(&scene.client, 0..115).await;
    let second = subscribe(&scene.client, 115..230).await;
    assert_eq!(scene.client.connections().len(), 2);
    let kept = first.split_off(15);
    drop(first);
    let refilled = subscribe(&scene.client, 1_000..1_015).await;
    assert_eq!(scene.client.connections().len(), 2, "free places are filled first");
    drop(second);
    let mut connections = scene.client.connections();
    while let Some(status) = patient(connections[1].changed()).await {
        assert!(matches!(status.condition, Condition::Open { .. } | Condition::Idle), "{status:?}");
    }
    assert_eq!(scene.client.connections().len(), 1, "the second connection ended");
    scene.ledger.note(|counts| assert_eq!(counts.topics.len(), 115));
    drop((kept, refilled));
    patient(async {
        while scene.ledger.note(|counts| counts.open) > 0 {
            tokio::task::yield_now().await;
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    })
    .await;
    scene.assert_limits_kept();
    let Scene { client, serving, .. } = scene;
    assert!(client.connections().is_empty());
    drop(serving);
    tasks_end(before).await;
}

#[tokio::test(start_paused = true)]
async fn a_cut_of_every_connection_is_repaired_without_a_storm() {
    let scene = scene();
    let mut subscriptions = subscribe(&scene.client, 0..2_300).await;
    for round in 1..=3 {
        scene.cut.send(round).expect("a venue");
        for subscription in &mut subscriptions {
            while !matches!(next(subscription).await, Update::Resynced) {}
        }
    }
    scene.assert_limits_kept();
    scene.ledger.note(|counts| {
        assert_eq!((counts.open, counts.topics.len()), (20, 2_300));
        assert_eq!(counts.attempts.len(), 80);
    });
}

#[tokio::test(start_paused = true)]
async fn a_venue_that_accepts_and_closes_is_not_stormed() {
    let (mut venue, client) = venue();
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let noted = attempts.clone();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        loop {
            drop(venue.accept().await);
            noted.lock().expect("no panic").push(Instant::now());
        }
    });
    let topics = client.subscribe_all(pairs(0..2_300));
    let outcome = tokio::time::timeout(Duration::from_secs(600), topics).await;
    let subscriptions = outcome.expect("each gives up after its time");
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
async fn fewer_connections_can_be_asked_for() {
    let one = ConnectionPolicy::new().connections_per_side(1);
    let (venue, client) =
        crate::testing::own::venue_with(1 << 20, |client| client.connection_policy(one));
    let ledger = Ledger::default();
    let mut serving = JoinSet::new();
    let (_cut, watched) = watch::channel(0);
    serving.spawn(ledger.clone().serve(venue, watched));
    let _full = subscribe(&client, 0..115).await;
    let error = client.subscribe(spot("spot/ticker:MORE_USDT")).await.expect_err("full");
    assert_eq!(error.kind(), ErrorKind::Full);
}

#[tokio::test(start_paused = true)]
async fn a_connection_shows_how_it_stands() {
    let (mut venue, client) = venue();
    assert!(client.connections().is_empty());
    let (mut peer, tickers) = tokio::join!(serve(&mut venue), client.subscribe(ticker()));
    let _tickers = tickers.expect("subscribed");
    let mut connection = client.connections().remove(0);
    assert_eq!(connection.dialect(), Dialect::Spot);
    assert_eq!(connection.status().topics, 1);
    assert!(matches!(connection.status().condition, Condition::Open { .. }));
    let status = async |connection: &mut crate::Connection| {
        patient(connection.changed()).await.expect("a connection").condition
    };
    assert!(matches!(status(&mut connection).await, Condition::Stale { .. }));
    peer.push("pong").await;
    assert!(matches!(status(&mut connection).await, Condition::Open { .. }));
    drop(peer);
    assert_eq!(status(&mut connection).await, Condition::Connecting);
    client.shutdown().await;
    patient(async { while connection.changed().await.is_some() {} }).await;
}
