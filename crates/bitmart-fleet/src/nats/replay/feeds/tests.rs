//! Feeds of a replay that are opened early, late and again.

use bitmart_ws::event::RawEvent;
use bitmart_ws::source::Source;
use bitmart_ws::topic::Topic;
use bitmart_ws::{Client, Market, Subscription, Update};
use bytes::Bytes;

use super::*;

/// Longest wait of a test. Only a failure takes as long.
const LIMIT: Duration = Duration::from_secs(5);

const NAMES: [&str; 2] = ["spot/ticker:A_USDT", "spot/ticker:B_USDT"];

/// Passes each feed that the client opens to the test.
struct Opened(mpsc::Sender<(usize, Feed)>);

impl Source for Opened {
    fn open(&self, feed: Feed) {
        let topic = NAMES.iter().position(|name| *name == feed.topic()).expect("a topic");
        self.0.try_send((topic, feed)).expect("room");
    }
}

/// The feeds of two topics, and a client that opens them.
fn feeds() -> (Client, Feeds) {
    let (sender, opened) = mpsc::channel(2);
    let client = Client::builder().source(Opened(sender)).subscribe_timeout(LIMIT).build();
    (client.expect("a client"), Feeds::new(NAMES.len(), opened, true))
}

fn raw(topic: usize) -> Topic<RawEvent> {
    Topic::public(Market::Spot, NAMES[topic])
}

async fn subscribed(client: &Client, feeds: &mut Feeds, topic: usize) -> Subscription<RawEvent> {
    tokio::select! {
        subscription = client.subscribe(raw(topic)) => subscription.expect("subscribed"),
        () = feeds.during(tokio::time::sleep(2 * LIMIT)) => panic!("not in time"),
    }
}

/// Frames of a topic.
fn frames(topic: usize, count: usize) -> Vec<Output> {
    let (_, symbol) = NAMES[topic].split_once(':').expect("a symbol");
    let text = format!(r#"{{"table":"spot/ticker","data":[{{"symbol":"{symbol}"}}]}}"#);
    vec![Output::Frame(Bytes::from(text), 0); count]
}

/// The first updates of a subscription, so many.
async fn begin(subscription: &mut Subscription<RawEvent>, count: usize) -> Vec<String> {
    let mut begin = Vec::new();
    while begin.len() < count {
        begin.push(match subscription.next().await.expect("an update").expect("no error") {
            Update::Data(_) => "data".to_owned(),
            update => format!("{update:?}"),
        });
    }
    begin
}

#[tokio::test]
async fn a_topic_is_opened_while_the_reader_of_another_is_awaited() {
    let (client, mut feeds) = feeds();
    let mut first = subscribed(&client, &mut feeds, 0).await;
    let mut second = tokio::select! {
        () = feeds.pass(0, frames(0, 2)) => panic!("nobody has read the first frame"),
        second = client.subscribe(raw(1)) => second.expect("subscribed"),
    };
    assert_eq!(begin(&mut first, 2).await, ["Subscribed", "data"]);
    let passed = async {
        feeds.pass(1, frames(1, 1)).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        begin = begin(&mut second, 2) => assert_eq!(begin, ["Subscribed", "data"]),
        () = passed => {}
    }
}

#[tokio::test]
async fn a_topic_that_is_opened_late_begins_with_what_it_has_missed() {
    let (client, mut feeds) = feeds();
    // As at the begin of a span that is not proven to be complete.
    feeds.pass(1, vec![Output::Lagged(1)]).await;
    let mut second = subscribed(&client, &mut feeds, 1).await;
    feeds.pass(0, frames(0, 3)).await;
    let mut first = subscribed(&client, &mut feeds, 0).await;
    let read = async {
        assert_eq!(begin(&mut second, 2).await, ["Subscribed", "Lagged(1)"]);
        assert_eq!(begin(&mut first, 2).await, ["Subscribed", "Lagged(3)"]);
    };
    tokio::time::timeout(LIMIT, read).await.expect("in time");
    drop(first);
    feeds.pass(0, frames(0, 2)).await;
    let mut again = subscribed(&client, &mut feeds, 0).await;
    let read = begin(&mut again, 2);
    let read = tokio::time::timeout(LIMIT, read).await.expect("in time");
    assert_eq!(read, ["Subscribed", "Lagged(5)"]);
}

#[tokio::test]
async fn a_topic_of_which_nothing_was_passed_begins_without_a_loss() {
    let (client, mut feeds) = feeds();
    feeds.pass(1, vec![Output::Connected]).await;
    let mut second = subscribed(&client, &mut feeds, 1).await;
    let passed = async {
        feeds.pass(1, frames(1, 1)).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        begin = begin(&mut second, 2) => assert_eq!(begin, ["Subscribed", "data"]),
        () = passed => {}
    }
}
