//! The writer thread. One commit stores all waiting entries, so that many requests share its cost.
//!
//! If writing fails temporarily, usually because the disk is full, the writer stalls: it keeps the waiting entries,
//! reports that it is stalled, so that no further entries are accepted, and retries. The waiting entries are written to
//! the reserve, so that the complete state is durable and can be read meanwhile.

use std::{
    io,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use tokio::sync::watch;

use super::{
    DataError, Entry, EntryNumber, StorageEvent, checkpoint::Encoded, reserve::Reserve,
    storage::Storage, store::Store,
};

/// Maximum number of entries per commit.
const BATCH: usize = 1_024;
/// Pause between two attempts while the writer is stalled.
const RETRY_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 500 });

/// A message to the writer.
#[derive(Debug)]
pub(super) enum Message {
    Entry(EntryNumber, Entry),
    /// The sender, if there is one, learns whether it was stored.
    Checkpoint(Result<Encoded, DataError>, Option<Sender<bool>>),
    /// Respond when all entries before this message are stored, or cannot be stored at present.
    Flush(Sender<()>),
}

/// The progress of the writer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    /// The last entry that is stored, as are all before it.
    pub(super) stored: EntryNumber,
    /// Whether nothing can be stored at present.
    pub(super) stalled: bool,
    /// The last entry that the writer has handled: it is stored, or could not be stored. While the writer is stalled,
    /// later entries may wait.
    pub(super) handled: EntryNumber,
}

/// Starts the writer, which ends when its sender is dropped. `notify` is called when it stalls, resumes or fails.
pub(super) fn start(
    storage: impl Storage,
    reserve: Reserve,
    store: Store,
    last: EntryNumber,
    notify: impl FnMut(StorageEvent) + Send + 'static,
) -> io::Result<(Sender<Message>, watch::Receiver<Progress>)> {
    let (sender, messages) = mpsc::channel();
    let (progress, receiver) =
        watch::channel(Progress { stored: last, stalled: false, handled: last });
    let (store, pending) = (Some(store), Vec::new());
    let writer = Writer { storage, reserve, store, progress, notify, pending, in_checkpoint: 0 };
    thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run(&messages))?;
    Ok((sender, receiver))
}

// Fields are dropped in their order, so the folder is released before the progress channel closes.
struct Writer<S, N> {
    /// `None` after an error, until it is opened again.
    store: Option<Store>,
    storage: S,
    reserve: Reserve,
    progress: watch::Sender<Progress>,
    notify: N,
    /// Entries that are not in the store yet.
    pending: Vec<(EntryNumber, Entry)>,
    /// The last entry that the newest checkpoint includes.
    in_checkpoint: EntryNumber,
}

impl<S: Storage, N: FnMut(StorageEvent)> Writer<S, N> {
    fn run(mut self, messages: &Receiver<Message>) {
        if let Err(error) = self.write(messages) {
            self.progress.send_modify(|progress| progress.stalled = true);
            (self.notify)(StorageEvent::Failed(error));
        }
    }

    fn is_stalled(&self) -> bool {
        self.progress.borrow().stalled
    }

    /// Handles messages until the sender is dropped. Only returns permanent errors.
    fn write(&mut self, messages: &Receiver<Message>) -> Result<(), DataError> {
        loop {
            let first = if self.is_stalled() {
                match messages.recv_timeout(RETRY_PAUSE) {
                    Ok(first) => first,
                    Err(RecvTimeoutError::Timeout) => {
                        self.retry()?;
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => return self.retry(),
                }
            } else {
                match messages.recv() {
                    Ok(first) => first,
                    Err(_) => return Ok(()),
                }
            };
            let mut other_message = None;
            for message in std::iter::once(first).chain(messages.try_iter()).take(BATCH) {
                match message {
                    Message::Entry(number, entry) => self.pending.push((number, entry)),
                    // Later messages wait until this one is done.
                    message => {
                        other_message = Some(message);
                        break;
                    }
                }
            }
            if self.is_stalled() {
                self.write_pending_to_reserve();
            } else {
                let appended = self.append();
                self.stall_on_error(appended)?;
            }
            match other_message {
                Some(Message::Checkpoint(checkpoint, done)) => {
                    if !self.is_stalled() {
                        let stored = self.checkpoint(&checkpoint?);
                        self.stall_on_error(stored)?;
                    }
                    if let Some(done) = done {
                        // The receiver may have been dropped.
                        let _ = done.send(!self.is_stalled());
                    }
                }
                // The receiver may have been dropped.
                Some(Message::Flush(done)) => drop(done.send(())),
                Some(Message::Entry(..)) | None => {}
            }
        }
    }

    fn store(&mut self) -> Result<&Store, DataError> {
        if self.store.is_none() {
            self.store = Some(self.storage.open()?);
        }
        self.store.as_ref().ok_or(DataError::InUse)
    }

    /// Stores the pending entries.
    fn append(&mut self) -> Result<(), DataError> {
        let Some((last, _)) = self.pending.last() else { return Ok(()) };
        let last = *last;
        let pending = std::mem::take(&mut self.pending);
        let stored = self.store().and_then(|store| store.append(&pending));
        if let Err(error) = stored {
            self.pending = pending;
            return Err(error);
        }
        self.progress.send_modify(|progress| {
            progress.stored = last;
            progress.handled = last;
        });
        Ok(())
    }

    fn checkpoint(&mut self, checkpoint: &Encoded) -> Result<(), DataError> {
        // A checkpoint that took longer to encode than its successor is outdated: its entries are removed already.
        if checkpoint.last >= self.in_checkpoint {
            self.in_checkpoint = checkpoint.last;
            self.store()?.checkpoint(checkpoint)?;
            // The checkpoint of a saved state includes an entry that was not stored by itself.
            let last = checkpoint.last;
            self.progress.send_modify(|progress| {
                progress.stored = progress.stored.max(last);
                progress.handled = progress.handled.max(last);
            });
        }
        Ok(())
    }

    /// Stalls after a temporary error: pending entries are written to the reserve. Returns permanent errors.
    fn stall_on_error(&mut self, outcome: Result<(), DataError>) -> Result<(), DataError> {
        let Err(error) = outcome else { return Ok(()) };
        if !error.is_temporary() {
            return Err(error);
        }
        // After an error, the store has to be opened again.
        self.store = None;
        self.write_pending_to_reserve();
        self.progress.send_modify(|progress| progress.stalled = true);
        (self.notify)(StorageEvent::Stalled(error));
        Ok(())
    }

    /// Writes the pending entries to the reserve. If they do not fit, they are not stored, and not reported.
    fn write_pending_to_reserve(&mut self) {
        let Some((last, _)) = self.pending.last() else { return };
        let last = *last;
        let written = serde_json::to_vec(&self.pending)
            .is_ok_and(|all| self.reserve.write(&self.storage, &all).is_ok());
        self.progress.send_modify(|progress| {
            progress.handled = last;
            if written {
                progress.stored = last;
            }
        });
    }

    /// Retries to store the pending entries, and resumes on success.
    fn retry(&mut self) -> Result<(), DataError> {
        if !self.storage.has_free_space() {
            return Ok(());
        }
        // The reserve is emptied before anything else is stored, because recovery appends its content to the store.
        let stored = self
            .append()
            .and_then(|()| self.reserve.write(&self.storage, &[]).map_err(DataError::Io));
        if let Err(error) = stored {
            self.store = None;
            return if error.is_temporary() { Ok(()) } else { Err(error) };
        }
        self.progress.send_modify(|progress| progress.stalled = false);
        (self.notify)(StorageEvent::Resumed);
        Ok(())
    }
}
