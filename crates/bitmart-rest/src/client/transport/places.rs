//! How many requests a transport carries at once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::uri::Authority;
use tokio::sync::Semaphore;

/// Room for one request. Given back when it is dropped.
#[must_use = "the room is given back at once"]
#[derive(Default)]
pub struct Reservation(Option<Box<dyn Send>>);

impl Reservation {
    /// There is no limit.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// Gives `room` back when the request is done with.
    pub fn of(room: impl Send + 'static) -> Self {
        Self(Some(Box::new(room)))
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("limited", &self.0.is_some()).finish()
    }
}

/// As many places for each host.
pub(super) struct Places {
    by_host: Mutex<HashMap<Authority, Arc<Semaphore>>>,
    per_host: usize,
}

impl Places {
    pub(super) fn new(per_host: usize) -> Self {
        let per_host = per_host.clamp(1, Semaphore::MAX_PERMITS);
        Self { by_host: Mutex::default(), per_host }
    }

    /// Waits for a place; those who came first are first.
    pub(super) async fn reserve(&self, host: &Authority) -> Reservation {
        let places = {
            let mut by_host = self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
            match by_host.get(host) {
                Some(places) => Arc::clone(places),
                None => Arc::clone(
                    by_host
                        .entry(host.clone())
                        .or_insert_with(|| Arc::new(Semaphore::new(self.per_host))),
                ),
            }
        };
        // The semaphore is never closed.
        places.acquire_owned().await.map_or_else(|_| Reservation::unlimited(), Reservation::of)
    }
}
