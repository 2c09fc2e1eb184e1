//! Appending of entries, and the progress of their storage.

use std::{
    sync::mpsc::{self, Sender},
    thread,
};

use tokio::sync::watch;

use super::{
    Change, Checkpoint, Entry, EntryNumber,
    writer::{Message, Progress},
};

/// Work after which a checkpoint is stored, in requests. Replaying this much takes about a second at a restart. Unit
/// tests use a small value, so that they store checkpoints as well.
const CHECKPOINT: u64 = if cfg!(test) { 25 } else { 20_000 };
/// The work of one step of all markets, in requests.
const STEP_WORK: u64 = 10;

/// The journal of a state. It is behind the lock of the state, so that changes are stored in the order in which they
/// were made.
#[derive(Debug, Default)]
pub(crate) enum Journal {
    /// Nothing is stored.
    #[default]
    Off,
    /// Stored entries are replayed. Contains the fingerprint after the latest one.
    Replay(Option<u64>),
    Live(Live),
    /// Nothing is stored any more. Contains the number of the last entry; after a further change, the largest number,
    /// which is never stored.
    Closed(EntryNumber),
}

/// The connection to a writer.
#[derive(Debug)]
pub(crate) struct Live {
    writer: Sender<Message>,
    last: EntryNumber,
    /// Work since the last checkpoint, in requests.
    work: u64,
}

impl Journal {
    /// Appends entries after `last` with a writer.
    pub(super) fn live(writer: Sender<Message>, last: EntryNumber) -> Self {
        Self::Live(Live { writer, last, work: 0 })
    }

    /// Appends an entry and returns its number; 0 if nothing is stored.
    pub(crate) fn append(
        &mut self,
        change: Change,
        now_ms: u64,
        fingerprint: impl FnOnce() -> u64,
    ) -> EntryNumber {
        match self {
            Self::Off => 0,
            Self::Replay(last) => {
                *last = Some(fingerprint());
                0
            }
            Self::Closed(last) => {
                // The change is never stored, so its outcome is never reported.
                *last = EntryNumber::MAX;
                *last
            }
            Self::Live(live) => {
                live.last += 1;
                live.work += if change == Change::Step { STEP_WORK } else { 1 };
                let entry = Entry { now_ms, fingerprint: fingerprint(), change };
                // An error means that the writer has failed. It has reported that, and what is not stored is reported
                // to callers as such.
                let _ = live.writer.send(Message::Entry(live.last, entry));
                live.last
            }
        }
    }

    /// The number of the latest entry.
    pub(crate) fn last(&self) -> EntryNumber {
        match self {
            Self::Live(live) => live.last,
            Self::Closed(last) => *last,
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
            let _ = writer.send(Message::Checkpoint(checkpoint.encode(), None));
        };
        // If no thread can be started, the journal grows until the next checkpoint.
        drop(thread::Builder::new().name("checkpoint".to_owned()).spawn(encode));
    }

    /// Counts an entry that is not stored, because a checkpoint that includes it follows. Returns its number.
    pub(crate) fn skip(&mut self) -> EntryNumber {
        if let Self::Live(live) = self {
            live.last += 1;
        }
        self.last()
    }

    /// Undoes [`skip`](Self::skip) if that checkpoint was not stored: a missing number would make the folder
    /// unreadable.
    pub(crate) fn undo_skip(&mut self) {
        if let Self::Live(live) = self {
            live.last -= 1;
        }
    }

    /// Stores a checkpoint and waits for that. Returns whether it is stored.
    pub(crate) fn checkpoint_now(&mut self, checkpoint: &Checkpoint) -> bool {
        let Self::Live(live) = self else { return true };
        live.work = 0;
        let (done, stored) = mpsc::channel();
        let sent = live.writer.send(Message::Checkpoint(checkpoint.encode(), Some(done)));
        sent.is_ok() && stored.recv().is_ok_and(|stored| stored)
    }

    /// Returns a receiver that ends when all entries so far are stored, or cannot be stored.
    pub(crate) fn flush(&self) -> Option<mpsc::Receiver<()>> {
        let Self::Live(live) = self else { return None };
        let (done, receiver) = mpsc::channel();
        live.writer.send(Message::Flush(done)).ok()?;
        Some(receiver)
    }

    /// Stores a final checkpoint, if there is one, and ends the writer. Later entries are not stored.
    pub(crate) fn close(&mut self, checkpoint: Option<&Checkpoint>) {
        let closed = Self::Closed(self.last());
        if let Self::Live(live) = std::mem::replace(self, closed)
            && let Some(checkpoint) = checkpoint
        {
            let _ = live.writer.send(Message::Checkpoint(checkpoint.encode(), None));
        }
    }
}

/// The progress of the writer.
#[derive(Debug, Clone)]
pub(crate) struct StorageProgress(pub(super) watch::Receiver<Progress>);

impl StorageProgress {
    /// Waits until an entry and all entries before it are stored. Returns false if nothing can be stored at present.
    pub(crate) async fn wait_until_stored(&self, number: EntryNumber) -> bool {
        let mut progress = self.0.clone();
        let reached = progress.wait_for(|progress| {
            progress.stored >= number || (progress.stalled && progress.handled >= number)
        });
        reached.await.is_ok_and(|progress| progress.stored >= number)
    }

    /// Whether an entry and all entries before it are stored.
    pub(crate) fn is_stored(&self, number: EntryNumber) -> bool {
        self.0.borrow().stored >= number
    }

    /// Whether new entries can be stored. They cannot after the writer has ended.
    pub(crate) fn is_writable(&self) -> bool {
        self.0.has_changed().is_ok() && !self.0.borrow().stalled
    }

    /// Waits until the writer has ended and the data folder is released.
    pub(crate) async fn wait_until_closed(&self) {
        // The error of a closed channel is the end.
        drop(self.0.clone().wait_for(|_| false).await);
    }
}
