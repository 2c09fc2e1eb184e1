//! One stream for many topics.

use super::Client;
use crate::error::Error;
use crate::event::Event;
use crate::fan_in::{FanIn, FanInOptions};
use crate::topic::Topic;

impl Client {
    /// Subscribes to many topics in one stream with one queue: see [`FanIn`]. It takes less memory and
    /// fewer tasks than a [`Subscription`](crate::Subscription) for each.
    ///
    /// It does not wait for the exchange: each topic begins with
    /// [`Update::Subscribed`](crate::Update::Subscribed) or ends with an error, in the stream. While
    /// there is no connection, each topic reports why
    /// ([`Update::Reconnecting`](crate::Update::Reconnecting)), and the attempts continue.
    ///
    /// ```no_run
    /// use bitmart_ws::{Client, Update, topic};
    ///
    /// # async fn run(client: Client, pairs: Vec<String>) -> Result<(), bitmart_ws::Error> {
    /// let topics = pairs.iter().map(|pair| topic::spot::ticker(pair.as_str()));
    /// let mut tickers = client.fan_in(topics).await?;
    /// while let Some(received) = tickers.next().await {
    ///     let received = received?;
    ///     if let Update::Data(ticker) = received.update {
    ///         println!("{} at {:?}", received.topic, received.received_at.timestamp);
    ///         println!("{:?}", ticker.last_price);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`FanIn::add`]. Nothing is subscribed then.
    ///
    /// # Cancel safety
    /// Cancel-safe: if the future is dropped early, the topics are unsubscribed.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn fan_in<T: Event>(
        &self,
        topics: impl IntoIterator<Item = Topic<T>>,
    ) -> Result<FanIn<T>, Error> {
        self.fan_in_with(topics, FanInOptions::new()).await
    }

    /// As [`fan_in`](Self::fan_in), with a queue capacity and an overflow policy.
    ///
    /// # Errors
    /// As [`FanIn::add`]. Nothing is subscribed then.
    ///
    /// # Cancel safety
    /// Cancel-safe: if the future is dropped early, the topics are unsubscribed.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn fan_in_with<T: Event>(
        &self,
        topics: impl IntoIterator<Item = Topic<T>>,
        options: FanInOptions,
    ) -> Result<FanIn<T>, Error> {
        FanIn::subscribe(self.clone(), topics, options).await
    }
}
