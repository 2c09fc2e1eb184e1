//! Limits the number of concurrent requests per host.

use std::fmt;
#[cfg(feature = "testing")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::uri::Authority;
use tokio::sync::Semaphore;

/// The reservation of one request, released when it is dropped.
#[must_use = "dropping it releases the reservation"]
#[derive(Default)]
pub struct Reservation(Option<Box<dyn Send>>);

impl Reservation {
    /// A reservation of a transport without a limit.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// Drops `guard` when the request is finished.
    pub fn with_guard(guard: impl Send + 'static) -> Self {
        Self(Some(Box::new(guard)))
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("limited", &self.0.is_some()).finish()
    }
}

/// A request extension of the conformance check: reports requests without a reservation, which a wrapping
/// transport causes that does not forward [`reserve`](super::Transport::reserve).
#[cfg(feature = "testing")]
#[derive(Clone, Debug, Default)]
pub(crate) struct ReservationProbe(Arc<AtomicBool>);

#[cfg(feature = "testing")]
impl ReservationProbe {
    pub(crate) fn is_reservation_missing(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    pub(super) fn report_missing(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The same limit for each host.
pub(super) struct HostLimits {
    /// There are two hosts, which are compared faster than one is hashed.
    by_host: Mutex<Vec<(Authority, Arc<Semaphore>)>>,
    per_host: usize,
}

impl HostLimits {
    pub(super) fn new(per_host: usize) -> Self {
        let per_host = per_host.clamp(1, Semaphore::MAX_PERMITS);
        Self { by_host: Mutex::default(), per_host }
    }

    /// Waits for a reservation, in order of arrival.
    pub(super) async fn reserve(&self, host: &Authority) -> Reservation {
        let semaphore = {
            let mut by_host = self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(semaphore) = of(&by_host, host) {
                Arc::clone(semaphore)
            } else {
                let semaphore = Arc::new(Semaphore::new(self.per_host));
                by_host.push((host.clone(), Arc::clone(&semaphore)));
                semaphore
            }
        };
        // The semaphore is never closed.
        semaphore
            .acquire_owned()
            .await
            .map_or_else(|_| Reservation::unlimited(), Reservation::with_guard)
    }

    /// Whether a reservation for `host` is held.
    #[cfg(feature = "testing")]
    pub(super) fn is_reserved(&self, host: &Authority) -> bool {
        let by_host = self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
        of(&by_host, host).is_some_and(|semaphore| semaphore.available_permits() < self.per_host)
    }
}

fn of<'a>(
    by_host: &'a [(Authority, Arc<Semaphore>)],
    host: &Authority,
) -> Option<&'a Arc<Semaphore>> {
    by_host.iter().find(|(known, _)| known == host).map(|(_, semaphore)| semaphore)
}
