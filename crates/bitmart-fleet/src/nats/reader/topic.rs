//! The task of one topic: messages and leases in, a feed out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitmart_types::Timestamp;
use bitmart_ws::event::DecodeErrorKind;
use bitmart_ws::source::{Feed, FeedRequest};
use bitmart_ws::{ReconnectReason, catalog};
use futures_util::StreamExt as _;
use futures_util::stream::SelectAll;
use tokio::sync::watch;

use super::Shared;
use super::merger::{Merger, Output};
use crate::nats::message::{Kind, Message};
use crate::nats::{Error, history, subject};

/// Pause before `JetStream` is asked again after a failure.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// How often, and after which pause, a new topic is read again that does not yet tell where its snapshot is. Its number
/// of messages is below the limit.
const SNAPSHOT_ATTEMPTS: u32 = 5;
const SNAPSHOT_DELAY: Duration = Duration::from_millis(100);
const NEW_TOPIC: u64 = 100;

/// What a reader that comes later needs of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// Each frame is something new: only frames from now on.
    Events,
    /// Each frame replaces all earlier ones: the last one.
    States,
    /// A snapshot and changes of it: the last snapshot and all later frames.
    Book,
}

impl Channel {
    pub(crate) fn of(topic: &str) -> Self {
        let channel = topic.split(':').next().unwrap_or_default();
        if channel.contains("/depth/increase") || channel.contains("/depthIncrease") {
            Self::Book
        } else if channel.ends_with("/trade") || channel.contains("/user/") {
            Self::Events
        } else {
            Self::States
        }
    }
}

/// How a session of a topic ended.
enum End {
    /// Nobody reads it any more, or it was rejected.
    Finished,
    /// Begin again, with the history.
    Restart,
}

pub(super) async fn run(shared: Arc<Shared>, feed: Feed) {
    let tail = subject::tail(feed.dialect(), feed.is_private(), feed.topic());
    if feed.topic().len() > subject::MAX_NAME_BYTES {
        return feed.end("the name of the topic is too long for the fleet");
    }
    let mut topic = Topic {
        channel: Channel::of(feed.topic()),
        supports_request: catalog::channel(feed.dialect(), feed.topic())
            .is_some_and(|channel| channel.supports_request),
        open: shared.connection.open.clone(),
        changes: shared.changed.subscribe(),
        feed: Some(feed),
        out: Vec::new(),
        tail,
        shared,
    };
    loop {
        match topic.session().await {
            Ok(End::Finished) => return,
            Ok(End::Restart) => {}
            Err(error) => {
                tracing::warn!(target: "bitmart_fleet", topic = topic.tail, "{error}");
                topic.lost(error.to_string());
                tokio::time::sleep(RETRY_DELAY).await;
            }
        }
    }
}

struct Topic {
    shared: Arc<Shared>,
    /// `None` after it ended.
    feed: Option<Feed>,
    tail: String,
    channel: Channel,
    supports_request: bool,
    open: watch::Receiver<u64>,
    changes: watch::Receiver<u64>,
    out: Vec<Output>,
}

