//! Collectors that cannot subscribe a topic.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bitmart_fleet::collector::Collector;
use bitmart_ws::source::{Feed, Source};
use bitmart_ws::{Client, Market};

use super::common::{LIMIT, Nats, Recorder, TICKER, raw};

/// Ends each topic at first, and delivers when it is opened again.
struct EndsOnce(AtomicUsize);

impl Source for EndsOnce {
    fn open(&self, mut feed: Feed) {
        if self.0.fetch_add(1, Ordering::Relaxed) == 0 {
            return;
        }
        tokio::spawn(async move {
            feed.connected();
            let mut pause = tokio::time::interval(Duration::from_millis(20));
            loop {
                tokio::select! {
                    request = feed.next_request() => if request.is_none() { return },
                    _ = pause.tick() => {
                        let frame = r#"{"table":"spot/ticker","data":[{"symbol":"BTC_USDT","last_price":"1"}]}"#;
                        let now = feed.now();
                        feed.frame(frame, now);
                    }
                }
            }
        });
    }
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_topic_that_has_ended_is_subscribed_again_and_not_rejected() {
    let nats = Nats::start();
    let exchange = Client::builder().source(EndsOnce(AtomicUsize::new(0))).build();
    let collector = Collector::builder(nats.options(), exchange.expect("a client")).id("a");
    let collector = collector.topics(Market::Spot, [TICKER]).start().await.expect("started");
    let client = nats.client().await;
    let mut reader = Recorder::start(&client, TICKER).await;
    reader.events(3).await;
    let late = tokio::time::timeout(LIMIT, client.subscribe(raw(TICKER))).await;
    late.expect("in time").expect("not rejected");
    assert_eq!((collector.status().topics, collector.status().topics_down), (1, 0));
}
