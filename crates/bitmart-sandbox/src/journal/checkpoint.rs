//! The whole state at one input, as it lies in the data folder.

use serde::{Deserialize, Serialize};

use super::StoredKey;
use super::{DataError, Number};
use crate::{SnapshotError, snapshot::Snapshot};

pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a snapshot leaves out, and where it stands in the order of inputs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    /// The last input that the state includes.
    pub(super) last: Number,
    /// Of the program that wrote it.
    pub(super) version: String,
    /// Keys with a secret of their own that were added at run time.
    pub(super) keys: Vec<StoredKey>,
}

/// The whole state after an input.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    head: Head,
    snapshot: Snapshot,
}

/// A checkpoint as bytes.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) last: Number,
    pub(super) head: Vec<u8>,
    pub(super) snapshot: Vec<u8>,
}

impl Checkpoint {
    pub(crate) fn new(last: Number, keys: Vec<StoredKey>, snapshot: Snapshot) -> Self {
        Self { head: Head { last, version: VERSION.to_owned(), keys }, snapshot }
    }

    pub(super) fn encode(&self) -> Result<Encoded, DataError> {
        let head = serde_json::to_vec(&self.head).map_err(DataError::Unreadable)?;
        let snapshot = self.snapshot.to_bytes().map_err(DataError::Snapshot)?;
        Ok(Encoded { last: self.head.last, head, snapshot })
    }

    pub(super) fn decode(head: &[u8], snapshot: &[u8]) -> Result<(Head, Snapshot), DataError> {
        let head = serde_json::from_slice(head).map_err(DataError::Unreadable)?;
        let read: Result<Snapshot, SnapshotError> = Snapshot::from_json(snapshot);
        Ok((head, read.map_err(DataError::Snapshot)?))
    }
}
