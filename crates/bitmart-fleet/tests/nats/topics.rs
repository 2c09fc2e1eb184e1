//! Collectors that were given different topics.

use bitmart_fleet::collector::Collector;
use bitmart_ws::topic;

use super::common::{LIMIT, Nats, collector, exchange};

async fn until_others_are(collector: &Collector, count: u64) {
    let changed = async {
        while collector.status().other_topics != count {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, changed).await.expect("in time");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn collectors_notice_that_another_one_has_other_topics() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let first = collector(&nats, &sandbox, "a", |builder| builder).await;
    // The same topic again is no difference.
    let second =
        collector(&nats, &sandbox, "b", |builder| builder.topic(topic::spot::trades("BTC_USDT")));
    let second = second.await;
    let third =
        collector(&nats, &sandbox, "c", |builder| builder.topic(topic::spot::trades("ETH_USDT")));
    let third = third.await;
    until_others_are(&first, 1).await;
    until_others_are(&second, 1).await;
    until_others_are(&third, 2).await;
    third.stop().await;
    until_others_are(&first, 0).await;
}
