//! The entry point: one handle for every stream.

mod builder;
mod connection;
mod many;
mod pool;
mod sides;
#[cfg(test)]
mod tests;
mod troubles;

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

use crate::dialect::{Access, Limits};
use crate::driver::Command;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::inflate::InflaterPool;
use crate::queue::{Overflow, queue};
use crate::router::{Member, MemberId, Ready};
use crate::subscription::{Subscription, shut_down};
use crate::topic::Topic;

pub use builder::ClientBuilder;
pub use connection::Connection;
pub(crate) use troubles::TroubleSender;
pub use troubles::{Trouble, Troubles};

use sides::{Side, Sides, seed};

/// Streams of one environment and, for private topics, of one account.
///
/// Cheap to clone. Topics are spread over as many connections as they need, within what the venue
/// allows ([`Limits`](crate::Limits)): 2,300 public spot topics take all 20. Connections are opened
/// when topics need them and closed when their last one is gone; [`connections`](Self::connections)
/// shows them. When the last client and the last subscription are dropped, every task ends.
///
/// A client keeps its distance between attempts to connect, and the backoff after failures, however
/// often topics come and go. A login that is refused for its time, for a rate or for a fault of the
/// server is tried again on that backoff; one that is refused for key, memo or permission ends the
/// private subscriptions that there are. A private topic that is subscribed later tries again.
///
/// ```no_run
/// use bitmart_types::Environment;
/// use bitmart_ws::{Client, Update, topic};
///
/// # async fn run() -> Result<(), bitmart_ws::Error> {
/// let client = Client::builder().environment(Environment::live()).build()?;
/// let mut tickers = client.subscribe(topic::spot::ticker("BTC_USDT")).await?;
/// while let Some(update) = tickers.next().await {
///     match update? {
///         Update::Data(ticker) => println!("{:?}", ticker.last_price),
///         Update::Reconnecting(reason) => eprintln!("connection lost: {reason}"),
///         Update::Resynced => eprintln!("back again"),
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
    credentials: Option<Credentials>,
    tls: Option<Arc<ClientConfig>>,
    connect: Arc<dyn Connect>,
    clock: Arc<dyn Clock>,
    capacity: usize,
    limits: HashMap<Side, Limits>,
    subscribe_within: Duration,
    inflaters: InflaterPool,
    next_member: AtomicU64,
    sides: Mutex<Sides>,
    troubles: TroubleSender,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("environment", &self.0.environment.name)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Starts a configuration.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Subscribes and waits until the venue has acknowledged. Private topics log in first.
    ///
    /// Losses of the connection on the way are repaired. Two subscriptions to one topic share one on
    /// the wire; a second one to a book starts in the middle, so [`request`](Self::request) a
    /// snapshot for it.
    ///
    /// # Errors
    /// The venue refused the topic or the login, there are no credentials for a private topic, the
    /// environment has no such WebSocket, or nothing was acknowledged in time
    /// ([`ClientBuilder::subscribe_within`]).
    ///
    /// # Cancel safety
    /// Safe: a subscription that is not handed out is undone.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled. Connections need one with I/O, too.
    pub async fn subscribe<T: Event>(&self, topic: Topic<T>) -> Result<Subscription<T>, Error> {
        let access = if topic.is_private() { Access::Private } else { Access::Public };
        let name: Arc<str> = topic.name().into();
        let (handle, seat) = self.seat((topic.dialect(), access), &name)?;
        let overflow = match access {
            Access::Public => Overflow::Lag,
            Access::Private => Overflow::End,
        };
        let (writer, reader) = queue(self.0.capacity, overflow, handle.heard.clone());
        let (ready, answer) = oneshot::channel();
        let id = self.next_member();
        let member = Member {
            id,
            topic: name,
            symbol: topic.symbol().map(Arc::from),
            writer: writer.into(),
            ready: Some(Ready::Call(ready)),
        };
        // From here on dropping the subscription undoes it.
        let subscription = Subscription::new(topic, id, reader, handle.clone(), seat);
        let subscribed = async {
            handle.send(Command::Subscribe(Box::new(member))).await?;
            answer.await.map_err(|_| handle.gone())?
        };
        match tokio::time::timeout(self.0.subscribe_within, subscribed).await {
            Ok(Ok(())) => Ok(subscription),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(self.timeout(&subscription)),
        }
    }

    /// Subscribes to many topics of one kind at once, with as few frames as possible. Each succeeds or
    /// fails on its own, in the order given.
    ///
    /// ```no_run
    /// use bitmart_ws::{Client, topic};
    ///
    /// # async fn run(client: Client, pairs: Vec<String>) -> Result<(), bitmart_ws::Error> {
    /// let topics = pairs.iter().map(|pair| topic::spot::ticker(pair.as_str()));
    /// for subscription in client.subscribe_all(topics).await {
    ///     println!("{}", subscription?.topic().name());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Safe: subscriptions that are not handed out are undone.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled. Connections need one with I/O, too.
    pub async fn subscribe_all<T: Event>(
        &self,
        topics: impl IntoIterator<Item = Topic<T>>,
    ) -> Vec<Result<Subscription<T>, Error>> {
        futures_util::future::join_all(topics.into_iter().map(|topic| self.subscribe(topic))).await
    }

    /// Asks for one snapshot of a subscribed topic. It arrives in every subscription of that topic;
    /// see [`Subscription::request`].
    ///
    /// # Errors
    /// The topic has no snapshots, or nobody has subscribed to it.
    ///
    /// # Cancel safety
    /// Safe: when dropped early, nothing was sent.
    pub async fn request<T>(&self, topic: &Topic<T>) -> Result<(), Error> {
        if !topic.supports_request() {
            let message = format!("BitMart answers no request for {}", topic.name());
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let access = if topic.is_private() { Access::Private } else { Access::Public };
        let handle = self.carrier((topic.dialect(), access), topic.name()).ok_or_else(shut_down)?;
        handle.send(Command::Request(topic.name().into())).await
    }

    /// Ends every subscription and closes every connection. Subscriptions still give what is queued,
    /// then an error of the kind [`ErrorKind::ShutDown`]. A topic that is subscribed afterwards
    /// connects anew.
    ///
    /// # Cancel safety
    /// Safe: the first poll tells every connection to end, and they do, whether or not anybody waits
    /// for it.
    pub async fn shutdown(&self) {
        // All are told before the first is waited for.
        for handle in self.tell_all_to_end() {
            handle.commands.closed().await;
        }
    }

    pub(crate) fn next_member(&self) -> MemberId {
        self.0.next_member.fetch_add(1, Ordering::Relaxed)
    }

    fn timeout<T>(&self, subscription: &Subscription<T>) -> Error {
        let (topic, within) = (subscription.topic(), self.0.subscribe_within);
        let trouble = subscription.last_trouble().map_or_else(
            || "the venue did not answer".to_owned(),
            |reason| format!("last trouble: {reason}"),
        );
        let message = format!("{topic} was not acknowledged within {within:?}; {trouble}");
        Error::new(ErrorKind::Timeout, message)
    }
}
