//! The queue of messages that a collector has to publish, and the task that publishes them.
//!
//! Adding a message never waits: if the queue is full because NATS is slow or cannot be reached, the oldest messages
//! are dropped. The messages of a topic are numbered, so readers notice those that are missing.

use async_nats::jetstream::Context;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::publisher::{StoredSnapshot, TopicKey};
use super::status::Counters;
use crate::nats::message::Message;
use crate::nats::{Connection, queue};

/// Messages of all topics that wait while NATS is slow.
const BOUNDS: queue::Bounds = queue::Bounds { messages: 1 << 16, bytes: 64 << 20 };

struct Outgoing {
    subject: String,
    message: Message,
    /// The topic, if this is a snapshot: the sequence at which the stream stores it is reported.
    snapshot_of: Option<TopicKey>,
}

pub(super) struct Outbox {
    queue: queue::Sender<Outgoing>,
    counters: Counters,
    task: JoinHandle<()>,
}

impl Outbox {
    pub(super) fn start(
        connection: &Connection,
        stored_snapshots: mpsc::Sender<StoredSnapshot>,
        counters: Counters,
    ) -> Self {
        let (sender, queue) = queue::queue(BOUNDS);
        let task = tokio::spawn(publish(queue, connection.clone(), stored_snapshots));
        Self { queue: sender, counters, task }
    }

    /// Queues a message.
    pub(super) fn push(&self, subject: String, message: Message, snapshot_of: Option<TopicKey>) {
        let bytes = message.payload.len();
        let dropped = self.queue.push(Outgoing { subject, message, snapshot_of }, bytes);
        if dropped > 0 {
            self.counters.lost(dropped);
        }
    }

    /// Waits until everything that is queued was passed to the client of NATS.
    pub(super) async fn finish(&mut self) {
        self.queue.close();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn publish(
    mut queue: queue::Receiver<Outgoing>,
    connection: Connection,
    stored_snapshots: mpsc::Sender<StoredSnapshot>,
) {
    while let Some(Outgoing { subject, message, snapshot_of }) = queue.recv().await {
        let result = match snapshot_of {
            None => {
                let headers = message.headers();
                let sent =
                    connection.client.publish_with_headers(subject, headers, message.payload);
                sent.await.map_err(|error| error.to_string())
            }
            Some(key) => {
                publish_snapshot(&connection.jetstream, subject, message, key, &stored_snapshots)
                    .await
            }
        };
        if let Err(error) = result {
            // Its number is missing, which readers see.
            tracing::warn!(target: "bitmart_fleet", "not published: {error}");
        }
    }
}

/// Readers that come later start at the sequence of the snapshot in the stream.
async fn publish_snapshot(
    jetstream: &Context,
    subject: String,
    message: Message,
    topic: TopicKey,
    stored_snapshots: &mpsc::Sender<StoredSnapshot>,
) -> Result<(), String> {
    let headers = message.headers();
    let (term, number) = (message.term, message.number);
    let sent = jetstream.publish_with_headers(subject, headers, message.payload);
    let acknowledged = sent.await.map_err(|error| error.to_string())?;
    let stored_snapshots = stored_snapshots.clone();
    tokio::spawn(async move {
        match acknowledged.await {
            Ok(ack) => {
                let sequence = ack.sequence;
                let stored = StoredSnapshot { topic, term, number, sequence };
                // Only a reader that comes later misses it: it waits for the next one.
                let _ = stored_snapshots.try_send(stored);
            }
            Err(error) => {
                tracing::warn!(target: "bitmart_fleet", "a snapshot was not stored: {error}");
            }
        }
    });
    Ok(())
}
