//! A bucket shared by tasks that wait for permits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::bucket::{Bucket, Delay, Ticket};
use crate::client::observe::BucketMetrics;
use crate::wire::rate_limit::RateLimitState;

#[derive(Debug)]
pub(super) struct SharedBucket {
    bucket: Mutex<Bucket>,
    /// Wakes waiting tasks when a permit is returned.
    earlier: Notify,
    metrics: BucketMetrics,
}

impl SharedBucket {
    pub(super) fn new(bucket: Bucket, metrics: BucketMetrics) -> Self {
        Self { bucket: Mutex::new(bucket), earlier: Notify::new(), metrics }
    }

    pub(super) fn ban(&self, end: Instant) {
        self.lock().ban(end);
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a permit, for at most `max_wait`.
pub(super) async fn acquire(
    shared: Arc<SharedBucket>,
    max_wait: Duration,
) -> Result<Permit, Delay> {
    let start = now();
    let (ticket, mut response) = {
        let mut bucket = shared.lock();
        let ticket = bucket.join(start);
        (ticket, bucket.poll(ticket, start))
    };
    let permit = Permit { shared, ticket, counted: false };
    while let Err(delay) = response {
        if delay.at.saturating_duration_since(start) > max_wait {
            permit.shared.metrics.throttled(delay.reason);
            return Err(delay);
        }
        // Registers before polling again, so that no notification is missed.
        let mut earlier = std::pin::pin!(permit.shared.earlier.notified());
        earlier.as_mut().enable();
        response = permit.poll();
        if let Err(delay) = response {
            // Poll again after a timeout as well as after a notification.
            let _ = tokio::time::timeout_at(delay.at.into(), earlier).await;
            response = permit.poll();
        }
    }
    permit.shared.metrics.granted(start, || permit.shared.lock().free());
    Ok(permit)
}

/// Permission to send one request. Dropping it returns it, unless it was counted. Before it is granted,
/// dropping it leaves the queue.
#[derive(Debug)]
pub(crate) struct Permit {
    shared: Arc<SharedBucket>,
    ticket: Ticket,
    counted: bool,
}

impl Permit {
    fn poll(&self) -> Result<(), Delay> {
        self.shared.lock().poll(self.ticket, now())
    }

    /// Marks the request as sent: the exchange may count it from now on.
    pub(crate) fn count(&mut self) {
        self.counted = true;
    }

    /// Marks the request as not sent after all.
    pub(crate) fn uncount(&mut self) {
        self.counted = false;
    }

    /// Corrects the available permits by a response's headers.
    pub(crate) fn settle(&self, state: RateLimitState) {
        self.shared.lock().settle(state, now());
    }

    /// Pauses this bucket.
    pub(super) fn pause(&self, end: Instant) {
        self.shared.lock().pause(end);
    }

    /// Until when this bucket is paused.
    pub(super) fn held_back(&self, now: Instant) -> Option<Delay> {
        self.shared.lock().held_back(now)
    }

    /// Length of the bucket's window, if a limit is known.
    pub(super) fn window(&self) -> Option<Duration> {
        self.shared.lock().window()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut bucket = self.shared.lock();
        if self.counted {
            bucket.responded(self.ticket, now());
        } else if bucket.leave(self.ticket) {
            drop(bucket);
            self.shared.earlier.notify_waiters();
        }
    }
}

/// Tokio's clock, which tests can pause.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
