//! The store of a data folder: a `redb` database with two tables.

use redb::{Builder, Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};

use super::{DataError, Entry, EntryNumber, checkpoint::Encoded};

/// The format of the tables and entries. See the module `journal` for when it changes.
pub(super) const FORMAT: &str = "3";
/// The former format, which is read. The fingerprints of its entries cannot be compared.
pub(super) const FORMER_FORMAT: &str = "2";

/// `format`, and the latest checkpoint as `head` and `snapshot`.
const STATE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("state");
/// The entries since the checkpoint, by number. `inputs` is their former name, which stored folders keep.
const ENTRIES: TableDefinition<'_, EntryNumber, &[u8]> = TableDefinition::new("inputs");

/// Size of the page cache in bytes. It is small, because the journal is only appended to.
const CACHE: usize = 16 << 20;

/// The database of a data folder.
#[derive(Debug)]
pub(crate) struct Store(Database);

/// The content of a store.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) format: String,
    pub(super) head: Vec<u8>,
    pub(super) snapshot: Vec<u8>,
    pub(super) entries: Vec<(EntryNumber, Entry)>,
}

impl Store {
    pub(super) fn with_backend(backend: impl StorageBackend) -> Result<Self, DataError> {
        let mut builder = Builder::new();
        // Reads the complete file once, so that damage is detected at the start.
        builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
        Ok(Self(builder.create_with_backend(backend)?))
    }

    /// Checks that this version reads the format.
    pub(super) fn check_format(&self) -> Result<(), DataError> {
        let format = self.format()?;
        let is_read = [FORMAT, FORMER_FORMAT].contains(&format.as_str());
        if is_read { Ok(()) } else { Err(DataError::Format(format)) }
    }

    fn format(&self) -> Result<String, DataError> {
        let transaction = self.0.begin_read()?;
        let state = transaction.open_table(STATE)?;
        let format = state.get("format")?;
        let format = format.map(|row| String::from_utf8_lossy(row.value()).into_owned());
        Ok(format.unwrap_or_default())
    }

    pub(super) fn load(&self) -> Result<Content, DataError> {
        let transaction = self.0.begin_read()?;
        let state = transaction.open_table(STATE)?;
        let row = |name| {
            let row = state.get(name)?.map(|row| row.value().to_vec());
            Ok::<_, DataError>(row.unwrap_or_default())
        };
        let mut entries = Vec::new();
        for row in transaction.open_table(ENTRIES)?.iter()? {
            let (number, entry) = row?;
            let entry = serde_json::from_slice(entry.value()).map_err(DataError::Unreadable)?;
            entries.push((number.value(), entry));
        }
        Ok(Content {
            format: self.format()?,
            head: row("head")?,
            snapshot: row("snapshot")?,
            entries,
        })
    }

    /// Stores all entries in one transaction. When this returns, they survive a power failure.
    pub(super) fn append(&self, entries: &[(EntryNumber, Entry)]) -> Result<(), DataError> {
        let transaction = self.0.begin_write()?;
        {
            let mut table = transaction.open_table(ENTRIES)?;
            for (number, entry) in entries {
                let bytes = serde_json::to_vec(entry).map_err(DataError::Unreadable)?;
                table.insert(number, bytes.as_slice())?;
            }
        }
        Ok(transaction.commit()?)
    }

    #[cfg(test)]
    pub(super) fn set_format(&self, format: &str) -> Result<(), DataError> {
        let transaction = self.0.begin_write()?;
        transaction.open_table(STATE)?.insert("format", format.as_bytes())?;
        Ok(transaction.commit()?)
    }

    /// Replaces the checkpoint and removes the entries that it includes.
    pub(super) fn checkpoint(&self, checkpoint: &Encoded) -> Result<(), DataError> {
        let transaction = self.0.begin_write()?;
        {
            let mut state = transaction.open_table(STATE)?;
            state.insert("format", FORMAT.as_bytes())?;
            state.insert("head", checkpoint.head.as_slice())?;
            state.insert("snapshot", checkpoint.snapshot.as_slice())?;
            let mut entries = transaction.open_table(ENTRIES)?;
            entries.retain_in(..=checkpoint.last, |_, _| false)?;
        }
        Ok(transaction.commit()?)
    }
}
