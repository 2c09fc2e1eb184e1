//! Publishers and readers that are cut off from NATS, and readers that are slow.

use std::time::Duration;

use bitmart_account::Market;

use futures_util::StreamExt as _;

use super::super::common::{LIMIT, Nats, exchange, proxied_url};
use super::super::proxy::Network;
use super::spot::trade;
use super::{ACCOUNT, PublisherProcess, Strategy, clients};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server"]
async fn a_publisher_that_is_cut_off_is_replaced_and_each_fill_is_reported_once() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let (rest, _) = clients(&sandbox.ready_line());
    let (way, _) = nats.proxied();
    let leader = PublisherProcess::start(&proxied_url(&way), &sandbox, "a", Market::Spot);
    leader.until_leader().await;
    let mut strategy = Strategy::connect(nats.options(), Market::Spot).await;
    strategy.until_live().await;
    trade(&rest).await;
    let standby = PublisherProcess::start(&nats.url, &sandbox, "b", Market::Spot);
    strategy.until_covered_by(&standby).await;
    strategy.is_the_same_as(&rest, &sandbox).await;
    strategy.lives.clear();
    way.set(Network::Partitioned);
    // The first publishes these, and nobody receives it.
    trade(&rest).await;
    strategy.until(|strategy| strategy.lives.contains(&true)).await;
    assert!(!strategy.lives[0], "before the other took over");
    strategy.is_the_same_as(&rest, &sandbox).await;
    standby.until_leader().await;
    // Now they arrive, with the term of a lease that was lost.
    way.set(Network::Passes);
    for _ in 0..2 {
        trade(&rest).await;
        strategy.is_the_same_as(&rest, &sandbox).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server"]
async fn a_reader_of_an_account_that_is_cut_off_is_not_live_and_loses_no_fill() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let (rest, _) = clients(&sandbox.ready_line());
    let (way, options) = nats.proxied();
    let leader = PublisherProcess::start(&nats.url, &sandbox, "a", Market::Spot);
    leader.until_leader().await;
    let mut cut_off = Strategy::connect(options, Market::Spot).await;
    let mut other = Strategy::connect(nats.options(), Market::Spot).await;
    for strategy in [&mut cut_off, &mut other] {
        strategy.until_live().await;
        strategy.lives.clear();
    }
    way.set(Network::Partitioned);
    trade(&rest).await;
    cut_off.until(|strategy| strategy.lives == [false]).await;
    other.is_the_same_as(&rest, &sandbox).await;
    assert!(!cut_off.is_live());
    way.set(Network::Passes);
    trade(&rest).await;
    cut_off.is_the_same_as(&rest, &sandbox).await;
    other.is_the_same_as(&rest, &sandbox).await;
    assert_eq!(cut_off.lives.last(), Some(&true));
}

/// Messages that readers ignore, since their term is old. More than the queue of a subscription holds, ten times.
const FLOOD: usize = 20_000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server"]
async fn a_slow_reader_of_an_account_is_not_live_until_a_snapshot_and_loses_no_fill() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let (rest, _) = clients(&sandbox.ready_line());
    // So long that silence is not what makes the reader not live.
    let lease = Duration::from_secs(10);
    let leader =
        PublisherProcess::start_with_timeout(&nats.url, &sandbox, "a", Market::Spot, lease);
    leader.until_leader().await;
    let mut slow = Strategy::connect(nats.options(), Market::Spot).await;
    slow.until_live().await;
    slow.lives.clear();
    // Nobody polls it from here on. Its queue is full when the fills come; without a bound nothing would be lost.
    let client = async_nats::connect(&nats.url).await.expect("connected");
    let subject = format!("bitmart-account-{ACCOUNT}.updates");
    let mut witness = client.subscribe(subject.clone()).await.expect("subscribed");
    for _ in 0..FLOOD {
        let message = r#"{"term":0,"number":0,"body":{"Truth":[]}}"#;
        client.publish(subject.clone(), message.into()).await.expect("queued");
    }
    client.flush().await.expect("flushed");
    trade(&rest).await;
    let mut fills = sandbox.fills().len();
    let published = async {
        while fills > 0 {
            let message = witness.next().await.expect("a message");
            fills -= usize::from(message.payload.windows(6).any(|word| word == b"\"Fill\""));
        }
    };
    tokio::time::timeout(LIMIT, published).await.expect("in time");
    slow.is_the_same_as(&rest, &sandbox).await;
    assert_eq!(slow.lives.first(), Some(&false), "no message was lost");
}
