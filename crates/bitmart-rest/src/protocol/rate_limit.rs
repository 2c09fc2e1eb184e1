//! Rate-limit state of responses, and requests that the client holds back.

use std::time::Duration;

use bitmart_types::Timestamp;
use http::{HeaderMap, HeaderName};

const USED: HeaderName = HeaderName::from_static("x-bm-ratelimit-remaining");
const LIMIT: HeaderName = HeaderName::from_static("x-bm-ratelimit-limit");
const WINDOW: HeaderName = HeaderName::from_static("x-bm-ratelimit-reset");

/// Minimum pause of all requests after a ban. BitMart publishes no duration.
pub(crate) const MIN_BAN_PAUSE: Duration = Duration::from_secs(60);

/// The state of the rate limit after a request, from the headers of its response.
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
    /// Reads the headers; `None` unless all three are present and numeric.
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
    /// The exchange rejected a request as one too many (HTTP 429 or code 30013).
    TooManyRequests,
    /// The exchange has banned the caller (HTTP 418 or code 30017).
    Banned,
    /// The store in which processes share their budgets cannot be reached or has lost its counts, and so what
    /// is left of the limit is unknown. Only with `Limiter::with_store`.
    BudgetUnavailable,
}

/// A request that the client held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Throttled {
    /// Why it was held back.
    pub reason: ThrottleReason,
    /// How long requests to this endpoint have to wait, counted from that moment.
    pub retry_after: Duration,
    /// The same as a time by the client's clock.
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
    fn remaining_is_the_number_of_used_requests() {
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
    fn an_incomplete_set_of_headers_is_ignored() {
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
