//! The data folder. Every [`Change`] is stored before its outcome leaves the sandbox, and from time to time a
//! checkpoint of the complete state is stored. After a restart, the last checkpoint is loaded and the changes since
//! then are made again.
//!
//! A change is a command to the exchange or an action of the sandbox itself; the HTTP request that it came from is not
//! stored. An [`Entry`] of the journal is a change with its time and a fingerprint: a hash of the state after it, so
//! that a replay that ends in another state is noticed. Folders stay readable:
//!
//! - Every version reads the folders of older versions, from format 2 on.
//! - Commands, changes and fields are only added. A new field has a default with the previous meaning. None is renamed
//!   or removed, and none changes its meaning.
//! - Any other change is a new format (`store::FORMAT`), with code that reads the previous format.
//! - A folder of a newer format is rejected.
//!
//! `fixtures/journal` contains a folder of each format from 2 on, and every kind of change in its stored form.
//!
//! The fingerprints of format 3 (`bitmart_sim::Exchange::fingerprint`) have defined bytes. Those of format 2 were
//! hashes of debug texts: its entries are replayed without comparison, and the checkpoint that follows is of format 3.
//! Format 1, from before the first release, stored requests, and its states had no ledger. It is not read.

mod appending;
mod change;
mod checkpoint;
mod error;
mod opening;
mod reserve;
mod storage;
mod store;
#[cfg(test)]
mod stored_changes;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use self::{
    appending::{Journal, StorageProgress},
    change::{Change, StoredKey},
    checkpoint::Checkpoint,
    error::{DataError, StorageEvent},
    opening::{OpenStore, StoredState},
    storage::{Folder, Storage},
};
use serde::{Deserialize, Serialize};

/// The number of an entry: 1 for the first of a data folder, 0 for none.
pub(crate) type EntryNumber = u64;

/// An entry of the journal. `mark` and `entry` are the former names of two fields, which stored entries keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) now_ms: u64,
    /// [`Exchange::fingerprint`](bitmart_sim::Exchange::fingerprint) after the entry, with which a replay is verified.
    #[serde(rename = "mark")]
    pub(crate) fingerprint: u64,
    #[serde(rename = "entry")]
    pub(crate) change: Change,
}
