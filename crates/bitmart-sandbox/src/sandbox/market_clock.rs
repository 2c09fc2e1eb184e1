//! The tasks that advance the market and the replay.

use std::{sync::Arc, time::Duration};

use crate::{shared::Shared, shutdown::stopped, state::STEP};

/// Minimum time between two steps of the market.
const MIN_STEP: Duration = Duration::from_millis(1);

/// Starts the market and the replay, unless the clock is stepped.
pub(super) fn start_clock(shared: &Arc<Shared>, replays: bool) {
    let clock = shared.clock();
    if clock.is_stepped() {
        return;
    }
    if replays {
        tokio::spawn(play(Arc::clone(shared)));
    }
    let step = clock.machine_duration(STEP).max(MIN_STEP);
    tokio::spawn(run_market(Arc::clone(shared), step));
}

/// Plays recorded frames when they are due.
async fn play(shared: Arc<Shared>) {
    let mut control = shared.control.subscribe();
    loop {
        let wait = shared.state().play();
        let Some(wait) = wait else { return };
        tokio::select! {
            () = tokio::time::sleep(wait.max(MIN_STEP)) => {}
            () = stopped(&mut control) => return,
        }
    }
}

/// Advances the market while the clock runs.
async fn run_market(shared: Arc<Shared>, step: Duration) {
    let mut control = shared.control.subscribe();
    let mut interval = tokio::time::interval(step);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = interval.tick() => {
                // The market pauses while its steps cannot be stored.
                if shared.is_writable() {
                    shared.state().step();
                }
            }
            () = stopped(&mut control) => return,
        }
        // The market must not run ahead of the journal.
        shared.wait_until_stored().await;
    }
}
