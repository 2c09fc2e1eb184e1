//! The data folder. Every [`Entry`] is stored before its outcome leaves the sandbox, and from time to time a
//! checkpoint of the complete state is stored. After a restart, the latest checkpoint is loaded and the entries since
//! then are replayed.
//!
//! An entry is a command to the exchange or an action of the sandbox itself. Requests of clients are not stored.
//! Folders stay readable:
//!
//! - Every version reads the folders of older versions.
//! - Commands, entries and fields are only added. A new field has a default with the previous meaning. None is renamed
//!   or removed, and none changes its meaning.
//! - Any other change is a new format (`store::FORMAT`), with code that reads the previous format.
//! - A folder of a newer format is rejected.
//!
//! `fixtures/journal` contains a folder of each format, and every entry in its stored form.
//!
//! Format 1, from before the first release, stored requests, and its states had no ledger. It is not read.

mod checkpoint;
mod entry;
mod recovery;
mod storage;
mod store;
#[cfg(test)]
mod stored_entries;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fmt,
    io::ErrorKind,
    path::PathBuf,
    sync::mpsc::{self, Sender},
    thread,
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use self::writer::{Message, Progress};
pub(crate) use self::{
    checkpoint::Checkpoint,
    entry::{Entry, StoredKey},
    recovery::open,
};
use crate::SnapshotError;

/// Work after which a checkpoint is stored, in requests. Replaying this much takes about a second at a restart. Unit
/// tests use a small value, so that they store checkpoints as well.
const CHECKPOINT: u64 = if cfg!(test) { 25 } else { 20_000 };
/// The work of one step of all markets, in requests.
const STEP_WORK: u64 = 10;

/// The number of an input: 1 for the first input of a data folder, 0 for none.
pub(crate) type InputNumber = u64;

/// The stored form of an input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Record {
    now_ms: u64,
    /// [`Exchange::mark`](bitmart_sim::Exchange::mark) after the input, with which a replay is verified.
    mark: u64,
    entry: Entry,
}

/// Records the inputs of a state. It is behind the lock of the state, so that inputs are stored in the order in which
/// they were applied.
#[derive(Debug, Default)]
pub(crate) enum Recorder {
    /// Nothing is stored.
    #[default]
    Off,
    /// Stored inputs are replayed. Contains the mark after the latest one.
    Replay(Option<u64>),
    Live(Live),
}

#[derive(Debug)]
pub(crate) struct Live {
    writer: Sender<Message>,
    last: InputNumber,
    /// Work since the last checkpoint, in requests.
    work: u64,
}

impl Recorder {
    /// Records an input and returns its number; 0 if nothing is stored.
    pub(crate) fn record(
        &mut self,
        entry: Entry,
        now_ms: u64,
        mark: impl FnOnce() -> u64,
    ) -> InputNumber {
        match self {
            Self::Off => 0,
            Self::Replay(last) => {
                *last = Some(mark());
                0
            }
            Self::Live(live) => {
                live.last += 1;
                live.work += if entry == Entry::Step { STEP_WORK } else { 1 };
                let record = Record { now_ms, mark: mark(), entry };
                // An error means that the writer has failed. It has reported that, and no response is sent any more.
                let _ = live.writer.send(Message::Record(live.last, record));
                live.last
            }
        }
    }

    /// The number of the latest input.
    pub(crate) fn last(&self) -> InputNumber {
        match self {
            Self::Live(live) => live.last,
            Self::Off | Self::Replay(_) => 0,
        }
    }

    /// Whether a checkpoint is due.
    pub(crate) fn is_checkpoint_due(&self) -> bool {
        matches!(self, Self::Live(live) if live.work >= CHECKPOINT)
    }

    /// Stores a checkpoint in the background, because encoding it takes long.
    pub(crate) fn checkpoint(&mut self, checkpoint: Checkpoint) {
        let Self::Live(live) = self else { return };
        live.work = 0;
        let writer = live.writer.clone();
        let encode = move || {
            // An error means that the writer has failed.
            let _ = writer.send(Message::Checkpoint(checkpoint.encode()));
        };
        // If no thread can be started, the journal grows until the next checkpoint.
        drop(thread::Builder::new().name("checkpoint".to_owned()).spawn(encode));
    }

