//! A NATS server that dies, and readers that are slow.

use std::time::{Duration, Instant};

use bitmart_fleet::collector::Collector;
use bitmart_fleet::nats::{Options, Source};
use bitmart_ws::{Client, Update};

use super::common::{BOOK, LIMIT, Nats, Recorder, Seen, TRADES};
use super::common::{collector, exchange, raw};

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_lost_server_is_reported_and_everything_continues_after_its_return() {
    let (mut nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let client = nats.client().await;
    let mut trades = Recorder::start(&client, TRADES).await;
    let mut book = Recorder::start(&client, BOOK).await;
    trades.events(1).await;
    book.events(3).await;
    nats.kill();
    trades.next(&Seen::Reconnecting).await;
    book.next(&Seen::Reconnecting).await;
    nats.restart();
    trades.next(&Seen::Resynced).await;
    trades.events(3).await;
    let from = book.seen.len();
    book.next(&Seen::Resynced).await;
    // It becomes complete again: by the last snapshot in the stream, or by a new one, which takes a while.
    let is_snapshot = |item: &Seen| matches!(item, Seen::Data(text) if text.contains("snapshot"));
    let start = Instant::now();
    while !book.seen[from..].iter().any(is_snapshot) {
        assert!(start.elapsed() < LIMIT, "no snapshot: {:?}", book.lifecycle());
        book.events(1).await;
    }
    book.events(5).await;
    book.has_no_gap_between_snapshots();
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_server_that_lost_its_disk_is_set_up_again() {
    let (mut nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let client = nats.client().await;
    let mut book = Recorder::start(&client, BOOK).await;
    book.events(3).await;
    nats.kill();
    nats.lose_disk();
    nats.restart();
    book.next(&Seen::Resynced).await;
    let from = book.seen.len();
    book.events(5).await;
    let is_snapshot = |item: &Seen| matches!(item, Seen::Data(text) if text.contains("snapshot"));
    assert!(book.seen[from..].iter().any(is_snapshot), "{:?}", book.lifecycle());
    let mut late = Recorder::start(&nats.client().await, TRADES).await;
    late.events(1).await;
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_lost_server_repeats_no_trades_of_two_collectors() {
    let (mut nats, sandbox) = (Nats::start(), exchange().await);
    let two = |builder: bitmart_fleet::collector::CollectorBuilder| builder.replicas(2);
    let _first = collector(&nats, &sandbox, "a", two).await;
    let _second = collector(&nats, &sandbox, "b", two).await;
    let mut original = Recorder::start(&super::common::direct(&sandbox), TRADES).await;
    let mut reader = Recorder::start(&nats.client().await, TRADES).await;
    reader.events(5).await;
    nats.kill();
    reader.next(&Seen::Reconnecting).await;
    nats.restart();
    reader.next(&Seen::Resynced).await;
    reader.events(20).await;
    reader.is_part_of(&mut original).await;
    let expected = [&Seen::Subscribed, &Seen::Reconnecting, &Seen::Resynced];
    assert_eq!(reader.lifecycle(), expected, "the second collector joins without a further gap");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_collector_stops_also_without_a_server() {
    let (mut nats, sandbox) = (Nats::start(), exchange().await);
    let collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let mut reader = Recorder::start(&nats.client().await, TRADES).await;
    reader.events(1).await;
    nats.kill();
    reader.next(&Seen::Reconnecting).await;
    // It hands nothing over; waiting for each of its calls would take half a minute.
    let stopped = tokio::time::timeout(Duration::from_secs(15), collector.stop()).await;
    stopped.expect("in time");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_reader_needs_the_documented_permissions_only() {
    let (nats, sandbox) = (Nats::start_with(&documented_configuration()), exchange().await);
    let connect = |options: Options| {
        Collector::builder(options, super::common::direct(&sandbox)).id("a").topic(raw(BOOK))
    };
    let options = nats.options().user("collector", "c");
    let _collector = connect(options).start().await.expect("started");
    let options = nats.options().user("reader", "r");
    let client = bitmart_fleet::nats::connect(options).await.expect("connected");
    let mut book = Recorder::start(&client, BOOK).await;
    book.events(5).await;
    assert_eq!(book.lifecycle(), [&Seen::Subscribed]);
    let wrong = bitmart_fleet::nats::connect(nats.options().user("reader", "wrong")).await;
    let error = wrong.expect_err("rejected");
    assert_eq!(error.kind(), bitmart_fleet::nats::ErrorKind::Unreachable);
    assert!(!format!("{error} {error:?}").contains("wrong"), "{error}");
    // A reader cannot forge market data.
    let options = async_nats::ConnectOptions::with_user_and_password("reader".into(), "r".into());
    let forger = options.connect(&nats.url).await.expect("connected");
    let before = book.data().len();
    forger.publish("bitmart.spot.depth.increase100.BTC_USDT", "x".into()).await.expect("queued");
    forger.flush().await.expect("flushed");
    book.events(3).await;
    assert!(book.data().len() > before && book.lifecycle().len() == 1);
}

/// `examples/fleet/nats.conf`, which `docs/fleet.md` refers to, with passwords. The folder is one of the command line.
fn documented_configuration() -> String {
    let config = include_str!("../../../../examples/fleet/nats.conf");
    [("$COLLECTOR_PASSWORD", "c"), ("$READER_PASSWORD", "r"), ("store_dir: \"/data\"", "")]
        .into_iter()
        .fold(config.to_owned(), |config, (from, to)| {
            assert!(config.contains(from), "{from}");
            config.replace(from, to)
        })
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_slow_reader_lags_and_others_do_not() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let source = Source::connect(nats.options()).await.expect("connected");
    let client = Client::builder().source(source).queue_capacity(4).build().expect("a client");
    let mut slow = client.subscribe(raw(BOOK)).await.expect("subscribed");
    let mut quick = Recorder::start(&nats.client().await, BOOK).await;
    quick.events(20).await;
    let mut lagged = 0;
    let read = async {
        while lagged == 0 {
            if let Update::Lagged(missed) = slow.next().await.expect("an update").expect("no error")
            {
                lagged = missed;
            }
        }
    };
    tokio::time::timeout(LIMIT, read).await.expect("in time");
    assert!(lagged >= 10, "{lagged}");
    assert_eq!(quick.lifecycle(), [&Seen::Subscribed]);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn collectors_of_one_fleet_have_the_same_shards() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let error = bitmart_fleet::nats::connect(nats.options()).await.expect_err("not set up");
    assert_eq!(error.kind(), bitmart_fleet::nats::ErrorKind::NotSetUp);
    let first = collector(&nats, &sandbox, "a", |builder| builder).await;
    let other = bitmart_fleet::collector::Collector::builder(
        nats.options(),
        super::common::direct(&sandbox),
    );
    let other = other.id("b").topic(raw(TRADES)).shards(5);
    let error = other.start().await.expect_err("other shards");
    assert_eq!(error.kind(), bitmart_fleet::nats::ErrorKind::Config, "{error}");
    tokio::time::timeout(Duration::from_secs(10), first.stop()).await.expect("stopped");
}
