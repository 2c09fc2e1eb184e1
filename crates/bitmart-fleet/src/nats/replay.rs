//! The past as a source of topics for [`bitmart_ws::Client`].

mod feeds;
mod player;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitmart_ws::Client;
use bitmart_ws::source::Feed;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::history::{History, RawItem, TopicName};
use super::reader::merger::Output;
use super::{Error, reader};
use feeds::Feeds;
use player::Player;

/// Replays a [`History`] to a [`bitmart_ws::Client`], so that a program reads the past as it would have read it live:
/// with the same frames, order books, gaps and lifecycle.
///
/// ```no_run
/// use bitmart_fleet::nats::{History, Options, Replay};
/// use bitmart_types::Timestamp;
/// use bitmart_ws::topic;
///
/// # async fn run(from: Timestamp, to: Timestamp) -> Result<(), Box<dyn std::error::Error>> {
/// let history = History::builder(Options::new("nats://127.0.0.1:4222"))
///     .topic(topic::spot::trades("BTC_USDT"))
///     .open(from..to)
///     .await?;
/// let replay = Replay::new(history);
/// let client = replay.client()?;
/// let mut trades = client.subscribe(topic::spot::trades("BTC_USDT")).await?;
/// // The span ends with an error of the kind `Source`.
/// while let Some(Ok(update)) = trades.next().await {
///     println!("{update:?}");
/// }
/// replay.finished().await?;
/// # Ok(())
/// # }
/// ```
///
/// - It begins when all topics of the history are subscribed, or, after [`start`](Self::start), with the first
///   subscription. A topic that is subscribed for the first time later, or again after its last subscription was
///   dropped, begins with `Lagged` if anything of it was passed before. Other topics end at once.
/// - A book begins with the last snapshot before the span and every update after it, as for a reader that subscribes at
///   the start of the span, if the stream still has them; otherwise with `Lagged`, and is complete with the next
///   snapshot in the span. A request for a snapshot changes nothing.
/// - If the stream does not prove that it has all of the span, each topic begins with `Lagged(1)`.
/// - Of a topic that several collectors publish, trades are merged as by a live reader. Of others, one collector is
///   replayed, and another takes its place once it has been silent for 6 s.
/// - At the end of the span all subscriptions end with an error of the kind [`ErrorKind::Source`].
///
/// [`ErrorKind::Source`]: bitmart_ws::ErrorKind::Source
#[derive(Clone, Debug)]
pub struct Replay(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Taken by the task with the first subscription.
    waiting: Mutex<Option<Waiting>>,
    topics: Vec<TopicName>,
    opened: mpsc::Sender<(usize, Feed)>,
    started: watch::Sender<bool>,
    result: watch::Sender<Option<Result<(), Error>>>,
}

#[derive(Debug)]
struct Waiting {
    history: History,
    opened: mpsc::Receiver<(usize, Feed)>,
    speed: Option<u32>,
}

impl Replay {
    /// Creates a replay as fast as it is read: each message is passed when everything before it was taken out of the
    /// queues of the subscriptions, in the order of the stream over all topics. So nothing is lost, and the order is
    /// the same every time. A subscription that is kept and not read stops it.
    pub fn new(history: History) -> Self {
        Self::create(history, None)
    }

    /// Creates a replay at `speed` times the pace at which the stream has stored the messages, at least 1. It does not
    /// wait for readers: one that is too slow sees `Lagged`, as live.
    pub fn with_speed(history: History, speed: u32) -> Self {
        Self::create(history, Some(speed.max(1)))
    }

    fn create(history: History, speed: Option<u32>) -> Self {
        let topics = history.topics().to_vec();
        // A topic that ends may be opened again before its old feed is gone.
        let (sender, opened) = mpsc::channel(2 * topics.len());
        let waiting = Mutex::new(Some(Waiting { history, opened, speed }));
        let (started, result) = (watch::Sender::new(false), watch::Sender::new(None));
        Self(Arc::new(Shared { waiting, topics, opened: sender, started, result }))
    }

