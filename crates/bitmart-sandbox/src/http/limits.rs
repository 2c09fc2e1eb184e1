//! Rate limits: fixed windows per endpoint and per address, key or account.

use std::collections::HashMap;

use crate::generated::Limit;

/// Windows remembered before old ones are thrown out.
const WINDOWS: usize = 10_000;

/// Where a request stands after it was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Calls in this window, this one included. The header with it is called `Remaining`.
    pub(crate) used: u32,
    pub(crate) limit: Limit,
}

impl Usage {
    pub(crate) fn exceeded(self) -> bool {
        self.used > self.limit.count
    }
}

/// Counts calls.
#[derive(Debug, Default)]
pub(crate) struct Limits(HashMap<(&'static str, String), Window>);

#[derive(Debug)]
struct Window {
    from_ms: u64,
    until_ms: u64,
    used: u32,
}

impl Limits {
    /// Counts one call of `path` by `who`.
    pub(crate) fn count(
        &mut self,
        path: &'static str,
        who: &str,
        limit: Limit,
        now_ms: u64,
    ) -> Usage {
        if self.0.len() >= WINDOWS {
            self.0.retain(|_, window| now_ms < window.until_ms);
        }
        let until_ms = now_ms + u64::from(limit.window_secs) * 1_000;
        let fresh = || Window { from_ms: now_ms, until_ms, used: 0 };
        let window = self.0.entry((path, who.to_owned())).or_insert_with(fresh);
        if now_ms >= window.until_ms || now_ms < window.from_ms {
            *window = fresh();
        }
        window.used = window.used.saturating_add(1);
        Usage { used: window.used, limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::routes;

    #[test]
    fn window_fills_and_starts_anew() {
        let route = routes().find(|route| route.path == "/system/time").expect("described");
        let limit = route.limit.expect("limited");
        let mut limits = Limits::default();
        for used in 1..=limit.count {
            assert_eq!(limits.count(route.path, "a", limit, 5).used, used);
        }
        assert!(limits.count(route.path, "a", limit, 5).exceeded());
        assert!(!limits.count(route.path, "b", limit, 5).exceeded());
        assert!(!limits.count(route.path, "a", limit, 5 + 1_000).exceeded());
    }
}
