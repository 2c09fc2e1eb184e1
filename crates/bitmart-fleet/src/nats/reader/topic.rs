//! The task of one topic: it passes messages and changes of leases to the merger, and the outputs to the feed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitmart_types::Timestamp;
use bitmart_ws::event::DecodeErrorKind;
use bitmart_ws::source::{Feed, FeedRequest};
use bitmart_ws::{ReconnectReason, catalog};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Shared;
use super::merger::{Merger, Output};
use super::past;
use crate::nats::message::{Kind, Message};
use crate::nats::{Error, direct_get, queue, subject};

/// Pause before the next request to `JetStream` after a failure.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Messages of a topic, of all its collectors, that wait while its history is read or its readers are busy.
const PENDING: queue::Bounds = queue::Bounds { messages: 2_048, bytes: 16 << 20 };

/// What a reader needs of the past of a topic, by the kind of its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// Each frame is something new, such as trades: nothing of the past is needed.
    Events,
    /// Each frame replaces all earlier ones, such as a ticker: the last frame is needed.
    States,
    /// Snapshots and changes: the last snapshot and all later frames are needed.
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
    /// The topic has no reader any more, or was rejected.
    Finished,
    /// It has to begin again from the stored messages, for this reason.
    Restart(&'static str),
}

pub(super) async fn run(shared: Arc<Shared>, feed: Feed) {
    let suffix = subject::suffix(feed.market(), feed.is_private(), feed.topic());
    if feed.topic().len() > subject::MAX_NAME_BYTES {
        return feed.end("the name of the topic is too long for the fleet");
    }
    let merger = Merger::new(1, shared.view().table.ttl());
    let mut topic = Topic {
        channel: Channel::of(feed.topic()),
        supports_request: catalog::channel(feed.market(), feed.topic())
            .is_some_and(|channel| channel.supports_request),
        open: shared.connection.open.clone(),
        changes: shared.changed.subscribe(),
        merger,
        feed: Some(feed),
        out: Vec::new(),
        suffix,
        shared,
    };
    loop {
        match topic.session().await {
            Ok(End::Finished) => return,
            Ok(End::Restart(reason)) => topic.begin_again(reason.to_owned(), false),
            Err(error) => {
                tracing::warn!(target: "bitmart_fleet", topic = topic.suffix, "{error}");
                topic.begin_again(error.to_string(), true);
                tokio::time::sleep(RETRY_DELAY).await;
            }
        }
    }
}

struct Topic {
    shared: Arc<Shared>,
    /// `None` after it ended.
    feed: Option<Feed>,
    /// The part of its subject behind the prefix.
    suffix: String,
    channel: Channel,
    supports_request: bool,
    /// The number of the connection to NATS, 0 while there is none.
    open: watch::Receiver<u64>,
    /// Changes with the table and the heartbeats of collectors.
    changes: watch::Receiver<u64>,
    merger: Merger,
    /// Outputs of the merger that are to be passed to the feed.
    out: Vec<Output>,
}

