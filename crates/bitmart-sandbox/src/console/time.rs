//! Times and durations as text.

/// The time of day in UTC: `14:05:09.123`.
pub(super) fn of_day(ms: u64) -> String {
    let (seconds, part) = (ms / 1_000, ms % 1_000);
    let (hours, minutes) = (seconds / 3_600 % 24, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{part:03}", seconds % 60)
}

/// Date and time in UTC: `2026-02-03 14:05:09`.
pub(super) fn date(ms: u64) -> String {
    let (year, month, day) = civil(ms / 86_400_000);
    let time = of_day(ms);
    format!("{year:04}-{month:02}-{day:02} {}", time.get(..8).unwrap_or_default())
}

/// Year, month and day of a day, which is counted from 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years begin in March, so that a leap day is the last one. 400 years have 146,097 days.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (year + era * 400, month, day)
}

/// A duration of microseconds in milliseconds: `1.25`.
pub(super) fn millis(micros: u64) -> String {
    if micros < 100_000 {
        format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10)
    } else {
        (micros / 1_000).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc() {
        assert_eq!(date(0), "1970-01-01 00:00:00");
        assert_eq!(date(951_782_400_000), "2000-02-29 00:00:00");
        assert_eq!(date(1_735_689_599_999), "2024-12-31 23:59:59");
        assert_eq!(of_day(1_700_000_000_123), "22:13:20.123");
        assert_eq!((millis(1_257), millis(250_000)), ("1.25".to_owned(), "250".to_owned()));
    }
}
