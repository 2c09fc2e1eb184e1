//! The task that keeps the leases of a collector.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use async_nats::jetstream::kv;
use bitmart_types::Timestamp;
use futures_util::StreamExt as _;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::planner::{self, Member};
use super::setup::{self, Setup};
use super::status::Counters;
use crate::nats::table::{self, Heartbeat, Table};
use crate::nats::view::{View, heartbeat_interval};
use crate::nats::{Connection, Error};

/// Heartbeats to listen to before the first plan, so that collectors that start together share the work.
const HEARTBEATS_BEFORE_PLAN: u32 = 2;

/// The terms of the held leases by shard and replica.
pub(crate) type Held = BTreeMap<(usize, usize), u64>;

pub(crate) struct Leases {
    connection: Connection,
    setup: Setup,
    bucket: kv::Store,
    me: Member,
    view: View,
    held: watch::Sender<Held>,
    counters: Counters,
    heartbeats: async_nats::Subscriber,
    /// A hash of the topics.
    topics: u64,
    /// Collectors with other topics that were logged.
    with_other_topics: BTreeSet<String>,
}

impl Leases {
    /// Also returns the leases that are held. When its last receiver is dropped, they are handed over.
    pub(crate) async fn start(
        id: &str,
        setup: &Setup,
        topics: u64,
        connection: Connection,
        bucket: kv::Store,
        counters: &Counters,
    ) -> Result<(Self, watch::Receiver<Held>), Error> {
        let mut bytes = [0; 8];
        getrandom::getrandom(&mut bytes)
            .map_err(|error| Error::config(format!("no randomness: {error}")))?;
        let session = format!("{:016x}", u64::from_ne_bytes(bytes));
        let me = Member { id: id.to_owned(), session };
        let heartbeats = connection.client.subscribe(connection.member_subject()).await;
        let heartbeats = heartbeats.map_err(|error| Error::jetstream("heartbeats", error))?;
        let Some((table, revision)) = connection.read_table(&bucket).await? else {
            return Err(Error::config("the table of the fleet has been deleted"));
        };
        let view = View::new(table, revision, Instant::now());
        let (held, receiver) = watch::channel(Held::new());
        let counters = counters.clone();
        let setup = setup.clone();
        let with_other_topics = BTreeSet::new();
        let leases = Self {
            connection,
            setup,
            bucket,
            me,
            view,
            held,
            counters,
            heartbeats,
            topics,
            with_other_topics,
        };
        Ok((leases, receiver))
    }

