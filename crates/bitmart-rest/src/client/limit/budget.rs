//! The interface between the limiter and whatever counts permits for several processes.

use std::fmt::{self, Write as _};
use std::pin::Pin;
use std::time::Duration;

use super::rate::Published;
use crate::protocol::endpoint::{LimitScope, Metadata, RateLimit};
use crate::protocol::rate_limit::{RateLimitState, ThrottleReason};

/// Bytes of the SHA-256 of an API key that identify its user.
const ID_BYTES: usize = 8;

/// What [`BudgetStore::acquire`] returns.
pub type BudgetFuture<'a> =
    Pin<Box<dyn Future<Output = Result<PermitId, BudgetRefusal>> + Send + 'a>>;

/// Counts the permits of a [`Limiter`](crate::limit::Limiter) in a place that several processes share. Without one,
/// a limiter counts in memory.
///
/// The exchange counts requests by IP address, API key and user, wherever they come from. Processes that share
/// one of these therefore share the limit.
///
/// An implementation must follow these rules, because the exchange bans callers who exceed limits:
/// - A permit is in use from [`acquire`](Self::acquire) until one [window](Budget::rate) after
///   [`end`](Self::end) with [`RequestEnd::Counted`]; the exchange may have counted the request at any time
///   until then. After [`RequestEnd::NotSent`] it is free at once.
/// - At no time are more permits of a budget in use than its [rate](Budget::rate) allows, over all processes.
/// - A permit whose process has died becomes free again, but not before
///   [`call_timeout`](Self::call_timeout) and one window have passed since it was granted.
/// - Responses only ever lower what is granted.
/// - Nothing is granted if it is not known what is in use. The request then fails with
///   [`ThrottleReason::BudgetUnavailable`]; it was not sent.
///
/// [`LocalBudgets`](crate::limit::LocalBudgets) is an implementation in memory. The crate `bitmart-fleet` has one for
/// Redis.
pub trait BudgetStore: Send + Sync + 'static {
    /// Waits for a permit, `max_wait` at most; zero means that it is granted or refused at once. The limiter
    /// calls [`end`](Self::end) exactly once for each permit.
    ///
    /// # Errors
    /// As soon as it is clear that the wait would be longer, or that permits cannot be counted.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the queue. A permit that was granted at that moment must be returned by the
    /// implementation.
    fn acquire<'a>(&'a self, budget: &'a Budget, max_wait: Duration) -> BudgetFuture<'a>;

    /// The request of a permit is over. Called from `drop`: must neither block nor need a runtime.
    fn end(&self, budget: &Budget, permit: PermitId, end: RequestEnd);

    /// A response reported the state of the limit: `used` requests were counted, at least, and the stated limit
    /// is kept in addition to the published one. One that is slower may allow more at once: 300 in 60 s next to
    /// 12 in 2 s. Must not block.
    fn settle(&self, budget: &Budget, state: RateLimitState);

    /// The exchange rejected a request as one too many: grant nothing of this budget for `duration`, an hour at
    /// most. A longer pause stays in force. Must not block.
    fn pause(&self, budget: &Budget, duration: Duration);

    /// The exchange banned this caller: grant nothing of any budget for `duration`, a day at most, to processes
    /// with the same IP address. A longer ban stays in force. Must not block.
    fn ban(&self, duration: Duration);

    /// The longest [timeout](crate::ClientBuilder::timeout) of a client that uses the store. A client with a
    /// longer one is not built, because its requests could outlive their permits.
    fn call_timeout(&self) -> Duration;
}

/// What is counted, and how much of it is allowed: the requests to one endpoint, of one IP address, API key or
/// user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    endpoint: &'static str,
    scope: LimitScope,
    user: Option<Box<str>>,
    limit: Option<RateLimit>,
    headroom: u32,
}

impl Budget {
    /// The budget of an endpoint's requests with an API key. `headroom` is how far to stay below the published
    /// limit, in percent, 99 at most.
    pub fn new(metadata: &'static Metadata, key: Option<&str>, headroom: u32) -> Self {
        let scope = match (metadata.limit, key) {
            (Some(limit), Some(_)) => limit.scope,
            _ => LimitScope::Ip,
        };
        let user = key.filter(|_| scope != LimitScope::Ip).map(id);
        let headroom = headroom.min(99);
        Self { endpoint: metadata.id, scope, user, limit: metadata.limit, headroom }
    }

