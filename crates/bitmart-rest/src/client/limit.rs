//! Rate limits kept on this side, so that the exchange need not enforce them with a ban.

mod bucket;
mod gate;
mod rate;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::bucket::Bucket;
use self::gate::Gate;
use self::rate::Published;
use crate::client::observe::BucketMeters;
use crate::client::rate::{BAN_REST, ThrottleReason};
use crate::wire::endpoint::{LimitScope, Metadata};

pub(crate) use self::bucket::Later;
pub(crate) use self::gate::Permit;

/// Published limits are known to be optimistic: callers that use them up are refused.
const HEADROOM: u32 = 15;

/// Two windows of nearly all limits.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long a bucket rests after a refusal that says no time, where no window is known.
const REST: Duration = Duration::from_secs(2);

/// Longest rest that an answer can ask for.
pub(crate) const LONGEST_REST: Duration = Duration::from_secs(3600);

/// Longest ban that an answer can name. Longer than other rests, because going on prolongs a ban; but
/// a header that is wrong must not end a program's trading for good.
const LONGEST_BAN: Duration = Duration::from_secs(86_400);

/// What to do with a request that would break a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitPolicy {
    /// Wait for a permit, first come first served. A request is refused as soon as it is known
    /// that it would have to wait for longer.
    WaitUpTo(Duration),
    /// Refuse at once.
    FailFast,
    /// Send everything. The exchange answers with 429, and bans who goes on.
    Off,
}

impl Default for LimitPolicy {
    /// Wait up to 5 seconds.
    fn default() -> Self {
        Self::WaitUpTo(LONGEST_WAIT)
    }
}

/// Keeps requests below the exchange's rate limits.
///
/// Each endpoint has a bucket of its own with the limit that its [`Metadata`] states, less a
/// headroom of 15 per cent. An endpoint without a published limit is not held back until an answer
/// states one. The headers of answers correct the count: requests of others that share the address
/// or the user take permits away, and a lower limit is adopted; nothing raises a limit. The permit
/// of a request that was not sent is given back.
///
/// After an answer with status 429 the bucket rests for the time that the answer names, or else for
/// a window. After status 418, a ban, everything rests for a minute at least. Where several answers
/// name an end, the latest one holds, in whatever order they arrive. A request that is refused here has an error of kind [`Throttled`](crate::ErrorKind::Throttled) that says until
/// when; its outcome is `NotSent`.
///
/// Clones of a limiter share its counts. Give one limiter to all clients that send from the same
/// address. Limits per key and per user are counted per API key: two keys of one user share their
/// limits per user at the exchange but not here, except through the headers.
///
/// ```
/// use std::time::Duration;
/// use bitmart_rest::{Client, LimitPolicy, Limiter};
///
/// let limiter = Limiter::new(LimitPolicy::WaitUpTo(Duration::from_secs(1))).headroom(20);
/// let one = Client::builder().limiter(limiter.clone()).build()?;
/// let other = Client::builder().limiter(limiter).build()?;
/// # Ok::<(), bitmart_rest::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Limiter {
    policy: LimitPolicy,
    headroom: u32,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    gates: HashMap<Subject, Arc<Gate>>,
    /// API keys; a subject's user is the place of its key here.
    users: Vec<String>,
    /// The latest end of a ban that an answer named.
    ban_end: Option<Instant>,
}

/// What is counted: an endpoint, for everybody at this address (`None`) or for one user.
type Subject = (&'static str, Option<usize>);

impl Limiter {
    /// A limiter with the default headroom.
    pub fn new(policy: LimitPolicy) -> Self {
        Self { policy, headroom: HEADROOM, shared: Arc::default() }
    }

    /// How far to stay below the published limits, in per cent, 99 at most. 15 by default. Counts
    /// start afresh: set it before the limiter is cloned.
    #[must_use]
    pub fn headroom(mut self, percent: u32) -> Self {
        self.headroom = percent;
        self.shared = Arc::default();
        self
    }

    /// The number by which the user of `key` is known here.
    pub(crate) fn user(&self, key: &str) -> usize {
        let users = &mut self.lock().users;
        users.iter().position(|user| user == key).unwrap_or_else(|| {
            users.push(key.to_owned());
            users.len() - 1
        })
    }

    /// Waits for a permit as the policy says. `Ok(None)` when limits are off.
    ///
    /// Dropping the future gives the place in the queue back; dropping the permit before
    /// [`Permit::count`] gives the permit back.
    pub(crate) async fn acquire(
        &self,
        metadata: &'static Metadata,
        user: Option<usize>,
    ) -> Result<Option<Permit>, Later> {
        let patience = match self.policy {
            LimitPolicy::WaitUpTo(patience) => patience,
            LimitPolicy::FailFast => Duration::ZERO,
            LimitPolicy::Off => return Ok(None),
        };
        gate::acquire(self.gate(metadata, user), patience).await.map(Some)
    }

    /// Holds requests back after the exchange refused one for its rate limit, and returns until when:
    /// later than this answer says if an earlier one said more; `None` if nobody said anything.
    /// `permit` is the request's, `None` when limits are off; `asked` is the time that the answer
    /// named.
    pub(crate) fn refused(
        &self,
        permit: Option<&Permit>,
        asked: Option<Duration>,
        banned: bool,
    ) -> Option<Later> {
        let now = gate::now();
        // No time at all is no answer to how long.
        let asked = asked.filter(|asked| !asked.is_zero());
        if banned {
            self.ban(now + asked.unwrap_or_default().clamp(BAN_REST, LONGEST_BAN));
        }
        let rest = asked.map(|asked| asked.min(LONGEST_REST));
        if let Some(permit) = permit {
            if !banned {
                permit.pause(now + rest.or_else(|| permit.window()).unwrap_or(REST));
            }
            return permit.held_back(now);
        }
        match self.lock().ban_end.filter(|end| *end > now) {
            Some(end) => Some(Later { at: end, reason: ThrottleReason::Banned }),
            None => Some(Later { at: now + rest?, reason: ThrottleReason::TooManyRequests }),
        }
    }

    fn ban(&self, end: Instant) {
        let mut shared = self.lock();
        shared.ban_end = shared.ban_end.max(Some(end));
        for gate in shared.gates.values() {
            gate.ban(end);
        }
    }

    fn gate(&self, metadata: &'static Metadata, user: Option<usize>) -> Arc<Gate> {
        let by_address = metadata.limit.is_none_or(|limit| limit.scope == LimitScope::Ip);
        let subject = (metadata.id, if by_address { None } else { user });
        let mut shared = self.lock();
        let ban_end = shared.ban_end;
        let gate = shared.gates.entry(subject).or_insert_with(|| {
            let published = metadata.limit.and_then(|limit| {
                Published::new(limit.count, Duration::from_secs(limit.window_secs.into()))
            });
            let mut bucket = Bucket::new(published, self.headroom);
            if let Some(end) = ban_end {
                bucket.ban(end);
            }
            Arc::new(Gate::new(bucket, BucketMeters::new(metadata)))
        });
        Arc::clone(gate)
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
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