    /// Returns a receiver that ends when all recorded inputs are stored, or cannot be stored.
    pub(crate) fn flush(&self) -> Option<mpsc::Receiver<()>> {
        let Self::Live(live) = self else { return None };
        let (done, receiver) = mpsc::channel();
        live.writer.send(Message::Flush(done)).ok()?;
        Some(receiver)
    }

    /// Stores a final checkpoint and ends the writer.
    pub(crate) fn close(&mut self, checkpoint: &Checkpoint) {
        if let Self::Live(live) = std::mem::take(self) {
            let _ = live.writer.send(Message::Checkpoint(checkpoint.encode()));
        }
    }
}

/// The progress of the writer.
#[derive(Debug, Clone)]
pub(crate) struct StorageProgress(watch::Receiver<Progress>);

impl StorageProgress {
    /// Waits until an input and all inputs before it are stored. Returns false if nothing can be stored at present.
    pub(crate) async fn wait_until_stored(&self, number: InputNumber) -> bool {
        let mut progress = self.0.clone();
        let reached = progress.wait_for(|progress| {
            progress.stored >= number || (progress.stalled && progress.handled >= number)
        });
        reached.await.is_ok_and(|progress| progress.stored >= number)
    }

    /// Whether new inputs can be stored.
    pub(crate) fn is_writable(&self) -> bool {
        !self.0.borrow().stalled
    }

    /// Waits until the writer has ended and the data folder is released.
    pub(crate) async fn wait_until_closed(&self) {
        // The error of a closed channel is the end.
        drop(self.0.clone().wait_for(|_| false).await);
    }
}

/// Why a data folder cannot be used.
#[derive(Debug)]
pub(crate) enum DataError {
    InUse,
    Io(std::io::Error),
    /// The file is not a store, or it is damaged.
    Store(Box<redb::Error>),
    Format(String),
    Unreadable(serde_json::Error),
    Snapshot(SnapshotError),
    /// A record is missing.
    MissingInput(InputNumber),
    /// Replaying an input led to another state.
    Diverged {
        number: InputNumber,
        written_by: String,
    },
    /// Another user can write to the folder. The text says how.
    Permissions(String),
    /// A snapshot is to be restored, but the folder contains an exchange.
    NotEmpty,
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => f.write_str("it is in use by another sandbox"),
            Self::Io(error) => error.fmt(f),
            Self::Store(error) => {
                write!(f, "it is not the data of a sandbox, or it is damaged: {error}")
            }
            Self::Format(format) => write!(
                f,
                "it has the format {format:?} of another version; this version reads {:?}",
                store::FORMAT
            ),
            Self::Unreadable(error) => write!(f, "a record cannot be read: {error}"),
            Self::Snapshot(error) => error.fmt(f),
            Self::MissingInput(number) => write!(f, "input {number} is missing"),
            Self::Diverged { number, written_by } => write!(
                f,
                "replaying input {number} led to another state. It was written by version {written_by}, and this \
                 is version {}: start and stop it once with the version that wrote it",
                checkpoint::VERSION
            ),
            Self::Permissions(reason) => f.write_str(reason),
            Self::NotEmpty => f.write_str(
                "it contains an exchange; a snapshot can only be restored into an empty folder",
            ),
        }
    }
}

impl std::error::Error for DataError {}

impl DataError {
    /// Whether the error may disappear, such as that of a full disk.
    fn is_temporary(&self) -> bool {
        let Self::Store(error) = self else { return matches!(self, Self::Io(_)) };
        // The store returns this error after another one, until it is opened again.
        matches!(**error, redb::Error::PreviousIo)
    }
}

/// A change of the state of the writer, which is reported on standard error.
#[derive(Debug)]
pub(crate) enum StorageEvent {
    /// Nothing can be stored at present.
    Stalled(DataError),
    /// Everything is stored again.
    Resumed,
    /// Nothing will be stored any more, because of a permanent error.
    Failed(DataError),
}

impl<E: Into<redb::Error>> From<E> for DataError {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            redb::Error::Io(error)
                if !matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
            {
                Self::Io(error)
            }
            error => Self::Store(Box::new(error)),
        }
    }
}

/// A data folder that cannot be used.
#[derive(Debug)]
pub(crate) struct OpenError {
    pub(crate) folder: PathBuf,
    pub(crate) error: DataError,
}
