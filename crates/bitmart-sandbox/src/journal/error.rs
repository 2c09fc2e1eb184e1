//! Errors of data folders, and events of their writers.

use std::{fmt, io::ErrorKind};

use super::{EntryNumber, checkpoint, store};
use crate::SnapshotError;

/// The reason for which a data folder cannot be used.
#[derive(Debug)]
pub(crate) enum DataError {
    InUse,
    Io(std::io::Error),
    /// The file is not a store, or it is damaged.
    Store(Box<redb::Error>),
    Format(String),
    Unreadable(serde_json::Error),
    Snapshot(SnapshotError),
    /// An entry is missing.
    MissingEntry(EntryNumber),
    /// Replaying an entry led to another state.
    Diverged {
        number: EntryNumber,
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
                "it has the format {format:?} of another version; this version reads {:?} and {:?}",
                store::FORMER_FORMAT,
                store::FORMAT
            ),
            Self::Unreadable(error) => write!(f, "an entry cannot be read: {error}"),
            Self::Snapshot(error) => error.fmt(f),
            Self::MissingEntry(number) => write!(f, "entry {number} is missing"),
            Self::Diverged { number, written_by } => write!(
                f,
                "replaying entry {number} led to another state. It was written by version {written_by}, and this \
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
    pub(super) fn is_temporary(&self) -> bool {
        let Self::Store(error) = self else { return matches!(self, Self::Io(_)) };
        // The store returns this error after another one, until it is opened again.
        matches!(**error, redb::Error::PreviousIo)
    }
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

/// An event of a data folder, which is reported on standard error.
#[derive(Debug)]
pub(crate) enum StorageEvent {
    /// The folder had a former format. Its entries were replayed, and not compared with what they led to before. It has
    /// the current format from now on.
    Converted {
        /// Number of the replayed entries.
        entries: usize,
    },
    /// Nothing can be stored at present.
    Stalled(DataError),
    /// Everything is stored again.
    Resumed,
    /// Nothing will be stored any more, because of a permanent error.
    Failed(DataError),
}
