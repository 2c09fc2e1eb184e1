//! Growing pauses between connection attempts.

#[cfg(test)]
mod tests;

use std::time::Duration;

/// How long to wait between attempts to connect that fail: part of a
/// [`ConnectionPolicy`](crate::ConnectionPolicy).
///
/// Each pause lies between half of a step and the whole of it. The first step is `base`, each
/// further one twice as long, up to `cap`. Apart from that no two attempts of a connection come
/// closer together than the venue allows ([`Limits::connect_spacing`](crate::Limits::connect_spacing)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// The first step. More than nothing; 500 ms by default.
    pub base: Duration,
    /// The longest step, at least `base` and at most an hour. 30 s by default.
    pub cap: Duration,
    /// How long a connection must last until the next pause is the first step again. At least
    /// [`Limits::connect_spacing`](crate::Limits::connect_spacing), which is 2 s and the default: a
    /// server that accepts and closes must not be met with a tight loop.
    pub healthy_after: Duration,
}

impl Backoff {
    /// Steps from `base` to `cap`.
    pub fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap, ..Self::default() }
    }

    /// The same steps, starting over after a connection that lasted this long.
    #[must_use]
    pub fn healthy_after(mut self, lasted: Duration) -> Self {
        self.healthy_after = lasted;
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

/// The pauses of one connection. Randomness comes from a seed, so that a run can be repeated.
#[derive(Clone, Debug)]
pub(crate) struct Pauses {
    base: Duration,
    cap: Duration,
    attempt: u32,
    random: SplitMix,
}

impl Pauses {
    pub(crate) fn new(base: Duration, cap: Duration, seed: u64) -> Self {
        Self { base, cap, attempt: 0, random: SplitMix(seed) }
    }

    /// The next pause: between half of the step and the whole of it.
    pub(crate) fn next_pause(&mut self) -> Duration {
        let factor = 2_u32.saturating_pow(self.attempt);
        let step = self.base.saturating_mul(factor).min(self.cap);
        self.attempt = self.attempt.saturating_add(1);
        let half = step / 2;
        let span = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_nanos(self.random.next() % span)
    }

    /// Starts from the first step again. Only for a connection that has lasted a while: a server
    /// that accepts and closes must not be met with a tight loop.
    pub(crate) fn reset(&mut self) {
        self.attempt = 0;
    }
}

/// A small generator (splitmix64). It spreads reconnections out; it protects nothing.
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
