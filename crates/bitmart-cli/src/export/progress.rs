//! Progress of an export, on standard error.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use bitmart::Timestamp;

/// Shortest time between two lines: on a terminal, where they are overwritten, and elsewhere.
const INTERVALS: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(5)];

/// The progress through one span of a history.
#[derive(Debug)]
pub(super) struct Progress {
    name: String,
    begin: Timestamp,
    end: Timestamp,
    started: Instant,
    /// When a line was shown last.
    shown: Instant,
    is_terminal: bool,
}

impl Progress {
    /// Begins or continues at `begin`.
    pub(super) fn new(name: &str, begin: Timestamp, end: Timestamp) -> Self {
        let now = Instant::now();
        let is_terminal = std::io::stderr().is_terminal();
        Self { name: name.to_owned(), begin, end, started: now, shown: now, is_terminal }
    }

    /// Shows that the history is stored up to `next`, unless it was shown a moment ago.
    pub(super) fn show(&mut self, next: Timestamp, rows: u64, overall: &Overall) {
        if self.shown.elapsed() < INTERVALS[usize::from(!self.is_terminal)] {
            return;
        }
        self.shown = Instant::now();
        let line = self.line(next, rows, self.started.elapsed());
        let mut err = std::io::stderr().lock();
        // Failing to show progress does not end the export.
        let _ = if self.is_terminal {
            write!(err, "\r\x1b[K{line}\r\n\x1b[K{}\x1b[A", overall.line())
                .and_then(|()| err.flush())
        } else {
            writeln!(err, "{line}\n{}", overall.line())
        };
    }

    /// Clears the line.
    pub(super) fn end(&self) {
        if self.is_terminal {
            eprint!("\r\x1b[K\n\x1b[K\x1b[A");
        }
    }

    /// The remaining time is extrapolated from the span so far. It is off if the account was more or less active
    /// then.
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

/// The progress of a run.
#[derive(Debug)]
pub(super) struct Overall {
    started: Instant,
    /// Estimated requests of each dataset, and how much of it is done, in thousandths.
    lists: BTreeMap<String, (u64, u64)>,
    rows: u64,
    bytes: u64,
}

impl Overall {
    pub(super) fn new(expected: impl IntoIterator<Item = (String, u64)>) -> Self {
        let lists = expected.into_iter().map(|(name, requests)| (name, (requests, 0))).collect();
        Self { started: Instant::now(), lists, rows: 0, bytes: 0 }
    }

    /// Counts stored rows and bytes.
    pub(super) fn add(&mut self, rows: usize, bytes: usize) {
        self.rows += rows as u64;
        self.bytes += bytes as u64;
    }

    /// Notes that a history is stored up to `next`.
    pub(super) fn reached(&mut self, name: &str, span: (Timestamp, Timestamp), next: Timestamp) {
        let millis =
            |to: Timestamp| u64::try_from(to.as_millis() - span.0.as_millis()).unwrap_or(0).max(1);
        self.set(name, (millis(next) * 1_000 / millis(span.1)).min(1_000));
    }

    pub(super) fn list_done(&mut self, name: &str) {
        self.set(name, 1_000);
    }

    fn set(&mut self, name: &str, done: u64) {
        self.lists.entry(name.to_owned()).or_insert((1, 0)).1 = done;
    }

    fn percent(&self) -> u64 {
        let all: u64 = self.lists.values().map(|(requests, _)| requests).sum();
        let done: u64 = self.lists.values().map(|(requests, done)| requests * done).sum();
        (done / 10).checked_div(all).unwrap_or(100)
    }

    /// Percent, rows, bytes, and the estimated end.
    pub(super) fn line(&self) -> String {
        self.line_after(self.started.elapsed(), Timestamp::now())
    }

    fn line_after(&self, elapsed: Duration, now: Timestamp) -> String {
        let percent = self.percent();
        let mut text = format!("all: {percent} %, {} rows, {}", self.rows, size(self.bytes));
        if (1..100).contains(&percent) {
            let left = elapsed.as_millis() * u128::from(100 - percent) / u128::from(percent);
            let left = Duration::from_millis(u64::try_from(left).unwrap_or(u64::MAX));
            let end: String = (now + left).to_string().chars().take(16).collect();
            text += &format!(", done about {} UTC", end.replace('T', " "));
        }
        text
    }
}

/// Formats a number of bytes.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        1_000_000..1_000_000_000 => {
            format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
        }
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes % 1_000_000_000 / 100_000_000),
    }
}

/// Formats a duration.
pub(super) fn clock(seconds: u128) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Overall, Progress, Timestamp};

    #[test]
    fn weighs_datasets_by_their_requests() {
        let at = Timestamp::from_millis;
        let mut overall = Overall::new([("orders".to_owned(), 3), ("trades".to_owned(), 1)]);
        overall.add(7, 5_300_000);
        overall.reached("orders", (at(0), at(100)), at(50));
        overall.list_done("trades");
        let line = overall.line_after(Duration::from_secs(3720), at(0));
        assert_eq!(line, "all: 62 %, 7 rows, 5.3 MB, done about 1970-01-01 00:38 UTC");
        overall.list_done("orders");
        assert_eq!(overall.line_after(Duration::ZERO, at(0)), "all: 100 %, 7 rows, 5.3 MB");
    }

    #[test]
    fn extrapolates_the_remaining_time() {
        let at = Timestamp::from_millis;
        let progress = Progress::new("orders", at(0), at(4_000));
        let line = progress.line(at(1_000), 7, Duration::from_secs(50));
        assert!(line.contains(" 25 % at 1970-01-01, 7 rows, about 3 min left"), "{line}");
        assert!(line.contains("[#####               ]"), "{line}");
        assert!(progress.line(at(0), 0, Duration::ZERO).contains("  0 %"));
    }
}
