//! Exponential backoff between connection attempts.

#[cfg(test)]
mod tests;

use std::time::Duration;

/// How long to wait between failed connection attempts: part of a
/// [`ConnectionPolicy`](crate::ConnectionPolicy).
///
/// The first step is `base`. Each further step is twice as long, up to `cap`. The delay is chosen at
/// random between half of the step and the whole of it. Independently of the backoff, attempts of one
/// connection keep the distance that the exchange demands
/// ([`Limits::connect_spacing`](crate::Limits::connect_spacing)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// The first step. Longer than zero; 500 ms by default.
    pub base: Duration,
    /// The longest step, at least `base` and at most one hour. 30 s by default.
    pub cap: Duration,
    /// How long a connection must last before the backoff starts over. At least
    /// [`Limits::connect_spacing`](crate::Limits::connect_spacing) (2 s), so that the delays also grow with a
    /// server that accepts connections and closes them at once. 2 s by default.
    pub healthy_after: Duration,
}

impl Backoff {
    /// Creates a backoff with steps from `base` to `cap`.
    pub fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap, ..Self::default() }
    }

    /// Sets how long a connection must last before the backoff starts over.
    #[must_use]
    pub fn healthy_after(mut self, duration: Duration) -> Self {
        self.healthy_after = duration;
        self
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(500),
            cap: Duration::from_secs(30),
            healthy_after: Duration::from_secs(2),
        }
    }
}

/// The delays of one connection. They follow from a seed, so that a run can be repeated.
#[derive(Clone, Debug)]
pub(crate) struct ExponentialBackoff {
    base: Duration,
    cap: Duration,
    attempt: u32,
    random: SplitMix,
}

impl ExponentialBackoff {
    pub(crate) fn new(base: Duration, cap: Duration, seed: u64) -> Self {
        Self { base, cap, attempt: 0, random: SplitMix(seed) }
    }

    /// Returns the next delay: between half of the step and the whole of it.
    pub(crate) fn next_delay(&mut self) -> Duration {
        let factor = 2_u32.saturating_pow(self.attempt);
        let step = self.base.saturating_mul(factor).min(self.cap);
        self.attempt = self.attempt.saturating_add(1);
        let half = step / 2;
        let span = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_nanos(self.random.next() % span)
    }

    /// Starts over with the first step.
    pub(crate) fn reset(&mut self) {
        self.attempt = 0;
    }
}

/// A small generator of pseudo-random numbers (splitmix64), for jitter only.
#[derive(Clone, Debug)]
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
