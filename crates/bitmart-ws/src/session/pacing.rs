//! How soon the next connection attempt may start.

use std::time::{Duration, Instant};

use crate::backoff::ExponentialBackoff;
use crate::dialect::Limits;

/// The minimum spacing of connection attempts and the backoff after failures.
///
/// Both apply to an address, not to one [`Session`](super::Session). Pass the pacing of a session on
/// to its replacement, so that the new session does not connect sooner than the old one would have.
#[derive(Clone, Debug)]
pub struct ConnectPacing {
    pub(super) backoff: ExponentialBackoff,
    /// The earliest time at which the next attempt may start.
    pub(super) next_connect: Option<Instant>,
}

impl ConnectPacing {
    /// Creates the pacing of an address that was not connected to before. The seed drives the jitter
    /// of the backoff: give each a different one.
    pub fn new(limits: &Limits, seed: u64) -> Self {
        let limits = limits.bounded();
        let backoff = ExponentialBackoff::new(limits.backoff_base, limits.backoff_cap, seed);
        Self { backoff, next_connect: None }
    }

    /// Whether the last attempt of this pacing is later than that of the other.
    #[cfg(feature = "client")]
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        self.next_connect > other.next_connect
    }

    /// Delays the next attempt as after a failed connection.
    pub(super) fn record_failure(&mut self, now: Instant) {
        let delay = self.backoff.next_delay().max(self.remaining_spacing(now));
        self.next_connect = Some(now + delay);
    }

    /// How long an attempt must still wait to keep the minimum spacing.
    pub(super) fn remaining_spacing(&self, now: Instant) -> Duration {
        self.next_connect.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }
}
