//! Where the sandbox takes its time from.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The end of the year 9999: no clock goes further, so that no sum of times overflows.
pub(crate) const END_MS: u64 = 253_402_300_799_999;

/// Most seconds of the exchange in a second of the machine.
pub(crate) const FASTEST: u32 = 10_000;

/// How the clock of a new sandbox goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Machine,
    Stepped {
        from_ms: u64,
    },
    /// From the machine's time where no other is given.
    Fast {
        from_ms: Option<u64>,
        speed: u32,
    },
}

impl Start {
    /// The clock as it begins to go.
    pub(crate) fn clock(self) -> Clock {
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

    /// The same for an exchange that has come as far as `reached_ms`: no time comes twice.
    pub(crate) fn no_earlier(self, reached_ms: u64) -> Self {
        match self {
            Self::Machine if machine_ms() >= reached_ms => self,
            // It was faster than the machine, and now goes on beside it.
            Self::Machine => Self::Fast { from_ms: Some(reached_ms), speed: 1 },
            Self::Stepped { from_ms } => Self::Stepped { from_ms: from_ms.max(reached_ms) },
            Self::Fast { from_ms, speed } => {
                let from_ms = from_ms.unwrap_or_else(machine_ms).max(reached_ms);
                Self::Fast { from_ms: Some(from_ms), speed }
            }
        }
    }
}

/// The time of the exchange in milliseconds since 1970: the machine's clock, one that began elsewhere or
/// goes faster, or one that only moves when it is told to.
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
                from_ms.saturating_add(u64::try_from(passed).unwrap_or(END_MS)).min(END_MS)
            }
            Self::Stepped { now_ms } => now_ms,
        }
    }

    pub(crate) fn is_stepped(self) -> bool {
        matches!(self, Self::Stepped { .. })
    }

    /// Time of the machine in which `time` of the exchange passes.
    pub(crate) fn on_machine(self, time: Duration) -> Duration {
        if let Self::Running { speed, .. } = self { time / speed } else { time }
    }

    /// What a timestamp of a client is held against. Clients go by the clock of the machine, which a
    /// clock of its own does not follow: the nearer of the two counts.
    pub(crate) fn facing(self, sent_ms: u64) -> u64 {
        let now_ms = self.now_ms();
        match self {
            Self::Running { .. } => {
                let machine = machine_ms();
                if sent_ms.abs_diff(machine) < sent_ms.abs_diff(now_ms) { machine } else { now_ms }
            }
            Self::Machine | Self::Stepped { .. } => now_ms,
        }
    }

    /// Moves a stepped clock; others go their own way.
    pub(crate) fn advance(&mut self, by: Duration) {
        if let Self::Stepped { now_ms } = self {
            let by = u64::try_from(by.as_millis()).unwrap_or(END_MS);
            *now_ms = now_ms.saturating_add(by).min(END_MS);
        }
    }
}

fn machine_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(END_MS).min(END_MS))
}

#[cfg(test)]
mod tests {
    use super::{Clock, Start, machine_ms};
    use std::time::{Duration, Instant};

    #[test]
    fn a_fast_clock_takes_timestamps_of_the_machine_and_its_own() {
        let from_ms = machine_ms() + 86_400_000;
        let since = Instant::now().checked_sub(Duration::from_secs(1)).expect("a time");
        let clock = Clock::Running { from_ms, since, speed: 60 };
        assert!(clock.now_ms() >= from_ms + 60_000);
        assert_eq!(clock.on_machine(Duration::from_millis(60)), Duration::from_millis(1));
        let machine = machine_ms();
        assert!(clock.facing(machine) < from_ms, "the machine's is nearer");
        assert!(clock.facing(from_ms) >= from_ms, "its own is nearer");
        assert_eq!(Clock::Stepped { now_ms: 7 }.facing(machine), 7);
    }

    #[test]
    fn a_clock_never_goes_behind_what_has_happened() {
        let ahead = machine_ms() + 86_400_000;
        for start in [
            Start::Machine,
            Start::Stepped { from_ms: 5 },
            Start::Fast { from_ms: Some(5), speed: 3 },
            Start::Fast { from_ms: None, speed: 3 },
        ] {
            assert!(start.no_earlier(ahead).clock().now_ms() >= ahead, "{start:?}");
        }
        assert_eq!(Start::Machine.no_earlier(5), Start::Machine);
    }
}
