//! The readers' side: a source of topics for [`bitmart_ws::Client`].

mod dedup;
pub(super) mod merger;
#[cfg(test)]
mod merger_tests;
pub(super) mod past;
mod topic;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use async_nats::jetstream::kv;
use async_nats::jetstream::stream::Stream;
use bitmart_ws::source::Feed;
use bitmart_ws::{Client, ClientBuilder};
use futures_util::StreamExt as _;
use tokio::sync::{Notify, watch};

use super::table::Heartbeat;
use super::view::{View, heartbeat_interval};
use super::{Connection, Error, Options, Store};

pub(crate) use topic::Channel;
pub(super) use topic::pass;

/// Connects to a fleet and returns a client that reads from it: see [`Source::connect`].
///
/// # Errors
/// As [`Source::connect`].
///
/// # Cancel safety
/// Cancel-safe: if the future is dropped early, the connection is closed.
pub async fn connect(options: Options) -> Result<Client, Error> {
    let builder = Client::builder().source(Source::connect(options).await?);
    build(builder)
}

pub(super) fn build(builder: ClientBuilder) -> Result<Client, Error> {
    builder.build().map_err(|error| Error::config(error.to_string()))
}

/// Topics of a fleet, for [`ClientBuilder::source`](bitmart_ws::ClientBuilder::source). Use it instead of [`connect`] to
/// set capacities or a clock of the client.
#[derive(Clone)]
pub struct Source(Arc<Shared>);

struct Shared {
    connection: Connection,
    stream: Stream<()>,
    view: Mutex<View>,
    /// Changes whenever the view may have changed.
    changed: watch::Sender<u64>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("connection", &self.0.connection).finish_non_exhaustive()
    }
}

impl Source {
    /// Connects to NATS and learns which collectors there are.
    ///
    /// # Errors
    /// NATS cannot be reached, or no collector has ever run for this prefix.
    ///
    /// # Cancel safety
    /// Cancel-safe: if the future is dropped early, the connection is closed.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O and time enabled.
    pub async fn connect(options: Options) -> Result<Self, Error> {
        let Store { connection, stream, bucket, table, revision } =
            Store::open(&options, "bitmart-fleet reader").await?;
        let heartbeats = connection.client.subscribe(connection.member_subject()).await;
        let heartbeats = heartbeats.map_err(|error| Error::jetstream("heartbeats", error))?;
        let ttl = table.ttl();
        let view = Mutex::new(View::new(table, revision, Instant::now()));
        let (changed, mut changes) = watch::channel(0);
        let shared = Arc::new(Shared { connection, stream, view, changed });
        tokio::spawn(listen(Arc::downgrade(&shared), bucket, heartbeats));
        // Topics whose collector is known are confirmed at once.
        let complete = async {
            while !shared.view().is_complete(Instant::now()) && changes.changed().await.is_ok() {}
        };
        let _ = tokio::time::timeout(ttl, complete).await;
        Ok(Self(shared))
    }
}

impl bitmart_ws::source::Source for Source {
    fn open(&self, feed: Feed) {
        tokio::spawn(topic::run(self.0.clone(), feed));
    }
}

impl Shared {
    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self) {
        self.changed.send_modify(|number| *number += 1);
    }
}

/// Keeps the view up to date until the last user is gone.
async fn listen(shared: Weak<Shared>, bucket: kv::Store, heartbeats: async_nats::Subscriber) {
    let is_outdated = Notify::new();
    // A slow reply about the table must not make collectors look silent.
    tokio::select! {
        () = listen_to_heartbeats(&shared, heartbeats, &is_outdated) => {}
        () = read_tables(&shared, &bucket, &is_outdated) => {}
    }
}

async fn listen_to_heartbeats(
    shared: &Weak<Shared>,
    mut heartbeats: async_nats::Subscriber,
    is_outdated: &Notify,
) {
    let upgraded = || {
        let shared = shared.upgrade()?;
        Some((shared.connection.open.clone(), shared.view().table.ttl()))
    };
    let Some((mut open, ttl)) = upgraded() else { return };
    let mut tick = tokio::time::interval(heartbeat_interval(ttl));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let mut heartbeat = None;
        let mut reconnected = false;
        tokio::select! {
            message = heartbeats.next() => match message {
                Some(message) => heartbeat = Heartbeat::parse(&message.payload),
                None => return,
            },
            // Leases expire without an event.
            _ = tick.tick() => {}
            changed = open.changed() => {
                if changed.is_err() {
                    return;
                }
                reconnected = true;
            }
        }
        let Some(shared) = shared.upgrade() else { return };
        let now = Instant::now();
        let mut view = shared.view();
        view.listened(now);
        if reconnected {
            // The server may have lost the table, and a new one may have the same revision.
            view.reconnected(now);
            is_outdated.notify_one();
        }
        if heartbeat.is_some_and(|heartbeat| view.add_heartbeat(heartbeat, now)) {
            is_outdated.notify_one();
        }
        drop(view);
        shared.notify();
    }
}

async fn read_tables(shared: &Weak<Shared>, bucket: &kv::Store, is_outdated: &Notify) {
    loop {
        is_outdated.notified().await;
        let Some(shared) = shared.upgrade() else { return };
        if *shared.connection.open.borrow() == 0 {
            continue;
        }
        let interval = heartbeat_interval(shared.view().table.ttl());
        match shared.connection.read_table(bucket).await {
            Ok(Some((table, revision))) => {
                shared.view().set_table(table, revision);
                shared.notify();
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(target: "bitmart_fleet", "table not read: {error}"),
        }
        drop(shared);
        tokio::time::sleep(interval).await;
        is_outdated.notify_one();
    }
}
