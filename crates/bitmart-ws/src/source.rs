//! Topics from elsewhere than the exchange's WebSocket: another transport, a collector, a recording.
//!
//! A [`Source`] takes the place of the connections of a [`Client`](crate::Client). Everything above them
//! stays the same: decoding, queues, [`Subscription`](crate::Subscription), [`FanIn`](crate::FanIn) and order books.
//! So a program changes only how it builds its client
//! ([`ClientBuilder::source`](crate::ClientBuilder::source)).
//!
//! The client opens a [`Feed`] for each topic that is subscribed. The source passes to it the data frames of
//! the topic as the exchange sent them (as text, already inflated) and what happened to the topic in between.
//!
//! ```
//! use bitmart_ws::source::{Feed, Source};
//! use bitmart_ws::{Client, Update, topic};
//!
//! /// Repeats recorded frames.
//! struct Recording(Vec<&'static str>);
//!
//! impl Source for Recording {
//!     fn open(&self, mut feed: Feed) {
//!         let frames = self.0.clone();
//!         tokio::spawn(async move {
//!             feed.connected();
//!             for frame in frames {
//!                 let received_at = feed.now();
//!                 feed.frame(frame, received_at);
//!             }
//!             // Until the last subscription is gone. This recording has no snapshots to offer.
//!             while feed.next_request().await.is_some() {}
//!         });
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let recording = Recording(vec![
//!     r#"{"table":"spot/ticker","data":[{"symbol":"BTC_USDT","last_price":"100"}]}"#,
//! ]);
//! let client = Client::builder().source(recording).build()?;
//! let mut tickers = client.subscribe(topic::spot::ticker("BTC_USDT")).await?;
//! assert!(matches!(tickers.next().await.transpose()?, Some(Update::Subscribed)));
//! let Some(Update::Data(ticker)) = tickers.next().await.transpose()? else { panic!("no ticker") };
//! assert_eq!(ticker.symbol, "BTC_USDT");
//! # Ok(())
//! # }
//! ```
//!
//! # What a source must do
//!
//! - Pass frames in the order in which the exchange sent them, each once.
//! - Report every loss, before the frame that follows it: [`Feed::lagged`] if frames are missing and the
//!   connection continues, [`Feed::reconnecting`] if nothing arrives for now. A loss that is not reported
//!   makes a wrong order book.
//! - After [`Feed::reconnecting`], pass a snapshot first if the channel begins with one.
//! - Poll [`Feed::next_request`] all the time, between frames as well: it also adds further subscriptions.
//!   When it returns `None`, nobody reads the topic any more.
//!
//! A feed never waits for its readers: a reader that is too slow sees
//! [`Update::Lagged`](crate::Update::Lagged), or its private subscription ends. A source that is faster than
//! its readers, such as a recording, has to [pace](Feed::next_request) itself, by time or by
//! [what is queued](Feed::queued).

mod feed;
#[cfg(test)]
mod tests;

pub use feed::{Feed, FeedRequest};

/// Brings the topics of a client from elsewhere than the exchange's WebSocket. See the [module](self).
pub trait Source: Send + Sync + 'static {
    /// Opens a topic, which has its first subscription already. Must not block: spawn a task that fills the
    /// feed until [`Feed::next_request`] returns `None`. Dropping the feed ends its subscriptions with an
    /// error of the kind [`ErrorKind::Source`](crate::ErrorKind::Source).
    ///
    /// Called within a tokio runtime. A topic whose feed has ended, and which is subscribed again, is opened
    /// again; the source may still be busy with the old feed then.
    fn open(&self, feed: Feed);
}
