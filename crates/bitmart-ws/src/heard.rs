//! Until when a connection is known to have told everything.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The newest moment of which it is known that every frame which had arrived by then was handed to
/// the queues, and that the connection was alive.
///
/// Not the time at which a frame was read: after a pause of the whole program a frame is read long
/// after it arrived, with others behind it. What is noted is the last moment before a frame at which
/// there was nothing to read.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<Option<Instant>>);

impl Heard {
    /// A frame came after this moment, and before it there was nothing to read.
    pub(crate) fn note(&self, quiet: Option<Instant>) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *heard = (*heard).max(quiet);
    }

    pub(crate) fn get(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
