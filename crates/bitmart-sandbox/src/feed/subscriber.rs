//! Whom the feed publishes to.

use std::{fmt, time::Duration};

use bytes::Bytes;

use crate::journal::Number;

/// What a connection does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    Text(Bytes),
    Binary(Bytes),
    Close(u16),
    /// A close frame with a reason, of at most 123 bytes.
    CloseBecause(u16, Box<str>),
    /// Sends nothing more.
    Silent,
    /// Sends nothing more, and reads nothing either.
    Unresponsive,
}

/// An output that waits until an input is stored, because it reports what came of it.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) after: Number,
    pub(crate) output: Output,
}

/// A connection, as the feed knows it.
pub(crate) trait Subscriber: fmt::Debug + Send {
    /// Takes an output; false if it cannot take any more, which ends its subscriptions.
    fn send(&self, queued: Queued) -> bool;

    /// Takes an output after a delay by the clock of the machine, if the connection is still there.
    fn send_late(&self, queued: Queued, delay: Duration);
}
