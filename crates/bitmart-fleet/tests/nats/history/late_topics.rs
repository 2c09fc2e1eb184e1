//! Topics that are subscribed after a replay has started.

use bitmart_fleet::nats::{History, Replay};
use bitmart_types::Timestamp;
use bitmart_ws::event::RawEvent;
use bitmart_ws::{ErrorKind, Subscription, Update};

use super::super::common::{BOOK, LIMIT, Nats, Recorder, Seen, TRADES};
use super::super::common::{collector, exchange, raw};
use super::{TOPICS, data, lifecycle, open, stored_since, until_stored};

/// Reads what is left of both to their ends.
async fn read_both(
    mut first: Subscription<RawEvent>,
    mut second: Subscription<RawEvent>,
) -> [Vec<Seen>; 2] {
    let mut seen = [Vec::new(), Vec::new()];
    let read = async {
        let (mut has_first, mut has_second) = (true, true);
        while has_first || has_second {
            let (index, update) = tokio::select! {
                update = first.next(), if has_first => (0, update),
                update = second.next(), if has_second => (1, update),
            };
            match update {
                Some(Ok(update)) => seen[index].push(Seen::new(update)),
                Some(Err(error)) => assert_eq!(error.kind(), ErrorKind::Source, "{error}"),
                None if index == 0 => has_first = false,
                None => has_second = false,
            }
        }
    };
    tokio::time::timeout(LIMIT, read).await.expect("the replay ends");
    seen
}

/// A span that begins before its history, of both topics.
async fn late(nats: &Nats) -> History {
    let mut live = Recorder::start(&nats.client().await, TRADES).await;
    live.events(10).await;
    until_stored(nats.options(), TRADES, &live).await;
    open(nats.options(), &TOPICS, Timestamp::from_millis(0)).await
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_replay_that_has_started_takes_topics_while_it_waits_for_a_reader() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let replay = Replay::new(late(&nats).await);
    replay.start();
    let client = replay.client().expect("a client");
    let trades = client.subscribe(raw(TRADES)).await.expect("subscribed");
    let book = client.subscribe(raw(BOOK)).await.expect("subscribed, though trades are not read");
    let [trades, book] = read_both(trades, book).await;
    replay.finished().await.expect("to the end");
    assert_eq!(lifecycle(&trades), [&Seen::Subscribed, &Seen::Lagged]);
    assert!(data(&trades).len() >= 10, "{trades:?}");
    assert_eq!(lifecycle(&book), [&Seen::Subscribed, &Seen::Lagged], "the begin is not proven");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_bot_subscribes_another_topic_while_it_handles_a_replayed_update() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let replay = Replay::new(late(&nats).await);
    let client = replay.client().expect("a client");
    replay.start();
    let mut trades = client.subscribe(raw(TRADES)).await.expect("subscribed");
    let first = async {
        while !matches!(trades.next().await.expect("an update").expect("no error"), Update::Data(_))
        {
        }
    };
    tokio::time::timeout(LIMIT, first).await.expect("in time");
    let book = client.subscribe(raw(BOOK)).await.expect("subscribed, though trades are not read");
    let [trades, book] = read_both(trades, book).await;
    assert!(data(&trades).len() >= 9, "{trades:?}");
    assert_eq!(lifecycle(&book), [&Seen::Subscribed, &Seen::Lagged]);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn topics_that_are_not_part_of_a_replay_do_not_displace_one_that_is() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let mut live = Recorder::start(&nats.client().await, TRADES).await;
    live.events(3).await;
    until_stored(nats.options(), TRADES, &live).await;
    let (_, history) = stored_since(&nats, &[TRADES]).await;
    let client = Replay::new(history).client().expect("a client");
    let others: Vec<_> = (0..20).map(|number| format!("spot/trade:OTHER_{number}")).collect();
    let others = others.iter().map(|name| client.subscribe(raw(name)));
    let others = futures_util::future::join_all(others);
    let (others, trades) = tokio::join!(others, client.subscribe(raw(TRADES)));
    trades.expect("it is part of the replay");
    for other in others {
        let error = other.expect_err("not part of the replay");
        assert_eq!(error.kind(), ErrorKind::Source);
        assert!(error.to_string().contains("not part of the replay"), "{error}");
    }
}
