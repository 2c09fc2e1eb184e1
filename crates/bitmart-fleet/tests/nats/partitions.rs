//! NATS that one collector or one reader cannot reach, while its connections look open.

use std::time::Instant;

use bitmart_fleet::nats;

use super::common::{BOOK, Nats, Recorder, Seen, TAKEOVER, TRADES};
use super::common::{collector, collector_at, direct, exchange, publisher, until_shared};
use super::proxy::Network;

const BOOK_SUBJECT: &str = "bitmart.spot.depth.increase100.BTC_USDT";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server"]
async fn a_collector_that_is_cut_off_is_replaced_and_its_late_messages_are_ignored() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let ways = [nats.proxied(), nats.proxied()];
    let _a = collector_at(ways[0].1.clone(), &sandbox, "a", |builder| builder).await;
    let _b = collector_at(ways[1].1.clone(), &sandbox, "b", |builder| builder).await;
    until_shared(&nats).await;
    let client = nats.client().await;
    let mut original = Recorder::start(&direct(&sandbox), TRADES).await;
    let mut trades = Recorder::start(&client, TRADES).await;
    let mut book = Recorder::start(&client, BOOK).await;
    trades.events(1).await;
    book.events(5).await;
    let holder = publisher(&nats, BOOK_SUBJECT).await;
    let (way, _) = &ways[usize::from(holder == "b")];
    let cut_off = Instant::now();
    way.set(Network::Partitioned);
    book.next(&Seen::Resynced).await;
    let takeover = cut_off.elapsed();
    assert!(takeover <= TAKEOVER, "{takeover:?}");
    book.events(5).await;
    assert_ne!(publisher(&nats, BOOK_SUBJECT).await, holder);
    // What it has published meanwhile arrives now, and it takes the shard again.
    way.set(Network::Passes);
    book.next(&Seen::Resynced).await;
    book.events(5).await;
    assert_eq!(publisher(&nats, BOOK_SUBJECT).await, holder);
    book.has_no_gap_between_snapshots();
    trades.events(3).await;
    trades.is_part_of(&mut original).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server"]
async fn a_reader_that_is_cut_off_reports_it_and_others_see_nothing_of_it() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let (way, options) = nats.proxied();
    let client = nats::connect(options).await.expect("connected");
    let mut original = Recorder::start(&direct(&sandbox), TRADES).await;
    let mut other = Recorder::start(&nats.client().await, TRADES).await;
    let mut trades = Recorder::start(&client, TRADES).await;
    let mut book = Recorder::start(&client, BOOK).await;
    trades.events(1).await;
    book.events(3).await;
    way.set(Network::Partitioned);
    trades.next(&Seen::Reconnecting).await;
    book.next(&Seen::Reconnecting).await;
    way.set(Network::Passes);
    trades.next(&Seen::Resynced).await;
    book.next(&Seen::Resynced).await;
    trades.events(3).await;
    book.events(5).await;
    book.has_no_gap_between_snapshots();
    trades.is_part_of(&mut original).await;
    other.catch_up(&trades).await;
    assert_eq!(other.lifecycle(), [&Seen::Subscribed]);
    other.is_equal_to(&mut original).await;
}
