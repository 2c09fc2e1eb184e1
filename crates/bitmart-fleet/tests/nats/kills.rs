//! Collectors that are killed again and again. `cargo xtask long fleet` does it a hundred times.

use std::time::Instant;

use super::common::{BOOK, CollectorProcess, Nats, Recorder, Seen, TAKEOVER, TRADES};
use super::common::{direct, exchange, publisher, until_shared};

/// How often a collector is killed in each test.
fn kills() -> usize {
    let kills = std::env::var("BITMART_FLEET_KILLS").ok();
    kills.map_or(2, |text| text.parse().expect("a number"))
}

fn index(id: &str) -> usize {
    usize::from(id == "b")
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn each_killed_collector_is_replaced_with_one_reported_gap() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let mut collectors = ["a", "b"].map(|id| CollectorProcess::start(&nats, &sandbox, id, 1));
    until_shared(&nats).await;
    let mut book = Recorder::start(&nats.client().await, BOOK).await;
    book.events(3).await;
    let mut times = Vec::new();
    for _ in 0..kills() {
        let holder = publisher(&nats, "bitmart.spot.depth.increase100.BTC_USDT").await;
        let from = book.seen.len();
        let killed = Instant::now();
        collectors[index(&holder)].kill();
        book.next(&Seen::Resynced).await;
        times.push(killed.elapsed());
        book.events(3).await;
        let life = book.seen[from..].iter().filter(|item| !matches!(item, Seen::Data(_)));
        assert_eq!(life.collect::<Vec<_>>(), [&Seen::Reconnecting, &Seen::Resynced], "one gap");
        // The one that was killed is started again, and gets what it had, for the next round.
        collectors[index(&holder)] = CollectorProcess::start(&nats, &sandbox, &holder, 1);
        book.next(&Seen::Resynced).await;
        book.events(3).await;
    }
    book.has_no_gap_between_snapshots();
    times.sort_unstable();
    let late = times.iter().filter(|time| **time > TAKEOVER).count();
    let at = |percent: usize| times[(times.len() * percent).div_ceil(100).max(1) - 1].as_millis();
    println!(
        "fleet collectors: {} kills, market data back after p50 {} ms, p99 {} ms, max {} ms; {late} later than {} ms; \
         one gap each",
        times.len(),
        at(50),
        at(99),
        at(100),
        TAKEOVER.as_millis(),
    );
    assert_eq!(late, 0, "{times:?}");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn with_two_collectors_no_kill_leaves_a_gap_in_trades() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let mut collectors = ["a", "b"].map(|id| CollectorProcess::start(&nats, &sandbox, id, 2));
    until_shared(&nats).await;
    let mut original = Recorder::start(&direct(&sandbox), TRADES).await;
    let mut reader = Recorder::start(&nats.client().await, TRADES).await;
    let kills = kills();
    let mut trades = 0;
    for round in 0..kills {
        until_both_publish(&nats).await;
        // For longer than a dead one may go unnoticed.
        let (both, from) = (Instant::now(), reader.data().len());
        while both.elapsed() < TAKEOVER || reader.data().len() == from {
            reader.events(1).await;
        }
        collectors[round % 2].kill();
        let killed = Instant::now();
        while killed.elapsed() < TAKEOVER {
            reader.events(1).await;
        }
        reader.is_equal_to(&mut original).await;
        assert!(reader.lifecycle().iter().all(|item| **item == Seen::Subscribed), "a gap");
        let id = ["a", "b"][round % 2];
        collectors[round % 2] = CollectorProcess::start(&nats, &sandbox, id, 2);
        trades += reader.data().len();
        reader.forget_with(&mut original);
    }
    println!(
        "fleet replicas: {kills} kills of one of two collectors, {trades} trades, none missing, none twice"
    );
}

/// Waits until both collectors publish trades.
pub(crate) async fn until_both_publish(nats: &Nats) {
    use futures_util::StreamExt as _;
    let client = async_nats::connect(&nats.url).await.expect("connected");
    let subscribe = |subject: &'static str| client.subscribe(subject);
    let first = subscribe("bitmart.spot.trade.BTC_USDT").await.expect("subscribed");
    let second = subscribe("bitmart-r1.spot.trade.BTC_USDT").await.expect("subscribed");
    for mut messages in [first, second] {
        let next = tokio::time::timeout(super::common::LIMIT, messages.next()).await;
        next.expect("in time").expect("a message");
    }
}
