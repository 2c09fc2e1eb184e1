//! Readers see what a direct client sees.

use super::common::{BOOK, FUTURES_BOOK, Nats, Recorder, Seen, TICKER, TRADES};
use super::common::{collector, direct, exchange};

#[tokio::test]
#[ignore = "needs nats-server"]
async fn readers_see_the_events_and_the_life_of_a_direct_client() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let direct = direct(&sandbox);
    let collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let clients = [nats.client().await, nats.client().await];
    for topic in [TRADES, TICKER, BOOK, FUTURES_BOOK] {
        let mut original = Recorder::start(&direct, topic).await;
        let mut readers = Vec::new();
        for client in &clients {
            readers.push(Recorder::start(client, topic).await);
        }
        original.events(12).await;
        for reader in &mut readers {
            reader.meet(&mut original).await;
            reader.events(12).await;
            reader.is_equal_to(&mut original).await;
            assert_eq!(reader.lifecycle(), [&Seen::Subscribed], "{topic}");
        }
    }
    assert_eq!(collector.status().topics, 4);
    assert!(collector.status().frames > 40);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_lost_connection_of_the_collector_is_seen_by_readers() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let client = nats.client().await;
    let mut reader = Recorder::start(&client, BOOK).await;
    reader.events(3).await;
    sandbox.kill_sockets();
    reader.next(&Seen::Resynced).await;
    reader.events(3).await;
    assert_eq!(reader.lifecycle(), [&Seen::Subscribed, &Seen::Reconnecting, &Seen::Resynced]);
    let after = reader.seen.iter().skip_while(|item| **item != Seen::Resynced).nth(1);
    let Some(Seen::Data(first)) = after else { panic!("{after:?}") };
    assert!(first.contains("snapshot"), "a book begins anew: {first}");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_topic_that_the_exchange_rejects_is_rejected_for_readers() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let wrong = "spot/ticker:NOT_LISTED";
    let _collector = collector(&nats, &sandbox, "a", |builder| {
        builder.topics(bitmart_ws::Market::Spot, [wrong])
    })
    .await;
    let client = nats.client().await;
    let error = client.subscribe(super::common::raw(wrong)).await.expect_err("rejected");
    assert_eq!(error.kind(), bitmart_ws::ErrorKind::Rejected, "{error}");
}
