//! The task that subscribes the topics of the held leases and publishes what arrives.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use bitmart_ws::{
    Client, ErrorKind, FanIn, FanInOptions, Market, OverflowPolicy, TopicUpdate, Update,
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

use super::CollectorBuilder;
use super::frame::RawFrame;
use super::leases::HeldLeases;
use super::outbox::Outbox;
use super::refusals::Refusals;
use super::status::Counters;
use super::topics::{CollectedTopic, HeldTopic, now_ms};
use crate::nats::message::{Kind, Lagged, Reason, Rejected, json};
use crate::nats::reader::Channel;
use crate::nats::{Connection, Error, subject};

/// After how long without a message a topic is confirmed by a heartbeat.
const HEARTBEAT_AFTER: Duration = Duration::from_secs(5);
/// How often the publisher checks which heartbeats, snapshots and retries are due.
const TICK: Duration = Duration::from_millis(500);
/// Shortest time between two requests for a snapshot of one topic.
const MIN_REQUEST_INTERVAL: Duration = Duration::from_secs(1);
/// Confirmations of stored snapshots that wait for the publisher. Further ones are dropped.
const MAX_WAITING_CONFIRMATIONS: usize = 1_024;
/// Updates of all topics that are queued while the publisher is busy, for example with subscribing. They are bounded in
/// number and not in bytes.
const QUEUE_CAPACITY: usize = 1 << 16;

/// Market and name of a topic.
pub(super) type TopicKey = (Market, String);

/// Where the stream has stored a snapshot of a book.
pub(super) struct StoredSnapshot {
    pub(super) topic: TopicKey,
    /// Term and number of its message.
    pub(super) term: u64,
    pub(super) number: u64,
    /// Its place in the stream.
    pub(super) sequence: u64,
}

pub(super) struct Publisher {
    id: String,
    connection: Connection,
    exchange: Client,
    /// All topics of the fleet, by shard.
    topics: Vec<Vec<CollectedTopic>>,
    snapshot_interval: Duration,
    held_leases: watch::Receiver<HeldLeases>,
    /// Shards whose topics the connections to the exchange cannot carry.
    refused: watch::Sender<BTreeSet<usize>>,
    refusals: Refusals,
    outbox: Outbox,
    counters: Counters,
    fan_in: FanIn<RawFrame>,
    /// The topics of the held leases.
    held_topics: HashMap<TopicKey, HeldTopic>,
    /// Term and next message number of topics that were held before, which continue if the same lease is held again.
    numbers_before: HashMap<TopicKey, (u64, u64)>,
    /// Topics by the suffix of their subject, by which requests for snapshots name them.
    keys_by_suffix: HashMap<String, TopicKey>,
    stored_snapshots: mpsc::Receiver<StoredSnapshot>,
    requests: async_nats::Subscriber,
}

impl Publisher {
    pub(super) async fn start(
        options: &CollectorBuilder,
        connection: Connection,
        held: watch::Receiver<HeldLeases>,
        refused: watch::Sender<BTreeSet<usize>>,
        counters: Counters,
    ) -> Result<Self, Error> {
        let mut topics = vec![Vec::new(); options.setup.shards];
        let mut keys = HashMap::new();
        for topic in &options.topics {
            let key = (topic.topic.market(), topic.name().to_owned());
            if keys.insert(topic.suffix.clone(), key).is_none() {
                topics[subject::shard(&topic.suffix, options.setup.shards)].push(topic.clone());
            }
        }
        // Each topic needs a capacity of four.
        let capacity = QUEUE_CAPACITY.max(keys.len() * 8);
        let fan_in =
            FanInOptions::new().capacity(capacity).overflow_policy(OverflowPolicy::DropOldest);
        let fan_in = options.exchange.fan_in_with([], fan_in).await;
        let fan_in = fan_in.map_err(|error| Error::config(error.to_string()))?;
        let requests = connection.client.subscribe(connection.request_subject(">")).await;
        let requests = requests.map_err(|error| Error::jetstream("requests", error))?;
        let (sender, stored_snapshots) = mpsc::channel(MAX_WAITING_CONFIRMATIONS);
        let outbox = Outbox::start(&connection, sender, counters.clone());
        Ok(Self {
            id: options.id.clone(),
            exchange: options.exchange.clone(),
            connection,
            topics,
            snapshot_interval: options.snapshot_interval,
            held_leases: held,
            refused,
            refusals: Refusals::default(),
            outbox,
            counters,
            fan_in,
            held_topics: HashMap::new(),
            numbers_before: HashMap::new(),
            keys_by_suffix: keys,
            stored_snapshots,
            requests,
        })
    }

    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        // Connecting to the exchange may take long; a stop does not wait for it.
        tokio::select! {
            () = self.work() => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
        // What was published must be out before the leases are handed over.
        let flushed = async {
            self.outbox.finish().await;
            let _ = self.connection.client.flush().await;
        };
        let _ = tokio::time::timeout(Duration::from_secs(1), flushed).await;
    }

