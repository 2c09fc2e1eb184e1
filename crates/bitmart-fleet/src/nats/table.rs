//! The table of leases: which collector holds which shard. One entry of a key-value bucket, changed by compare-and-set.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The key of the table in its bucket.
pub(crate) const KEY: &str = "table";
/// Most shards. The table of as many fits into one message.
pub(crate) const MAX_SHARDS: usize = 256;
/// Most replicas of a shard.
pub(crate) const MAX_REPLICAS: usize = 4;

/// A heartbeat has about 120 bytes, and about 1 KiB if its sender refuses all shards.
const MAX_HEARTBEAT_BYTES: usize = 4_096;

/// The shards of a fleet and their leases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) shards: usize,
    pub(crate) replicas: usize,
    /// How long a collector may be silent before it counts as dead.
    pub(crate) ttl_ms: u64,
    /// By `shard.replica`.
    pub(crate) leases: BTreeMap<String, Lease>,
}

/// The right to publish the topics of one replica of a shard. It lasts as long as the heartbeats of its holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lease {
    pub(crate) holder: String,
    /// Random, new for each start of the holder.
    pub(crate) session: String,
    /// Higher than that of every holder before.
    pub(crate) term: u64,
    /// Given up by its holder, so that another may take it at once.
    pub(crate) released: bool,
}

/// A heartbeat of a collector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heartbeat {
    pub(crate) id: String,
    pub(crate) session: String,
    /// The revision of the table that it knows.
    pub(crate) revision: u64,
    /// It is about to stop and takes no leases.
    pub(crate) leaving: bool,
    /// A hash of its topics.
    #[serde(default)]
    pub(crate) topics: u64,
    /// Shards that it does not take, because its connections to the exchange cannot carry their topics.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) refused: BTreeSet<usize>,
}

impl Heartbeat {
    /// Reads a heartbeat. `None` for anything else, and for one that is too large.
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let payload = Some(payload).filter(|payload| payload.len() <= MAX_HEARTBEAT_BYTES)?;
        serde_json::from_slice(payload).ok()
    }
}

impl Table {
    pub(crate) fn key(shard: usize, replica: usize) -> String {
        format!("{shard}.{replica}")
    }

    pub(crate) fn lease(&self, shard: usize, replica: usize) -> Option<&Lease> {
        self.leases.get(&Self::key(shard, replica))
    }

    pub(crate) fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl_ms)
    }

    /// Whether the numbers are within their bounds. Anybody with access to the bucket may have written it.
    pub(crate) fn is_valid(&self) -> bool {
        (1..=MAX_SHARDS).contains(&self.shards)
            && (1..=MAX_REPLICAS).contains(&self.replicas)
            && (100..=60_000).contains(&self.ttl_ms)
    }
}
