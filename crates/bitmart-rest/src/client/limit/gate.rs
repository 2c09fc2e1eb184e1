//! A bucket that tasks wait at.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::bucket::{Bucket, Later, Ticket};
use crate::client::observe::BucketMeters;
use crate::client::rate::RateLimitState;

#[derive(Debug)]
pub(super) struct Gate {
    bucket: Mutex<Bucket>,
    /// Tells those who wait that they may go earlier.
    earlier: Notify,
    meters: BucketMeters,
}

impl Gate {
    pub(super) fn new(bucket: Bucket, meters: BucketMeters) -> Self {
        Self { bucket: Mutex::new(bucket), earlier: Notify::new(), meters }
    }

    pub(super) fn ban(&self, end: Instant) {
        self.lock().ban(end);
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a permit, but not for longer than `patience`.
pub(super) async fn acquire(gate: Arc<Gate>, patience: Duration) -> Result<Permit, Later> {
    let start = now();
    let (ticket, mut answer) = {
        let mut bucket = gate.lock();
        let ticket = bucket.join(start);
        (ticket, bucket.poll(ticket, start))
    };
    let permit = Permit { gate, ticket, counted: false };
    while let Err(later) = answer {
        if later.at.saturating_duration_since(start) > patience {
            permit.gate.meters.throttled(later.reason);
            return Err(later);
        }
        // Listens before it asks again, so that no call is missed.
        let mut earlier = std::pin::pin!(permit.gate.earlier.notified());
        earlier.as_mut().enable();
        answer = permit.poll();
        if let Err(later) = answer {
            // Either way it asks again.
            let _ = tokio::time::timeout_at(later.at.into(), earlier).await;
            answer = permit.poll();
        }
    }
    permit.gate.meters.granted(start, || permit.gate.lock().free());
    Ok(permit)
}

/// Leave to send one request. Dropping it gives it back, unless it was counted; before it is
/// granted, it gives back the place in the queue.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    ticket: Ticket,
    counted: bool,
}

impl Permit {
    fn poll(&self) -> Result<(), Later> {
        self.gate.lock().poll(self.ticket, now())
    }

    /// From now on the exchange may count the request, whatever becomes of it.
    pub(crate) fn count(&mut self) {
        self.counted = true;
    }

    /// The request did not leave this machine after all.
    pub(crate) fn uncount(&mut self) {
        self.counted = false;
    }

    /// Corrects the count by what an answer's headers said.
    pub(crate) fn settle(&self, state: RateLimitState) {
        self.gate.lock().settle(state, now());
    }

    /// Holds this bucket back.
    pub(super) fn pause(&self, end: Instant) {
        self.gate.lock().pause(end);
    }

    /// Until when this bucket is held back.
    pub(super) fn held_back(&self, now: Instant) -> Option<Later> {
        self.gate.lock().held_back(now)
    }

    /// Length of the bucket's window, if a limit is known.
    pub(super) fn window(&self) -> Option<Duration> {
        self.gate.lock().window()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut bucket = self.gate.lock();
        if self.counted {
            bucket.answered(self.ticket, now());
        } else if bucket.leave(self.ticket) {
            drop(bucket);
            self.gate.earlier.notify_waiters();
        }
    }
}

/// The time now, as tests may set it.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