    pub(crate) async fn run(mut self) {
        let mut tick = tokio::time::interval(heartbeat_interval(self.view.table.ttl()));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut open = self.connection.open.clone();
        let (mut ticks, mut needs_setup) = (0, false);
        loop {
            let held = self.held.clone();
            tokio::select! {
                _ = tick.tick() => {
                    self.send_heartbeat(false).await;
                    self.compare_topics();
                    ticks += 1;
                    if needs_setup && *open.borrow() > 0 {
                        needs_setup = !self.set_up().await;
                    }
                }
                heartbeat = self.heartbeats.next() => {
                    let Some(message) = heartbeat else { return };
                    if let Some(heartbeat) = Heartbeat::parse(&message.payload)
                        && self.view.add_heartbeat(heartbeat, Instant::now())
                    {
                        self.read_table().await;
                    }
                }
                changed = open.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let is_open = *open.borrow() > 0;
                    self.counters.connected(is_open);
                    self.view.restart(Instant::now());
                    // The server may have lost what it had stored.
                    needs_setup = true;
                }
                () = held.closed() => return self.leave().await,
            }
            if ticks > HEARTBEATS_BEFORE_PLAN && *open.borrow() > 0 && !needs_setup {
                self.counters.connected(true);
                self.plan().await;
            }
        }
    }

    /// Sets up what is missing after a reconnection. Returns `false` if that has to be repeated: `JetStream` may not be
    /// ready yet.
    async fn set_up(&mut self) -> bool {
        match setup::run(&self.connection, &self.setup).await {
            Ok(bucket) => {
                self.bucket = bucket;
                self.read_table().await;
                true
            }
            Err(error) => {
                tracing::warn!(target: "bitmart_fleet", "not set up: {error}");
                false
            }
        }
    }

    async fn plan(&mut self) {
        let now_ms = u64::try_from(Timestamp::now().as_millis()).unwrap_or(0);
        let moves = self.setup.moves;
        let planned = planner::plan(&self.view, &self.me, moves, now_ms, Instant::now());
        let Some((table, taken)) = planned else { return };
        // What is given up is not published any more before others can take it.
        let given_up = held(&table, &self.me);
        self.held.send_if_modified(|held| {
            let before = held.len();
            held.retain(|key, term| given_up.get(key) == Some(term));
            held.len() != before
        });
        if self.write(table).await {
            self.counters.took_over(taken);
            // Others read the table when they learn of its revision.
            self.send_heartbeat(false).await;
        } else {
            // Another collector was faster.
            self.read_table().await;
        }
    }

    async fn write(&mut self, table: Table) -> bool {
        let text = serde_json::to_vec(&table).unwrap_or_default();
        match self.bucket.update(table::KEY, text.into(), self.view.revision).await {
            Ok(revision) => {
                self.view.set_table(table, revision);
                self.publish_held();
                true
            }
            Err(error) => {
                tracing::debug!(target: "bitmart_fleet", "table not written: {error}");
                false
            }
        }
    }

    async fn read_table(&mut self) {
        match self.connection.read_table(&self.bucket).await {
            Ok(Some((table, revision))) => {
                self.view.set_table(table, revision);
                self.publish_held();
            }
            Ok(None) => tracing::warn!(target: "bitmart_fleet", "the table of the fleet is gone"),
            Err(error) => tracing::warn!(target: "bitmart_fleet", "table not read: {error}"),
        }
    }

    fn publish_held(&self) {
        let new = held(&self.view.table, &self.me);
        self.held.send_if_modified(|held| std::mem::replace(held, new.clone()) != new);
    }

    /// Collectors with different topics are a mistake that otherwise shows as topics nobody collects.
    fn compare_topics(&mut self) {
        let others = self.view.with_other_topics(self.topics, Instant::now());
        self.counters.others_have_other_topics(others.len());
        for id in &others {
            if self.with_other_topics.insert((*id).to_owned()) {
                tracing::error!(
                    target: "bitmart_fleet",
                    "collector {id} has other topics than {}: some topics may not be collected",
                    self.me.id
                );
            }
        }
        self.with_other_topics.retain(|id| others.contains(&id.as_str()));
    }

    async fn send_heartbeat(&self, leaving: bool) {
        let heartbeat = Heartbeat {
            id: self.me.id.clone(),
            session: self.me.session.clone(),
            revision: self.view.revision,
            leaving,
            topics: self.topics,
        };
        let text = serde_json::to_vec(&heartbeat).unwrap_or_default();
        let sent = self.connection.client.publish(self.connection.member_subject(), text.into());
        // The queue of the client is full while NATS is not connected.
        let _ = tokio::time::timeout(Duration::from_millis(100), sent).await;
    }

    /// Hands all leases over.
    async fn leave(mut self) {
        self.send_heartbeat(true).await;
        for _ in 0..5 {
            let table = planner::leave(&self.view.table, &self.me);
            if table == self.view.table || self.write(table).await {
                break;
            }
            self.read_table().await;
        }
        self.send_heartbeat(true).await;
        let _ = tokio::time::timeout(Duration::from_secs(1), self.connection.client.flush()).await;
    }
}

fn held(table: &Table, me: &Member) -> Held {
    let slots = (0..table.shards).flat_map(|shard| (0..table.replicas).map(move |r| (shard, r)));
    let mine = slots.filter_map(|(shard, replica)| {
        let lease = table.lease(shard, replica).filter(|lease| me.holds(lease))?;
        Some(((shard, replica), lease.term))
    });
    mine.collect()
}