impl Topic {
    /// Reads the topic until something requires a new beginning.
    async fn session(&mut self) -> Result<End, Error> {
        let Some(connection) = self.wait_until_open().await else { return Ok(End::Finished) };
        let (shard, replicas, ttl) = {
            let view = self.shared.view();
            let table = &view.table;
            (subject::shard(&self.tail, table.shards), table.replicas, table.ttl())
        };
        // Several collectors are merged for events only; of others, one at a time is read.
        let replicas: Vec<usize> = match self.channel {
            Channel::Events => (0..replicas).collect(),
            Channel::States | Channel::Book => vec![self.live_replica(shard, replicas)],
        };
        let mut merger = Merger::new(replicas.len(), ttl);
        let mut messages = SelectAll::new();
        for (input, replica) in replicas.iter().enumerate() {
            let subject = subject::of_replica(&self.shared.connection.prefix, *replica, &self.tail);
            let subscription = self.shared.connection.client.subscribe(subject).await;
            let subscription =
                subscription.map_err(|error| Error::jetstream("the subscription", error))?;
            messages.push(subscription.map(move |message| (input, message)));
        }
        let flushed = self.shared.connection.client.flush().await;
        flushed.map_err(|error| Error::jetstream("the subscription", error))?;
        for (input, replica) in replicas.iter().enumerate() {
            self.join(&mut merger, input, shard, *replica).await?;
        }
        self.check_leases(&mut merger, shard, &replicas);
        loop {
            if !self.apply() {
                return Ok(End::Finished);
            }
            let Some(feed) = &mut self.feed else { return Ok(End::Finished) };
            tokio::select! {
                message = messages.next() => {
                    let Some((input, message)) = message else { return Ok(End::Restart) };
                    let headers = message.headers.unwrap_or_default();
                    if let Some(message) = Message::parse(&headers, message.payload) {
                        merger.message(input, &message, Instant::now(), &mut self.out);
                    }
                }
                request = feed.next_request() => match request {
                    None => return Ok(End::Finished),
                    Some(FeedRequest::Resubscribe) => return Ok(End::Restart),
                    Some(_) => self.request_snapshot().await,
                },
                _ = self.changes.changed() => {
                    if self.check_leases(&mut merger, shard, &replicas) {
                        return Ok(End::Restart);
                    }
                }
                _ = self.open.changed() => {
                    if *self.open.borrow() != connection {
                        self.lost("the connection to NATS was lost".to_owned());
                        return Ok(End::Restart);
                    }
                }
            }
        }
    }

    /// Waits until NATS is connected and returns the number of the connection. `None` if nobody reads the topic.
    async fn wait_until_open(&mut self) -> Option<u64> {
        loop {
            let number = *self.open.borrow_and_update();
            if number > 0 {
                return Some(number);
            }
            tokio::select! {
                changed = self.open.changed() => changed.ok()?,
                request = self.feed.as_mut()?.next_request() => drop(request?),
            }
        }
    }

    /// The first replica with a live holder.
    fn live_replica(&self, shard: usize, replicas: usize) -> usize {
        let (view, now) = (self.shared.view(), Instant::now());
        (0..replicas).find(|replica| view.live_lease(shard, *replica, now).is_some()).unwrap_or(0)
    }

    /// Brings a new reader to the present: a whole book, the last state, or only whether the topic delivers.
    async fn join(
        &mut self,
        merger: &mut Merger,
        input: usize,
        shard: usize,
        replica: usize,
    ) -> Result<(), Error> {
        let subject = subject::of_replica(&self.shared.connection.prefix, replica, &self.tail);
        let Some((mut last, mut sequence)) = history::last(&self.shared.stream, &subject).await?
        else {
            return Ok(());
        };
        // The snapshot of a new collector may not be acknowledged yet.
        for _ in 0..SNAPSHOT_ATTEMPTS {
            let is_new = last.is_up() && last.number < NEW_TOPIC && last.snapshot.is_none();
            if self.channel != Channel::Book || !is_new {
                break;
            }
            tokio::time::sleep(SNAPSHOT_DELAY).await;
            if let Some(newer) = history::last(&self.shared.stream, &subject).await? {
                (last, sequence) = newer;
            }
        }
        let now = Instant::now();
        let holder = self.shared.view().live_lease(shard, replica, now).map(|lease| lease.term);
        if holder != Some(last.term) {
            return Ok(());
        }
        merger.join(input, &last, now, &mut self.out);
        if !merger.is_input_up(input) {
            return Ok(());
        }
        match self.channel {
            Channel::Events => {}
            Channel::States => {
                if matches!(last.kind, Kind::Frame | Kind::Heartbeat) && !last.payload.is_empty() {
                    self.out.push(Output::Frame(last.payload, last.received));
                }
            }
            Channel::Book => {
                let frames = match last.snapshot {
                    Some(first) => {
                        let range = (first, sequence);
                        history::range(&self.shared.stream, &subject, last.term, range).await?
                    }
                    None => Vec::new(),
                };
                if let Some(whole) = whole(frames, &last) {
                    self.out.extend(whole);
                } else {
                    // The history does not reach back to a snapshot.
                    self.out.push(Output::Lagged(last.number + 1));
                    self.request_snapshot().await;
                }
            }
        }
        Ok(())
    }

