//! Opening of a store: its content, and the start of its writer.

use super::{
    Checkpoint, DataError, Entry, EntryNumber, Folder, Journal, Storage, StorageEvent,
    StorageProgress, StoredKey,
    checkpoint::Header,
    reserve::Reserve,
    store::{Content, FORMAT, Store},
    writer,
};
use crate::snapshot::Snapshot;

/// A store that is open and has no writer yet.
#[derive(Debug)]
pub(crate) struct OpenStore<S> {
    // The store is closed before its storage is released: fields are dropped in their order.
    store: Store,
    reserve: Reserve,
    storage: S,
}

/// The content of a store: a checkpoint, and the entries since then.
#[derive(Debug)]
pub(crate) struct StoredState {
    /// The last entry that the snapshot includes.
    pub(crate) last: EntryNumber,
    /// The version of the program that wrote the checkpoint.
    pub(crate) version: String,
    /// Keys with given secrets that were added at run time.
    pub(crate) keys: Vec<StoredKey>,
    pub(crate) snapshot: Snapshot,
    pub(crate) entries: Vec<(EntryNumber, Entry)>,
    /// Whether the fingerprints of the entries are those of this version. In a former format they cannot be compared.
    pub(crate) has_fingerprints: bool,
}

impl OpenStore<Folder> {
    /// Creates the store of a folder without one, and opens it.
    pub(crate) fn create(folder: Folder, checkpoint: &Checkpoint) -> Result<Self, DataError> {
        // The reserve of a store that was deleted has no content for the new one. It is emptied first: after a crash
        // between the two, its content would be appended to the new store.
        let (mut reserve, former) = Reserve::read(&folder).map_err(DataError::Io)?;
        if !former.is_empty() {
            reserve.write(&folder, &[]).map_err(DataError::Io)?;
        }
        folder.create(&checkpoint.encode()?)?;
        let store = folder.open()?;
        Ok(Self { store, reserve, storage: folder })
    }
}

impl<S: Storage> OpenStore<S> {
    /// Opens a store, and moves the content of the reserve into it.
    pub(crate) fn open(storage: S) -> Result<Self, DataError> {
        let store = storage.open()?;
        let (mut reserve, reserved) = Reserve::read(&storage).map_err(DataError::Io)?;
        store.check_format()?;
        // The reserve contains the entries that waited when the disk became full. They follow those in the store.
        if !reserved.is_empty() {
            let reserved: Vec<_> =
                serde_json::from_slice(&reserved).map_err(DataError::Unreadable)?;
            store.append(&reserved)?;
            reserve.write(&storage, &[]).map_err(DataError::Io)?;
        }
        Ok(Self { store, reserve, storage })
    }

    /// Reads the complete content.
    pub(crate) fn load(&self) -> Result<StoredState, DataError> {
        let Content { format, head, snapshot, entries } = self.store.load()?;
        let (Header { last, version, keys }, snapshot) = Checkpoint::decode(&head, &snapshot)?;
        let has_fingerprints = format == FORMAT;
        Ok(StoredState { last, version, keys, snapshot, entries, has_fingerprints })
    }

    /// Replaces the checkpoint and removes the entries that it includes.
    pub(crate) fn checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), DataError> {
        self.store.checkpoint(&checkpoint.encode()?)
    }

    /// Starts the writer, which stores the entries after `last`. `notify` is called when it stalls, resumes or fails.
    pub(crate) fn start_writer(
        self,
        last: EntryNumber,
        notify: impl FnMut(StorageEvent) + Send + 'static,
    ) -> Result<(Journal, StorageProgress), DataError> {
        let Self { store, reserve, storage } = self;
        storage.create_reserve().map_err(DataError::Io)?;
        let started = writer::start(storage, reserve, store, last, notify);
        let (writer, progress) = started.map_err(DataError::Io)?;
        Ok((Journal::live(writer, last), StorageProgress(progress)))
    }
}
