//! A bucket that a [`BudgetStore`] counts, together with other processes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::MAX_BAN;
use super::bucket::{Bucket, Delay};
use super::budget::{Budget, BudgetStore, PermitId, RequestEnd};
use super::shared_bucket::now;
use crate::client::observe::BucketMetrics;
use crate::protocol::rate_limit::RateLimitState;

#[derive(Debug)]
pub(super) struct StoredBucket {
    store: Arc<dyn BudgetStore>,
    budget: Budget,
    /// Only for pauses and bans: a request that one of them holds back need not query the store.
    pauses: Mutex<Bucket>,
    metrics: BucketMetrics,
}

impl StoredBucket {
    pub(super) fn new(
        store: Arc<dyn BudgetStore>,
        budget: Budget,
        metrics: BucketMetrics,
        ban_end: Option<Instant>,
    ) -> Self {
        let mut pauses = Bucket::new(budget.published(), budget.headroom());
        if let Some(end) = ban_end {
            pauses.ban(end);
        }
        Self { store, budget, pauses: Mutex::new(pauses), metrics }
    }

    /// Known to this process only: the limiter passes a ban to the store once.
    pub(super) fn ban(&self, end: Instant) {
        self.pauses().ban(end);
    }

    fn pauses(&self) -> MutexGuard<'_, Bucket> {
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a permit, for at most `max_wait`.
pub(super) async fn acquire(
    bucket: Arc<StoredBucket>,
    max_wait: Duration,
) -> Result<StoredPermit, Delay> {
    let start = now();
    let granted = wait(&bucket, start, max_wait).await;
    match &granted {
        Ok(_) => bucket.metrics.granted(start, || None),
        Err(delay) => bucket.metrics.throttled(delay.reason),
    }
    granted
}

async fn wait(
    bucket: &Arc<StoredBucket>,
    start: Instant,
    max_wait: Duration,
) -> Result<StoredPermit, Delay> {
    loop {
        let held_back = bucket.pauses().held_back(now());
        if let Some(delay) = held_back {
            if delay.at.saturating_duration_since(start) > max_wait {
                return Err(delay);
            }
            tokio::time::sleep_until(delay.at.into()).await;
        }
        let left = max_wait.saturating_sub(now().saturating_duration_since(start));
        let id = bucket.store.acquire(&bucket.budget, left).await;
        // A store of the user may return any wait, also one that has no instant.
        let id = id.map_err(|refusal| Delay {
            at: now() + refusal.wait.min(MAX_BAN),
            reason: refusal.reason,
        })?;
        let permit = StoredPermit { bucket: Arc::clone(bucket), id, counted: false };
        // A response may have ordered a pause since. Dropping the permit returns it.
        if bucket.pauses().held_back(now()).is_none() {
            return Ok(permit);
        }
    }
}

/// Like a local permit: dropping it returns it, unless it was counted.
#[derive(Debug)]
pub(crate) struct StoredPermit {
    bucket: Arc<StoredBucket>,
    id: PermitId,
    counted: bool,
}

impl StoredPermit {
    pub(super) fn set_counted(&mut self, counted: bool) {
        self.counted = counted;
    }

    pub(super) fn settle(&self, state: RateLimitState) {
        self.bucket.store.settle(&self.bucket.budget, state);
    }

    pub(super) fn pause(&self, end: Instant) {
        self.bucket.pauses().pause(end);
        self.bucket.store.pause(&self.bucket.budget, end.saturating_duration_since(now()));
    }

    pub(super) fn held_back(&self, now: Instant) -> Option<Delay> {
        self.bucket.pauses().held_back(now)
    }

    pub(super) fn window(&self) -> Option<Duration> {
        self.bucket.pauses().window()
    }
}

impl Drop for StoredPermit {
    fn drop(&mut self) {
        let end = if self.counted { RequestEnd::Counted } else { RequestEnd::NotSent };
        self.bucket.store.end(&self.bucket.budget, self.id, end);
    }
}
