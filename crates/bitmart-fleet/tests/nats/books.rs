//! Order books for readers that come later.

use bitmart_ws::book::{BookEvent, OrderBook};
use bitmart_ws::{Client, Update, topic};

use super::common::{BOOK, LIMIT, Nats, Recorder, Seen, collector, direct, exchange, raw};

/// Reads a book until it is synchronized and returns the changes before.
async fn first_book(client: &Client) -> (u64, Vec<BookEvent>) {
    let book = client.order_book(topic::spot::depth_updates("BTC_USDT"));
    let book = tokio::time::timeout(LIMIT, book).await.expect("in time").expect("a book");
    let mut before = Vec::new();
    let read = async {
        let mut events = std::pin::pin!(book.events());
        loop {
            match futures_util::StreamExt::next(&mut events)
                .await
                .expect("a change")
                .expect("no error")
            {
                BookEvent::Snapshot(change) => return change.version,
                other => before.push(other),
            }
        }
    };
    let version = tokio::time::timeout(LIMIT, read).await.expect("in time");
    (version, before)
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_late_reader_gets_the_last_snapshot_and_every_update_after_it() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let mut early = Recorder::start(&nats.client().await, BOOK).await;
    early.events(30).await;
    let client = nats.client().await;
    let mut late = Recorder::start(&client, BOOK).await;
    late.events(32).await;
    early.is_part_of(&mut late).await;
    assert_eq!(late.lifecycle(), [&Seen::Subscribed], "nothing is missing");
    assert_eq!(late.data()[0], early.data()[0], "it begins with the same snapshot");
    let common = early.data().len().min(late.data().len());
    assert_eq!(late.data()[..common], early.data()[..common]);

    let (version, before) = first_book(&client).await;
    assert_eq!(before, [], "it is complete at once");
    assert!(version > 0);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_history_without_a_snapshot_is_a_reported_loss() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let mut early = Recorder::start(&nats.client().await, BOOK).await;
    early.events(10).await;
    let admin =
        async_nats::jetstream::new(async_nats::connect(&nats.url).await.expect("connected"));
    admin.get_stream("BITMART").await.expect("a stream").purge().await.expect("purged");
    early.events(3).await;

    let client = nats.client().await;
    let mut late = client.subscribe(raw(BOOK)).await.expect("subscribed");
    assert!(matches!(late.next().await, Some(Ok(Update::Subscribed))));
    assert!(matches!(late.next().await, Some(Ok(Update::Lagged(missed))) if missed > 10));
    drop(late);
    // The collector requests a snapshot for it, which also makes later readers whole.
    let (_, before) = first_book(&client).await;
    assert!(before.iter().all(|event| matches!(event, BookEvent::Resyncing(_))), "{before:?}");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn the_book_of_a_reader_is_that_of_a_direct_client() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let topic = || topic::spot::depth_updates("BTC_USDT");
    let direct = direct(&sandbox).order_book(topic()).await.expect("a book");
    let fleet = nats.client().await.order_book(topic()).await.expect("a book");
    let (mut direct, mut fleet) = (direct, fleet);
    let compare = async {
        let mut equal = 0;
        while equal < 10 {
            let version = direct.next().await.expect("a book").expect("no error").version();
            while fleet.book().version() < version {
                fleet.next().await.expect("a book").expect("no error");
            }
            if fleet.book().version() == version && version.is_some() {
                let levels = |book: &OrderBook| {
                    (book.bids().collect::<Vec<_>>(), book.asks().collect::<Vec<_>>())
                };
                assert_eq!(levels(direct.book()), levels(fleet.book()));
                equal += 1;
            }
        }
    };
    tokio::time::timeout(LIMIT, compare).await.expect("in time");
}