    /// Returns a client that reads from it. Use [`ClientBuilder::source`](bitmart_ws::ClientBuilder::source) instead to
    /// set capacities or a clock of the client.
    ///
    /// # Errors
    /// Never with the defaults that it uses.
    pub fn client(&self) -> Result<Client, Error> {
        reader::build(Client::builder().source(self.clone()))
    }

    /// Starts it with the first subscription, or at once if there is one: not all topics of the history have to be
    /// subscribed. Until a topic of the history is subscribed, nothing is passed. Does nothing if it has started.
    pub fn start(&self) {
        self.0.started.send_replace(true);
    }

    /// Waits until the span has been passed, so for ever if it does not begin: see [`start`](Self::start).
    ///
    /// # Errors
    /// It could not be read to its end. Subscriptions have ended with the same text.
    ///
    /// # Cancel safety
    /// Cancel-safe: it can be called again.
    pub async fn finished(&self) -> Result<(), Error> {
        let mut result = self.0.result.subscribe();
        let result = result.wait_for(Option::is_some).await.map(|result| result.clone());
        result.ok().flatten().unwrap_or(Ok(()))
    }
}

impl bitmart_ws::source::Source for Replay {
    fn open(&self, feed: Feed) {
        let is_same =
            |topic: &TopicName| topic.market == feed.market() && *topic.name == *feed.topic();
        let position = self.0.topics.iter().position(is_same);
        let Some(topic) = position.filter(|_| !feed.is_private()) else {
            return feed.end("the topic is not part of the replay");
        };
        let waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A feed that is not taken ends its subscriptions.
        let _ = self.0.opened.try_send((topic, feed));
        if let Some(Waiting { history, opened, speed }) = waiting {
            let (started, result) = (self.0.started.subscribe(), self.0.result.clone());
            tokio::spawn(async move {
                let replayed = run(history, opened, speed, started).await;
                result.send_replace(Some(replayed));
            });
        }
    }
}

/// Replays the history. Feeds that are opened afterwards end at once.
async fn run(
    mut history: History,
    opened: mpsc::Receiver<(usize, Feed)>,
    speed: Option<u32>,
    mut started: watch::Receiver<bool>,
) -> Result<(), Error> {
    let mut feeds = Feeds::new(history.topics().len(), opened, speed.is_none());
    tokio::select! {
        () = feeds.until_complete() => {}
        // A closed sender has not started it either.
        Ok(_) = started.wait_for(|started| *started) => {}
    }
    let player = |name: &str| Player::new(name, history.replicas(), history.span().start);
    let mut players: Vec<_> = history.topics().iter().map(|topic| player(&topic.name)).collect();
    let (begin, from) = (Instant::now(), history.span().start.as_millis());
    while let Some(raw) = feeds.during(history.next_raw()).await {
        let raw = match raw {
            Ok(raw) => raw,
            Err(error) => {
                feeds.end(&error.to_string()).await;
                return Err(error);
            }
        };
        match raw {
            RawItem::BeginsLate(_) => {
                for topic in 0..players.len() {
                    feeds.pass(topic, vec![Output::Lagged(1)]).await;
                }
            }
            // Missing numbers and terms are seen by the merger.
            RawItem::NewTerm { .. } | RawItem::Lost { missing: Some(_), .. } => {}
            RawItem::Lost { topic, missing: None, .. } => {
                feeds.pass(topic, vec![Output::Lagged(1)]).await;
            }
            RawItem::Message { topic, replica, stored } => {
                if let Some(speed) = speed {
                    let passed = u64::try_from(stored.at - from).unwrap_or(0);
                    let at = begin + Duration::from_millis(passed) / speed;
                    feeds.during(tokio::time::sleep_until(at)).await;
                }
                let player = &mut players[topic];
                let outputs = player.message(&history, (topic, replica), &stored);
                let outputs = match feeds.during(outputs).await {
                    Ok(outputs) => outputs,
                    Err(error) => {
                        feeds.end(&error.to_string()).await;
                        return Err(error);
                    }
                };
                feeds.pass(topic, outputs).await;
            }
        }
    }
    feeds.end("the replayed span has ended").await;
    Ok(())
}
