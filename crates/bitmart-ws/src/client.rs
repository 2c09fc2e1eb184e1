//! The client: the entry point of this crate.

mod builder;
mod connection;
mod endpoints;
mod feeds;
mod many;
mod pool;
mod problems;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitmart_auth::Credentials;
use bitmart_net::Connect;
use bitmart_types::{Clock, Environment};
use tokio::sync::oneshot;
use tokio_rustls::rustls::ClientConfig;

use crate::connect::Address;
use crate::dialect::{Access, Limits};
use crate::driver::Command;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::inflate::InflaterPool;
use crate::queue::{Overflow, queue};
use crate::router::{AckTarget, Subscriber, SubscriberId};
use crate::subscription::{Subscription, no_connection};
use crate::topic::Topic;

pub use builder::ClientBuilder;
pub use connection::Connection;
pub(crate) use problems::ProblemSender;
pub use problems::{ConnectionProblem, ConnectionProblems};

pub(crate) use endpoints::Endpoint;
use endpoints::{Pools, random_seed};
use feeds::Feeds;

/// Subscribes to the streams of one environment and, for private topics, of one account.
///
/// Cheap to clone. Topics are spread over as many connections as they need, within the limits of the
/// exchange ([`Limits`](crate::Limits)): with 115 public spot topics on each, 2,300 topics take all 20
/// connections. Connections are opened when topics need them and closed after their last topic is gone;
/// [`connections`](Self::connections) lists them. When the last client and the last subscription are
/// dropped, every task ends.
///
/// A client keeps the spacing of connection attempts, and the backoff after failures, however often
/// topics come and go. A login that is rejected for its time, a rate limit or a server error is
/// repeated on that backoff. One that is rejected for its key, memo or permission ends the current
/// private subscriptions; the next private subscription tries again.
///
/// ```no_run
/// use bitmart_types::Environment;
/// use bitmart_ws::{Client, Update, topic};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder().environment(Environment::live()).build()?;
/// let mut tickers = client.subscribe(topic::spot::ticker("BTC_USDT")).await?;
/// while let Some(update) = tickers.next().await {
///     match update? {
///         Update::Data(ticker) => println!("{:?}", ticker.last_price),
///         Update::Reconnecting(reason) => eprintln!("connection lost: {reason}"),
///         Update::Resynced => eprintln!("connected again"),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    environment: Environment,
    addresses: HashMap<Endpoint, Address>,
    credentials: Option<Credentials>,
    tls: Option<Arc<ClientConfig>>,
    connector: Arc<dyn Connect>,
    clock: Arc<dyn Clock>,
    queue_capacity: usize,
    /// The limits of each endpoint that the client can use.
    limits: Box<[(Endpoint, Limits)]>,
    subscribe_timeout: Duration,
    inflaters: InflaterPool,
    next_subscriber_id: AtomicU64,
    pools: Mutex<Pools>,
    /// Where the topics come from, if not from the exchange.
    feeds: Option<Feeds>,
    problems: ProblemSender,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("environment", &self.0.environment.name)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Returns a builder with the default configuration.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Subscribes to a topic and waits until the exchange has acknowledged it. Private topics log in
    /// first.
    ///
    /// If the connection is lost meanwhile, another is made. Two subscriptions to one topic share it on
    /// the wire. The second one to an incremental book starts between two snapshots:
    /// [request](Self::request_snapshot) one for it.
    ///
    /// # Errors
    /// The exchange rejected the topic or the login, there are no credentials for a private topic, the
    /// environment has no such WebSocket, or nothing was acknowledged in time
    /// ([`ClientBuilder::subscribe_timeout`]).
    ///
    /// # Cancel safety
    /// Cancel-safe: if the future is dropped early, the topic is unsubscribed.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled. Connections need one with I/O, too.
    pub async fn subscribe<T: Event>(&self, topic: Topic<T>) -> Result<Subscription<T>, Error> {
        let access = Access::from_topic(&topic);
        let name = topic.shared_name();
        let (driver, lease) = self.lease((topic.market(), access), &name)?;
        let overflow = match access {
            Access::Public => Overflow::Lag,
            Access::Private => Overflow::End,
        };
        let (writer, reader) =
            queue(self.0.queue_capacity, overflow, driver.receive_tracker.clone());
        let (sender, acknowledged) = oneshot::channel();
        let id = self.next_subscriber_id();
        let subscriber = Subscriber {
            id,
            topic: name,
            sink: writer.into(),
            ack_target: Some(AckTarget::Caller(sender)),
        };
        // From here on, dropping the subscription unsubscribes.
        let subscription = Subscription::new(topic, id, reader, driver.clone(), lease);
        let subscribed = async {
            driver.send(Command::Subscribe(Box::new(subscriber))).await?;
            acknowledged.await.map_err(|_| driver.end_error())?
        };
        match tokio::time::timeout(self.0.subscribe_timeout, subscribed).await {
            Ok(Ok(())) => Ok(subscription),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(self.timeout_error(&subscription)),
        }
    }

    /// Subscribes to many topics of one kind, with as few frames as possible. Each succeeds or fails on
    /// its own; the results are in the order of the topics.
    ///
    /// ```no_run
    /// use bitmart_ws::{Client, topic};
    ///
    /// # async fn run(client: Client, pairs: Vec<String>) -> Result<(), bitmart_ws::Error> {
    /// let topics = pairs.iter().map(|pair| topic::spot::ticker(pair.as_str()));
    /// for subscription in client.subscribe_each(topics).await {
    ///     println!("{}", subscription?.topic().name());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Cancel-safe: if the future is dropped early, the topics are unsubscribed.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled. Connections need one with I/O, too.
    pub async fn subscribe_each<T: Event>(
        &self,
        topics: impl IntoIterator<Item = Topic<T>>,
    ) -> Vec<Result<Subscription<T>, Error>> {
        futures_util::future::join_all(topics.into_iter().map(|topic| self.subscribe(topic))).await
    }

    /// Requests one snapshot of a subscribed topic. It arrives in every subscription to that topic;
    /// see [`Subscription::request_snapshot`].
    ///
    /// # Errors
    /// The topic has no snapshots, or is not subscribed.
    ///
    /// # Cancel safety
    /// Cancel-safe: if the future is dropped early, nothing was sent.
    pub async fn request_snapshot<T>(&self, topic: &Topic<T>) -> Result<(), Error> {
        if !topic.supports_request() {
            return Err(Error::no_snapshots(topic.name()));
        }
        let endpoint = (topic.market(), Access::from_topic(topic));
        let driver = self.driver_of(endpoint, topic.name()).ok_or_else(no_connection)?;
        driver.send(Command::RequestSnapshot(topic.shared_name())).await
    }

    /// Ends every subscription and closes every connection. Subscriptions still return the queued
    /// updates, then an error of the kind [`ErrorKind::ShutDown`]. A topic that is subscribed
    /// afterwards opens a new connection.
    ///
    /// # Cancel safety
    /// Cancel-safe: the first poll signals every connection to end. They do so even if the future is
    /// dropped.
    pub async fn shutdown(&self) {
        for driver in self.shut_down_all() {
            driver.commands.closed().await;
        }
    }

    pub(crate) fn next_subscriber_id(&self) -> SubscriberId {
        self.0.next_subscriber_id.fetch_add(1, Ordering::Relaxed)
    }

    fn timeout_error<T>(&self, subscription: &Subscription<T>) -> Error {
        let (topic, timeout) = (subscription.topic(), self.0.subscribe_timeout);
        let cause = subscription.last_disconnect().map_or_else(
            || "the exchange did not respond".to_owned(),
            |reason| format!("last connection problem: {reason}"),
        );
        let message = format!("{topic} was not acknowledged within {timeout:?}; {cause}");
        Error::new(ErrorKind::Timeout, message)
    }
}
