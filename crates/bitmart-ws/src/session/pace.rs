//! How soon the next attempt to connect may start.

use std::time::{Duration, Instant};

use crate::backoff::Pauses;
use crate::dialect::Limits;

/// The distance between attempts to connect and the backoff after failures.
///
/// Both count for an address, not for one [`Session`](super::Session): whoever replaces a session
/// hands its pace on, so that a new session does not knock sooner than the old one would have.
#[derive(Clone, Debug)]
pub struct Pace {
    pub(super) backoff: Pauses,
    /// The earliest moment at which the next attempt may start.
    pub(super) next_connect: Option<Instant>,
}

impl Pace {
    /// A pace without a past. The seed drives the jitter of the backoff: give each another.
    pub fn new(limits: &Limits, seed: u64) -> Self {
        let backoff = Pauses::new(limits.backoff_base, limits.backoff_cap, seed);
        Self { backoff, next_connect: None }
    }

    /// Whether this pace saw its last attempt after the other.
    #[cfg(feature = "client")]
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        self.next_connect > other.next_connect
    }

    /// Has the next attempt wait as after a connection that failed.
    pub(super) fn note_failure(&mut self, now: Instant) {
        let pause = self.backoff.next_pause().max(self.spacing(now));
        self.next_connect = Some(now + pause);
    }

    /// How long an attempt that could start now has to wait.
    pub(super) fn spacing(&self, now: Instant) -> Duration {
        self.next_connect.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }
}
