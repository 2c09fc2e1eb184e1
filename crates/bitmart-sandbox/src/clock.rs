//! The clock of the exchange.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The end of the year 9999, at which every clock stops, so that sums of times cannot overflow.
pub(crate) const MAX_MS: u64 = 253_402_300_799_999;

/// Maximum speed of a clock, in seconds of the exchange per second of the machine.
pub(crate) const MAX_SPEED: u32 = 10_000;

/// The configured clock of a new sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClockSetting {
    Machine,
    Stepped {
        from_ms: u64,
    },
    /// Starts at the machine's time if `from_ms` is absent.
    Fast {
        from_ms: Option<u64>,
        speed: u32,
    },
}

impl ClockSetting {
    /// Starts the clock.
    pub(crate) fn start(self) -> Clock {
        match self {
            Self::Machine => Clock::Machine,
            Self::Stepped { from_ms } => Clock::Stepped { now_ms: from_ms },
            Self::Fast { from_ms, speed } => Clock::Running {
                from_ms: from_ms.unwrap_or_else(machine_ms),
                since: Instant::now(),
                speed,
            },
        }
    }

    /// The same clock, but not earlier than `reached_ms`, the time of a restored exchange. The time of an exchange
    /// never goes back.
    pub(crate) fn not_before(self, reached_ms: u64) -> Self {
        match self {
            Self::Machine if machine_ms() >= reached_ms => self,
            // The exchange is ahead of the machine after a fast clock. It continues at normal speed.
            Self::Machine => Self::Fast { from_ms: Some(reached_ms), speed: 1 },
            Self::Stepped { from_ms } => Self::Stepped { from_ms: from_ms.max(reached_ms) },
            Self::Fast { from_ms, speed } => {
                let from_ms = from_ms.unwrap_or_else(machine_ms).max(reached_ms);
                Self::Fast { from_ms: Some(from_ms), speed }
            }
        }
    }
}

/// The time of the exchange in milliseconds since 1970: the machine's clock, a clock with another start or speed,
/// or a clock that only moves by commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    Machine,
    Running { from_ms: u64, since: Instant, speed: u32 },
    Stepped { now_ms: u64 },
}

impl Clock {
    pub(crate) fn now_ms(self) -> u64 {
        match self {
            Self::Machine => machine_ms(),
            Self::Running { from_ms, since, speed } => {
                let passed = since.elapsed().saturating_mul(speed).as_millis();
                from_ms.saturating_add(u64::try_from(passed).unwrap_or(MAX_MS)).min(MAX_MS)
            }
            Self::Stepped { now_ms } => now_ms,
        }
    }

    pub(crate) fn is_stepped(self) -> bool {
        matches!(self, Self::Stepped { .. })
    }

    /// The duration by the machine's clock in which `time` passes at the exchange.
    pub(crate) fn machine_duration(self, time: Duration) -> Duration {
        if let Self::Running { speed, .. } = self { time / speed } else { time }
    }

    /// The time against which a client's timestamp is checked. Clients usually use the clock of the machine, so with
    /// a running clock it is the nearer one of both.
    pub(crate) fn nearest_to(self, sent_ms: u64) -> u64 {
        let now_ms = self.now_ms();
        match self {
            Self::Running { .. } => {
                let machine = machine_ms();
                if sent_ms.abs_diff(machine) < sent_ms.abs_diff(now_ms) { machine } else { now_ms }
            }
            Self::Machine | Self::Stepped { .. } => now_ms,
        }
    }

    /// Advances a stepped clock. Other clocks are not affected.
    pub(crate) fn advance(&mut self, by: Duration) {
        if let Self::Stepped { now_ms } = self {
            let by = u64::try_from(by.as_millis()).unwrap_or(MAX_MS);
            *now_ms = now_ms.saturating_add(by).min(MAX_MS);
        }
    }
}

fn machine_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(MAX_MS).min(MAX_MS))
}

#[cfg(test)]
mod tests {
    use super::{Clock, ClockSetting, machine_ms};
    use std::time::{Duration, Instant};

    #[test]
    fn a_fast_clock_accepts_timestamps_of_the_machine_and_of_the_exchange() {
        let from_ms = machine_ms() + 86_400_000;
        let since = Instant::now().checked_sub(Duration::from_secs(1)).expect("a time");
        let clock = Clock::Running { from_ms, since, speed: 60 };
        assert!(clock.now_ms() >= from_ms + 60_000);
        assert_eq!(clock.machine_duration(Duration::from_millis(60)), Duration::from_millis(1));
        let machine = machine_ms();
        assert!(clock.nearest_to(machine) < from_ms, "the machine's time is nearer");
        assert!(clock.nearest_to(from_ms) >= from_ms, "the exchange's time is nearer");
        assert_eq!(Clock::Stepped { now_ms: 7 }.nearest_to(machine), 7);
    }

    #[test]
    fn a_clock_never_starts_before_the_restored_time() {
        let ahead = machine_ms() + 86_400_000;
        for start in [
            ClockSetting::Machine,
            ClockSetting::Stepped { from_ms: 5 },
            ClockSetting::Fast { from_ms: Some(5), speed: 3 },
            ClockSetting::Fast { from_ms: None, speed: 3 },
        ] {
            assert!(start.not_before(ahead).start().now_ms() >= ahead, "{start:?}");
        }
        assert_eq!(ClockSetting::Machine.not_before(5), ClockSetting::Machine);
    }
}
