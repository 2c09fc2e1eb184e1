//! Counts the frames that the client sends, so that the venue never has to.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The moments of the last frames. At most `most` lie within any window.
#[derive(Debug)]
pub(super) struct Budget {
    most: usize,
    reserved: usize,
    window: Duration,
    sent: VecDeque<Instant>,
}

impl Budget {
    pub(super) fn new(most: usize, reserved: usize, window: Duration) -> Self {
        // At least one command and one heartbeat must be possible.
        let most = most.max(2);
        Self { most, reserved: reserved.clamp(1, most - 1), window, sent: VecDeque::new() }
    }

    /// Takes a place for a command, if one is free outside of the reserve.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.take_up_to(self.most - self.reserved, now)
    }

    /// Takes a place for a heartbeat or a login, which may use the reserve.
    pub(super) fn take_reserved(&mut self, now: Instant) -> bool {
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

    /// Forgets the frames that have left the window.
    pub(super) fn expire(&mut self, now: Instant) {
        while self.sent.front().is_some_and(|&sent| now >= sent + self.window) {
            self.sent.pop_front();
        }
    }

    /// When a command that was turned away may try again.
    pub(super) fn next_free(&self) -> Option<Instant> {
        let over = (self.sent.len() + 1).checked_sub(self.most - self.reserved)?;
        self.sent.get(over.checked_sub(1)?).map(|&sent| sent + self.window)
    }

    pub(super) fn clear(&mut self) {
        self.sent.clear();
    }
}
