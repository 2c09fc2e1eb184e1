//! The limiter's own counting as a [`BudgetStore`].

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::bucket::{Bucket, Ticket};
use super::budget::{Budget, BudgetFuture, BudgetRefusal, BudgetStore, PermitId, RequestEnd};
use super::shared_bucket::{self, SharedBucket, now};
use crate::protocol::rate_limit::RateLimitState;

/// Counts permits in memory, as a [`Limiter`](crate::limit::Limiter) without a store does.
///
/// For stores that count alone for a while, and for tests of code that uses a store. A limiter needs none of it:
/// its own counting is the same without an allocation per request.
#[derive(Default)]
pub struct LocalBudgets {
    shared: Mutex<Shared>,
}

#[derive(Default)]
struct Shared {
    buckets: HashMap<Budget, Arc<SharedBucket>>,
    ban_end: Option<Instant>,
}

impl LocalBudgets {
    /// Budgets of which nothing is in use.
    pub fn new() -> Self {
        Self::default()
    }

    fn bucket(&self, budget: &Budget) -> Arc<SharedBucket> {
        let mut shared = self.lock();
        if let Some(bucket) = shared.buckets.get(budget) {
            return Arc::clone(bucket);
        }
        let mut bucket = Bucket::new(budget.published(), budget.headroom());
        if let Some(end) = shared.ban_end {
            bucket.ban(end);
        }
        let bucket = Arc::new(SharedBucket::new(bucket, None));
        shared.buckets.insert(budget.clone(), Arc::clone(&bucket));
        bucket
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BudgetStore for LocalBudgets {
    fn acquire<'a>(&'a self, budget: &'a Budget, max_wait: Duration) -> BudgetFuture<'a> {
        let bucket = self.bucket(budget);
        Box::pin(async move {
            match shared_bucket::acquire(bucket, max_wait).await {
                Ok(permit) => Ok(PermitId(permit.into_ticket().0)),
                Err(delay) => {
                    let wait = delay.at.saturating_duration_since(now());
                    Err(BudgetRefusal::new(delay.reason, wait))
                }
            }
        })
    }

    fn end(&self, budget: &Budget, permit: PermitId, end: RequestEnd) {
        self.bucket(budget).end(Ticket(permit.0), end == RequestEnd::Counted);
    }

    fn settle(&self, budget: &Budget, state: RateLimitState) {
        self.bucket(budget).settle(state);
    }

    fn pause(&self, budget: &Budget, duration: Duration) {
        self.bucket(budget).pause(now() + duration);
    }

    fn ban(&self, duration: Duration) {
        let end = now() + duration;
        let mut shared = self.lock();
        shared.ban_end = shared.ban_end.max(Some(end));
        for bucket in shared.buckets.values() {
            bucket.ban(end);
        }
    }

    /// Unlimited: permits in memory live as long as their requests.
    fn call_timeout(&self) -> Duration {
        Duration::MAX
    }
}

impl fmt::Debug for LocalBudgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalBudgets").field("budgets", &self.lock().buckets.len()).finish()
    }
}
