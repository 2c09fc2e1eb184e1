//! Where the updates of one subscription go.

use crate::error::Error;
use crate::fan_in::Port;
use crate::queue::Writer;
use crate::update::Update;

/// The writing end of a queue of its own, or of one that many topics share.
#[derive(Debug)]
pub(crate) enum Outlet<T> {
    Own(Writer<T>),
    Shared(Port<T>),
}

impl<T> Outlet<T> {
    /// Adds an update. `false` when the subscription is over and this can be dropped.
    pub(crate) fn push(&self, update: Update<T>) -> bool {
        match self {
            Self::Own(writer) => writer.push(update),
            Self::Shared(port) => port.push(update),
        }
    }

    /// Ends the subscription after what is queued.
    pub(crate) fn end(&self, error: Error) {
        match self {
            Self::Own(writer) => writer.end(error),
            Self::Shared(port) => port.end(Some(error)),
        }
    }

    pub(crate) fn reader_is_gone(&self) -> bool {
        match self {
            Self::Own(writer) => writer.reader_is_gone(),
            Self::Shared(port) => port.reader_is_gone(),
        }
    }
}

impl<T> From<Writer<T>> for Outlet<T> {
    fn from(writer: Writer<T>) -> Self {
        Self::Own(writer)
    }
}

impl<T> From<Port<T>> for Outlet<T> {
    fn from(port: Port<T>) -> Self {
        Self::Shared(port)
    }
}
