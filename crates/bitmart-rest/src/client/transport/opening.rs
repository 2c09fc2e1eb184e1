//! Who opens the one connection that all requests to an origin share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::connect::Origin;
use super::{TransportError, TransportErrorKind};

/// One opening at a time per origin: a host that does not answer holds up nobody else's requests.
pub(super) struct Openings {
    by_origin: Mutex<HashMap<Origin, Arc<tokio::sync::Mutex<Last>>>>,
    /// Longest wait for a turn.
    limit: Duration,
}

/// The last attempt that failed: when, and where.
type Last = Option<(Instant, TransportErrorKind)>;

/// The right to open a connection to an origin. Dropped, it goes to the next in the queue.
pub(super) struct Turn {
    last: OwnedMutexGuard<Last>,
    /// Since when it was waited for.
    since: Instant,
}

impl Openings {
    pub(super) fn new(limit: Duration) -> Self {
        Self { by_origin: Mutex::default(), limit }
    }

    /// Waits for those who came before. Fails, with nothing sent, beyond the limit.
    pub(super) async fn turn(&self, origin: &Origin) -> Result<Turn, TransportError> {
        let since = Instant::now();
        let queue = {
            let mut by_origin = self.by_origin.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(by_origin.entry(origin.clone()).or_default())
        };
        match timeout(self.limit, queue.lock_owned()).await {
            Ok(last) => Ok(Turn { last, since }),
            Err(_) => Err(TransportError::not_sent(TransportErrorKind::Timeout)),
        }
    }
}

impl Turn {
    /// Fails if an attempt failed while this one waited: otherwise each in the queue would wait for
    /// an attempt of its own, one after the other.
    pub(super) fn check(&self) -> Result<(), TransportError> {
        match *self.last {
            Some((at, kind)) if at >= self.since => {
                let error = TransportError::not_sent(kind);
                Err(error.with_source("another request tried to open the connection"))
            }
            _ => Ok(()),
        }
    }

    /// Tells those who wait how the attempt went.
    pub(super) fn ended(&mut self, error: Option<&TransportError>) {
        *self.last = error.map(|error| (Instant::now(), error.kind()));
    }
}
