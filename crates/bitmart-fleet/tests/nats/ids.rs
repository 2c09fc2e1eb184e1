//! Two collectors with one id, and collectors that start at the same time.

use std::time::Duration;

use bitmart_fleet::collector::Collector;
use bitmart_fleet::nats::ErrorKind;

use super::common::{Nats, Recorder, Seen, TRADES, collector, direct, exchange, raw};

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_collector_whose_id_is_alive_does_not_start() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let first = collector(&nats, &sandbox, "a", |builder| builder).await;
    let mut reader = Recorder::start(&nats.client().await, TRADES).await;
    reader.events(1).await;
    let start = || {
        let builder = Collector::builder(nats.options(), direct(&sandbox)).id("a").shards(4);
        builder.topic(raw(TRADES)).start()
    };
    let error = start().await.expect_err("in use");
    assert_eq!(error.kind(), ErrorKind::IdInUse, "{error}");
    reader.events(1).await;
    assert_eq!(reader.lifecycle(), [&Seen::Subscribed], "the first one continues");

    // As after a crash: its leases are not given up.
    drop(first);
    let second = start().await.expect("the first one is gone");
    reader.next(&Seen::Resynced).await;
    reader.events(1).await;
    // As of a rolling restart.
    tokio::time::timeout(Duration::from_secs(10), second.stop()).await.expect("stopped");
    let _third = start().await.expect("the second one has left");
    reader.next(&Seen::Resynced).await;
}

/// The server may reject a stream while another collector creates the same one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server"]
async fn collectors_that_start_at_once_all_start() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    for round in 0..5 {
        let start = |id: u32| {
            let options = nats.options().prefix(format!("fleet{round}"));
            let builder = Collector::builder(options, direct(&sandbox)).id(id.to_string());
            builder.shards(4).topic(raw(TRADES)).start()
        };
        for started in futures_util::future::join_all((0..8).map(start)).await {
            started.expect("started");
        }
    }
}
