//! Rate limits: fixed windows per endpoint and per address, key or account, and bans of clients that ignore
//! them.

use std::collections::HashMap;

use crate::generated::{EndpointId, Limit};

/// Windows that are remembered before old ones are removed.
const WINDOWS: usize = 10_000;

/// How long a ban lasts after the call that caused it. No source states it.
const BAN_MS: u64 = 60_000;

/// Where a request stands after it was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Calls in this window, this one included. The header with it is called `Remaining`.
    pub(crate) used: u32,
    pub(crate) limit: Limit,
}

impl Usage {
    pub(crate) fn is_exceeded(self) -> bool {
        self.used > self.limit.count
    }

    /// Whether as many calls were rejected as the limit allows: 429 was ignored, and a ban follows
    /// (observed; field note 6). No source states after how many calls.
    fn is_ignored(self) -> bool {
        self.used > self.limit.count.saturating_mul(2)
    }
}

/// Counts calls.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    windows: HashMap<(EndpointId, String), Window>,
    /// Until when clients are banned.
    bans: HashMap<String, u64>,
}

#[derive(Debug)]
struct Window {
    from_ms: u64,
    until_ms: u64,
    used: u32,
}

impl Limits {
    /// Counts one call of an endpoint by a client.
    pub(crate) fn count(
        &mut self,
        endpoint: EndpointId,
        client: &str,
        limit: Limit,
        now_ms: u64,
    ) -> Usage {
        if self.windows.len() >= WINDOWS {
            self.windows.retain(|_, window| now_ms < window.until_ms);
            self.bans.retain(|_, until_ms| now_ms < *until_ms);
        }
        let until_ms = now_ms + u64::from(limit.window_secs) * 1_000;
        let fresh = || Window { from_ms: now_ms, until_ms, used: 0 };
        let window = self.windows.entry((endpoint, client.to_owned())).or_insert_with(fresh);
        if now_ms >= window.until_ms || now_ms < window.from_ms {
            *window = fresh();
        }
        window.used = window.used.saturating_add(1);
        let usage = Usage { used: window.used, limit };
        if usage.is_ignored() {
            self.bans.insert(client.to_owned(), now_ms.saturating_add(BAN_MS));
        }
        usage
    }

    /// Whether a client is banned from all that is counted for it.
    pub(crate) fn is_banned(&self, client: &str, now_ms: u64) -> bool {
        self.bans.get(client).is_some_and(|until_ms| now_ms < *until_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_fills_and_a_new_one_begins_after_it() {
        let route = EndpointId::SystemTime.route();
        let limit = route.limit.expect("limited");
        let mut limits = Limits::default();
        for used in 1..=limit.count {
            assert_eq!(limits.count(route.id, "a", limit, 5).used, used);
        }
        assert!(limits.count(route.id, "a", limit, 5).is_exceeded());
        assert!(!limits.count(route.id, "b", limit, 5).is_exceeded());
        assert!(!limits.count(route.id, "a", limit, 5 + 1_000).is_exceeded());
    }

    #[test]
    fn a_client_that_ignores_429_is_banned_for_a_minute() {
        let route = EndpointId::SystemTime.route();
        let limit = route.limit.expect("limited");
        let mut limits = Limits::default();
        for _ in 0..2 * limit.count {
            limits.count(route.id, "a", limit, 5);
        }
        assert!(!limits.is_banned("a", 5));
        limits.count(route.id, "a", limit, 5);
        assert!(limits.is_banned("a", 5) && limits.is_banned("a", 4 + BAN_MS));
        assert!(!limits.is_banned("a", 5 + BAN_MS) && !limits.is_banned("b", 5));
    }
}
