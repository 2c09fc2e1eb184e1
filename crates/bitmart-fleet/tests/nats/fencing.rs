//! Collectors that have lost their lease and do not know it.

use async_nats::HeaderMap;

use super::common::{BOOK, CollectorProcess, Nats, Recorder, Seen, TRADES};
use super::common::{collector, direct, exchange};

#[tokio::test]
#[ignore = "needs nats-server"]
async fn messages_of_an_earlier_term_are_ignored() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let mut original = Recorder::start(&direct(&sandbox), TRADES).await;
    let mut reader = Recorder::start(&nats.client().await, TRADES).await;
    reader.events(1).await;
    let stale = async_nats::connect(&nats.url).await.expect("connected");
    for number in 0..5 {
        let mut headers = HeaderMap::new();
        headers.insert("Bitmart-Kind", "frame");
        headers.insert("Bitmart-Term", "1");
        headers.insert("Bitmart-Number", number.to_string().as_str());
        headers.insert("Bitmart-Received", "1000");
        headers.insert("Bitmart-Collector", "stale");
        let frame = r#"{"table":"spot/trade","data":[{"symbol":"BTC_USDT","price":"1","side":"buy","size":"1","s_t":1}]}"#;
        let sent = stale.publish_with_headers("bitmart.spot.trade.BTC_USDT", headers, frame.into());
        sent.await.expect("published");
    }
    stale.flush().await.expect("flushed");
    reader.events(3).await;
    reader.is_equal_to(&mut original).await;
    assert_eq!(reader.lifecycle(), [&Seen::Subscribed]);
    let mut late = Recorder::start(&nats.client().await, TRADES).await;
    late.events(1).await;
    late.is_equal_to(&mut original).await;
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_collector_that_wakes_up_after_its_replacement_is_ignored() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let collectors = ["a", "b"].map(|id| CollectorProcess::start(&nats, &sandbox, id, 1));
    super::common::until_shared(&nats).await;
    let mut reader = Recorder::start(&nats.client().await, BOOK).await;
    reader.events(3).await;
    for sleeper in &collectors {
        sleeper.signal("STOP");
        // Either it held the topic and is replaced, or it did not.
        let asleep = std::time::Instant::now();
        while asleep.elapsed() < std::time::Duration::from_secs(4) {
            reader.events(1).await;
        }
        sleeper.signal("CONT");
        reader.events(20).await;
    }
    assert!(reader.lifecycle().contains(&&Seen::Resynced), "one of them held it");
    reader.has_no_gap_between_snapshots();
}
