//! A sliding-window rate limiter, for the frames and connection attempts that the exchange limits.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Grants at most `max` permits within any window. Some of them are reserved for what cannot wait.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    max: usize,
    reserved: usize,
    window: Duration,
    /// When each permit of the current window was granted.
    granted: VecDeque<Instant>,
}

impl RateLimiter {
    pub(crate) fn new(max: usize, reserved: usize, window: Duration) -> Self {
        // At least one permit of either kind.
        let max = max.max(2);
        Self { max, reserved: reserved.clamp(1, max - 1), window, granted: VecDeque::new() }
    }

    /// Takes a permit if one is free outside of the reserve.
    pub(crate) fn try_acquire(&mut self, now: Instant) -> bool {
        self.acquire_up_to(self.max - self.reserved, now)
    }

    /// Takes a permit for what cannot wait, if need be from the reserve.
    pub(crate) fn try_acquire_reserved(&mut self, now: Instant) -> bool {
        self.acquire_up_to(self.max, now)
    }

    fn acquire_up_to(&mut self, max: usize, now: Instant) -> bool {
        self.expire(now);
        let free = self.granted.len() < max;
        if free {
            self.granted.push_back(now);
        }
        free
    }

    /// Removes the permits that have left the window.
    pub(crate) fn expire(&mut self, now: Instant) {
        while self.granted.front().is_some_and(|&granted| now >= granted + self.window) {
            self.granted.pop_front();
        }
    }

    /// When the next permit outside of the reserve becomes free.
    pub(crate) fn next_permit(&self) -> Option<Instant> {
        let excess = (self.granted.len() + 1).checked_sub(self.max - self.reserved)?;
        self.granted.get(excess.checked_sub(1)?).map(|&granted| granted + self.window)
    }

    pub(crate) fn clear(&mut self) {
        self.granted.clear();
    }
}
