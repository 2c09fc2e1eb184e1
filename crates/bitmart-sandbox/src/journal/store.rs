//! The file of a data folder: a `redb` database with two tables.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use redb::{
    Builder, Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
    backends::FileBackend,
};

use super::{DataError, Number, Record, checkpoint::Encoded};

/// Changes with every change of the tables or of a record.
pub(super) const FORMAT: &str = "1";
const FILE: &str = "exchange.redb";
/// A store that is not whole yet.
const NEW: &str = "exchange.redb.new";
const LOCK: &str = "lock";

/// `format`, and the latest checkpoint as `head` and `snapshot`.
const STATE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("state");
/// The inputs since then, by number.
const INPUTS: TableDefinition<'_, Number, &[u8]> = TableDefinition::new("inputs");

/// Pages that are kept in memory: the journal is only appended to.
const CACHE: usize = 16 << 20;

/// A data folder that is ours as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    lock: File,
}

impl Folder {
    /// Takes a folder, which is made when it is not there. It is for the owner only, because there are
    /// secrets in it.
    pub(super) fn take(path: &Path) -> Result<Self, DataError> {
        make_folder(path).map_err(DataError::Io)?;
        let lock = open_file(&path.join(LOCK)).map_err(DataError::Io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(DataError::InUse),
            Err(TryLockError::Error(error)) => Err(DataError::Io(error)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.path.join(FILE).exists()
    }

    /// Opens the store of the folder.
    pub(super) fn open(self) -> Result<Store, DataError> {
        let store = Store::with_backend(backend(&self.path.join(FILE))?)?;
        Ok(Store { lock: Some(self.lock), ..store })
    }

    /// Makes the store of an empty folder. It gets its name when it is whole, so that a kill in between
    /// leaves nothing behind that cannot be opened.
    pub(super) fn create(self, checkpoint: &Encoded) -> Result<Store, DataError> {
        let new = self.path.join(NEW);
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(DataError::Io(error));
            }
            _ => {}
        }
        Store::with_backend(backend(&new)?)?.checkpoint(checkpoint)?;
        let named = fs::rename(&new, self.path.join(FILE)).and_then(|()| sync_folder(&self.path));
        named.map_err(DataError::Io)?;
        self.open()
    }
}

#[derive(Debug)]
pub(super) struct Store {
    database: Database,
    /// Of the folder; a store that is not in one has none.
    #[allow(dead_code, reason = "holds the lock")]
    lock: Option<File>,
}

/// What lies in a store.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) head: Vec<u8>,
    pub(super) snapshot: Vec<u8>,
    pub(super) inputs: Vec<(Number, Record)>,
}

impl Store {
    pub(super) fn with_backend(backend: impl StorageBackend) -> Result<Self, DataError> {
        let mut builder = Builder::new();
        // Reads all of it once, so that damage is found now and not when it is in the way.
        builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
        Ok(Self { database: builder.create_with_backend(backend)?, lock: None })
    }

    pub(super) fn load(&self) -> Result<Content, DataError> {
        let transaction = self.database.begin_read()?;
        let state = transaction.open_table(STATE)?;
        let row = |name| {
            let row = state.get(name)?.map(|row| row.value().to_vec());
            Ok::<_, DataError>(row.unwrap_or_default())
        };
        let format = row("format")?;
        if format != FORMAT.as_bytes() {
            return Err(DataError::Format(String::from_utf8_lossy(&format).into_owned()));
        }
        let mut inputs = Vec::new();
        for entry in transaction.open_table(INPUTS)?.iter()? {
            let (number, record) = entry?;
            let record = serde_json::from_slice(record.value()).map_err(DataError::Unreadable)?;
            inputs.push((number.value(), record));
        }
        Ok(Content { head: row("head")?, snapshot: row("snapshot")?, inputs })
    }

    /// Stores inputs, all or none. When this returns they survive the loss of power.
    pub(super) fn append(&self, records: &[(Number, Record)]) -> Result<(), DataError> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(INPUTS)?;
            for (number, record) in records {
                let bytes = serde_json::to_vec(record).map_err(DataError::Unreadable)?;
                table.insert(number, bytes.as_slice())?;
            }
        }
        Ok(transaction.commit()?)
    }

    #[cfg(test)]
    pub(super) fn set_format(&self, format: &str) -> Result<(), DataError> {
        let transaction = self.database.begin_write()?;
        transaction.open_table(STATE)?.insert("format", format.as_bytes())?;
        Ok(transaction.commit()?)
    }

    /// Replaces the checkpoint and drops the inputs that it includes.
    pub(super) fn checkpoint(&self, checkpoint: &Encoded) -> Result<(), DataError> {
        let transaction = self.database.begin_write()?;
        {
            let mut state = transaction.open_table(STATE)?;
            state.insert("format", FORMAT.as_bytes())?;
            state.insert("head", checkpoint.head.as_slice())?;
            state.insert("snapshot", checkpoint.snapshot.as_slice())?;
            let mut inputs = transaction.open_table(INPUTS)?;
            inputs.retain_in(..=checkpoint.last, |_, _| false)?;
        }
        Ok(transaction.commit()?)
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn backend(path: &Path) -> Result<FileBackend, DataError> {
    Ok(FileBackend::new(open_file(path).map_err(DataError::Io)?)?)
}

/// Makes new names in a folder, and its own, survive the loss of power.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened like a file.
    #[cfg(unix)]
    for folder in [Some(folder), folder.canonicalize()?.parent()].into_iter().flatten() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
