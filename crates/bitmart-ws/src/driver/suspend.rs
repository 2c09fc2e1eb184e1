//! Detection of a suspend of the machine.

use std::time::{Duration, Instant, SystemTime};

/// Time between two checks.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// By how much the system's clock must have advanced more than the monotonic clock. Corrections of the clock are
/// smaller. A connection without traffic counts as stale after the same time.
const MIN_DURATION: Duration = Duration::from_secs(15);

/// Compares the system's clock with the monotonic clock, which stands still while the machine is suspended.
///
/// All timers stand still as well. Without this comparison, a connection that has had no data for hours would count
/// as live for some seconds after the machine resumes.
#[derive(Debug)]
pub(crate) struct SuspendDetector {
    last: Option<(Instant, SystemTime)>,
}

impl SuspendDetector {
    pub(crate) fn new() -> Self {
        Self { last: None }
    }

    /// Returns for how long the machine was suspended since the last call.
    pub(super) fn check(&mut self, now: Instant) -> Option<Duration> {
        self.check_clocks(now, system_time())
    }

    fn check_clocks(&mut self, now: Instant, system: SystemTime) -> Option<Duration> {
        let (last, last_system) = self.last.replace((now, system))?;
        // A clock that was set back shows nothing.
        let elapsed = system.duration_since(last_system).unwrap_or_default();
        let missing = elapsed.saturating_sub(now.saturating_duration_since(last));
        (missing >= MIN_DURATION).then_some(missing)
    }
}

#[cfg(not(test))]
fn system_time() -> SystemTime {
    SystemTime::now()
}

/// The time of the tests: that of tokio's clock, and how long the machine of this thread was suspended.
#[cfg(test)]
fn system_time() -> SystemTime {
    let monotonic = super::now().saturating_duration_since(tests::base());
    SystemTime::UNIX_EPOCH + monotonic + tests::SUSPENDED.get()
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static BASE: Cell<Option<Instant>> = const { Cell::new(None) };
        /// How long the machine was suspended, for the drivers of this thread.
        pub(in crate::driver) static SUSPENDED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    pub(super) fn base() -> Instant {
        let base = BASE.get().unwrap_or_else(super::super::now);
        BASE.set(Some(base));
        base
    }

    #[test]
    fn only_a_jump_ahead_of_the_system_clock_is_a_suspend() {
        let (start, system) = (Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
        let seconds = Duration::from_secs;
        for (monotonic, elapsed, expected) in [
            (5, 5, None),
            // A correction of the clock, and a runtime that was busy.
            (5, 15, None),
            (60, 61, None),
            (5, 20, Some(seconds(15))),
            (5, 28_805, Some(seconds(28_800))),
        ] {
            let mut detector = SuspendDetector::new();
            assert_eq!(detector.check_clocks(start, system), None);
            let suspended =
                detector.check_clocks(start + seconds(monotonic), system + seconds(elapsed));
            assert_eq!(suspended, expected, "{monotonic} {elapsed}");
            // Reported once.
            let next = detector
                .check_clocks(start + seconds(monotonic + 5), system + seconds(elapsed + 5));
            assert_eq!(next, None);
        }
        let mut detector = SuspendDetector::new();
        detector.check_clocks(start, system);
        assert_eq!(detector.check_clocks(start + seconds(5), system - seconds(900)), None);
    }
}
