//! What the venue remembers of a client beyond one connection, and so must the client.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::session::Pace;

/// When one place in a pool may connect again. Drivers come and go; this stays.
#[derive(Debug)]
pub(crate) struct Standing {
    /// The place's number in its pool, from 1.
    pub(crate) number: usize,
    pace: Mutex<Pace>,
}

impl Standing {
    pub(crate) fn new(number: usize, pace: Pace) -> Self {
        Self { number, pace: Mutex::new(pace) }
    }

    /// The pace for the next driver.
    pub(crate) fn pace(&self) -> Pace {
        self.lock().clone()
    }

    /// Keeps the pace of a driver. One that ends late does not undo what its successor did.
    pub(super) fn keep(&self, pace: Pace) {
        let mut kept = self.lock();
        if !kept.is_newer_than(&pace) {
            *kept = pace;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
