//! The thread that writes. One commit takes all that waits, so that many requests share the time it takes.
//!
//! When nothing can be written, mostly because the disk is full, it keeps what has happened already, says that
//! it is stuck, so that nothing more happens, and tries again until there is room. What is on its way then
//! goes into the reserve, so that all of the state is stored and can be read meanwhile.

use std::{
    io,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use tokio::sync::watch;

use super::{DataError, Notice, Number, Record, checkpoint::Encoded, medium::Medium, store::Store};

/// Most inputs of one commit.
const BATCH: usize = 1_024;
/// How soon to try again.
const AGAIN: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 500 });

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Message {
    Record(Number, Record),
    Checkpoint(Result<Encoded, DataError>),
    /// Answer when all before this is stored, or cannot be stored now.
    Flush(Sender<()>),
}

/// How far it has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    /// This input and all before it are stored.
    pub(super) stored: Number,
    /// Nothing more can be stored now.
    pub(super) stuck: bool,
    /// Of this input and all before it is known whether they are stored. While the writer is stuck there
    /// may be others that it has not looked at yet.
    pub(super) decided: Number,
}

/// Starts the writer; it ends when its sender is dropped. `notify` is told when it gets stuck, goes on and gives
/// up.
pub(super) fn start(
    medium: impl Medium,
    store: Store,
    last: Number,
    notify: impl FnMut(Notice) + Send + 'static,
) -> io::Result<(Sender<Message>, watch::Receiver<Progress>)> {
    let (sender, messages) = mpsc::channel();
    let (progress, receiver) =
        watch::channel(Progress { stored: last, stuck: false, decided: last });
    let writer =
        Writer { medium, store: Some(store), progress, notify, pending: Vec::new(), newest: 0 };
    thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run(&messages))?;
    Ok((sender, receiver))
}

// The folder is free before anybody hears of the end: fields are dropped in their order.
struct Writer<M, N> {
    store: Option<Store>,
    medium: M,
    progress: watch::Sender<Progress>,
    notify: N,
    /// What is not in the store yet.
    pending: Vec<(Number, Record)>,
    /// The last input of the newest checkpoint.
    newest: Number,
}

impl<M: Medium, N: FnMut(Notice)> Writer<M, N> {
    fn run(mut self, messages: &Receiver<Message>) {
        if let Err(error) = self.write(messages) {
            self.progress.send_modify(|progress| progress.stuck = true);
            (self.notify)(Notice::Over(error));
        }
    }

    fn is_stuck(&self) -> bool {
        self.progress.borrow().stuck
    }

    /// Writes what comes until nobody sends any more. An error is one that will not pass.
    fn write(&mut self, messages: &Receiver<Message>) -> Result<(), DataError> {
        loop {
            let first = if self.is_stuck() {
                match messages.recv_timeout(AGAIN) {
                    Ok(first) => first,
                    Err(RecvTimeoutError::Timeout) => {
                        self.try_again()?;
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => return self.try_again(),
                }
            } else {
                match messages.recv() {
                    Ok(first) => first,
                    Err(_) => return Ok(()),
                }
            };
            let mut other = None;
            for message in std::iter::once(first).chain(messages.try_iter()).take(BATCH) {
                match message {
                    Message::Record(number, record) => self.pending.push((number, record)),
                    // What comes after it waits until it is done.
                    message => {
                        other = Some(message);
                        break;
                    }
                }
            }
            if self.is_stuck() {
                self.keep();
            } else {
                let appended = self.append();
                self.or_stuck(appended)?;
            }
            match other {
                Some(Message::Checkpoint(checkpoint)) if !self.is_stuck() => {
                    let stored = self.checkpoint(&checkpoint?);
                    self.or_stuck(stored)?;
                }
                // Nobody may be waiting any more.
                Some(Message::Flush(done)) => drop(done.send(())),
                Some(Message::Checkpoint(_) | Message::Record(..)) | None => {}
            }
        }
    }

    fn store(&mut self) -> Result<&Store, DataError> {
        if self.store.is_none() {
            self.store = Some(self.medium.open()?);
        }
        self.store.as_ref().ok_or(DataError::InUse)
    }

    /// Stores what is pending.
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
            progress.decided = last;
        });
        Ok(())
    }

    fn checkpoint(&mut self, checkpoint: &Encoded) -> Result<(), DataError> {
        // One that took longer to encode than its successor: its inputs are gone by now.
        if checkpoint.last >= self.newest {
            self.newest = checkpoint.last;
            self.store()?.checkpoint(checkpoint)?;
        }
        Ok(())
    }

    /// Goes on after an error that may pass: with the reserve for what has happened already, and nothing more.
    fn or_stuck(&mut self, outcome: Result<(), DataError>) -> Result<(), DataError> {
        let Err(error) = outcome else { return Ok(()) };
        if !error.is_passing() {
            return Err(error);
        }
        // A store that met an error says so until it is opened again.
        self.store = None;
        self.keep();
        self.progress.send_modify(|progress| progress.stuck = true);
        (self.notify)(Notice::Stuck(error));
        Ok(())
    }

    /// Puts what is pending into the reserve. What does not fit is not stored, and told to nobody.
    fn keep(&mut self) {
        let Some((last, _)) = self.pending.last() else { return };
        let last = *last;
        let kept =
            serde_json::to_vec(&self.pending).is_ok_and(|all| self.medium.keep(&all).is_ok());
        self.progress.send_modify(|progress| {
            progress.decided = last;
            if kept {
                progress.stored = last;
            }
        });
    }

    /// Tries to store what is pending, and what comes.
    fn try_again(&mut self) -> Result<(), DataError> {
        if !self.medium.has_room() {
            return Ok(());
        }
        // The reserve is empty before anything else is stored: what is in it comes last.
        let stored = self.append().and_then(|()| self.medium.keep(&[]).map_err(DataError::Io));
        if let Err(error) = stored {
            self.store = None;
            return if error.is_passing() { Ok(()) } else { Err(error) };
        }
        self.progress.send_modify(|progress| progress.stuck = false);
        (self.notify)(Notice::Again);
        Ok(())
    }
}