impl Topic {
    /// Reads the topic until it ends or has to begin again.
    async fn session(&mut self) -> Result<End, Error> {
        let Some(connection) = self.wait_until_open().await else { return Ok(End::Finished) };
        let (shard, replicas, ttl) = {
            let view = self.shared.view();
            let table = &view.table;
            (subject::shard(&self.suffix, table.shards), table.replicas, table.ttl())
        };
        // Several collectors are merged for events only; of others, one at a time is read.
        let replicas: Vec<usize> = match self.channel {
            Channel::Events => (0..replicas).collect(),
            Channel::States | Channel::Book => vec![self.live_replica(shard, replicas)],
        };
        if self.merger.layout() != (replicas.len(), ttl) {
            self.merger = Merger::new(replicas.len(), ttl);
        }
        let (sender, mut messages) = queue::queue(PENDING);
        let sender = Arc::new(sender);
        let mut forwarding = JoinSet::new();
        for (input, replica) in replicas.iter().enumerate() {
            let subject =
                subject::of_replica(&self.shared.connection.prefix, *replica, &self.suffix);
            let subscription = self.shared.connection.client.subscribe(subject).await;
            let subscription =
                subscription.map_err(|error| Error::jetstream("the subscription", error))?;
            forwarding.spawn(forward(input, subscription, sender.clone()));
        }
        let flushed = self.shared.connection.client.flush().await;
        flushed.map_err(|error| Error::jetstream("the subscription", error))?;
        for (input, replica) in replicas.iter().enumerate() {
            if !self.join(input, shard, *replica).await? {
                return Ok(End::Finished);
            }
        }
        self.check_leases(shard, &replicas);
        loop {
            if !self.apply() {
                return Ok(End::Finished);
            }
            let Some(feed) = &mut self.feed else { return Ok(End::Finished) };
            tokio::select! {
                message = messages.recv() => {
                    let Some((input, message)) = message else {
                        return Ok(End::Restart("the subscription at NATS has ended"));
                    };
                    self.merger.message(input, &message, Instant::now(), &mut self.out);
                }
                request = feed.next_request() => match request {
                    None => return Ok(End::Finished),
                    Some(FeedRequest::Resubscribe) => {
                        return Ok(End::Restart("a reader of this program subscribes it anew"));
                    }
                    Some(_) => self.request_snapshot().await,
                },
                _ = self.changes.changed() => {
                    if self.check_leases(shard, &replicas) {
                        return Ok(End::Restart("another collector is read"));
                    }
                    for (input, replica) in replicas.iter().enumerate() {
                        let is_back = self.merger.is_behind(input) && self.is_live(shard, *replica);
                        if is_back && !self.join(input, shard, *replica).await? {
                            return Ok(End::Finished);
                        }
                    }
                }
                _ = self.open.changed() => {
                    if *self.open.borrow() != connection {
                        return Ok(End::Restart("the connection to NATS was lost"));
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
        (0..replicas).find(|replica| self.is_live(shard, *replica)).unwrap_or(0)
    }

    fn is_live(&self, shard: usize, replica: usize) -> bool {
        self.shared.view().live_lease(shard, replica, Instant::now()).is_some()
    }

    /// Reads what is needed of the past of an input: a complete book, the last state, or only whether the topic
    /// delivers. Returns `false` if the topic has no reader any more.
    async fn join(&mut self, input: usize, shard: usize, replica: usize) -> Result<bool, Error> {
        let shared = self.shared.clone();
        let subject = subject::of_replica(&shared.connection.prefix, replica, &self.suffix);
        let last = past::last_message(&shared, &subject, self.channel);
        let Some(last) = self.while_reading(last).await else { return Ok(false) };
        let Some((last, sequence)) = last? else { return Ok(true) };
        let now = Instant::now();
        let holder = shared.view().live_lease(shard, replica, now).map(|lease| lease.term);
        if holder != Some(last.term) {
            // Either its heartbeat has not arrived yet, and it joins then, or its first message will.
            self.merger.set_behind(input, holder.is_none());
            return Ok(true);
        }
        self.merger.join(input, &last, now, &mut self.out);
        // Subscriptions are confirmed before a long history is read.
        if !self.apply() {
            return Ok(false);
        }
        if !self.merger.is_input_up(input) {
            return Ok(true);
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
                        let read = direct_get::range(&shared.stream, &subject, last.term, range);
                        let Some(read) = self.while_reading(read).await else { return Ok(false) };
                        read?
                    }
                    None => Vec::new(),
                };
                if let Some(frames) = past::complete(frames, &last) {
                    self.out.extend(frames);
                } else {
                    // The history does not reach back to a snapshot.
                    self.out.push(Output::Lagged(last.number.saturating_add(1)));
                    self.request_snapshot().await;
                }
            }
        }
        Ok(true)
    }

    /// Awaits this and adds and removes subscriptions meanwhile. `None` if the last one is gone. What is being read
    /// fulfills a request for a snapshot.
    async fn while_reading<T>(&mut self, read: impl Future<Output = T>) -> Option<T> {
        let mut read = std::pin::pin!(read);
        loop {
            tokio::select! {
                done = &mut read => return Some(done),
                request = self.feed.as_mut()?.next_request() => drop(request?),
            }
        }
    }

    /// Reports holders that have died or were replaced. Returns whether another replica is to be read.
    fn check_leases(&mut self, shard: usize, replicas: &[usize]) -> bool {
        let now = Instant::now();
        let view = self.shared.view();
        for (input, replica) in replicas.iter().enumerate() {
            let Some(lease) = view.table.lease(shard, *replica) else { continue };
            let detail = format!("collector {} holds the topic now", lease.holder);
            self.merger.replaced(input, lease.term, detail, now, &mut self.out);
            let is_gone = view.is_gone(Some(lease), self.merger.term(input), now);
            if is_gone && self.merger.is_input_up(input) {
                let ttl = view.table.ttl() + Duration::from_secs(1);
                let what = if lease.released { "stopped" } else { "fallen silent" };
                let detail = format!("collector {} of the topic has {what}", lease.holder);
                let reason = ReconnectReason::Lost { detail };
                self.merger.silent(input, reason, ttl, now, &mut self.out);
            }
        }
        // A topic that is read from one replica moves to another if its holder is dead.
        replicas.len() == 1
            && view.is_gone(view.table.lease(shard, replicas[0]), self.merger.term(0), now)
            && (0..view.table.replicas).any(|other| view.live_lease(shard, other, now).is_some())
    }

    async fn request_snapshot(&self) {
        if self.supports_request {
            let subject = self.shared.connection.request_subject(&self.suffix);
            let _ = self.shared.connection.client.publish(subject, Bytes::new()).await;
        }
    }

    /// Reports the gap before a new beginning: always one of a topic that delivers, and others if they are failures.
    fn begin_again(&mut self, detail: String, is_failure: bool) {
        let reason = ReconnectReason::Lost { detail };
        let before = self.out.len();
        self.merger.begin_again(reason.clone(), &mut self.out);
        if is_failure && self.out.len() == before {
            self.out.push(Output::Reconnecting(reason));
        }
        self.apply();
    }

    /// Passes the outputs to the feed. Returns `false` if the topic has ended.
    fn apply(&mut self) -> bool {
        for output in self.out.drain(..) {
            if self.feed.is_none() {
                return false;
            }
            pass(&mut self.feed, output);
        }
        self.feed.is_some()
    }
}

/// Queues the messages of a subscription. Those that are dropped are missing numbers, which readers see as `Lagged`.
async fn forward(
    input: usize,
    mut subscription: async_nats::Subscriber,
    sender: Arc<queue::Sender<(usize, Message)>>,
) {
    while let Some(message) = subscription.next().await {
        let headers = message.headers.unwrap_or_default();
        // Copied, because it is a part of the larger buffer of the connection.
        let payload = Bytes::copy_from_slice(&message.payload);
        if let Some(message) = Message::parse(&headers, payload) {
            let bytes = message.payload.len();
            sender.push((input, message), bytes);
        }
    }
    sender.close();
}

/// Passes an output to a feed. A rejection takes the feed, which ends.
pub(in crate::nats) fn pass(optional_feed: &mut Option<Feed>, output: Output) {
    let Some(feed) = optional_feed else { return };
    match output {
        Output::Connected => feed.connected(),
        Output::Frame(frame, received) => {
            let received_at = feed.received_at(Timestamp::from_millis(received));
            match std::str::from_utf8(&frame) {
                Ok(text) => feed.frame(text, received_at),
                Err(_) => {
                    feed.unreadable(DecodeErrorKind::Encoding, "the frame is not UTF-8", &frame);
                }
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
            if let Some(feed) = optional_feed.take() {
                feed.reject(code, &text);
            }
        }
    }
}
