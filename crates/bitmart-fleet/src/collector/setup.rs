//! Sets up stream, bucket and table.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::{kv, stream};

use crate::nats::table::{self, Table};
use crate::nats::{Connection, Error, subject};

/// What all collectors of a fleet agree on.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) shards: usize,
    pub(super) replicas: usize,
    pub(super) lease_timeout: Duration,
    pub(super) history: Duration,
    pub(super) history_bytes: i64,
    /// Servers of a cluster that store stream and bucket.
    pub(super) copies: usize,
}

/// Creates what does not exist yet, and checks the rest. Returns the bucket of the table.
pub(super) async fn run(connection: &Connection, options: &Setup) -> Result<kv::Store, Error> {
    let name = connection.store_name();
    let subjects = (0..options.replicas)
        .map(|replica| subject::of_replica(&connection.prefix, replica, ">"))
        .collect();
    let stream = stream::Config {
        name: name.clone(),
        subjects,
        max_age: options.history,
        max_bytes: options.history_bytes,
        discard: stream::DiscardPolicy::Old,
        storage: stream::StorageType::File,
        allow_direct: true,
        num_replicas: options.copies,
        // Numbers and terms find duplicates; the window of the server is not needed.
        duplicate_window: Duration::from_millis(100),
        ..stream::Config::default()
    };
    let created = connection.jetstream.get_or_create_stream(stream).await;
    created.map_err(|error| Error::jetstream("the stream", error))?;
    // What `create_key_value` makes. That one requests the description of the account, which it cannot read from
    // nats-server 2.9.
    let bucket = stream::Config {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        max_messages_per_subject: 1,
        discard: stream::DiscardPolicy::New,
        storage: stream::StorageType::File,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        num_replicas: options.copies,
        ..stream::Config::default()
    };
    let created = connection.jetstream.get_or_create_stream(bucket).await;
    created.map_err(|error| Error::jetstream("the bucket", error))?;
    let bucket = connection.jetstream.get_key_value(&name).await;
    let bucket = bucket.map_err(|error| Error::jetstream("the bucket", error))?;
    let ttl_ms = u64::try_from(options.lease_timeout.as_millis()).unwrap_or(u64::MAX);
    let (shards, replicas) = (options.shards, options.replicas);
    let wanted = Table { shards, replicas, ttl_ms, leases: BTreeMap::new() };
    let text = serde_json::to_vec(&wanted).unwrap_or_default();
    // Fails if another collector was first.
    let created = bucket.create(table::KEY, text.into()).await;
    let Some((table, _)) = connection.read_table(&bucket).await? else {
        let error = created.err().map(|error| error.to_string()).unwrap_or_default();
        return Err(Error::jetstream("the table", error));
    };
    if (table.shards, table.replicas, table.ttl_ms) != (shards, replicas, ttl_ms) {
        return Err(Error::config(format!(
            "the fleet {} has {} shards, {} replicas and a lease timeout of {} ms; use the same, or another prefix",
            connection.prefix, table.shards, table.replicas, table.ttl_ms
        )));
    }
    Ok(bucket)
}
