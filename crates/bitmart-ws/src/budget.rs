//! Counts what the client sends or opens, so that the venue never has to refuse it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The moments of the last frames or connections. At most `most` lie within any window, and some of
/// these places are kept back for what cannot wait.
#[derive(Debug)]
pub(crate) struct Budget {
    most: usize,
    reserved: usize,
    window: Duration,
    sent: VecDeque<Instant>,
}

impl Budget {
    pub(crate) fn new(most: usize, reserved: usize, window: Duration) -> Self {
        // At least one place of either kind.
        let most = most.max(2);
        Self { most, reserved: reserved.clamp(1, most - 1), window, sent: VecDeque::new() }
    }

    /// Takes a place, if one is free outside of the reserve.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.take_up_to(self.most - self.reserved, now)
    }

    /// Takes a place for what cannot wait, which may use the reserve.
    pub(crate) fn take_reserved(&mut self, now: Instant) -> bool {
        self.take_up_to(self.most, now)
    }

    fn take_up_to(&mut self, most: usize, now: Instant) -> bool {
        self.expire(now);
        let free = self.sent.len() < most;
        if free {
            self.sent.push_back(now);
        }
        free
    }

    /// Forgets what has left the window.
    pub(crate) fn expire(&mut self, now: Instant) {
        while self.sent.front().is_some_and(|&sent| now >= sent + self.window) {
            self.sent.pop_front();
        }
    }

    /// When whoever was turned away may try again.
    pub(crate) fn next_free(&self) -> Option<Instant> {
        let over = (self.sent.len() + 1).checked_sub(self.most - self.reserved)?;
        self.sent.get(over.checked_sub(1)?).map(|&sent| sent + self.window)
    }

    pub(crate) fn clear(&mut self) {
        self.sent.clear();
    }
}
