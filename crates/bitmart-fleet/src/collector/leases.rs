//! The task that keeps the leases of a collector.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Subscriber;
use async_nats::jetstream::kv;
use bitmart_types::Timestamp;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::heartbeats::{self, Fleet};
use super::planner::{self, Member};
use super::setup::{self, Setup};
use super::status::Counters;
use crate::nats::table::{self, Table};
use crate::nats::view::{View, heartbeat_interval, table_timeout};
use crate::nats::{Connection, Error};

/// Heartbeat intervals to wait before the first plan, so that collectors that start together share the leases.
const HEARTBEATS_BEFORE_PLAN: u32 = 2;

/// The terms of the held leases by shard and replica.
pub(crate) type HeldLeases = BTreeMap<(usize, usize), u64>;

pub(crate) struct Leases {
    connection: Connection,
    setup: Setup,
    bucket: kv::Store,
    me: Member,
    fleet: Arc<Fleet>,
    held: watch::Sender<HeldLeases>,
    /// Shards whose topics the connections to the exchange cannot carry.
    refused: watch::Receiver<BTreeSet<usize>>,
    counters: Counters,
    heartbeats: Option<Subscriber>,
    /// A hash of the names of all topics, to compare it with other collectors.
    topics_hash: u64,
    /// Collectors that have other topics, which were logged once.
    with_other_topics: BTreeSet<String>,
}

impl Leases {
    /// Also returns the leases that are held. When its last receiver is dropped, they are handed over.
    pub(crate) async fn start(
        id: &str,
        setup: &Setup,
        topics_hash: u64,
        connection: Connection,
        bucket: kv::Store,
        refused: watch::Receiver<BTreeSet<usize>>,
        counters: &Counters,
    ) -> Result<(Self, watch::Receiver<HeldLeases>), Error> {
        let mut bytes = [0; 8];
        getrandom::getrandom(&mut bytes)
            .map_err(|error| Error::config(format!("no randomness: {error}")))?;
        let session = format!("{:016x}", u64::from_ne_bytes(bytes));
        let mut heartbeats = Fleet::subscribe(&connection).await?;
        let Some((table, revision)) = connection.read_table(&bucket).await? else {
            return Err(Error::config("the table of the fleet has been deleted"));
        };
        let mut view = View::new(table, revision, Instant::now());
        heartbeats::check_id(id, &mut heartbeats, &mut view).await?;
        let heartbeats = Some(heartbeats);
        let name = (id.to_owned(), session.clone());
        let fleet = Fleet::new(connection.clone(), name, view, topics_hash, refused.clone());
        let me = Member { id: id.to_owned(), session, refused: BTreeSet::new() };
        let (held, receiver) = watch::channel(HeldLeases::new());
        let (counters, setup) = (counters.clone(), setup.clone());
        let leases = Self {
            connection,
            setup,
            bucket,
            me,
            fleet,
            held,
            refused,
            counters,
            heartbeats,
            topics_hash,
            with_other_topics: BTreeSet::new(),
        };
        Ok((leases, receiver))
    }

    pub(crate) async fn run(mut self) {
        let Some(heartbeats) = self.heartbeats.take() else { return };
        let fleet = self.fleet.clone();
        tokio::select! {
            () = fleet.run(heartbeats) => {}
            () = self.keep_leases() => {}
        }
    }

