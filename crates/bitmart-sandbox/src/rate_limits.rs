//! Rate limits: fixed windows per endpoint and per address, key or account, and bans of clients that ignore
//! them.

use std::{collections::HashMap, fmt, net::IpAddr};

use crate::generated::{EndpointId, Limit};

/// Number of windows above which expired ones are removed.
const MAX_WINDOWS: usize = 10_000;

/// Duration of a ban after the call that caused it. No source states it.
const BAN_MS: u64 = 60_000;

/// Whose calls are counted.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    Address(IpAddr),
    Key(String),
    Account(u32),
}

// Without the key, with which balances can be read.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "Address({address})"),
            Self::Key(_) => f.write_str("Key"),
            Self::Account(account) => write!(f, "Account({account})"),
        }
    }
}

/// The usage of a rate limit after a request was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Calls in this window, including this one. Its header is called `Remaining`.
    pub(crate) used: u32,
    pub(crate) limit: Limit,
}

impl Usage {
    pub(crate) fn is_exceeded(self) -> bool {
        self.used > self.limit.count
    }

    /// Whether a ban follows: at least as many calls were rejected as the limit allows. Bans of clients that ignore 429
    /// were observed, but no source states the number of calls.
    fn causes_ban(self) -> bool {
        self.used > self.limit.count.saturating_mul(2)
    }
}

/// Counts calls by endpoint and client, and bans clients.
#[derive(Debug, Default)]
pub(crate) struct RateLimits {
    windows: HashMap<(EndpointId, Client), Window>,
    /// End of the ban of each banned client, in milliseconds since 1970.
    bans: HashMap<Client, u64>,
}

#[derive(Debug)]
struct Window {
    from_ms: u64,
    until_ms: u64,
    used: u32,
}

impl RateLimits {
    /// Counts one call of an endpoint by a client.
    pub(crate) fn count(
        &mut self,
        endpoint: EndpointId,
        client: &Client,
        limit: Limit,
        now_ms: u64,
    ) -> Usage {
        if self.windows.len() >= MAX_WINDOWS {
            self.windows.retain(|_, window| now_ms < window.until_ms);
            self.bans.retain(|_, until_ms| now_ms < *until_ms);
        }
        let until_ms = now_ms + u64::from(limit.window_secs) * 1_000;
        let fresh = || Window { from_ms: now_ms, until_ms, used: 0 };
        let window = self.windows.entry((endpoint, client.clone())).or_insert_with(fresh);
        if now_ms >= window.until_ms || now_ms < window.from_ms {
            *window = fresh();
        }
        window.used = window.used.saturating_add(1);
        let usage = Usage { used: window.used, limit };
        if usage.causes_ban() {
            self.bans.insert(client.clone(), now_ms.saturating_add(BAN_MS));
        }
        usage
    }

    /// Whether a client is banned from all endpoints.
    pub(crate) fn is_banned(&self, client: &Client, now_ms: u64) -> bool {
        self.bans.get(client).is_some_and(|until_ms| now_ms < *until_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Client = Client::Account(1);
    const B: Client = Client::Account(2);

    #[test]
    fn calls_are_counted_per_client_and_window() {
        let route = EndpointId::SystemTime.route();
        let limit = route.limit.expect("limited");
        let mut limits = RateLimits::default();
        for used in 1..=limit.count {
            assert_eq!(limits.count(route.id, &A, limit, 5).used, used);
        }
        assert!(limits.count(route.id, &A, limit, 5).is_exceeded());
        assert!(!limits.count(route.id, &B, limit, 5).is_exceeded());
        assert!(!limits.count(route.id, &A, limit, 5 + 1_000).is_exceeded());
    }

    #[test]
    fn a_client_that_ignores_429_is_banned_for_a_minute() {
        let route = EndpointId::SystemTime.route();
        let limit = route.limit.expect("limited");
        let mut limits = RateLimits::default();
        for _ in 0..2 * limit.count {
            limits.count(route.id, &A, limit, 5);
        }
        assert!(!limits.is_banned(&A, 5));
        limits.count(route.id, &A, limit, 5);
        assert!(limits.is_banned(&A, 5) && limits.is_banned(&A, 4 + BAN_MS));
        assert!(!limits.is_banned(&A, 5 + BAN_MS) && !limits.is_banned(&B, 5));
    }
}
