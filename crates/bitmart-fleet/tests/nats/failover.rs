//! Collectors that die, stop and come.

use std::time::{Duration, Instant};

use super::common::{BOOK, LIMIT, TAKEOVER, TRADES};
use super::common::{
    CollectorProcess, Nats, Recorder, Seen, collector, direct, exchange, publisher,
};

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_killed_collector_is_replaced_and_the_gap_is_reported() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let mut collectors = ["a", "b"].map(|id| CollectorProcess::start(&nats, &sandbox, id, 1));
    super::common::until_shared(&nats).await;
    let client = nats.client().await;
    let direct = direct(&sandbox);
    let (mut original, mut trades) =
        (Recorder::start(&direct, TRADES).await, Recorder::start(&client, TRADES).await);
    let mut book = Recorder::start(&client, BOOK).await;
    trades.events(1).await;
    book.events(5).await;
    let holder = publisher(&nats, "bitmart.spot.depth.increase100.BTC_USDT").await;
    let of_trades = publisher(&nats, "bitmart.spot.trade.BTC_USDT").await;
    let killed = Instant::now();
    collectors[usize::from(holder == "b")].kill();
    book.next(&Seen::Resynced).await;
    let takeover = killed.elapsed();
    assert!(takeover <= TAKEOVER, "{takeover:?}");
    println!("taken over after {takeover:?}");
    book.events(5).await;
    assert_ne!(publisher(&nats, "bitmart.spot.depth.increase100.BTC_USDT").await, holder);
    assert_eq!(book.lifecycle(), [&Seen::Subscribed, &Seen::Reconnecting, &Seen::Resynced]);
    assert!(snapshot_follows_resynced(&book));
    trades.events(3).await;
    trades.is_part_of(&mut original).await;
    if of_trades == holder {
        assert_eq!(trades.lifecycle(), [&Seen::Subscribed, &Seen::Reconnecting, &Seen::Resynced]);
    }
}

fn snapshot_follows_resynced(book: &Recorder) -> bool {
    let after = book.seen.iter().skip_while(|item| **item != Seen::Resynced).nth(1);
    matches!(after, Some(Seen::Data(text)) if text.contains("snapshot"))
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn with_two_collectors_a_kill_leaves_no_gap_in_trades() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let mut collectors = ["a", "b"].map(|id| CollectorProcess::start(&nats, &sandbox, id, 2));
    super::common::until_shared(&nats).await;
    let client = nats.client().await;
    let mut original = Recorder::start(&direct(&sandbox), TRADES).await;
    let mut reader = Recorder::start(&client, TRADES).await;
    // Both deliver for longer than a dead one would go unnoticed.
    let both = Instant::now();
    while both.elapsed() < TAKEOVER {
        reader.events(1).await;
    }
    collectors[0].kill();
    let killed = Instant::now();
    while killed.elapsed() < 2 * TAKEOVER {
        reader.events(1).await;
    }
    reader.is_equal_to(&mut original).await;
    assert_eq!(reader.lifecycle(), [&Seen::Subscribed], "neither a gap nor a duplicate");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_collector_that_stops_hands_over_without_waiting_for_its_lease_to_expire() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let timeout = Duration::from_secs(20);
    let change =
        |builder: bitmart_fleet::collector::CollectorBuilder| builder.lease_timeout(timeout);
    let first = collector(&nats, &sandbox, "a", change).await;
    let client = nats.client().await;
    let mut reader = Recorder::start(&client, TRADES).await;
    reader.events(1).await;
    let second = collector(&nats, &sandbox, "b", change).await;
    // The second gets its part of the shards from the first.
    let start = Instant::now();
    while second.status().leases == 0 || first.status().leases + second.status().leases != 4 {
        assert!(start.elapsed() < LIMIT, "{:?} {:?}", first.status(), second.status());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stopped = Instant::now();
    first.stop().await;
    while second.status().leases != 4 {
        assert!(stopped.elapsed() < timeout / 2, "waited for the lease: {:?}", second.status());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    reader.events(3).await;
    assert!(stopped.elapsed() < timeout, "{:?}", stopped.elapsed());
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_topic_without_a_collector_is_down() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let first = collector(&nats, &sandbox, "a", |builder| builder).await;
    let client = nats.client().await;
    let mut reader = Recorder::start(&client, TRADES).await;
    reader.events(1).await;
    drop(first);
    reader.next(&Seen::Reconnecting).await;
    let late =
        tokio::time::timeout(Duration::from_secs(1), client.subscribe(super::common::raw(BOOK)));
    late.await.expect_err("nobody publishes it");
    let _second = collector(&nats, &sandbox, "b", |builder| builder).await;
    reader.next(&Seen::Resynced).await;
    reader.events(1).await;
}
