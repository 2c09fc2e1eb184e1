//! A sliding-window rate limiter, for the frames and connection attempts that the exchange limits.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Grants at most `max` permits within any window. `reserved` of them are granted only to what cannot wait.
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

    /// Takes a permit for what cannot wait: from the reserve if no other is free.
    pub(crate) fn try_acquire_reserved(&mut self, now: Instant) -> bool {
        self.acquire_up_to(self.max, now)
    }

    fn acquire_up_to(&mut self, max: usize, now: Instant) -> bool {
        self.expire(now);
        let is_free = self.granted.len() < max;
        if is_free {
            self.granted.push_back(now);
        }
        is_free
    }

    /// Removes the permits that have left the window.
    pub(crate) fn expire(&mut self, now: Instant) {
        while self.granted.front().is_some_and(|&granted| now >= granted + self.window) {
            self.granted.pop_front();
        }
    }

    /// When the next permit outside of the reserve becomes free. `None` if one is free already.
    pub(crate) fn next_permit(&self) -> Option<Instant> {
        self.next_permit_of(self.max - self.reserved)
    }

    /// When the next permit of any kind becomes free. `None` if one is free already.
    pub(crate) fn next_reserved_permit(&self) -> Option<Instant> {
        self.next_permit_of(self.max)
    }

    /// When fewer than `max` of the granted permits will be left in the window. `None` if there are fewer now.
    fn next_permit_of(&self, max: usize) -> Option<Instant> {
        let index = self.granted.len().checked_sub(max)?;
        self.granted.get(index).map(|&granted| granted + self.window)
    }

    pub(crate) fn clear(&mut self) {
        self.granted.clear();
    }
}