    async fn keep_leases(mut self) {
        let mut tick = tokio::time::interval(heartbeat_interval(self.fleet.view().table.ttl()));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut open = self.connection.open.clone();
        let fleet = self.fleet.clone();
        let (mut ticks, mut needs_setup, mut is_outdated) = (0, false, false);
        loop {
            let held = self.held.clone();
            tokio::select! {
                _ = tick.tick() => {
                    self.compare_topics();
                    ticks += 1;
                    if needs_setup && *open.borrow() > 0 {
                        needs_setup = !self.set_up().await;
                    }
                }
                () = fleet.arrived.notified() => {}
                changed = open.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let is_open = *open.borrow() > 0;
                    self.counters.connected(is_open);
                    fleet.view().reconnected(Instant::now());
                    // The server may have lost what it had stored.
                    needs_setup = true;
                }
                () = held.closed() => return self.leave().await,
            }
            self.me.refused.clone_from(&self.refused.borrow());
            is_outdated |= fleet.take_outdated();
            if is_outdated && *open.borrow() > 0 {
                is_outdated = !self.read_table().await;
            }
            let is_connected = *open.borrow() > 0 && !open.has_changed().unwrap_or(true);
            if ticks > HEARTBEATS_BEFORE_PLAN && is_connected && !needs_setup {
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
                self.read_table().await
            }
            Err(error) => {
                tracing::warn!(target: "bitmart_fleet", "not set up: {error}");
                false
            }
        }
    }

    async fn plan(&mut self) {
        let now_ms = u64::try_from(Timestamp::now().as_millis()).unwrap_or(0);
        let rebalances = self.setup.rebalances;
        let planned =
            planner::plan(&self.fleet.view(), &self.me, rebalances, now_ms, Instant::now());
        let Some((table, taken)) = planned else { return };
        // The publisher stops before another collector can take a lease that is given up.
        let remaining = held(&table, &self.me);
        self.held.send_if_modified(|held| {
            let before = held.len();
            held.retain(|key, term| remaining.get(key) == Some(term));
            held.len() != before
        });
        if self.write(table).await {
            self.counters.took_over(taken);
            // Others read the table when they learn of its revision.
            self.fleet.send_heartbeat().await;
        } else {
            // Another collector was faster.
            self.read_table().await;
        }
    }

    async fn write(&mut self, table: Table) -> bool {
        let text = serde_json::to_vec(&table).unwrap_or_default();
        let (revision, limit) = {
            let view = self.fleet.view();
            (view.revision, table_timeout(view.table.ttl()))
        };
        // If it takes longer, whether it was written is not known, and the table is read again.
        let written = self.bucket.update(table::KEY, text.into(), revision);
        match tokio::time::timeout(limit, written).await {
            Ok(Ok(revision)) => {
                self.fleet.view().set_table(table, revision);
                self.publish_held();
                return true;
            }
            Ok(Err(error)) => {
                tracing::debug!(target: "bitmart_fleet", "table not written: {error}");
            }
            Err(_) => tracing::debug!(target: "bitmart_fleet", "table not written in time"),
        }
        false
    }

    /// Returns `false` if that has to be repeated.
    async fn read_table(&mut self) -> bool {
        let limit = table_timeout(self.fleet.view().table.ttl());
        match self.connection.read_table_within(&self.bucket, limit).await {
            Ok(Some((table, revision))) => {
                self.fleet.view().set_table(table, revision);
                self.publish_held();
                return true;
            }
            Ok(None) => tracing::warn!(target: "bitmart_fleet", "the table of the fleet is gone"),
            Err(error) => tracing::warn!(target: "bitmart_fleet", "table not read: {error}"),
        }
        false
    }

    fn publish_held(&self) {
        let new = held(&self.fleet.view().table, &self.me);
        self.held.send_if_modified(|held| std::mem::replace(held, new.clone()) != new);
    }

    /// Reports collectors that are configured with other topics. That is a mistake: some topics may not be collected.
    fn compare_topics(&mut self) {
        let others = self.fleet.view().with_other_topics(self.topics_hash, Instant::now());
        self.counters.others_have_other_topics(others.len());
        for id in &others {
            if self.with_other_topics.insert(id.clone()) {
                tracing::error!(
                    target: "bitmart_fleet",
                    "collector {id} has other topics than {}: some topics may not be collected",
                    self.me.id
                );
            }
        }
        self.with_other_topics.retain(|id| others.contains(id));
    }

    /// Hands all leases over.
    async fn leave(mut self) {
        self.fleet.leave();
        self.fleet.send_heartbeat().await;
        for _ in 0..5 {
            let known = self.fleet.view().table.clone();
            let table = planner::leave(&known, &self.me);
            if table == known || self.write(table).await {
                break;
            }
            self.read_table().await;
        }
        self.fleet.send_heartbeat().await;
        let _ = tokio::time::timeout(Duration::from_secs(1), self.connection.client.flush()).await;
    }
}

fn held(table: &Table, me: &Member) -> HeldLeases {
    let pairs = (0..table.shards).flat_map(|shard| (0..table.replicas).map(move |r| (shard, r)));
    let mine = pairs.filter_map(|(shard, replica)| {
        let lease = table.lease(shard, replica).filter(|lease| me.holds(lease))?;
        Some(((shard, replica), lease.term))
    });
    mine.collect()
}
