//! What is known about the caller's rate limit.

use std::time::Duration;

use bitmart_types::Timestamp;
use http::{HeaderMap, HeaderName};

const USED: HeaderName = HeaderName::from_static("x-bm-ratelimit-remaining");
const LIMIT: HeaderName = HeaderName::from_static("x-bm-ratelimit-limit");
const WINDOW: HeaderName = HeaderName::from_static("x-bm-ratelimit-reset");

/// How long everything rests after a ban, at least. BitMart publishes no length.
pub(crate) const BAN_REST: Duration = Duration::from_secs(60);

/// The state of the rate limit after a request, as its answer's headers told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimitState {
    /// Requests counted in the current window, this one included.
    /// The header is named `X-BM-RateLimit-Remaining` but BitMart documents that it counts up.
    pub used: u32,
    /// Requests allowed per window.
    pub limit: u32,
    /// Length of the window, in whole seconds on the wire.
    pub window: Duration,
}

impl RateLimitState {
    /// Reads the headers; `None` unless all three are there and are numbers.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        Some(Self {
            used: number(headers, &USED)?,
            limit: number(headers, &LIMIT)?,
            window: Duration::from_secs(number(headers, &WINDOW)?.into()),
        })
    }
    /// Requests left in the window.
    pub fn left(&self) -> u32 {
        self.limit.saturating_sub(self.used)
    }
}

/// Why requests are held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ThrottleReason {
    /// The published limit, less the headroom, is used up.
    LimitReached,
    /// The exchange answered that there were too many requests (HTTP 429 or code 30013).
    TooManyRequests,
    /// The exchange has banned the caller for going on (HTTP 418 or code 30017).
    Banned,
}

/// A request that was held back on this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Throttled {
    /// Why.
    pub reason: ThrottleReason,
    /// For how long from then requests to this endpoint have to wait.
    pub retry_after: Duration,
    /// The same as a time of the client's clock.
    pub until: Timestamp,
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u32> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_static(name);
                (name, http::HeaderValue::from_static(value))
            })
            .collect()
    }

    #[test]
    fn remaining_counts_what_is_used() {
        let headers = headers(&[
            ("x-bm-ratelimit-remaining", "10"),
            ("x-bm-ratelimit-limit", "600"),
            ("x-bm-ratelimit-reset", "60"),
        ]);
        let state = RateLimitState::from_headers(&headers).unwrap();
        assert_eq!((state.used, state.limit, state.left()), (10, 600, 590));
        assert_eq!(state.window, Duration::from_secs(60));
    }

    #[test]
    fn an_incomplete_set_is_no_state() {
        for pairs in [
            &[][..],
            &[("x-bm-ratelimit-remaining", "10")],
            &[
                ("x-bm-ratelimit-remaining", "-1"),
                ("x-bm-ratelimit-limit", "600"),
                ("x-bm-ratelimit-reset", "60"),
            ],
        ] {
            assert_eq!(RateLimitState::from_headers(&headers(pairs)), None);
        }
    }
}
