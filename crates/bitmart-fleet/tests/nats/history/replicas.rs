//! Histories of topics that two collectors publish.

use bitmart_fleet::nats::Replay;

use super::super::common::{CollectorProcess, Nats, Recorder, Seen, TRADES};
use super::super::common::{direct, exchange, until_shared};
use super::super::kills::until_both_publish;
use super::{data, lifecycle, replayed, stored_since, until_stored};

#[tokio::test]
#[ignore = "needs nats-server"]
async fn trades_of_two_collectors_are_replayed_once_and_in_order_though_one_was_killed() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let mut collectors = ["a", "b"].map(|id| CollectorProcess::start(&nats, &sandbox, id, 2));
    until_shared(&nats).await;
    until_both_publish(&nats).await;
    let mut original = Recorder::start(&direct(&sandbox), TRADES).await;
    original.events(4).await;
    collectors[0].kill();
    original.events(4).await;
    collectors[0] = CollectorProcess::start(&nats, &sandbox, "a", 2);
    until_both_publish(&nats).await;
    original.events(4).await;
    until_stored(nats.options(), TRADES, &original).await;
    let (_, history) = stored_since(&nats, &[TRADES]).await;
    let replay = Replay::new(history);
    let seen = replayed(replay.client().expect("a client"), TRADES).await;
    replay.finished().await.expect("to the end");
    assert_eq!(lifecycle(&seen), [&Seen::Subscribed], "no gap");
    let (past, live) = (data(&seen), original.data());
    let first = past.iter().position(|event| *event == live[0]).expect("the first trade");
    assert_eq!(past[first..first + live.len()], live);
}
