//! Recording of inputs, and the progress of their storage.

use std::{
    sync::mpsc::{self, Sender},
    thread,
};

use tokio::sync::watch;

use super::{
    Checkpoint, Entry, Record,
    writer::{Message, Progress},
};
use crate::input_number::InputNumber;

/// Work after which a checkpoint is stored, in requests. Replaying this much takes about a second at a restart. Unit
/// tests use a small value, so that they store checkpoints as well.
const CHECKPOINT: u64 = if cfg!(test) { 25 } else { 20_000 };
/// The work of one step of all markets, in requests.
const STEP_WORK: u64 = 10;

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
    /// The journal is closed. Contains the last input, which is above all stored ones after any further input.
    Closed(InputNumber),
}

/// The connection to a writer.
#[derive(Debug)]
pub(crate) struct Live {
    writer: Sender<Message>,
    last: InputNumber,
    /// Work since the last checkpoint, in requests.
    work: u64,
}

impl Recorder {
    /// Records inputs after `last` with a writer.
    pub(super) fn live(writer: Sender<Message>, last: InputNumber) -> Self {
        Self::Live(Live { writer, last, work: 0 })
    }

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
            Self::Closed(last) => {
                // It is never stored, so its outcome is never reported.
                *last = InputNumber::MAX;
                *last
            }
            Self::Live(live) => {
                live.last += 1;
                live.work += if entry == Entry::Step { STEP_WORK } else { 1 };
                let record = Record { now_ms, mark: mark(), entry };
                // An error means that the writer has failed. It has reported that, and what is not stored is reported
                // to callers as such.
                let _ = live.writer.send(Message::Record(live.last, record));
                live.last
            }
        }
    }

    /// The number of the latest input.
    pub(crate) fn last(&self) -> InputNumber {
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

    /// Counts an input that is not stored, because a checkpoint that includes it follows. Returns its number.
    pub(crate) fn skip(&mut self) -> InputNumber {
        if let Self::Live(live) = self {
            live.last += 1;
        }
        self.last()
    }

    /// Takes back [`skip`](Self::skip), if no such checkpoint was stored: a missing number would make the folder
    /// unreadable.
    pub(crate) fn unskip(&mut self) {
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

    /// Returns a receiver that ends when all recorded inputs are stored, or cannot be stored.
    pub(crate) fn flush(&self) -> Option<mpsc::Receiver<()>> {
        let Self::Live(live) = self else { return None };
        let (done, receiver) = mpsc::channel();
        live.writer.send(Message::Flush(done)).ok()?;
        Some(receiver)
    }

    /// Stores a final checkpoint, if there is one, and ends the writer. Later inputs are not stored.
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
    /// Waits until an input and all inputs before it are stored. Returns false if nothing can be stored at present.
    pub(crate) async fn wait_until_stored(&self, number: InputNumber) -> bool {
        let mut progress = self.0.clone();
        let reached = progress.wait_for(|progress| {
            progress.stored >= number || (progress.stalled && progress.handled >= number)
        });
        reached.await.is_ok_and(|progress| progress.stored >= number)
    }

    /// Whether an input and all inputs before it are stored.
    pub(crate) fn is_stored(&self, number: InputNumber) -> bool {
        self.0.borrow().stored >= number
    }

    /// Whether new inputs can be stored. They cannot after the writer has ended.
    pub(crate) fn is_writable(&self) -> bool {
        self.0.has_changed().is_ok() && !self.0.borrow().stalled
    }

    /// Waits until the writer has ended and the data folder is released.
    pub(crate) async fn wait_until_closed(&self) {
        // The error of a closed channel is the end.
        drop(self.0.clone().wait_for(|_| false).await);
    }
}
