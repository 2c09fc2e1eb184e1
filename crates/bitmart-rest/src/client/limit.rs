//! Client-side rate limiting, so that the exchange does not reject requests or ban the caller.

mod bucket;
mod budget;
mod local_budgets;
mod permit;
mod rate;
mod shared_bucket;
mod stored_bucket;
mod window;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::bucket::Bucket;
use self::shared_bucket::SharedBucket;
use self::stored_bucket::StoredBucket;
use crate::client::observe::BucketMetrics;
use crate::protocol::endpoint::{LimitScope, Metadata};
use crate::protocol::rate_limit::{MIN_BAN_PAUSE, ThrottleReason};

pub(crate) use self::bucket::Delay;
pub use self::budget::{
    Budget, BudgetFuture, BudgetRate, BudgetRefusal, BudgetStore, PermitId, RequestEnd,
};
pub use self::local_budgets::LocalBudgets;
pub(crate) use self::permit::Permit;

/// Published limits are optimistic: callers that use them fully are rejected (observed).
const HEADROOM: u32 = 15;

/// Twice the window of nearly all limits.
const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(5);

/// Pause of a bucket after a rejection without `Retry-After`, if its window is unknown.
const DEFAULT_PAUSE: Duration = Duration::from_secs(2);

/// Maximum pause that a response can impose.
pub(crate) const MAX_PAUSE: Duration = Duration::from_secs(3600);

/// Maximum duration of a ban that a response can name. Longer than other pauses, because more requests
/// prolong a ban; bounded, because a wrong header must not stop a program for good.
const MAX_BAN: Duration = Duration::from_secs(86_400);

/// What the client does with a request that would exceed a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitPolicy {
    /// Wait for a permit, in order of arrival. A request fails as soon as it is clear that it would have
    /// to wait longer.
    WaitUpTo(Duration),
    /// Fail immediately.
    FailFast,
    /// Do not limit. The exchange responds with status 429, and bans callers who continue.
    Off,
}

impl Default for LimitPolicy {
    /// Wait up to 5 seconds.
    fn default() -> Self {
        Self::WaitUpTo(DEFAULT_MAX_WAIT)
    }
}

/// Keeps requests below the exchange's rate limits.
///
/// Each endpoint has its own bucket with the limit of its [`Metadata`], minus a headroom of 15 percent.
/// An endpoint without a published limit is not limited until a response states one. Rate-limit headers
/// correct the count: requests of others from the same IP address or user use up permits, and a stated
/// limit is kept in addition to the published one, each with its own count, until a response states another.
/// Headers never raise a limit above the published one, and a window of more than 60 seconds counts as 60.
/// The permit of a request that was not sent is returned. Any other request keeps its permit until one
/// window after its end: its response, its error, or that its future was dropped. So a future that is
/// neither polled nor dropped keeps it, too.
///
/// After status 429 the bucket pauses for the duration of `Retry-After`, or else for one window. After
/// status 418, a ban, all requests pause for at least a minute. If several responses name an end, the
/// latest end counts, in whatever order they arrive. A request that the limiter does not let through
/// fails with [`Throttled`](crate::ErrorKind::Throttled), which contains the time of the next attempt;
/// its outcome is `NotSent`.
///
/// Clones of a limiter share their counts. Use one limiter for all clients of one IP address. Limits per
/// key and per user are counted per API key: two keys of one user share their limits per user at the
/// exchange, but here only through the headers. Processes and machines that share an address or a key share
/// their counts through a [store](Self::with_store).
///
/// ```
/// use std::time::Duration;
/// use bitmart_rest::Client;
/// use bitmart_rest::limit::{LimitPolicy, Limiter};
///
/// let limiter = Limiter::new(LimitPolicy::WaitUpTo(Duration::from_secs(1))).headroom(20);
/// let one = Client::builder().limiter(limiter.clone()).build()?;
/// let other = Client::builder().limiter(limiter).build()?;
/// # Ok::<(), bitmart_rest::types::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Limiter {
    policy: LimitPolicy,
    headroom: u32,
    /// `None` counts in this process.
    store: Option<Arc<dyn BudgetStore>>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    buckets: HashMap<Subject, PermitCounter>,
    /// API keys; the user of a [`Subject`] is an index into it.
    users: Vec<String>,
    /// The latest end of all bans.
    ban_end: Option<Instant>,
}

/// Counts the permits of a budget: in this process, or in a store.
#[derive(Clone)]
enum PermitCounter {
    Local(Arc<SharedBucket>),
    Stored(Arc<StoredBucket>),
}

