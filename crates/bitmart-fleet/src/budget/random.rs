//! Random numbers for names and jitter.

use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};

/// A random number; `None` if the system has no randomness.
pub(super) fn number() -> Option<u64> {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(u64::from_le_bytes(bytes))
}

/// Between three quarters and all of `pause`, so that processes do not act together.
pub(super) fn jitter(pause: Duration) -> Duration {
    let quarter = pause / 4;
    let thousandths = u32::try_from(number().unwrap_or(0) % 1001).unwrap_or_default();
    quarter * 3 + quarter * thousandths / 1000
}
