//! Serializes opening the one HTTP/2 connection that all requests to an origin share.
//!
//! An origin that has negotiated HTTP/1.1 needs a connection for each request, which are not opened one by one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::connect::Origin;
use super::{TransportError, TransportErrorKind};

/// One opening at a time per origin, so that an unresponsive host does not delay requests to others.
pub(super) struct Openings {
    by_origin: Mutex<HashMap<Origin, Arc<tokio::sync::Mutex<LastAttempt>>>>,
    /// Maximum wait for a turn.
    limit: Duration,
}

/// The last attempt to open a connection.
#[derive(Clone, Copy, Default)]
struct LastAttempt {
    /// When it failed, and how.
    error: Option<(Instant, TransportErrorKind)>,
    /// It ended in a connection that cannot be shared.
    is_http1: bool,
}

/// The right to open a connection to an origin. Dropping it passes it to the next in the queue.
pub(super) struct Turn {
    last: OwnedMutexGuard<LastAttempt>,
    /// Start of the wait.
    since: Instant,
}

impl Openings {
    pub(super) fn new(limit: Duration) -> Self {
        Self { by_origin: Mutex::default(), limit }
    }

    /// Waits for earlier callers. Fails, with nothing sent, after the limit.
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
    /// Fails if an attempt failed while this one waited. Otherwise all callers in the queue would wait
    /// for their own attempts, one after the other.
    pub(super) fn check(&self) -> Result<(), TransportError> {
        match self.last.error {
            Some((at, kind)) if at >= self.since => {
                let error = TransportError::not_sent(kind);
                Err(error.with_source("another request tried to open the connection"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the connections of the origin cannot be shared.
    pub(super) fn is_http1(&self) -> bool {
        self.last.is_http1
    }

    /// Records the result of the attempt for waiting callers: whether the connection can be shared, or the error.
    pub(super) fn ended(&mut self, result: Result<bool, &TransportError>) {
        *self.last = match result {
            Ok(is_shared) => LastAttempt { error: None, is_http1: !is_shared },
            Err(error) => {
                LastAttempt { error: Some((Instant::now(), error.kind())), is_http1: false }
            }
        };
    }
}
