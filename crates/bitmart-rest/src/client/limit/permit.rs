//! A permit, counted in this process or by a budget store.

use std::time::{Duration, Instant};

use super::bucket::Delay;
use super::shared_bucket::LocalPermit;
use super::stored_bucket::StoredPermit;
use crate::protocol::rate_limit::RateLimitState;

/// Permission to send one request. Dropping it returns it, unless it was counted.
#[derive(Debug)]
pub(crate) enum Permit {
    Local(LocalPermit),
    Stored(StoredPermit),
}

impl Permit {
    /// Marks the request as sent: the exchange may count it from now on.
    pub(crate) fn count(&mut self) {
        self.set_counted(true);
    }

    /// Marks the request as not sent after all.
    pub(crate) fn uncount(&mut self) {
        self.set_counted(false);
    }

    fn set_counted(&mut self, counted: bool) {
        match self {
            Self::Local(permit) => permit.set_counted(counted),
            Self::Stored(permit) => permit.set_counted(counted),
        }
    }

    /// Corrects the available permits by a response's headers.
    pub(crate) fn settle(&self, state: RateLimitState) {
        match self {
            Self::Local(permit) => permit.settle(state),
            Self::Stored(permit) => permit.settle(state),
        }
    }

    /// Pauses the bucket.
    pub(super) fn pause(&self, end: Instant) {
        match self {
            Self::Local(permit) => permit.pause(end),
            Self::Stored(permit) => permit.pause(end),
        }
    }

    /// Until when the bucket is paused, as far as this process knows.
    pub(super) fn held_back(&self, now: Instant) -> Option<Delay> {
        match self {
            Self::Local(permit) => permit.held_back(now),
            Self::Stored(permit) => permit.held_back(now),
        }
    }

    /// Length of the bucket's window, if a limit is known.
    pub(super) fn window(&self) -> Option<Duration> {
        match self {
            Self::Local(permit) => permit.window(),
            Self::Stored(permit) => permit.window(),
        }
    }
}
