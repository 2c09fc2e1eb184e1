//! The complete state after an entry, as the data folder stores it.

use serde::{Deserialize, Serialize};

use super::{DataError, EntryNumber, StoredKey};
use crate::{SnapshotError, snapshot::Snapshot};

pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The parts of the state that a snapshot does not contain, and the number of the last entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// The last entry that the state includes.
    pub(super) last: EntryNumber,
    /// The version of the program that wrote the checkpoint.
    pub(super) version: String,
    /// Keys with given secrets that were added at run time.
    pub(super) keys: Vec<StoredKey>,
}

/// The complete state after an entry.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    head: Header,
    snapshot: Snapshot,
}

/// A serialized checkpoint.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) last: EntryNumber,
    pub(super) head: Vec<u8>,
    pub(super) snapshot: Vec<u8>,
}

impl Checkpoint {
    pub(crate) fn new(last: EntryNumber, keys: Vec<StoredKey>, snapshot: Snapshot) -> Self {
        Self { head: Header { last, version: VERSION.to_owned(), keys }, snapshot }
    }

    pub(super) fn encode(&self) -> Result<Encoded, DataError> {
        let head = serde_json::to_vec(&self.head).map_err(DataError::Unreadable)?;
        let snapshot = self.snapshot.to_bytes().map_err(DataError::Snapshot)?;
        Ok(Encoded { last: self.head.last, head, snapshot })
    }

    pub(super) fn decode(head: &[u8], snapshot: &[u8]) -> Result<(Header, Snapshot), DataError> {
        let head = serde_json::from_slice(head).map_err(DataError::Unreadable)?;
        let read: Result<Snapshot, SnapshotError> = Snapshot::from_json(snapshot);
        Ok((head, read.map_err(DataError::Snapshot)?))
    }
}
