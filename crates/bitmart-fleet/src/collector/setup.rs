//! Sets up what a fleet stores in `JetStream`: the stream of messages, the bucket, and the table of leases in it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::context::{CreateStreamError, CreateStreamErrorKind};
use async_nats::jetstream::{ErrorCode, kv, stream};

use crate::nats::table::{self, Table};
use crate::nats::{Connection, Error, subject};

/// How often a stream is requested that another collector is creating, and the time between two requests.
const CREATE_ATTEMPTS: u32 = 40;
const CREATE_DELAY: Duration = Duration::from_millis(50);

/// The options that must be the same for all collectors of a fleet.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) shards: usize,
    pub(crate) replicas: usize,
    pub(crate) lease_timeout: Duration,
    /// Whether leases move to members that join, so that all have about as many.
    pub(crate) rebalances: bool,
    /// Servers of a cluster that store stream and bucket.
    pub(crate) copies: usize,
    /// `None` if there is no stream, as for accounts: only leases are stored.
    pub(crate) history: Option<History>,
}

/// How much of the past the stream keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct History {
    pub(crate) age: Duration,
    pub(crate) bytes: i64,
}

pub(crate) fn check_id(id: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !id.is_empty() && id.len() <= 64 && id.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::config(
        "a collector or publisher needs an id: letters, digits, `-` and `_`, up to 64",
    ))
}

pub(crate) fn check_copies(copies: usize) -> Result<(), Error> {
    let allowed = (1..=5).contains(&copies);
    if allowed { Ok(()) } else { Err(Error::config("stored copies must be 1 to 5")) }
}

pub(crate) fn check_lease_timeout(timeout: Duration) -> Result<(), Error> {
    let (least, most) = (Duration::from_millis(100), Duration::from_secs(60));
    if (least..=most).contains(&timeout) {
        return Ok(());
    }
    Err(Error::config("the lease timeout must be 100 ms to 60 s"))
}

/// Creates what does not exist yet, and checks that the table fits the options. Returns the bucket of the table.
pub(crate) async fn run(connection: &Connection, options: &Setup) -> Result<kv::Store, Error> {
    if let Some(history) = options.history {
        create_stream(connection, options, history).await?;
    }
    let bucket = create_bucket(connection, options.copies).await?;
    check_table(connection, options, &bucket).await?;
    Ok(bucket)
}

async fn create_stream(
    connection: &Connection,
    options: &Setup,
    history: History,
) -> Result<(), Error> {
    let subjects = (0..options.replicas)
        .map(|replica| subject::of_replica(&connection.prefix, replica, ">"))
        .collect();
    let stream = stream::Config {
        name: connection.store_name(),
        subjects,
        max_age: history.age,
        max_bytes: history.bytes,
        discard: stream::DiscardPolicy::Old,
        storage: stream::StorageType::File,
        allow_direct: true,
        num_replicas: options.copies,
        // Numbers and terms find duplicates; the window of the server is not needed.
        duplicate_window: Duration::from_millis(100),
        ..stream::Config::default()
    };
    get_or_create(connection, stream).await.map_err(|error| Error::jetstream("the stream", error))
}

/// Creates a stream if it does not exist. While another collector creates it, the server may reject this one because
/// its subjects overlap with those of the other: then the other one is waited for.
async fn get_or_create(
    connection: &Connection,
    config: stream::Config,
) -> Result<(), CreateStreamError> {
    let mut attempts = 0..CREATE_ATTEMPTS;
    loop {
        let Err(error) = connection.jetstream.get_or_create_stream(config.clone()).await else {
            return Ok(());
        };
        if !is_overlap(&error) || attempts.next().is_none() {
            return Err(error);
        }
        tokio::time::sleep(CREATE_DELAY).await;
    }
}

fn is_overlap(error: &CreateStreamError) -> bool {
    match error.kind() {
        CreateStreamErrorKind::JetStream(error) => {
            error.error_code() == ErrorCode::STREAM_SUBJECT_OVERLAP
        }
        _ => false,
    }
}

async fn create_bucket(connection: &Connection, copies: usize) -> Result<kv::Store, Error> {
    let name = connection.store_name();
    // The same as `create_key_value` creates. That function fails with nats-server 2.9: it cannot read the server's
    // description of the account.
    let bucket = stream::Config {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        max_messages_per_subject: 1,
        discard: stream::DiscardPolicy::New,
        storage: stream::StorageType::File,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        num_replicas: copies,
        ..stream::Config::default()
    };
    let created = get_or_create(connection, bucket).await;
    created.map_err(|error| Error::jetstream("the bucket", error))?;
    let bucket = connection.jetstream.get_key_value(&name).await;
    bucket.map_err(|error| Error::jetstream("the bucket", error))
}

/// Creates the table if it does not exist, and compares it with the options.
async fn check_table(
    connection: &Connection,
    options: &Setup,
    bucket: &kv::Store,
) -> Result<(), Error> {
    let ttl_ms = u64::try_from(options.lease_timeout.as_millis()).unwrap_or(u64::MAX);
    let (shards, replicas) = (options.shards, options.replicas);
    let wanted = Table { shards, replicas, ttl_ms, leases: BTreeMap::new() };
    let text = serde_json::to_vec(&wanted).unwrap_or_default();
    // Fails if another collector was first.
    let created = bucket.create(table::KEY, text.into()).await;
    let Some((table, _)) = connection.read_table(bucket).await? else {
        let error = created.err().map(|error| error.to_string()).unwrap_or_default();
        return Err(Error::jetstream("the table", error));
    };
    if (table.shards, table.replicas, table.ttl_ms) != (shards, replicas, ttl_ms) {
        return Err(Error::config(format!(
            "the fleet {} has {} shards, {} replicas and a lease timeout of {} ms; use the same, or another prefix",
            connection.prefix, table.shards, table.replicas, table.ttl_ms
        )));
    }
    Ok(())
}
