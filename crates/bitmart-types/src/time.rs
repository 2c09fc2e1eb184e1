//! Timestamps.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::InvalidValue;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// A moment in Unix time with millisecond resolution.
///
/// The wire has milliseconds in some fields and seconds in others: see the helpers in
/// [`codec`](crate::codec). `Display` and `FromStr` use RFC 3339 in UTC.
///
/// ```
/// use bitmart_types::Timestamp;
///
/// let time = Timestamp::from_millis(1_692_245_338_123);
/// assert_eq!(time.to_string(), "2023-08-17T04:08:58.123Z");
/// assert_eq!("2023-08-17T04:08:58.123Z".parse(), Ok(time));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Creates a timestamp from milliseconds since 1970-01-01 UTC.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }
    /// Creates a timestamp from seconds since 1970-01-01 UTC, clamped to the range of the type.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }
    /// Returns the current time of the system clock.
    pub fn now() -> Self {
        SystemTime::now().into()
    }
    /// Milliseconds since 1970-01-01 UTC.
    pub const fn as_millis(self) -> i64 {
        self.0
    }
    /// Whole seconds since 1970-01-01 UTC, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }
    /// Returns the time since `earlier`; zero if `earlier` is later.
    pub fn duration_since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(millis(after)),
            Err(before) => Self(-millis(before.duration())),
        }
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    /// Clamped to the range of the type.
    fn add(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    /// Clamped to the range of the type.
    fn sub(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_of_day(self.0.div_euclid(MILLIS_PER_DAY));
        let in_day = self.0.rem_euclid(MILLIS_PER_DAY);
        let (secs, millis) = (in_day / 1000, in_day % 1000);
        let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidValue;

    /// Parses `2024-01-31T12:00:00Z` with any number of fractional digits; those beyond the millisecond
    /// are dropped.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| {
            InvalidValue::new("time", text, "a UTC date such as 2024-01-31T12:00:00.000Z")
        })
    }
}

impl serde::Serialize for Timestamp {
    /// Milliseconds as a number.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    /// Reads milliseconds as a number or text. Fields of the exchange use the helpers of
    /// [`codec`](crate::codec), which recognize other units and reject implausible times.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::codec::number::deserialize(deserializer).map(Self)
    }
}

/// Returns year, month and day of a day number, where 0 is 1970-01-01. Counts in eras of 400 years,
/// which have the same length, and starts years in March, so that the leap day is the last.
fn date_of_day(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468; // Days from 0000-03-01 to 1970-01-01.
    let era = day.div_euclid(146_097);
    let in_era = day.rem_euclid(146_097);
    let year_of_era = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * in_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, in_year - (153 * from_march + 2) / 5 + 1)
}

/// Returns the day number of a date, the reverse of [`date_of_day`].
fn day_of_date(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let in_year = (153 * from_march + 2) / 5 + day - 1;
    let in_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + in_year;
    era * 146_097 + in_era - 719_468
}

fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix(['Z', 'z'])?.split_once(['T', 't', ' '])?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));

    let [year, month, day] = three_numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = three_numbers(clock, ':', [2, 2, 2])?;
    let days = day_of_date(year, month, day);
    if date_of_day(days) != (year, month, day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if fraction.is_empty() || !is_digits(fraction) {
        return None;
    }
    let tail = fraction.bytes().chain(*b"000").take(3);
    let millis = tail.fold(0, |millis, digit| millis * 10 + i64::from(digit - b'0'));
    let secs = hour * 3600 + minute * 60 + second;
    Some(Timestamp(days * MILLIS_PER_DAY + secs * 1000 + millis))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// Parses three numbers of fixed width between separators.
fn three_numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && is_digits(part))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}
