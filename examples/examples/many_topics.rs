//! Many topics in one stream with one queue that holds only the newest price of each pair.
//!
//! ```sh
//! cargo run --example many_topics
//! ```

use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::ws::{Client, FanInOptions, OverflowPolicy, Update, topic};

#[tokio::main]
async fn main() -> examples::Result {
    let exchange = Sandbox::start(Config::new()).await?;
    let client = Client::builder().environment(sandbox::environment(&exchange)).build()?;

    let topics = ["BTC_USDT", "ETH_USDT"].map(topic::spot::ticker);
    let options = FanInOptions::new().capacity(1_000).overflow_policy(OverflowPolicy::Conflate);
    let mut tickers = client.fan_in_with(topics, options).await?;
    let mut remaining = 4;
    while remaining > 0 {
        let Some(item) = tickers.next().await else { break };
        // An error with a topic ends that topic only.
        let received = item?;
        match received.update {
            Update::Data(ticker) => {
                let (topic, waiting) = (&received.topic, tickers.queued());
                println!("{topic}: {:?}, {waiting} waiting", ticker.last_price);
                remaining -= 1;
            }
            // Each topic reports its own gaps and dropped events.
            other => {
                println!("{}: {other:?} at {}", received.topic, received.received_at.timestamp);
            }
        }
    }
    tickers.remove(&topic::spot::ticker("ETH_USDT"));
    tickers.add([topic::spot::ticker("BMX_USDT")]).await?;
    println!("{} topics now", tickers.topic_count());
    Ok(())
}
