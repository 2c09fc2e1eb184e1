//! The clock of the REST client is set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bitmart_types::Clock;

use super::*;

const START: i64 = 1_790_000_000_000;
/// In milliseconds, like [`START`].
const HOUR: i64 = 3_600_000;

#[derive(Clone, Debug)]
struct SettableClock(Arc<AtomicI64>);

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

fn complete_until(account: &AccountTracker) -> Timestamp {
    match account.health(Market::Spot) {
        Some(Health::CatchingUp { complete_until }) => complete_until,
        health => panic!("{health:?}"),
    }
}

#[tokio::test]
async fn the_tracker_runs_on_while_the_clock_is_set_back_or_ahead() {
    let reading = Arc::new(AtomicI64::new(START));
    let rest = bitmart_rest::Client::builder().clock(SettableClock(reading.clone()));
    let rest = rest.auto_sync_clock(false).build().expect("a client");
    let ws = bitmart_ws::Client::builder().build().expect("a client");
    let mut account = AccountTracker::builder(rest, ws).spot().build();
    let start = account.now();
    assert_eq!(complete_until(&account), Timestamp::from_millis(START));

    for step in [-HOUR, HOUR] {
        reading.store(START + step, Ordering::Relaxed);
        let now = account.now();
        assert!(start <= now && now < start + Duration::from_secs(1_800), "it follows no step");
    }
    // By the lowest reading.
    assert!(complete_until(&account) <= Timestamp::from_millis(START - HOUR));
}
