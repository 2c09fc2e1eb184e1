//! Many topics in one stream.

mod options;
#[cfg(test)]
mod properties;
mod queue;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use smol_str::SmolStr;

use crate::client::Client;
use crate::dialect::{Access, Dialect};
use crate::driver::Command;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::received::ReceivedAt;
use crate::roster::Seat;
use crate::router::{Member, MemberId, Ready};
use crate::subscription::Handle;
use crate::topic::Topic;
use crate::update::Update;

pub use options::{FanInOptions, SlowReader};
pub(crate) use queue::Port;

use queue::{Next, Queue};
use waiting::{PLACES_PER_TOPIC, Taken};

/// One item of a [`FanIn`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received<T> {
    /// The topic that it belongs to.
    pub topic: Topic<T>,
    /// What happened, as in a [`Subscription`](crate::Subscription) to that topic alone.
    pub update: Update<T>,
    /// When it was received, however late it is taken.
    pub received_at: ReceivedAt,
}

/// Many topics in one stream with one bounded queue: [`Client::subscribe_many`].
///
/// What each topic tells comes in the order in which it happened, its lifecycle included, and
/// topics come in the order in which the client read them. [`capacity`](Self::capacity) updates can
/// wait for all topics together. What happens beyond is the choice of [`SlowReader`]; dropped
/// events are counted by an [`Update::Lagged`] of their topic, in the place where they are missing.
///
/// An error that [names a topic](Error::topic) is the last item of that topic: the venue refused
/// it, or its connection ended for good. The others go on. An error that names none ends the
/// stream: its queue ran full and nothing may be dropped. The stream is over as well when its last
/// topic is.
///
/// Topics come and go with [`add`](Self::add) and [`remove`](Self::remove). Dropping the stream
/// unsubscribes them all.
///
/// ```no_run
/// use bitmart_ws::{Client, FanInOptions, SlowReader, Update, topic};
///
/// # async fn run(client: Client, pairs: Vec<String>) -> Result<(), bitmart_ws::Error> {
/// let topics = pairs.iter().map(|pair| topic::spot::ticker(pair.as_str()));
/// // Of each pair only the newest price matters.
/// let options = FanInOptions::new().slow_reader(SlowReader::Conflate);
/// let mut tickers = client.subscribe_many_with(topics, options).await?;
/// while let Some(received) = tickers.next().await {
///     match received {
///         Ok(received) => println!("{}: {:?}", received.topic, received.update),
///         Err(error) => eprintln!("{:?} ended: {error}", error.topic()),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct FanIn<T> {
    client: Client,
    queue: Queue<T>,
    entries: HashMap<Key, Entry>,
    /// That of the first topic: a stream has public or private topics.
    access: Access,
    /// What the user chose. Private topics end, whatever that is.
    slow: SlowReader,
}

/// What a topic is found by.
type Key = (Dialect, SmolStr);

/// One topic of the stream.
struct Entry {
    /// Where it stands in the queue.
    place: usize,
    id: MemberId,
    handle: Arc<Handle>,
    /// Its place on the connection.
    _seat: Seat,
}

/// Topics on their way to one connection.
struct Group<T> {
    handle: Arc<Handle>,
    topics: Vec<(Topic<T>, Arc<str>, Seat)>,
}

fn key<T>(topic: &Topic<T>) -> Key {
    (topic.dialect(), SmolStr::new(topic.name()))
}

fn access<T>(topic: &Topic<T>) -> Access {
    if topic.is_private() { Access::Private } else { Access::Public }
}

impl<T: Event> FanIn<T> {
    pub(crate) async fn subscribe(
        client: Client,
        topics: impl IntoIterator<Item = Topic<T>>,
        options: FanInOptions,
    ) -> Result<Self, Error> {
        let topics: Vec<_> = topics.into_iter().collect();
        let access = topics.first().map_or(Access::Public, access);
        let FanInOptions { capacity, slow } = options;
        let used = if access == Access::Private { SlowReader::End } else { slow };
        let queue = Queue::new(capacity, used);
        let mut fan_in = Self { client, queue, entries: HashMap::new(), access, slow };
        fan_in.add(topics).await?;
        Ok(fan_in)
    }