    async fn work(&mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                item = self.fan_in.next(), if self.fan_in.topic_count() > 0 => match item {
                    Some(Ok(item)) => self.publish_update(item),
                    Some(Err(error)) => self.topic_ended(&error),
                    None => {}
                },
                changed = self.held_leases.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.change_topics().await;
                }
                Some(snapshot) = self.stored_snapshots.recv() => {
                    if let Some(topic) = self.held_topics.get_mut(&snapshot.topic) {
                        topic.snapshot_was_stored(&snapshot);
                    }
                }
                Some(request) = self.requests.next() => {
                    let suffix = request.subject.as_str();
                    let suffix = suffix.strip_prefix(&self.connection.request_subject("")).unwrap_or_default();
                    if let Some(key) = self.keys_by_suffix.get(suffix).cloned() {
                        self.request_snapshot(&key).await;
                    }
                }
                _ = tick.tick() => self.run_periodic_tasks().await,
            }
        }
    }

    /// Subscribes the topics of new leases and unsubscribes those of lost ones.
    async fn change_topics(&mut self) {
        let held = self.held_leases.borrow_and_update().clone();
        let (fan_in, numbers_before) = (&mut self.fan_in, &mut self.numbers_before);
        self.held_topics.retain(|key, topic| {
            let stays = held.get(&topic.lease) == Some(&topic.term);
            if !stays {
                fan_in.remove(&topic.topic.topic);
                numbers_before.insert(key.clone(), (topic.term, topic.next_number));
            }
            stays
        });
        let mut added = Vec::new();
        for ((shard, replica), term) in &held {
            for topic in self.topics.get(*shard).into_iter().flatten() {
                let key = (topic.topic.market(), topic.name().to_owned());
                if self.held_topics.contains_key(&key) {
                    continue;
                }
                let before = self.numbers_before.remove(&key).filter(|(before, _)| before == term);
                let numbers = before.unwrap_or((*term, 0));
                let prefix = &self.connection.prefix;
                let topic = HeldTopic::new(topic.clone(), (*shard, *replica), numbers, prefix);
                self.held_topics.insert(key.clone(), topic);
                added.push(key);
            }
        }
        for key in &added {
            if self.held_topics.get(key).is_some_and(|topic| topic.next_number > 0) {
                // This collector had given the lease up, and no other has taken it.
                self.publish_down(key, "the collector did not hold the topic for a while");
            }
        }
        self.review_refusals();
        self.subscribe(added).await;
        self.counters.holds(held.len(), self.held_topics.len());
        self.count_topics_down();
    }

    /// Subscribes topics. If one fails, the others are subscribed, and it is tried again later.
    async fn subscribe(&mut self, keys: Vec<TopicKey>) {
        let topics: Vec<_> = keys
            .iter()
            .filter_map(|key| Some(self.held_topics.get(key)?.topic.topic.clone()))
            .collect();
        if self.fan_in.add(topics.iter().cloned()).await.is_ok() {
            return;
        }
        for (key, topic) in keys.iter().zip(topics) {
            if let Err(error) = self.fan_in.add([topic]).await {
                self.topic_failed(key, &error);
            }
        }
    }

    /// Publishes that a topic does not deliver, and schedules another attempt. If the topic limit of the exchange is
    /// reached, its shard is left to other collectors.
    fn topic_failed(&mut self, key: &TopicKey, error: &bitmart_ws::Error) {
        let Some(topic) = self.held_topics.get_mut(key) else { return };
        tracing::error!(target: "bitmart_fleet", "topic {} not subscribed: {error}", key.1);
        topic.failed(false, Instant::now());
        let shard = topic.lease.0;
        if error.kind() == ErrorKind::TopicLimit
            && self.refusals.refuse(shard, self.fan_in.topic_count(), Instant::now())
        {
            tracing::error!(target: "bitmart_fleet", "shard {shard} is left to other collectors");
            self.refused.send_replace(self.refusals.shards());
        }
        self.publish_down(key, &format!("the collector could not subscribe: {error}"));
    }

    /// Ends the refusal of shards that may fit by now.
    fn review_refusals(&mut self) {
        let of_others = |shard: usize| {
            self.held_topics
                .values()
                .filter(|topic| topic.lease.0 != shard && topic.retry_at.is_none())
                .count()
        };
        let size = |shard: usize| self.topics.get(shard).map_or(0, Vec::len);
        self.refusals.review(|shard| of_others(shard) + size(shard), Instant::now());
        let shards = self.refusals.shards();
        self.refused
            .send_if_modified(|refused| std::mem::replace(refused, shards.clone()) != shards);
    }

    fn publish_down(&mut self, key: &TopicKey, detail: &str) {
        let reason = json(&Reason::Lost { detail: detail.to_owned() });
        self.publish(key, Kind::Reconnecting, now_ms(), reason);
    }

    fn publish_update(&mut self, item: TopicUpdate<RawFrame>) {
        let key = (item.topic.market(), item.topic.name().to_owned());
        let received = item.received_at.timestamp.as_millis();
        let (kind, payload) = match item.update {
            Update::Data(frame) => return self.publish_frame(&key, received, frame),
            Update::Subscribed => (Kind::Subscribed, Bytes::new()),
            Update::Resynced => (Kind::Resynced, Bytes::new()),
            Update::Reconnecting(reason) => (Kind::Reconnecting, json(&Reason::from(&reason))),
            Update::Stale(since) => {
                let age = i64::try_from(since.elapsed().as_millis()).unwrap_or(0);
                return self.publish(&key, Kind::Stale, now_ms() - age, Bytes::new());
            }
            Update::Alive => (Kind::Alive, Bytes::new()),
            Update::Lagged(missed) => {
                self.counters.lost(missed);
                (Kind::Lagged, json(&Lagged { missed }))
            }
            Update::Malformed(error) => (Kind::Unreadable, Bytes::copy_from_slice(error.raw())),
            Update::RequestRejected(rejection) => {
                let rejected = Rejected { code: rejection.code, text: rejection.text };
                (Kind::RequestRejected, json(&rejected))
            }
            _ => return,
        };
        self.publish(&key, kind, received, payload);
    }

    fn publish_frame(&mut self, key: &TopicKey, received: i64, frame: RawFrame) {
        let RawFrame { text, is_snapshot, .. } = frame;
        let Some(topic) = self.held_topics.get_mut(key) else { return };
        self.counters.published(text.len());
        let message = topic.message(Kind::Frame, received, text, &self.id);
        let is_snapshot = is_snapshot && topic.topic.channel == Channel::Book;
        if is_snapshot {
            topic.snapshot_at = Instant::now();
        }
        self.outbox.push(topic.subject.clone(), message, is_snapshot.then(|| key.clone()));
    }

    fn publish(&mut self, key: &TopicKey, kind: Kind, received: i64, payload: Bytes) {
        let Some(topic) = self.held_topics.get_mut(key) else { return };
        let was_up = topic.is_up;
        let message = topic.message(kind, received, payload, &self.id);
        let has_changed = topic.is_up != was_up;
        self.outbox.push(topic.subject.clone(), message, None);
        if has_changed {
            self.count_topics_down();
        }
    }

    /// Publishes that a subscription has ended, and subscribes it again later.
    fn topic_ended(&mut self, error: &bitmart_ws::Error) {
        let Some(name) = error.topic().map(str::to_owned) else { return };
        for market in [Market::Spot, Market::Futures] {
            let key = (market, name.clone());
            let Some(rejection) = error.rejection() else {
                self.topic_failed(&key, error);
                continue;
            };
            let Some(topic) = self.held_topics.get_mut(&key) else { continue };
            tracing::error!(target: "bitmart_fleet", "topic {name} rejected: {error}");
            topic.failed(true, Instant::now());
            let rejected = Rejected { code: rejection.code, text: rejection.text.clone() };
            self.publish(&key, Kind::Rejected, now_ms(), json(&rejected));
        }
    }

    /// Sends heartbeats of quiet topics, requests snapshots of books and subscribes what has failed.
    async fn run_periodic_tasks(&mut self) {
        let now = Instant::now();
        let quiet = |topic: &HeldTopic| now.duration_since(topic.published_at) >= HEARTBEAT_AFTER;
        for key in self.topics_where(quiet) {
            if let Some(topic) = self.held_topics.get_mut(&key) {
                let message = topic.heartbeat(&self.id);
                self.outbox.push(topic.subject.clone(), message, None);
            }
        }
        let needs_snapshot = |topic: &HeldTopic| {
            topic.topic.channel == Channel::Book
                && now.duration_since(topic.snapshot_at) >= self.snapshot_interval
        };
        for key in self.topics_where(needs_snapshot) {
            self.request_snapshot(&key).await;
        }
        self.review_refusals();
        let failed = self.topics_where(|topic| topic.retry_at.is_some_and(|at| at <= now));
        for key in &failed {
            if let Some(topic) = self.held_topics.get_mut(key) {
                topic.retry_at = None;
            }
        }
        if !failed.is_empty() {
            self.subscribe(failed).await;
        }
        self.count_topics_down();
    }

    fn topics_where(&self, condition: impl Fn(&HeldTopic) -> bool) -> Vec<TopicKey> {
        let topics = self.held_topics.iter().filter(|(_, topic)| condition(topic));
        topics.map(|(key, _)| key.clone()).collect()
    }

    fn count_topics_down(&self) {
        self.counters.down(self.held_topics.values().filter(|topic| !topic.is_up).count());
    }

    /// Requests a snapshot at the exchange, if the topic is held here.
    async fn request_snapshot(&mut self, key: &TopicKey) {
        let now = Instant::now();
        let Some(topic) = self.held_topics.get_mut(key) else { return };
        let is_recent = |at: Instant| now.duration_since(at) < MIN_REQUEST_INTERVAL;
        if !topic.topic.supports_request || topic.requested_at.is_some_and(is_recent) {
            return;
        }
        (topic.requested_at, topic.snapshot_at) = (Some(now), now);
        if let Err(error) = self.exchange.request_snapshot(&topic.topic.topic).await {
            tracing::debug!(target: "bitmart_fleet", "snapshot not requested: {error}");
        }
    }
}
