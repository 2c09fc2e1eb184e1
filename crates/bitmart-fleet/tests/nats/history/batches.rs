//! Histories that are read in several batches.

use std::task::Poll;

use bitmart_fleet::nats::history::HistoryItem;
use bitmart_types::Timestamp;

use super::super::common::{LIMIT, Nats, collector, exchange};
use super::{frames, items, open};

#[tokio::test]
#[ignore = "needs nats-server"]
async fn large_messages_are_read_in_several_batches() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let client = async_nats::connect(&nats.url).await.expect("connected");
    let jetstream = async_nats::jetstream::new(client);
    let from = Timestamp::now();
    // Together more than one batch may have.
    let (count, text) = (80, "x".repeat(900_000));
    publish(&jetstream, "LARGE", count, &text).await;
    let all = items(open(nats.options(), &["spot/trade:LARGE"], from).await).await;
    let all = frames(&all, "spot/trade:LARGE");
    assert!(all.len() == count && all.iter().all(|frame| *frame == text), "{}", all.len());
    // One consumer has read all batches, and was deleted.
    let mut stream = jetstream.get_stream("BITMART").await.expect("a stream");
    let consumers = stream.info().await.expect("its state").state.consumer_count;
    assert_eq!(consumers, 0, "left behind");
}

/// Publishes frames of trades of this symbol.
async fn publish(
    jetstream: &async_nats::jetstream::Context,
    symbol: &str,
    count: usize,
    text: &str,
) {
    for number in 0..count {
        let mut headers = async_nats::HeaderMap::new();
        let number = number.to_string();
        let values = [("Kind", "frame"), ("Term", "7"), ("Number", &number), ("Received", "5")];
        for (name, value) in values {
            headers.insert(format!("Bitmart-{name}"), value);
        }
        headers.insert("Bitmart-Collector", "large");
        let subject = format!("bitmart.spot.trade.{symbol}");
        let sent = jetstream.publish_with_headers(subject, headers, text.to_owned().into()).await;
        sent.expect("sent").await.expect("stored");
    }
    // The millisecond in which the last one was stored is not part of the span before it is over.
    let stored = Timestamp::now();
    while Timestamp::now() <= stored {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_read_that_is_given_up_at_any_point_loses_nothing_and_leaves_no_consumer() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let _collector = collector(&nats, &sandbox, "a", |builder| builder).await;
    let client = async_nats::connect(&nats.url).await.expect("connected");
    let from = Timestamp::now();
    // A batch, and one more.
    let count = 300;
    let jetstream = async_nats::jetstream::new(client);
    publish(&jetstream, "MANY", count, "x").await;
    for polls in 1.. {
        let mut history = open(nats.options(), &["spot/trade:MANY"], from).await;
        let mut numbers = Vec::new();
        let mut is_given_up = false;
        while numbers.len() < 256 {
            numbers.extend(number(history.next().await.expect("an item")));
        }
        let mut left = polls;
        let mut next = Box::pin(history.next());
        let next_or_given_up = std::future::poll_fn(|context| match next.as_mut().poll(context) {
            Poll::Ready(item) => Poll::Ready(item),
            Poll::Pending if left == 1 => {
                is_given_up = true;
                Poll::Ready(None)
            }
            Poll::Pending => {
                left -= 1;
                Poll::Pending
            }
        });
        numbers.extend(next_or_given_up.await.and_then(number));
        drop(next);
        while let Some(item) = history.next().await {
            numbers.extend(number(item));
        }
        assert_eq!(numbers.len(), count, "given up at poll {polls}");
        assert!(numbers.is_sorted());
        if !is_given_up {
            assert!(polls > 3, "it was given up at several points");
            break;
        }
    }
    drop(open(nats.options(), &["spot/trade:MANY"], from).await);
    let mut stream = jetstream.get_stream("BITMART").await.expect("a stream");
    let are_gone = async {
        while stream.info().await.expect("its state").state.consumer_count > 0 {
            tokio::task::yield_now().await;
        }
    };
    // The server itself deletes them after a minute.
    tokio::time::timeout(LIMIT / 3, are_gone).await.expect("they are deleted");
}

fn number(item: Result<HistoryItem, bitmart_fleet::nats::Error>) -> Option<u64> {
    match item.expect("no error") {
        HistoryItem::Message(message) => Some(message.number),
        // The fleet has only just started.
        HistoryItem::BeginsLate(_) => None,
        other => panic!("{other:?}"),
    }
}