/// Identifies a budget: an endpoint, for the IP address (`None`) or for one user.
type Subject = (&'static str, Option<usize>);

impl Limiter {
    /// A limiter with the default headroom.
    pub fn new(policy: LimitPolicy) -> Self {
        Self { policy, headroom: HEADROOM, store: None, shared: Arc::default() }
    }

    /// Counts in a store that other processes and machines share, such as the `RedisBudgets` of the crate
    /// `bitmart-fleet`. Each permit may then need a round trip to the store. A request that the store cannot
    /// answer for fails with [`ThrottleReason::BudgetUnavailable`] and was not sent. Resets the counts: set it
    /// before the limiter is cloned. [`LimitPolicy::Off`] does not use the store for permits.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use bitmart_rest::limit::{LimitPolicy, Limiter, LocalBudgets};
    ///
    /// // One of several processes would use a store outside of its memory instead.
    /// let limiter = Limiter::new(LimitPolicy::default()).with_store(Arc::new(LocalBudgets::new()));
    /// ```
    #[must_use]
    pub fn with_store(mut self, store: Arc<dyn BudgetStore>) -> Self {
        self.store = Some(store);
        self.shared = Arc::default();
        self
    }

    /// How far to stay below the published limits, in percent, at most 99. Default: 15. Resets the
    /// counts: set it before the limiter is cloned.
    #[must_use]
    pub fn headroom(mut self, percent: u32) -> Self {
        self.headroom = percent;
        self.shared = Arc::default();
        self
    }

    /// The index of the user with this API key.
    pub(crate) fn user(&self, key: &str) -> usize {
        let users = &mut self.lock().users;
        users.iter().position(|user| user == key).unwrap_or_else(|| {
            users.push(key.to_owned());
            users.len() - 1
        })
    }

    /// The longest timeout of a client whose requests do not outlive their permits.
    pub(crate) fn max_call_timeout(&self) -> Option<Duration> {
        self.store.as_ref().map(|store| store.call_timeout())
    }

    /// Waits for a permit according to the policy. `Ok(None)` if limits are off.
    ///
    /// Dropping the future leaves the queue; dropping the permit before [`Permit::count`] returns it.
    pub(crate) async fn acquire(
        &self,
        metadata: &'static Metadata,
        user: Option<usize>,
    ) -> Result<Option<Permit>, Delay> {
        let max_wait = match self.policy {
            LimitPolicy::WaitUpTo(max_wait) => max_wait,
            LimitPolicy::FailFast => Duration::ZERO,
            LimitPolicy::Off => return Ok(None),
        };
        let permit = match self.counter(metadata, user) {
            PermitCounter::Local(bucket) => {
                shared_bucket::acquire(bucket, max_wait).await.map(Permit::Local)
            }
            PermitCounter::Stored(bucket) => {
                stored_bucket::acquire(bucket, max_wait).await.map(Permit::Stored)
            }
        };
        permit.map(Some)
    }

    /// Pauses requests after the exchange rejected one for its rate limit, and returns until when.
    /// `permit` belongs to the rejected request and is `None` if limits are off; `requested` is the
    /// duration of `Retry-After`. A longer pause of an earlier response stays in force. Returns `None`
    /// if no duration is known.
    pub(crate) fn rejected(
        &self,
        permit: Option<&Permit>,
        requested: Option<Duration>,
        banned: bool,
    ) -> Option<Delay> {
        let now = shared_bucket::now();
        // Zero means that no duration is known.
        let requested = requested.filter(|wait| !wait.is_zero());
        if banned {
            let duration = requested.unwrap_or_default().clamp(MIN_BAN_PAUSE, MAX_BAN);
            self.ban(now + duration);
            if let Some(store) = &self.store {
                store.ban(duration);
            }
        }
        let pause = requested.map(|wait| wait.min(MAX_PAUSE));
        if let Some(permit) = permit {
            if !banned {
                permit.pause(now + pause.or_else(|| permit.window()).unwrap_or(DEFAULT_PAUSE));
            }
            return permit.held_back(now);
        }
        match self.lock().ban_end.filter(|end| *end > now) {
            Some(end) => Some(Delay { at: end, reason: ThrottleReason::Banned }),
            None => Some(Delay { at: now + pause?, reason: ThrottleReason::TooManyRequests }),
        }
    }

    fn ban(&self, end: Instant) {
        let mut shared = self.lock();
        shared.ban_end = shared.ban_end.max(Some(end));
        for counter in shared.buckets.values() {
            match counter {
                PermitCounter::Local(bucket) => bucket.ban(end),
                PermitCounter::Stored(bucket) => bucket.ban(end),
            }
        }
    }

    fn counter(&self, metadata: &'static Metadata, user: Option<usize>) -> PermitCounter {
        let by_address = metadata.limit.is_none_or(|limit| limit.scope == LimitScope::Ip);
        let subject = (metadata.id, if by_address { None } else { user });
        let mut shared = self.lock();
        if let Some(counter) = shared.buckets.get(&subject) {
            return counter.clone();
        }
        let key = user.and_then(|user| shared.users.get(user)).map(String::as_str);
        let budget = Budget::new(metadata, key, self.headroom);
        let metrics = BucketMetrics::new(metadata);
        let counter = if let Some(store) = &self.store {
            let store = Arc::clone(store);
            PermitCounter::Stored(Arc::new(StoredBucket::new(
                store,
                budget,
                metrics,
                shared.ban_end,
            )))
        } else {
            let mut bucket = Bucket::new(budget.published(), self.headroom);
            if let Some(end) = shared.ban_end {
                bucket.ban(end);
            }
            PermitCounter::Local(Arc::new(SharedBucket::new(bucket, Some(metrics))))
        };
        shared.buckets.insert(subject, counter.clone());
        counter
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new(LimitPolicy::default())
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("policy", &self.policy)
            .field("headroom", &self.headroom)
            .field("store", &self.store.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
