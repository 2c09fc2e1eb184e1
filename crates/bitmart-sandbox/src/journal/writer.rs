//! The thread that writes. One commit takes all that waits, so that many requests share the time it takes.

use std::{
    io,
    sync::mpsc::{self, Receiver, Sender},
    thread,
};

use tokio::sync::watch;

use super::{DataError, Number, Record, checkpoint::Encoded, store::Store};

/// Most inputs of one commit.
const BATCH: usize = 1_024;

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Message {
    Record(Number, Record),
    Checkpoint(Result<Encoded, DataError>),
    /// Answer when all before this is stored.
    Flush(Sender<()>),
    GiveUp,
}

/// How far it has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    /// This input and all before it are stored.
    pub(super) stored: Number,
    /// Nothing more will be.
    pub(super) failed: bool,
}

/// Starts the writer; it ends when its sender is dropped. Whatever fails is told to `complain`, once.
pub(super) fn start(
    store: Store,
    last: Number,
    complain: impl FnOnce(DataError) + Send + 'static,
) -> io::Result<(Sender<Message>, watch::Receiver<Progress>)> {
    let (sender, messages) = mpsc::channel();
    let (progress, receiver) = watch::channel(Progress { stored: last, failed: false });
    let run = move || {
        if let Err(error) = write(&store, &messages, &progress) {
            progress.send_modify(|progress| progress.failed = true);
            complain(error);
        }
        // The folder is free before anybody hears of the end.
        drop(store);
        drop(progress);
    };
    thread::Builder::new().name("journal".to_owned()).spawn(run)?;
    Ok((sender, receiver))
}

fn write(
    store: &Store,
    messages: &Receiver<Message>,
    progress: &watch::Sender<Progress>,
) -> Result<(), DataError> {
    let mut newest = 0;
    while let Ok(first) = messages.recv() {
        let (mut records, mut other) = (Vec::new(), None);
        for message in std::iter::once(first).chain(messages.try_iter()).take(BATCH) {
            match message {
                Message::Record(number, record) => records.push((number, record)),
                // What comes after it waits until it is done.
                message => {
                    other = Some(message);
                    break;
                }
            }
        }
        if let Some((last, _)) = records.last() {
            store.append(&records)?;
            let last = *last;
            progress.send_modify(|progress| progress.stored = last);
        }
        match other {
            Some(Message::Checkpoint(checkpoint)) => {
                let checkpoint = checkpoint?;
                // One that took longer to encode than its successor: its inputs are gone by now.
                if checkpoint.last >= newest {
                    newest = checkpoint.last;
                    store.checkpoint(&checkpoint)?;
                }
            }
            // Nobody may be waiting any more.
            Some(Message::Flush(done)) => drop(done.send(())),
            Some(Message::GiveUp) => return Err(DataError::Broken),
            Some(Message::Record(..)) | None => {}
        }
    }
    Ok(())
}
