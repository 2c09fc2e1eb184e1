//! The history between two times, and its replay.

mod batches;
mod late_topics;
mod replicas;

use std::time::Duration;

use bitmart_fleet::nats::history::{HistoryEvent, HistoryItem};
use bitmart_fleet::nats::{History, Options, Replay};
use bitmart_types::Timestamp;
use bitmart_ws::book::BookEvent;
use bitmart_ws::{Client, ErrorKind, FanInOptions, Market, Update, topic};
use futures_util::StreamExt as _;

use super::common::{BOOK, CollectorProcess, LIMIT, Nats, Recorder, Seen, TRADES};
use super::common::{collector, direct, exchange, raw};

const TOPICS: [&str; 2] = [TRADES, BOOK];

async fn open(options: Options, topics: &[&str], from: Timestamp) -> History {
    let builder = History::builder(options).topics(Market::Spot, topics.iter().copied());
    builder.open(from..Timestamp::now()).await.expect("a history")
}

async fn items(mut history: History) -> Vec<HistoryItem> {
    let mut items = Vec::new();
    while let Some(item) = history.next().await {
        items.push(item.expect("no error"));
    }
    items
}

/// The frames of a topic.
fn frames(items: &[HistoryItem], topic: &str) -> Vec<String> {
    let frame = |item: &HistoryItem| match item {
        HistoryItem::Message(message) if *message.topic.name == *topic => match &message.event {
            HistoryEvent::Frame(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    };
    items.iter().filter_map(frame).collect()
}

/// Reads a topic of a replay to its end.
async fn replayed(client: Client, topic: &str) -> Vec<Seen> {
    let mut subscription = client.subscribe(raw(topic)).await.expect("subscribed");
    let mut seen = Vec::new();
    let read = async {
        while let Some(update) = subscription.next().await {
            match update {
                Ok(update) => seen.push(Seen::new(update)),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Source, "{error}"),
            }
        }
    };
    tokio::time::timeout(LIMIT, read).await.expect("the replay ends");
    seen
}

fn data(seen: &[Seen]) -> Vec<&str> {
    let texts = seen.iter().map(|item| if let Seen::Data(text) = item { text } else { "" });
    texts.filter(|text| !text.is_empty()).collect()
}

fn lifecycle(seen: &[Seen]) -> Vec<&Seen> {
    seen.iter().filter(|item| !matches!(item, Seen::Data(_))).collect()
}

/// The first whole millisecond after the stream has stored its first message.
async fn first_stored(nats: &Nats) -> Timestamp {
    let client = async_nats::connect(&nats.url).await.expect("connected");
    let stream = async_nats::jetstream::new(client).get_stream("BITMART").await.expect("a stream");
    let nanos = stream.cached_info().state.first_timestamp.unix_timestamp_nanos();
    Timestamp::from_millis(i64::try_from(nanos / 1_000_000).expect("a time") + 1)
}

/// Makes the stream, with a message of no topic. So the whole history of a collector that starts afterwards comes after
/// the millisecond of the oldest message, also if it publishes a snapshot at once.
async fn begin_stream(nats: &Nats) {
    let client = async_nats::connect(&nats.url).await.expect("connected");
    let jetstream = async_nats::jetstream::new(client);
    let config = async_nats::jetstream::stream::Config {
        name: "BITMART".to_owned(),
        subjects: vec!["bitmart.>".to_owned()],
        allow_direct: true,
        ..Default::default()
    };
    jetstream.create_stream(config).await.expect("a stream");
    let stored = jetstream.publish("bitmart.first", "".into()).await.expect("sent");
    stored.await.expect("stored");
}

/// Waits until the stream has what a live reader has got: NATS delivers a message before it has stored it.
async fn until_stored(options: Options, topic: &str, live: &Recorder) {
    let last = (*live.data().last().expect("an event")).to_owned();
    let read = async {
        loop {
            let history = open(options.clone(), &[topic], Timestamp::from_millis(0)).await;
            if frames(&items(history).await, topic).iter().any(|frame| frame.contains(&last)) {
                return;
            }
        }
    };
    tokio::time::timeout(LIMIT, read).await.expect("it is stored");
}

async fn stored_since(nats: &Nats, topics: &[&str]) -> (Timestamp, History) {
    let from = first_stored(nats).await;
    (from, open(nats.options(), topics, from).await)
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_replay_is_what_a_live_reader_got() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    begin_stream(&nats).await;
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let client = nats.client().await;
    let mut trades = Recorder::start(&client, TRADES).await;
    let mut book = Recorder::start(&client, BOOK).await;
    trades.events(10).await;
    book.events(30).await;
    for (topic, live) in [(TRADES, &trades), (BOOK, &book)] {
        until_stored(nats.options(), topic, live).await;
        let all = open(nats.options(), &TOPICS, Timestamp::from_millis(0)).await;
        let raw = frames(&items(all).await, topic);
        let from = first_stored(&nats).await;
        let replay = Replay::new(open(nats.options(), &[topic], from).await);
        let seen = replayed(replay.client().expect("a client"), topic).await;
        replay.finished().await.expect("to the end");
        assert_eq!(lifecycle(&seen), [&Seen::Subscribed], "{topic}");
        let (live, past) = (live.data(), data(&seen));
        let first = past.iter().position(|event| *event == live[0]).expect("the first event");
        assert!(past.len() - first >= live.len(), "{topic}: {} {}", past.len(), live.len());
        assert_eq!(past[first..first + live.len()], live, "{topic}");
        // The frames are those of the exchange, and a reader sees what is in them.
        for event in &past[first..first + live.len()] {
            assert!(raw.iter().any(|frame| frame.contains(event)), "{topic}: {event}");
        }
    }
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_span_that_begins_before_the_history_says_so() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let before = Timestamp::from_millis(Timestamp::now().as_millis() - 60_000);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let mut live = Recorder::start(&nats.client().await, TRADES).await;
    live.events(3).await;
    until_stored(nats.options(), TRADES, &live).await;
    let early = items(open(nats.options(), &[TRADES], before).await).await;
    let Some(HistoryItem::BeginsLate(Some(first))) = early.first() else { panic!("{early:?}") };
    assert!(*first > before);
    let replay = Replay::new(open(nats.options(), &[TRADES], before).await);
    let seen = replayed(replay.client().expect("a client"), TRADES).await;
    assert_eq!(seen[..2], [Seen::Subscribed, Seen::Lagged]);
    let (_, history) = stored_since(&nats, &[TRADES]).await;
    let complete = items(history).await;
    let is_late = |item: &HistoryItem| matches!(item, HistoryItem::BeginsLate(_));
    assert!(complete.len() >= 3 && !complete.iter().any(is_late), "{complete:?}");

    let empty = History::builder(nats.options()).topics(Market::Spot, [TRADES]);
    let error = empty.open(before..before).await.expect_err("an empty span");
    assert_eq!(error.kind(), bitmart_fleet::nats::ErrorKind::Config);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_loss_in_the_history_is_shown() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    begin_stream(&nats).await;
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let mut live = Recorder::start(&nats.client().await, BOOK).await;
    live.events(20).await;
    until_stored(nats.options(), BOOK, &live).await;
    let (from, history) = stored_since(&nats, &[BOOK]).await;
    let of_book = |item: HistoryItem| match item {
        HistoryItem::Message(message) => Some(message),
        _ => None,
    };
    let messages: Vec<_> = items(history).await.into_iter().filter_map(of_book).collect();
    let removed = &messages[messages.len() / 2];
    let client = async_nats::connect(&nats.url).await.expect("connected");
    let stream = async_nats::jetstream::new(client).get_stream("BITMART").await.expect("a stream");
    stream.delete_message(removed.sequence).await.expect("deleted");

    let after = items(open(nats.options(), &[BOOK], from).await).await;
    let at = after.iter().position(|item| matches!(item, HistoryItem::Lost { .. })).expect("lost");
    assert!(matches!(&after[at], HistoryItem::Lost { missing: Some(1), .. }), "{:?}", after[at]);
    let HistoryItem::Message(next) = &after[at + 1] else { panic!("a message") };
    assert_eq!(next.number, removed.number + 1);
    let replay = Replay::new(open(nats.options(), &[BOOK], from).await);
    let seen = replayed(replay.client().expect("a client"), BOOK).await;
    assert_eq!(lifecycle(&seen), [&Seen::Subscribed, &Seen::Lagged]);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_killed_collector_is_a_new_term_in_the_history() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let mut first = CollectorProcess::start(&nats, &sandbox, "a", 1);
    super::common::until_set_up(&nats).await;
    let mut live = Recorder::start(&nats.client().await, TRADES).await;
    live.events(5).await;
    first.kill();
    let _second = collector(&nats, &sandbox, "b", |builder| builder).await;
    live.next(&Seen::Resynced).await;
    live.events(5).await;
    until_stored(nats.options(), TRADES, &live).await;
    let (from, history) = stored_since(&nats, &[TRADES]).await;
    let all = items(history).await;
    let at = all.iter().position(|item| matches!(item, HistoryItem::NewTerm { .. }));
    let at = at.expect("a new term");
    let HistoryItem::NewTerm { before, term, collector, .. } = &all[at] else { panic!("a term") };
    assert!(term > before && collector == "b", "{before} {term} {collector}");
    let HistoryItem::Message(next) = &all[at + 1] else { panic!("a message") };
    assert_eq!((next.term, next.number), (*term, 0));
    let replay = Replay::new(open(nats.options(), &[TRADES], from).await);
    let seen = replayed(replay.client().expect("a client"), TRADES).await;
    assert_eq!(lifecycle(&seen), [&Seen::Subscribed, &Seen::Reconnecting, &Seen::Resynced]);
    assert_eq!(lifecycle(&seen), live.lifecycle(), "as live");
    let past = data(&seen);
    let begin = past.iter().position(|event| *event == live.data()[0]).expect("the first event");
    assert_eq!(past[begin..begin + live.data().len()], live.data());
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_book_of_a_later_span_begins_with_the_snapshot_before_it() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let mut live = Recorder::start(&nats.client().await, BOOK).await;
    live.events(20).await;
    let (_, history) = stored_since(&nats, &[BOOK]).await;
    let middle = items(history).await.into_iter().filter_map(|item| match item {
        HistoryItem::Message(message) => Some(message.stored_at),
        _ => None,
    });
    let middle = middle.max().expect("a message");
    live.events(20).await;
    until_stored(nats.options(), BOOK, &live).await;
    let replay = Replay::new(open(nats.options(), &[BOOK], middle).await);
    let client = replay.client().expect("a client");
    let book = client.order_book(topic::spot::depth_updates("BTC_USDT")).await.expect("a book");
    let read = async {
        let mut events = std::pin::pin!(book.events());
        let (mut snapshots, mut changes) = (0, 0);
        while let Some(Ok(event)) = events.next().await {
            match event {
                BookEvent::Snapshot(_) => snapshots += 1,
                _ => changes += 1,
            }
        }
        (snapshots, changes)
    };
    let (snapshots, changes) = tokio::time::timeout(LIMIT, read).await.expect("in time");
    assert!(snapshots >= 1 && changes >= 20, "{snapshots} {changes}");
    replay.finished().await.expect("to the end");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn topics_are_replayed_in_the_order_of_the_stream() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let mut live = Recorder::start(&nats.client().await, TRADES).await;
    live.events(5).await;
    until_stored(nats.options(), TRADES, &live).await;
    let (from, to) = (Timestamp::from_millis(0), Timestamp::now());
    let history = async || {
        let builder = History::builder(nats.options()).topics(Market::Spot, TOPICS);
        builder.open(from..to).await.expect("a history")
    };
    let mut stored = items(history().await).await.into_iter().filter_map(|item| match item {
        HistoryItem::Message(message) => match message.event {
            HistoryEvent::Frame(text) => Some((message.topic.name, text)),
            _ => None,
        },
        _ => None,
    });
    let replay = Replay::new(history().await);
    let client = replay.client().expect("a client");
    // A queue of the least capacity: nothing is lost all the same.
    let fan_in = client.fan_in_with(TOPICS.map(raw), FanInOptions::new().capacity(8)).await;
    let mut fan_in = fan_in.expect("subscribed");
    let mut frames: usize = 0;
    let mut current = (std::sync::Arc::from(""), String::new());
    let read = async {
        while let Some(item) = fan_in.next().await {
            let Ok(item) = item else { continue };
            let Update::Data(event) = item.update else {
                // It begins before the history.
                let is_begin = matches!(item.update, Update::Subscribed | Update::Lagged(1));
                assert!(is_begin, "{:?}", item.update);
                continue;
            };
            let name = item.topic.name().to_owned();
            // Several events may be of one frame.
            while *current.0 != *name || !current.1.contains(event.json.get()) {
                current = stored.next().expect("in the order of the stream");
                frames += 1;
            }
        }
    };
    tokio::time::timeout(LIMIT, read).await.expect("in time");
    assert!(frames > 10, "{frames}");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_history_needs_the_documented_permissions_only() {
    let (nats, sandbox) = (Nats::start_with(PERMISSIONS), exchange().await);
    let options = nats.options().user("collector", "c");
    let builder = bitmart_fleet::collector::Collector::builder(options, direct(&sandbox)).id("a");
    let _collector = builder.topic(raw(TRADES)).start().await.expect("started");
    let options = nats.options().user("past", "p");
    let client = bitmart_fleet::nats::connect(options.clone()).await.expect("connected");
    let mut live = Recorder::start(&client, TRADES).await;
    live.events(3).await;
    until_stored(options.clone(), TRADES, &live).await;
    let from = Timestamp::from_millis(Timestamp::now().as_millis() - 60_000);
    let all = items(open(options, &[TRADES], from).await).await;
    assert!(frames(&all, TRADES).len() >= 3, "{all:?}");
}

/// As `docs/fleet.md` has them.
const PERMISSIONS: &str = r#"
authorization {
  users = [
    { user: collector, password: c }
    { user: past, password: p, permissions: {
      subscribe: ["bitmart.>", "bitmart-r1.>", "bitmart-r2.>", "bitmart-r3.>", "bitmart-member", "_INBOX.>"]
      publish: [
        "bitmart-request.>"
        "$JS.API.DIRECT.GET.BITMART", "$JS.API.DIRECT.GET.BITMART.>"
        "$JS.API.DIRECT.GET.KV_BITMART", "$JS.API.DIRECT.GET.KV_BITMART.>"
        "$JS.API.STREAM.INFO.KV_BITMART"
        "$JS.API.STREAM.INFO.BITMART"
        "$JS.API.CONSUMER.CREATE.BITMART", "$JS.API.CONSUMER.DELETE.BITMART.>"
        "$JS.API.CONSUMER.MSG.NEXT.BITMART.>"
      ]
    } }
  ]
}
"#;

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_replay_keeps_the_pace_of_the_stream() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let mut live = Recorder::start(&nats.client().await, BOOK).await;
    live.events(30).await;
    let (from, history) = stored_since(&nats, &[BOOK]).await;
    let stored = items(history).await.into_iter().filter_map(|item| match item {
        HistoryItem::Message(message) => Some(message.stored_at),
        _ => None,
    });
    let last = stored.max().expect("a message");
    let replay = Replay::with_speed(open(nats.options(), &[BOOK], from).await, 2);
    let started = std::time::Instant::now();
    replayed(replay.client().expect("a client"), BOOK).await;
    let least = last.duration_since(from) / 2;
    assert!(started.elapsed() >= least && least > Duration::ZERO, "{least:?}");
}
