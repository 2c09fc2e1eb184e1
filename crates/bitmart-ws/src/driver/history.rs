//! What outlives the connections of one pool slot.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::session::ConnectPacing;

/// The pacing of a pool slot. Each driver of the slot continues that of the one before.
#[derive(Debug)]
pub(crate) struct ConnectionHistory {
    /// The number of the slot in its pool, from 1.
    pub(crate) number: usize,
    pacing: Mutex<ConnectPacing>,
}

impl ConnectionHistory {
    pub(crate) fn new(number: usize, pacing: ConnectPacing) -> Self {
        Self { number, pacing: Mutex::new(pacing) }
    }

    /// The pacing for the next driver.
    pub(crate) fn pacing(&self) -> ConnectPacing {
        self.lock().clone()
    }

    /// Stores the pacing of a driver, unless its successor has already stored a newer one.
    pub(super) fn record(&self, pacing: ConnectPacing) {
        let mut stored = self.lock();
        if !stored.is_newer_than(&pacing) {
            *stored = pacing;
        }
    }

    fn lock(&self) -> MutexGuard<'_, ConnectPacing> {
        self.pacing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
