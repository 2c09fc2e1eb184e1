//! Sends the heartbeats of a collector and listens to those of all.
//!
//! Nothing here waits for `JetStream`: while a reply is slow, heartbeats are sent and received all the same.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_nats::Subscriber;
use futures_util::StreamExt as _;
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

use crate::nats::table::Heartbeat;
use crate::nats::view::{View, heartbeat_interval};
use crate::nats::{Connection, Error, ErrorKind};

/// The fleet as this collector sees it: what its tasks share.
pub(super) struct Fleet {
    connection: Connection,
    pub(super) id: String,
    /// Random, new for each start.
    pub(super) session: String,
    view: Mutex<View>,
    /// A hash of the names of all topics.
    topics_hash: u64,
    refused: watch::Receiver<BTreeSet<usize>>,
    leaving: AtomicBool,
    /// A heartbeat named another revision of the table than the known one.
    is_outdated: AtomicBool,
    /// Notified when a heartbeat has arrived.
    pub(super) arrived: Notify,
}

impl Fleet {
    pub(super) fn new(
        connection: Connection,
        (id, session): (String, String),
        view: View,
        topics_hash: u64,
        refused: watch::Receiver<BTreeSet<usize>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            connection,
            id,
            session,
            view: Mutex::new(view),
            topics_hash,
            refused,
            leaving: AtomicBool::new(false),
            is_outdated: AtomicBool::new(false),
            arrived: Notify::new(),
        })
    }

    pub(super) fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on heartbeats say that it is about to stop.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    pub(super) fn take_outdated(&self) -> bool {
        self.is_outdated.swap(false, Ordering::Relaxed)
    }

    pub(super) async fn send_heartbeat(&self) {
        let (revision, interval) = {
            let view = self.view();
            (view.revision, heartbeat_interval(view.table.ttl()))
        };
        let heartbeat = Heartbeat {
            id: self.id.clone(),
            session: self.session.clone(),
            revision,
            leaving: self.leaving.load(Ordering::Relaxed),
            refused: self.refused.borrow().clone(),
            topics: self.topics_hash,
        };
        let text = serde_json::to_vec(&heartbeat).unwrap_or_default();
        let sent = self.connection.client.publish(self.connection.member_subject(), text.into());
        // The queue of the client is full while NATS is not connected.
        let _ = tokio::time::timeout(interval / 2, sent).await;
    }

    /// Subscribes to the heartbeats of all collectors.
    pub(super) async fn subscribe(connection: &Connection) -> Result<Subscriber, Error> {
        let heartbeats = connection.client.subscribe(connection.member_subject()).await;
        heartbeats.map_err(|error| Error::jetstream("heartbeats", error))
    }

    /// Sends and listens until the connection is closed.
    pub(super) async fn run(&self, mut heartbeats: Subscriber) {
        let mut tick = tokio::time::interval(heartbeat_interval(self.view().table.ttl()));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_duplicate = false;
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    self.view().listened(Instant::now());
                    self.send_heartbeat().await;
                }
                message = heartbeats.next() => {
                    let Some(message) = message else { return };
                    let Some(heartbeat) = Heartbeat::parse(&message.payload) else { continue };
                    let is_other = heartbeat.id == self.id && heartbeat.session != self.session;
                    if is_other && !heartbeat.leaving && !is_duplicate {
                        is_duplicate = true;
                        tracing::error!(
                            target: "bitmart_fleet",
                            "another collector has the id {}: each needs its own", self.id
                        );
                    }
                    let now = Instant::now();
                    let mut view = self.view();
                    view.listened(now);
                    if view.add_heartbeat(heartbeat, now) {
                        self.is_outdated.store(true, Ordering::Relaxed);
                    }
                    drop(view);
                    self.arrived.notify_one();
                }
            }
        }
    }
}

/// Listens for another collector with the same id: for a lease timeout if the table says that it has leases, as after a
/// crash; otherwise for two heartbeat intervals. All heartbeats are added to the view, as by [`Fleet::run`].
pub(super) async fn check_id(
    id: &str,
    heartbeats: &mut Subscriber,
    view: &mut View,
) -> Result<(), Error> {
    let ttl = view.table.ttl();
    let has_leases = view.table.leases.values().any(|lease| lease.holder == id && !lease.released);
    let window = if has_leases { ttl } else { heartbeat_interval(ttl) * 2 };
    let mut end = std::pin::pin!(tokio::time::sleep(window));
    let mut tick = tokio::time::interval(heartbeat_interval(ttl));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            // Heartbeats that have arrived are read before the end of the window is noticed.
            biased;
            message = heartbeats.next() => {
                let Some(message) = message else {
                    return Err(Error::jetstream("heartbeats", "the connection was closed"));
                };
                let Some(heartbeat) = Heartbeat::parse(&message.payload) else { continue };
                if heartbeat.id == id && !heartbeat.leaving {
                    let message = format!("another one has the id {id}, and is alive: each needs its own");
                    return Err(Error::new(ErrorKind::IdInUse, message));
                }
                let now = Instant::now();
                view.listened(now);
                view.add_heartbeat(heartbeat, now);
            }
            _ = tick.tick() => view.listened(Instant::now()),
            () = &mut end => return Ok(()),
        }
    }
}
