//! One stream for many topics.

mod buffer;
mod options;
#[cfg(test)]
mod property_tests;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::{FusedStream, Stream};
use smol_str::SmolStr;

use crate::assignments::TopicLease;
use crate::client::Client;
use crate::dialect::{Access, Market};
use crate::driver::Command;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::receive_time::ReceiveTime;
use crate::router::{AckTarget, Subscriber, SubscriberId};
use crate::subscription::{DriverHandle, no_connection};
use crate::topic::Topic;
use crate::update::Update;

pub use options::{FanInOptions, OverflowPolicy};
pub(crate) use queue::TopicWriter;

use buffer::{MIN_CAPACITY_PER_TOPIC, Popped};
use queue::{Next, Queue};

/// One item of a [`FanIn`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TopicUpdate<T> {
    /// The topic that it belongs to.
    pub topic: Topic<T>,
    /// The update, as in a [`Subscription`](crate::Subscription) to that topic alone.
    pub update: Update<T>,
    /// When it was received, however late it is read.
    pub received_at: ReceiveTime,
}

/// A stream of the updates of many topics, with one bounded queue: see [`Client::fan_in`].
///
/// The updates of each topic come in the order in which things happened, its lifecycle included, and
/// those of different topics in the order in which the client read them. [`capacity`](Self::capacity)
/// updates of all topics together are queued. An [`OverflowPolicy`] decides what happens beyond that;
/// dropped events are counted by an [`Update::Lagged`] of their topic, at the position where they are
/// missing.
///
/// An error that [names a topic](Error::topic) is the last item of that topic: the exchange rejected
/// it, or its connection ended for good. The other topics continue. An error without a topic ends the
/// stream: its queue is full and nothing may be dropped. The stream also ends with its last topic.
///
/// [`add`](Self::add) and [`remove`](Self::remove) change the topics. Dropping the stream unsubscribes
/// them all.
///
/// ```no_run
/// use bitmart_ws::{Client, FanInOptions, OverflowPolicy, topic};
///
/// # async fn run(client: Client, pairs: Vec<String>) -> Result<(), bitmart_ws::Error> {
/// let topics = pairs.iter().map(|pair| topic::spot::ticker(pair.as_str()));
/// // Only the newest price of each pair matters.
/// let options = FanInOptions::new().overflow_policy(OverflowPolicy::Conflate);
/// let mut tickers = client.fan_in_with(topics, options).await?;
/// while let Some(item) = tickers.next().await {
///     match item {
///         Ok(item) => println!("{}: {:?}", item.topic, item.update),
///         Err(error) => eprintln!("{:?} ended: {error}", error.topic()),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct FanIn<T> {
    client: Client,
    queue: Queue<T>,
    topics: HashMap<TopicKey, StreamTopic>,
    /// The access of all topics, set by the first: a stream carries either public or private topics.
    access: Access,
    /// As set in the options. Private topics ignore it.
    overflow: OverflowPolicy,
    /// `None` was returned, and no topic was added since.
    terminated: bool,
}

type TopicKey = (Market, SmolStr);

/// One topic of the stream.
struct StreamTopic {
    /// Its place in the queue: see [`buffer`].
    slot: usize,
    id: SubscriberId,
    driver: Arc<DriverHandle>,
    _lease: TopicLease,
}

/// New topics of one connection.
struct ConnectionTopics<T> {
    driver: Arc<DriverHandle>,
    topics: Vec<(Topic<T>, Arc<str>, TopicLease)>,
}

fn key<T>(topic: &Topic<T>) -> TopicKey {
    (topic.market(), SmolStr::new(topic.name()))
}

impl<T: Event> FanIn<T> {
    pub(crate) async fn subscribe(
        client: Client,
        topics: impl IntoIterator<Item = Topic<T>>,
        options: FanInOptions,
    ) -> Result<Self, Error> {
        let topics: Vec<_> = topics.into_iter().collect();
        let access = topics.first().map_or(Access::Public, Access::from_topic);
        let FanInOptions { capacity, overflow } = options;
        let queue = Queue::new(capacity, effective_policy(access, overflow));
        let mut fan_in =
            Self { client, queue, topics: HashMap::new(), access, overflow, terminated: false };
        fan_in.add(topics).await?;
        Ok(fan_in)
    }