    /// Id of the endpoint, as in its [`Metadata`].
    pub fn endpoint(&self) -> &'static str {
        self.endpoint
    }

    /// Whom the exchange counts for. The IP address, if the endpoint has no published limit, or the client no
    /// API key.
    pub fn scope(&self) -> LimitScope {
        self.scope
    }

    /// Identifies the API key without containing it: the first 16 hexadecimal digits of its SHA-256. `None` if
    /// the IP address is counted. Two keys of one user have different ids.
    pub fn key_id(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The published limit; `None` if no source states one. Nothing is then counted until a response states
    /// one.
    pub fn limit(&self) -> Option<RateLimit> {
        self.limit
    }

    /// How far to stay below the limit, in percent, 0 to 99.
    pub fn headroom(&self) -> u32 {
        self.headroom
    }

    /// The rate to use: the published limit less the headroom. `None` if no limit is published.
    pub fn rate(&self) -> Option<BudgetRate> {
        let rate = self.published()?.less(self.headroom);
        Some(BudgetRate {
            permits: u32::try_from(rate.permits).unwrap_or(u32::MAX),
            window: rate.window,
        })
    }

    /// The same budget with a part of its rate, in percent, from 1 to 100: for a process that counts alone.
    #[must_use]
    pub fn share(mut self, percent: u32) -> Self {
        let left = (100 - self.headroom) * percent.clamp(1, 100) / 100;
        self.headroom = 100 - left.max(1);
        self
    }

    pub(super) fn published(&self) -> Option<Published> {
        let RateLimit { count, window_secs, .. } = self.limit?;
        Published::new(count, Duration::from_secs(window_secs.into()))
    }
}

/// At most `permits` permits may be in use; each is until one `window` after the end of its request.
///
/// Permits are rounded up and the window is stretched to compensate, so that the headroom is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetRate {
    /// 1 to 10,000.
    pub permits: u32,
    /// Greater than zero.
    pub window: Duration,
}

/// Identifies a permit to its [`BudgetStore`], which chooses the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PermitId(pub u64);

/// How a request with a permit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestEnd {
    /// By its response, an error or because its future was dropped: the exchange may have counted it.
    Counted,
    /// It was certainly not sent.
    NotSent,
}

/// Why no permit is granted, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetRefusal {
    /// The reason.
    pub reason: ThrottleReason,
    /// When to try again, counted from the refusal.
    pub wait: Duration,
}

impl BudgetRefusal {
    /// A refusal for `reason` until `wait` has passed.
    pub fn new(reason: ThrottleReason, wait: Duration) -> Self {
        Self { reason, wait }
    }
}

/// An id of an API key that does not reveal it: keys are random and long.
fn id(key: &str) -> Box<str> {
    let digest = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
    let mut text = String::with_capacity(2 * ID_BYTES);
    for byte in &digest.as_ref()[..ID_BYTES] {
        let _ = write!(text, "{byte:02x}");
    }
    text.into_boxed_str()
}

impl fmt::Debug for dyn BudgetStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BudgetStore")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::endpoint::{Auth, Host, Method};

    const BY_KEY: Metadata = Metadata::new("by_key", Method::Post, Host::Spot, "/by_key")
        .auth(Auth::Signed)
        .limit(12, 2, LimitScope::Key);
    const UNKNOWN: Metadata = Metadata::new("unknown", Method::Get, Host::Spot, "/unknown");

    #[test]
    fn a_user_is_the_beginning_of_the_hash_of_its_key() {
        let budget = Budget::new(&BY_KEY, Some("abc"), 15);
        // From the examples of FIPS 180-2.
        assert_eq!(budget.key_id(), Some("ba7816bf8f01cfea"));
        assert_eq!(budget.scope(), LimitScope::Key);
    }

    #[test]
    fn without_a_limit_or_a_key_the_address_is_counted() {
        for budget in [Budget::new(&UNKNOWN, Some("abc"), 15), Budget::new(&BY_KEY, None, 15)] {
            assert_eq!((budget.scope(), budget.key_id()), (LimitScope::Ip, None));
        }
        assert_eq!(Budget::new(&UNKNOWN, None, 15).rate(), None);
    }

    #[test]
    fn a_share_lowers_the_pace_and_never_raises_it() {
        let pace = |budget: Budget| {
            let BudgetRate { permits, window } = budget.rate().unwrap();
            u128::from(permits) * 1_000_000_000_000 / window.as_nanos()
        };
        let whole = Budget::new(&BY_KEY, None, 15);
        assert_eq!(pace(whole.clone()), pace(whole.clone().share(100)));
        for parts in [2, 3, 4, 10, 50] {
            let part = whole.clone().share(100 / parts);
            assert!(pace(part) * u128::from(parts) <= pace(whole.clone()), "{parts}");
        }
        assert!(whole.share(0).rate().is_some_and(|rate| rate.permits == 1));
    }
}
