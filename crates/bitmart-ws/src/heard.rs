//! What a connection shares with its queues: until when it is known to have told everything.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::observe::Meters;

/// The newest moment of which it is known that every frame which had arrived by then was handed to
/// the queues, and that the connection was alive.
///
/// Not the time at which a frame was read: after a pause of the whole program a frame is read long
/// after it arrived, with others behind it. What is noted is the last moment before a frame at which
/// there was nothing to read.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    until: Mutex<Option<Instant>>,
    /// The figures of the connection.
    pub(crate) meters: Meters,
}

impl Heard {
    pub(crate) fn new(meters: Meters) -> Self {
        Self { until: Mutex::default(), meters }
    }

    /// A frame came after this moment, and before it there was nothing to read.
    pub(crate) fn note(&self, quiet: Option<Instant>) {
        let mut heard = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *heard = (*heard).max(quiet);
    }

    pub(crate) fn get(&self) -> Option<Instant> {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
