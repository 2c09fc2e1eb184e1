//! Many topics in one stream.

use super::Client;
use crate::error::Error;
use crate::event::Event;
use crate::fan_in::{FanIn, FanInOptions};
use crate::topic::Topic;

impl Client {
    /// Opens one stream for many topics, with one queue for all of them: see [`FanIn`]. Less memory
    /// and fewer tasks than a [`Subscription`](crate::Subscription) for each.
    ///
    /// It does not wait for the venue: each topic begins with
    /// [`Update::Subscribed`](crate::Update::Subscribed) or ends with its error, in the stream.
    /// While there is no connection, each topic says why
    /// ([`Update::Reconnecting`](crate::Update::Reconnecting)), and the attempts go on.
    ///
    /// ```no_run
    /// use bitmart_ws::{Client, Update, topic};
    ///
    /// # async fn run(client: Client, pairs: Vec<String>) -> Result<(), bitmart_ws::Error> {
    /// let topics = pairs.iter().map(|pair| topic::spot::ticker(pair.as_str()));
    /// let mut tickers = client.subscribe_many(topics).await?;
    /// while let Some(received) = tickers.next().await {
    ///     let received = received?;
    ///     if let Update::Data(ticker) = received.update {
    ///         println!("{} at {:?}", received.topic, received.received_at.time);
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
    /// Safe: topics of a stream that is not handed out are undone.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn subscribe_many<T: Event>(
        &self,
        topics: impl IntoIterator<Item = Topic<T>>,
    ) -> Result<FanIn<T>, Error> {
        self.subscribe_many_with(topics, FanInOptions::new()).await
    }

    /// As [`subscribe_many`](Self::subscribe_many), with a say in how much can wait and what
    /// happens beyond.
    ///
    /// # Errors
    /// As [`FanIn::add`]. Nothing is subscribed then.
    ///
    /// # Cancel safety
    /// Safe: topics of a stream that is not handed out are undone.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn subscribe_many_with<T: Event>(
        &self,
        topics: impl IntoIterator<Item = Topic<T>>,
        options: FanInOptions,
    ) -> Result<FanIn<T>, Error> {
        FanIn::subscribe(self.clone(), topics, options).await
    }
}
