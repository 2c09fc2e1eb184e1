//! How far a walk has come, on standard error.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use bitmart::Timestamp;

/// How often it is told: on a terminal, where the line is written over, and elsewhere.
const TOLD: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(5)];

/// The progress of one walk.
#[derive(Debug)]
pub(super) struct Progress {
    name: String,
    begin: Timestamp,
    end: Timestamp,
    started: Instant,
    told: Instant,
    terminal: bool,
}

impl Progress {
    /// A walk that begins or goes on at `begin`.
    pub(super) fn new(name: &str, begin: Timestamp, end: Timestamp) -> Self {
        let now = Instant::now();
        let terminal = std::io::stderr().is_terminal();
        Self { name: name.to_owned(), begin, end, started: now, told: now, terminal }
    }

    /// The walk stands at `next`, with so many rows.
    pub(super) fn tell(&mut self, next: Timestamp, rows: u64) {
        if self.told.elapsed() < TOLD[usize::from(!self.terminal)] {
            return;
        }
        self.told = Instant::now();
        let line = self.line(next, rows, self.started.elapsed());
        let mut err = std::io::stderr().lock();
        // Progress that cannot be told is no reason to stop.
        let _ = if self.terminal {
            write!(err, "\r\x1b[K{line}").and_then(|()| err.flush())
        } else {
            writeln!(err, "{line}")
        };
    }

    /// Clears the line.
    pub(super) fn end(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }

    /// What remains is guessed from the time that the span so far has taken. That is wrong as far as
    /// the account was more or less busy then.
    fn line(&self, next: Timestamp, rows: u64, elapsed: Duration) -> String {
        let millis = |from: Timestamp, to: Timestamp| {
            u64::try_from(to.as_millis() - from.as_millis()).unwrap_or(0)
        };
        let (done, left) = (millis(self.begin, next), millis(next, self.end));
        let percent = (done * 100).checked_div(done + left).unwrap_or(100);
        let seconds = u128::from(left) * elapsed.as_millis() / 1_000 / u128::from(done.max(1));
        let bar = "#".repeat(usize::try_from(percent / 5).unwrap_or(0));
        let date: String = next.to_string().chars().take(10).collect();
        let name = &self.name;
        format!(
            "{name:<24} [{bar:<20}] {percent:>3} % at {date}, {rows} rows, about {} left",
            clock(seconds)
        )
    }
}

/// A time in words.
pub(super) fn clock(seconds: u128) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Progress, Timestamp};

    #[test]
    fn the_rest_takes_as_long_in_proportion() {
        let at = Timestamp::from_millis;
        let progress = Progress::new("orders", at(0), at(4_000));
        let line = progress.line(at(1_000), 7, Duration::from_secs(50));
        assert!(line.contains(" 25 % at 1970-01-01, 7 rows, about 3 min left"), "{line}");
        assert!(line.contains("[#####               ]"), "{line}");
        assert!(progress.line(at(0), 0, Duration::ZERO).contains("  0 %"));
    }
}
