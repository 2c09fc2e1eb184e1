//! Delays between connection attempts.

use super::*;

fn backoff(seed: u64) -> ExponentialBackoff {
    ExponentialBackoff::new(Duration::from_millis(500), Duration::from_secs(30), seed)
}

#[test]
fn delays_grow_within_their_step_up_to_the_cap() {
    for seed in 0..50 {
        let mut backoff = backoff(seed);
        let mut step = Duration::from_millis(500);
        for _ in 0..40 {
            let delay = backoff.next_delay();
            assert!(delay >= step / 2 && delay <= step, "{delay:?} is outside of {step:?}");
            step = (step * 2).min(Duration::from_secs(30));
        }
    }
}

#[test]
fn a_reset_starts_from_the_first_step() {
    let mut backoff = backoff(7);
    for _ in 0..10 {
        backoff.next_delay();
    }
    backoff.reset();
    assert!(backoff.next_delay() <= Duration::from_millis(500));
}

#[test]
fn different_seeds_spread_the_delays() {
    let mut delays: Vec<_> = (0..20).map(|seed| backoff(seed).next_delay()).collect();
    delays.dedup();
    assert_eq!(delays.len(), 20);
}
