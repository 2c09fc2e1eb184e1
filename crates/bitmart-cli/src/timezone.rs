//! Time zones by their names in the tz database, which is compiled into the program.

use bitmart::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::failure::Failure;

/// Longest name that is looked up; the longest in the database has 32 letters.
const LONGEST: usize = 64;

/// A time zone.
#[derive(Clone, Debug)]
pub(crate) struct Zone(TimeZone);

/// Finds a zone by a name such as `Europe/Vienna` or `UTC`, in any case.
///
/// # Errors
/// If there is no zone of that name.
pub(crate) fn parse(name: &str) -> Result<Zone, Failure> {
    let unknown = || {
        let shown: String = name.chars().take(LONGEST).collect();
        Failure::usage(format!("no time zone is called {shown:?}"))
            .with_advice("name one of the tz database, such as Europe/Vienna, or UTC")
    };
    if name.len() > LONGEST {
        return Err(unknown());
    }
    if name.eq_ignore_ascii_case("utc") {
        return Ok(Zone::utc());
    }
    TimeZone::get(name).map(Zone).map_err(|_| unknown())
}

impl Zone {
    pub(crate) fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The name in the database.
    pub(crate) fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Begin and end of a year. `None` for years outside 1970 to 9998.
    pub(crate) fn year(&self, year: i16) -> Option<(Timestamp, Timestamp)> {
        if !(1970..=9998).contains(&year) {
            return None;
        }
        Some((self.begin_of_day(year, 1, 1)?, self.begin_of_day(year + 1, 1, 1)?))
    }

    /// The beginning of a day. It is not midnight if the clocks are put forward then.
    pub(crate) fn begin_of_day(&self, year: i16, month: i8, day: i8) -> Option<Timestamp> {
        let day = Date::new(year, month, day).ok()?.to_zoned(self.0.clone()).ok()?;
        Some(Timestamp::from_millis(day.timestamp().as_millisecond()))
    }

    /// Formats a time in the zone, with its offset: `2025-03-30T03:00:00.250+02:00`.
    pub(crate) fn local(&self, time: Timestamp) -> String {
        let moment = jiff::Timestamp::from_millisecond(time.as_millis());
        moment.map_or_else(
            |_| time.to_string(),
            |moment| {
                moment.to_zoned(self.0.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use bitmart::Timestamp;

    use super::{Zone, parse};

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn years_begin_at_local_midnight() {
        let year = |name: &str, year| parse(name).expect(name).year(year).expect("a year");
        let utc = (time("2025-01-01T00:00:00Z"), time("2026-01-01T00:00:00Z"));
        assert_eq!(year("utc", 2025), utc);
        let vienna = (time("2024-12-31T23:00:00Z"), time("2025-12-31T23:00:00Z"));
        assert_eq!(year("europe/vienna", 2025), vienna);
        let kiritimati = (time("2024-12-31T10:00:00Z"), time("2025-12-31T10:00:00Z"));
        assert_eq!(year("Pacific/Kiritimati", 2025), kiritimati);
        assert_eq!(Zone::utc().year(9999), None);
        assert_eq!(Zone::utc().year(-1), None);
    }

    #[test]
    fn formats_times_with_their_offset() {
        let vienna = parse("Europe/Vienna").expect("a zone");
        assert_eq!(vienna.name(), "Europe/Vienna");
        assert_eq!(vienna.local(time("2025-03-30T00:59:59.250Z")), "2025-03-30T01:59:59.250+01:00");
        assert_eq!(vienna.local(time("2025-03-30T01:00:00Z")), "2025-03-30T03:00:00.000+02:00");
        assert_eq!(
            Zone::utc().local(time("2025-03-30T01:00:00Z")),
            "2025-03-30T01:00:00.000+00:00"
        );
    }

    #[test]
    fn rejects_an_unknown_zone_with_an_example() {
        for name in ["Europe/Wien", "", "../../etc/passwd", "+25:00", &"x".repeat(10_000)] {
            let failure = parse(name).expect_err("no zone").to_string();
            assert!(failure.contains("Europe/Vienna"), "{failure}");
            assert!(failure.len() < 300, "{failure}");
        }
    }
}
