//! The interface between the feed and connections.

use std::{fmt, time::Duration};

use bytes::Bytes;

use crate::journal::EntryNumber;

/// An output of a connection, or a fault of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    Text(Bytes),
    Binary(Bytes),
    /// A close frame without a reason. Only the console shows why.
    Close(u16, &'static str),
    /// A close frame with a reason of at most 123 bytes.
    CloseWithReason(u16, Box<str>),
    /// From now on, the connection sends nothing.
    Silent,
    /// From now on, the connection neither sends nor reads.
    Unresponsive,
}

/// An output that is sent once an entry is stored, because it may report the outcome of that entry.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) after: EntryNumber,
    pub(crate) output: Output,
}

/// A connection that receives outputs of the feed.
pub(crate) trait Subscriber: fmt::Debug + Send {
    /// Queues an output, which may be the first one of a command. Returns false if the queue is full, which ends the
    /// subscriptions of the connection.
    fn send(&mut self, queued: Queued, is_first: bool) -> bool;

    /// Queues an output after a delay by the clock of the machine, if the connection is still open then.
    fn send_late(&self, queued: Queued, delay: Duration);
}