    /// Reports holders that have died or were replaced. Returns whether to begin again.
    fn check_leases(&mut self, merger: &mut Merger, shard: usize, replicas: &[usize]) -> bool {
        let now = Instant::now();
        let view = self.shared.view();
        for (input, replica) in replicas.iter().enumerate() {
            let Some(lease) = view.table.lease(shard, *replica) else { continue };
            let detail = format!("collector {} holds the topic now", lease.holder);
            merger.replaced(input, lease.term, detail, now, &mut self.out);
            let is_live = view.is_live(lease, now);
            if is_live && merger.is_behind(input) {
                return true;
            }
            if !is_live && merger.is_input_up(input) {
                let ttl = view.table.ttl() + Duration::from_secs(1);
                let what = if lease.released { "stopped" } else { "fallen silent" };
                let detail = format!("collector {} of the topic has {what}", lease.holder);
                merger.silent(input, ReconnectReason::Lost { detail }, ttl, now, &mut self.out);
            }
        }
        // A topic that is read from one replica moves to another if its holder is dead.
        let is_dead = |replica| view.live_lease(shard, replica, now).is_none();
        replicas.len() == 1
            && is_dead(replicas[0])
            && (0..view.table.replicas).any(|replica| !is_dead(replica))
    }

    async fn request_snapshot(&self) {
        if self.supports_request {
            let subject = self.shared.connection.request_subject(&self.tail);
            let _ = self.shared.connection.client.publish(subject, bytes::Bytes::new()).await;
        }
    }

    fn lost(&mut self, detail: String) {
        self.out.push(Output::Reconnecting(ReconnectReason::Lost { detail }));
        self.apply();
    }

    /// Passes the outputs to the feed. Returns `false` if the topic has ended.
    fn apply(&mut self) -> bool {
        for output in self.out.drain(..) {
            let Some(feed) = &mut self.feed else { return false };
            match output {
                Output::Connected => feed.connected(),
                Output::Frame(frame, received) => {
                    let received_at = feed.received_at(Timestamp::from_millis(received));
                    match std::str::from_utf8(&frame) {
                        Ok(text) => feed.frame(text, received_at),
                        Err(_) => feed.unreadable(
                            DecodeErrorKind::Encoding,
                            "the frame is not UTF-8",
                            &frame,
                        ),
                    }
                }
                Output::Reconnecting(reason) => feed.reconnecting(reason),
                Output::Lagged(missed) => feed.lagged(missed),
                Output::Stale(since) => {
                    let since = feed.received_at(Timestamp::from_millis(since)).instant;
                    feed.stale(since);
                }
                Output::Alive => feed.alive(),
                Output::Unreadable(bytes) => {
                    let reason = "the collector could not read the frame";
                    feed.unreadable(DecodeErrorKind::Encoding, reason, &bytes);
                }
                Output::RequestRejected(code, text) => feed.request_rejected(code, &text),
                Output::Rejected(code, text) => {
                    if let Some(feed) = self.feed.take() {
                        feed.reject(code, &text);
                    }
                }
            }
        }
        self.feed.is_some()
    }
}

/// The frames from the last snapshot on, if none is missing.
fn whole(messages: Vec<Message>, last: &Message) -> Option<Vec<Output>> {
    let first = messages.first()?.number;
    let is_complete =
        messages.iter().zip(first..).all(|(message, number)| message.number == number)
            && messages.last()?.number == last.number;
    let frames = messages.into_iter().filter(|message| message.kind == Kind::Frame);
    is_complete.then(|| frames.map(|frame| Output::Frame(frame.payload, frame.received)).collect())
}
