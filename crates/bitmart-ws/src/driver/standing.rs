//! What the venue remembers of a client beyond one connection, and so must the client.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::error::Error;
use crate::reason::Rejection;
use crate::session::Pace;

/// Whether the login of one side of a client was refused for good.
pub(crate) type Refusal = Arc<OnceLock<Error>>;

/// The standing of one place in a pool: when it may connect again, and whether the login was refused
/// for good. Drivers come and go; this stays.
#[derive(Debug)]
pub(crate) struct Standing {
    pace: Mutex<Pace>,
    refusal: Refusal,
}

impl Standing {
    pub(crate) fn new(pace: Pace, refusal: Refusal) -> Self {
        Self { pace: Mutex::new(pace), refusal }
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

    /// The login was refused, and the same credentials will be refused again.
    pub(super) fn refuse(&self, rejection: &Rejection) {
        // The first refusal is as good as any.
        let _ = self.refusal.set(Error::login_refused(rejection.clone()));
    }

    /// The refusal, if there was one.
    pub(crate) fn refused(&self) -> Option<Error> {
        self.refusal.get().cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