    /// Adds topics. Those that are there already stay as they are. It does not wait for the venue:
    /// each topic begins with [`Update::Subscribed`] or ends with its error, in the stream.
    ///
    /// # Errors
    /// There is no place for all of them: on the connections that the venue allows
    /// ([`ErrorKind::Full`]) or in the queue, which needs four places for each topic
    /// ([`ErrorKind::Config`]). Public and private topics are mixed, there are no credentials for
    /// private ones, the environment has no such WebSocket, or the queue ran full before. Nothing
    /// is added then. When a connection ends while topics are handed to it, those handed to others
    /// before are added.
    ///
    /// # Cancel safety
    /// Safe: topics that were not yet handed to their connection are not added.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn add(&mut self, topics: impl IntoIterator<Item = Topic<T>>) -> Result<(), Error> {
        if self.queue.has_overflowed() {
            let message = "the queue ran full, which ended the stream; subscribe again";
            return Err(Error::new(ErrorKind::Overflow, message));
        }
        for Group { handle, topics } in self.groups(topics)? {
            let place = handle.commands.reserve().await.map_err(|_| handle.gone())?;
            // From here on nothing is waited for, so that no topic is added by half.
            let members: Vec<_> = topics
                .into_iter()
                .map(|(topic, name, seat)| self.enter(topic, name, seat, &handle))
                .collect();
            place.send(Command::Subscribe(Box::new(members)));
        }
        Ok(())
    }

    /// Seats the topics that are new, and sorts them by connection.
    fn groups(&self, topics: impl IntoIterator<Item = Topic<T>>) -> Result<Vec<Group<T>>, Error> {
        let mut seen = HashSet::new();
        let fresh: Vec<_> = topics
            .into_iter()
            .filter(|topic| !self.contains(topic) && seen.insert(key(topic)))
            .collect();
        if fresh.iter().any(|topic| access(topic) != self.access) {
            let message = "public and private topics need a stream each: events of the account \
                           must not be dropped, market data may be";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let capacity = self.queue.capacity();
        let most = capacity / PLACES_PER_TOPIC;
        if self.entries.len() + fresh.len() > most {
            let message = format!(
                "a queue of {capacity} updates has room for {most} topics: ask for \
                 {PLACES_PER_TOPIC} places or more for each"
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        let mut groups: Vec<Group<T>> = Vec::new();
        for topic in fresh {
            let name: Arc<str> = topic.name().into();
            let (handle, seat) = self.client.seat((topic.dialect(), self.access), &name)?;
            // Connections fill up one after the other.
            let at =
                groups.iter().rposition(|group| Arc::ptr_eq(&group.handle.roster, &handle.roster));
            let at = at.unwrap_or_else(|| {
                groups.push(Group { handle: Arc::new(handle), topics: Vec::new() });
                groups.len() - 1
            });
            groups[at].topics.push((topic, name, seat));
        }
        Ok(groups)
    }

    /// Takes a topic in, and gives the driver's end of it.
    fn enter(
        &mut self,
        topic: Topic<T>,
        name: Arc<str>,
        seat: Seat,
        handle: &Arc<Handle>,
    ) -> Member<T> {
        let id = self.client.next_member();
        let symbol = topic.symbol().map(Arc::from);
        let key = key(&topic);
        let (place, port) = self.queue.join(id, topic, handle.heard.clone());
        self.entries.insert(key, Entry { place, id, handle: handle.clone(), _seat: seat });
        Member { id, topic: name, symbol, writer: port.into(), ready: Some(Ready::InStream) }
    }
}

impl<T> FanIn<T> {
    /// Removes a topic, and what waits of it. When nobody else wants it, the venue stops sending
    /// it. `false` when it is not there.
    pub fn remove(&mut self, topic: &Topic<T>) -> bool {
        let Some(entry) = self.entries.remove(&key(topic)) else {
            return false;
        };
        self.queue.leave(entry.place, entry.id);
        entry.handle.signals.leave(entry.id);
        true
    }

    /// Whether this topic is there.
    pub fn contains(&self, topic: &Topic<T>) -> bool {
        self.entries.contains_key(&key(topic))
    }

    /// How many topics there are. One that has ended counts until its error was taken.
    pub fn topics(&self) -> usize {
        self.entries.len()
    }

    /// How many updates wait to be taken.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// How many updates can wait.
    pub fn capacity(&self) -> usize {
        self.queue.capacity()
    }

    /// What happens when the reader is too slow. A stream of private topics ends.
    pub fn slow_reader(&self) -> SlowReader {
        if self.access == Access::Private { SlowReader::End } else { self.slow }
    }

    /// The next item; `None` while there are no topics and when the stream has ended.
    ///
    /// # Errors
    /// Why a topic ended ([`Error::topic`] names it), or why the stream did.
    ///
    /// # Cancel safety
    /// Safe: an item is taken when the future is ready and not before.
    pub async fn next(&mut self) -> Option<Result<Received<T>, Error>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Received<T>, Error>>> {
        let has_topics = !self.entries.is_empty();
        self.queue.poll(context, has_topics).map(|next| match next {
            Next::Taken(Taken::Received(received)) => Some(Ok(received)),
            Next::Taken(Taken::Ended(topic, error)) => {
                let entry = self.entries.remove(&key(&topic));
                let gone =
                    || entry.map_or_else(crate::subscription::shut_down, |e| e.handle.gone());
                Some(Err(error.unwrap_or_else(gone).about(topic.name())))
            }
            Next::Overflow(error) => {
                self.leave_all();
                Some(Err(error))
            }
            Next::Over => None,
        })
    }

    fn leave_all(&mut self) {
        for (_, entry) in self.entries.drain() {
            self.queue.leave(entry.place, entry.id);
            entry.handle.signals.leave(entry.id);
        }
    }
}

impl<T> Stream for FanIn<T> {
    type Item = Result<Received<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(context)
    }
}

impl<T> Drop for FanIn<T> {
    fn drop(&mut self) {
        self.leave_all();
    }
}

impl<T> fmt::Debug for FanIn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FanIn")
            .field("topics", &self.topics())
            .field("waiting", &self.waiting())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}
