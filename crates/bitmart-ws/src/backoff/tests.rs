use super::*;

fn backoff(seed: u64) -> Pauses {
    Pauses::new(Duration::from_millis(500), Duration::from_secs(30), seed)
}

#[test]
fn pauses_grow_within_their_step_and_stop_at_the_cap() {
    for seed in 0..50 {
        let mut backoff = backoff(seed);
        let mut step = Duration::from_millis(500);
        for _ in 0..40 {
            let pause = backoff.next_pause();
            assert!(pause >= step / 2 && pause <= step, "{pause:?} is outside of {step:?}");
            step = (step * 2).min(Duration::from_secs(30));
        }
    }
}

#[test]
fn a_reset_starts_from_the_first_step() {
    let mut backoff = backoff(7);
    for _ in 0..10 {
        backoff.next_pause();
    }
    backoff.reset();
    assert!(backoff.next_pause() <= Duration::from_millis(500));
}

#[test]
fn different_seeds_spread_the_pauses() {
    let mut pauses: Vec<_> = (0..20).map(|seed| backoff(seed).next_pause()).collect();
    pauses.dedup();
    assert_eq!(pauses.len(), 20);
}