    /// Adds topics. Topics that are already part of the stream are ignored. It does not wait for the
    /// exchange: each topic begins with [`Update::Subscribed`] or ends with an error, in the stream.
    ///
    /// # Errors
    /// - The connections that the exchange allows cannot carry all topics ([`ErrorKind::TopicLimit`]).
    /// - The queue is too small: it needs a capacity of four for each topic ([`ErrorKind::Config`]).
    /// - Public and private topics are mixed ([`ErrorKind::Config`]).
    /// - There are no credentials for private topics, or the environment has no such WebSocket.
    /// - The queue has overflowed before.
    ///
    /// No topic is added then. If a connection ends during the call, the topics of the connections
    /// before it are added.
    ///
    /// # Cancel safety
    /// Cancel-safe: if the future is dropped early, the topics that were not yet passed to their
    /// connection are not added.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn add(&mut self, topics: impl IntoIterator<Item = Topic<T>>) -> Result<(), Error> {
        if self.queue.has_overflowed() {
            let message = "the stream ended because its queue was full; subscribe again";
            return Err(Error::new(ErrorKind::Overflow, message));
        }
        for ConnectionTopics { driver, topics } in self.assign_to_connections(topics)? {
            let permit = driver.commands.reserve().await.map_err(|_| driver.end_error())?;
            // No await from here on, so that no topic is added by half.
            let subscribers: Vec<_> = topics
                .into_iter()
                .map(|(topic, name, lease)| self.add_subscriber(topic, name, lease, &driver))
                .collect();
            permit.send(Command::Subscribe(Box::new(subscribers)));
            self.terminated = false;
        }
        Ok(())
    }

    /// Leases the new topics and groups them by connection.
    fn assign_to_connections(
        &self,
        topics: impl IntoIterator<Item = Topic<T>>,
    ) -> Result<Vec<ConnectionTopics<T>>, Error> {
        let mut keys = HashSet::new();
        let new_topics: Vec<_> = topics
            .into_iter()
            .filter(|topic| !self.contains(topic) && keys.insert(key(topic)))
            .collect();
        if new_topics.iter().any(|topic| Access::from_topic(topic) != self.access) {
            let message = "public and private topics need separate streams: events of the account \
                           must not be dropped, market data may be";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let capacity = self.queue.capacity();
        let max_topics = capacity / MIN_CAPACITY_PER_TOPIC;
        if self.topics.len() + new_topics.len() > max_topics {
            let message = format!(
                "a queue of {capacity} updates is enough for {max_topics} topics: each needs a capacity of \
                 at least {MIN_CAPACITY_PER_TOPIC}"
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        let mut connections: Vec<ConnectionTopics<T>> = Vec::new();
        for topic in new_topics {
            let name = topic.shared_name();
            let (driver, lease) = self.client.lease((topic.market(), self.access), &name)?;
            // Searched from the end, because connections fill up one after the other.
            let index =
                connections.iter().rposition(|connection| Arc::ptr_eq(&connection.driver, &driver));
            let index = index.unwrap_or_else(|| {
                connections.push(ConnectionTopics { driver, topics: Vec::new() });
                connections.len() - 1
            });
            connections[index].topics.push((topic, name, lease));
        }
        Ok(connections)
    }

    /// Adds a topic and returns the driver's end of it.
    fn add_subscriber(
        &mut self,
        topic: Topic<T>,
        name: Arc<str>,
        lease: TopicLease,
        driver: &Arc<DriverHandle>,
    ) -> Subscriber<T> {
        let id = self.client.next_subscriber_id();
        let key = key(&topic);
        let (slot, writer) = self.queue.add_topic(id, topic, driver.receive_tracker.clone());
        self.topics.insert(key, StreamTopic { slot, id, driver: driver.clone(), _lease: lease });
        let ack_target = Some(AckTarget::Stream);
        Subscriber { id, topic: name, sink: writer.into(), ack_target }
    }
}

impl<T> FanIn<T> {
    /// Returns the next item; `None` while there are no topics and when the stream has ended.
    ///
    /// # Errors
    /// Why a topic ended ([`Error::topic`] names it), or why the stream ended.
    ///
    /// # Cancel safety
    /// Cancel-safe: no item is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Result<TopicUpdate<T>, Error>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// Removes a topic and its queued updates. It is unsubscribed unless another subscription shares
    /// it. Returns `false` if it is not part of the stream.
    pub fn remove(&mut self, topic: &Topic<T>) -> bool {
        let Some(removed) = self.topics.remove(&key(topic)) else {
            return false;
        };
        self.queue.remove_topic(removed.slot, removed.id);
        removed.driver.signals.subscription_dropped(removed.id);
        true
    }

    /// Whether this topic is part of the stream.
    pub fn contains(&self, topic: &Topic<T>) -> bool {
        self.topics.contains_key(&key(topic))
    }

    /// Returns the number of topics. One that has ended counts until its error was returned.
    pub fn topic_count(&self) -> usize {
        self.topics.len()
    }

    /// Returns how many updates are queued.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Returns how many updates can be queued.
    pub fn capacity(&self) -> usize {
        self.queue.capacity()
    }

    /// Returns the overflow policy: [`OverflowPolicy::End`] if the topics are private.
    pub fn overflow_policy(&self) -> OverflowPolicy {
        effective_policy(self.access, self.overflow)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<TopicUpdate<T>, Error>>> {
        let has_topics = !self.topics.is_empty();
        self.queue.poll(context, has_topics).map(|next| match next {
            Next::Item(Popped::Update(item)) => Some(Ok(item)),
            Next::Item(Popped::TopicEnded(topic, error)) => {
                let removed = self.topics.remove(&key(&topic));
                let end_error =
                    || removed.map_or_else(no_connection, |topic| topic.driver.end_error());
                Some(Err(error.unwrap_or_else(end_error).with_topic(topic.name())))
            }
            Next::Overflow(error) => {
                self.remove_all();
                Some(Err(error))
            }
            Next::Finished => {
                self.terminated = true;
                None
            }
        })
    }

    fn remove_all(&mut self) {
        for (_, topic) in self.topics.drain() {
            self.queue.remove_topic(topic.slot, topic.id);
            topic.driver.signals.subscription_dropped(topic.id);
        }
    }
}

/// Private topics must not lose an event.
fn effective_policy(access: Access, policy: OverflowPolicy) -> OverflowPolicy {
    match access {
        Access::Public => policy,
        Access::Private => OverflowPolicy::End,
    }
}

impl<T> Stream for FanIn<T> {
    type Item = Result<TopicUpdate<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(context)
    }
}

/// Terminated after `None`, until a topic is added.
impl<T> FusedStream for FanIn<T> {
    fn is_terminated(&self) -> bool {
        self.terminated
    }
}

impl<T> Drop for FanIn<T> {
    fn drop(&mut self) {
        self.remove_all();
    }
}

impl<T> fmt::Debug for FanIn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FanIn")
            .field("topic_count", &self.topic_count())
            .field("queued", &self.queued())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}
