//! A bucket shared by tasks that wait for permits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::bucket::{Bucket, Delay, Ticket};
use crate::client::observe::BucketMetrics;
use crate::protocol::rate_limit::RateLimitState;

#[derive(Debug)]
pub(super) struct SharedBucket {
    bucket: Mutex<Bucket>,
    /// Wakes waiting tasks when a permit is returned.
    earlier: Notify,
    /// `None` if the caller records them.
    metrics: Option<BucketMetrics>,
}

impl SharedBucket {
    pub(super) fn new(bucket: Bucket, metrics: Option<BucketMetrics>) -> Self {
        Self { bucket: Mutex::new(bucket), earlier: Notify::new(), metrics }
    }

    pub(super) fn ban(&self, end: Instant) {
        self.lock().ban(end);
    }

    /// Grants nothing until `end`.
    pub(super) fn pause(&self, end: Instant) {
        self.lock().pause(end);
    }

    /// Corrects the available permits by a response's headers.
    pub(super) fn settle(&self, state: RateLimitState) {
        self.lock().settle(state, now());
    }

    /// Ends the request of a permit, or leaves the queue.
    pub(super) fn end(&self, ticket: Ticket, counted: bool) {
        let mut bucket = self.lock();
        if counted {
            bucket.responded(ticket, now());
        } else if bucket.leave(ticket) {
            drop(bucket);
            self.earlier.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a permit, for at most `max_wait`.
pub(super) async fn acquire(
    shared: Arc<SharedBucket>,
    max_wait: Duration,
) -> Result<LocalPermit, Delay> {
    let start = now();
    let (ticket, mut response) = {
        let mut bucket = shared.lock();
        let ticket = bucket.join(start);
        (ticket, bucket.poll(ticket, start))
    };
    let permit = LocalPermit { shared, ticket, end: End::Return };
    while let Err(delay) = response {
        if delay.at.saturating_duration_since(start) > max_wait {
            if let Some(metrics) = &permit.shared.metrics {
                metrics.throttled(delay.reason);
            }
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
    if let Some(metrics) = &permit.shared.metrics {
        metrics.granted(start, || permit.shared.lock().free());
    }
    Ok(permit)
}

/// Permission to send one request. Dropping it returns it, unless it was counted. Before it is granted,
/// dropping it leaves the queue.
#[derive(Debug)]
pub(crate) struct LocalPermit {
    shared: Arc<SharedBucket>,
    ticket: Ticket,
    end: End,
}

/// What dropping a permit does.
#[derive(Clone, Copy, Debug)]
enum End {
    Return,
    Count,
    /// Somebody else calls [`SharedBucket::end`].
    Nothing,
}

impl LocalPermit {
    fn poll(&self) -> Result<(), Delay> {
        self.shared.lock().poll(self.ticket, now())
    }

    /// Marks the request as sent, so that the exchange may count it from now on, or as not sent after all.
    pub(super) fn set_counted(&mut self, counted: bool) {
        self.end = if counted { End::Count } else { End::Return };
    }

    /// Leaves the end of the request to [`SharedBucket::end`].
    pub(super) fn into_ticket(mut self) -> Ticket {
        self.end = End::Nothing;
        self.ticket
    }

    pub(super) fn settle(&self, state: RateLimitState) {
        self.shared.settle(state);
    }

    pub(super) fn pause(&self, end: Instant) {
        self.shared.pause(end);
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

impl Drop for LocalPermit {
    fn drop(&mut self) {
        match self.end {
            End::Return => self.shared.end(self.ticket, false),
            End::Count => self.shared.end(self.ticket, true),
            End::Nothing => {}
        }
    }
}

/// Tokio's clock, which tests can pause.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
