//! The data folder. Every [`Entry`] is stored before its outcome leaves the sandbox, and from time to time a
//! checkpoint of the complete state is stored. After a restart, the latest checkpoint is loaded and the entries since
//! then are replayed.
//!
//! An entry is a command to the exchange or an action of the sandbox itself; the HTTP request that it came from is not
//! stored. A [`Record`] is an entry with its time and a fingerprint: a hash of the state after it, so that a replay
//! that ends in another state is noticed. Folders stay readable:
//!
//! - Every version reads the folders of older versions, from format 2 on.
//! - Commands, entries and fields are only added. A new field has a default with the previous meaning. None is renamed
//!   or removed, and none changes its meaning.
//! - Any other change is a new format (`store::FORMAT`), with code that reads the previous format.
//! - A folder of a newer format is rejected.
//!
//! `fixtures/journal` contains a folder of each format from 2 on, and every entry in its stored form.
//!
//! The fingerprints of format 3 (`bitmart_sim::Exchange::fingerprint`) have defined bytes. Those of format 2 were
//! hashes of debug texts: its inputs are replayed without comparison, and the checkpoint that follows is of format 3.
//! Format 1, from before the first release, stored requests, and its states had no ledger. It is not read.

mod checkpoint;
mod entry;
mod error;
mod opening;
mod recorder;
mod reserve;
mod storage;
mod store;
#[cfg(test)]
mod stored_entries;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use self::{
    checkpoint::Checkpoint,
    entry::{Entry, StoredKey},
    error::{DataError, StorageEvent},
    opening::{OpenStore, StoredState},
    recorder::{Recorder, StorageProgress},
    storage::{Folder, Storage},
};
use serde::{Deserialize, Serialize};

/// The stored form of an entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) now_ms: u64,
    /// [`Exchange::fingerprint`](bitmart_sim::Exchange::fingerprint) after the entry, with which a replay is verified.
    pub(crate) mark: u64,
    pub(crate) entry: Entry,
}
