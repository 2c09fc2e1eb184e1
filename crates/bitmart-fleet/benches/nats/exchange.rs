//! An exchange in this process, which sends frames of trades as fast as its readers read them.

use std::sync::Arc;

use bitmart_ws::event::RawEvent;
use bitmart_ws::source::{Feed, Source};
use bitmart_ws::topic::Topic;
use bitmart_ws::{Client, Market};

use super::pacer::Pacer;

/// Each topic sends as many of the frames of the run as the pacer gives it.
struct PacedTrades(Arc<Pacer>);

impl Source for PacedTrades {
    fn open(&self, mut feed: Feed) {
        let pacer = Arc::clone(&self.0);
        tokio::spawn(async move {
            feed.connected();
            let symbol = feed.topic().rsplit(':').next().unwrap_or_default().to_owned();
            loop {
                tokio::select! {
                    request = feed.next_request() => if request.is_none() { return },
                    number = pacer.send() => {
                        let Some(number) = number else { break };
                        let received_at = feed.now();
                        feed.frame(&trade_frame(&symbol, number), received_at);
                    }
                }
            }
            while feed.next_request().await.is_some() {}
        });
    }
}

/// A client of this exchange.
pub(crate) fn client(pacer: &Arc<Pacer>) -> Client {
    let source = PacedTrades(Arc::clone(pacer));
    Client::builder().source(source).queue_capacity(1 << 16).build().expect("a client")
}

/// A frame of one trade, as the exchange sends them. The price is the number of the frame.
pub(crate) fn trade_frame(symbol: &str, number: u64) -> String {
    format!(
        r#"{{"table":"spot/trade","data":[{{"price":"{number}","s_t":1700000000,"ms_t":1700000000000,"side":"buy","size":"0.00123","symbol":"{symbol}"}}]}}"#
    )
}

pub(crate) fn topic(number: u64) -> Topic<RawEvent> {
    Topic::public(Market::Spot, format!("spot/trade:S{number}_USDT"))
}
