//! The data folder: every [`Entry`] is written down before anything that came of it leaves the sandbox,
//! and now and then the whole state. After a restart the latest state is loaded and the entries since then
//! happen again.
//!
//! An entry is a command to the exchange, or something that the sandbox itself does; requests of clients are
//! never stored. What lies in a folder stays readable:
//!
//! - Every version reads the folders of older versions.
//! - Commands, entries and their fields are only added, and a new field has a default that means what was
//!   meant before there was one. None is renamed or removed, and none changes its meaning.
//! - A change that cannot keep to this is a new format (`store::FORMAT`), with code that reads the one before.
//! - A folder of a newer format is rejected.
//!
//! `fixtures/journal` has a folder of each format, and every entry as it is stored.
//!
//! Format 1, from before the first release, stored requests, and its states knew no ledger: it is not read.

mod checkpoint;
mod entry;
mod medium;
mod recovery;
#[cfg(test)]
mod rejects;
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

/// Work after which the whole state is written down again, in requests: to do it once more takes about a
/// second, and so long a restart takes longer. Unit tests are to see some.
const CHECKPOINT: u64 = if cfg!(test) { 25 } else { 20_000 };
/// What a beat of all markets costs in requests.
const BEAT: u64 = 10;

/// Number of an input: 1 for the first one of a data folder.
pub(crate) type Number = u64;

/// An input as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Record {
    now_ms: u64,
    /// [`Exchange::mark`](crate::exchange::Exchange::mark) after it.
    mark: u64,
    entry: Entry,
}

/// Where the inputs of a state go. It lies under the lock of the state, so that their order is that in
/// which they happened.
#[derive(Debug, Default)]
pub(crate) enum Recorder {
    /// Nothing is stored.
    #[default]
    Off,
    /// Recorded inputs happen again; the mark of the latest.
    Replay(Option<u64>),
    Live(Live),
}

#[derive(Debug)]
pub(crate) struct Live {
    writer: Sender<Message>,
    last: Number,
    /// Since the last checkpoint, in requests.
    work: u64,
}

impl Recorder {
    /// Takes an input down and says its number; 0 when nothing is stored.
    pub(crate) fn record(
        &mut self,
        entry: Entry,
        now_ms: u64,
        mark: impl FnOnce() -> u64,
    ) -> Number {
        match self {
            Self::Off => 0,
            Self::Replay(last) => {
                *last = Some(mark());
                0
            }
            Self::Live(live) => {
                live.last += 1;
                live.work += if entry == Entry::Step { BEAT } else { 1 };
                let record = Record { now_ms, mark: mark(), entry };
                // A writer that has given up has said so: nothing more is answered.
                let _ = live.writer.send(Message::Record(live.last, record));
                live.last
            }
        }
    }

    /// The number of the latest input.
    pub(crate) fn last(&self) -> Number {
        match self {
            Self::Live(live) => live.last,
            Self::Off | Self::Replay(_) => 0,
        }
    }

    /// Whether it is time to write the whole state down.
    pub(crate) fn wants_checkpoint(&self) -> bool {
        matches!(self, Self::Live(live) if live.work >= CHECKPOINT)
    }

    /// Has the whole state written down, by and by: turning it into bytes takes long.
    pub(crate) fn checkpoint(&mut self, checkpoint: Checkpoint) {
        let Self::Live(live) = self else { return };
        live.work = 0;
        let writer = live.writer.clone();
        let encode = move || {
            // As above.
            let _ = writer.send(Message::Checkpoint(checkpoint.encode()));
        };
        // Without a thread the journal goes on growing until the next one.
        drop(thread::Builder::new().name("checkpoint".to_owned()).spawn(encode));
    }

    /// Gives a receiver that ends when all that was recorded is stored, or never will be.
    pub(crate) fn flush(&self) -> Option<mpsc::Receiver<()>> {
        let Self::Live(live) = self else { return None };
        let (done, receiver) = mpsc::channel();
        live.writer.send(Message::Flush(done)).ok()?;
        Some(receiver)
    }

    /// Stores the whole state as the last thing, and ends the writer.
    pub(crate) fn close(&mut self, checkpoint: &Checkpoint) {
        if let Self::Live(live) = std::mem::take(self) {
            let _ = live.writer.send(Message::Checkpoint(checkpoint.encode()));
        }
    }
}

/// How far the writer has come.
#[derive(Debug, Clone)]
pub(crate) struct Stored(watch::Receiver<Progress>);

impl Stored {
    /// Waits until an input is stored, and all before it; false when it is not, and nothing can be stored now.
    pub(crate) async fn reaches(&self, number: Number) -> bool {
        let mut progress = self.0.clone();
        let reached = progress.wait_for(|progress| {
            progress.stored >= number || (progress.stuck && progress.decided >= number)
        });
        reached.await.is_ok_and(|progress| progress.stored >= number)
    }

    /// Whether what happens now can be stored.
    pub(crate) fn takes_inputs(&self) -> bool {
        !self.0.borrow().stuck
    }

    /// Waits until the writer has ended and the data folder is free.
    pub(crate) async fn ended(&self) {
        // An error is the end.
        drop(self.0.clone().wait_for(|_| false).await);
    }
}

/// Why a data folder cannot be used.
#[derive(Debug)]
pub(crate) enum DataError {
    InUse,
    Io(std::io::Error),
    /// The store says that it is none, damaged, or of another format.
    Store(Box<redb::Error>),
    Format(String),
    Unreadable(serde_json::Error),
    Snapshot(SnapshotError),
    /// A record is missing, or the exchange did something else when an input happened again.
    Gap(Number),
    Diverged {
        number: Number,
        written_by: String,
    },
    /// Somebody else than who runs the sandbox may write to it.
    Open(String),
    /// There is an exchange in it, and another one is to be restored.
    Occupied,
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => f.write_str("it is in use by another sandbox"),
            Self::Io(error) => error.fmt(f),
            Self::Store(error) => write!(f, "no data of a sandbox, or damaged: {error}"),
            Self::Format(format) => write!(
                f,
                "it has the format {format:?}, made by another version; this one reads {:?}",
                store::FORMAT
            ),
            Self::Unreadable(error) => write!(f, "a record cannot be read: {error}"),
            Self::Snapshot(error) => error.fmt(f),
            Self::Gap(number) => write!(f, "input {number} is missing"),
            Self::Diverged { number, written_by } => write!(
                f,
                "input {number} did not do what it did before. It was written by version {written_by}, this \
                 is {}: start and stop it once with the version that wrote it",
                checkpoint::VERSION
            ),
            Self::Open(why) => f.write_str(why),
            Self::Occupied => f.write_str(
                "there is an exchange in it; a snapshot is restored into an empty folder",
            ),
        }
    }
}

impl std::error::Error for DataError {}

impl DataError {
    /// Whether it may be over by and by, as a full disk is.
    fn is_passing(&self) -> bool {
        let Self::Store(error) = self else { return matches!(self, Self::Io(_)) };
        // What the store says after an error until it is opened again.
        matches!(**error, redb::Error::PreviousIo)
    }
}

/// What is told about storing.
#[derive(Debug)]
pub(crate) enum Notice {
    /// Nothing can be stored now.
    Stuck(DataError),
    /// All is stored again.
    Again,
    /// Nothing will be stored any more.
    Over(DataError),
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

/// A data folder, and why it cannot be used.
#[derive(Debug)]
pub(crate) struct Unusable {
    pub(crate) folder: PathBuf,
    pub(crate) error: DataError,
}
