//! Calendar years in UTC.

use bitmart::Timestamp;

/// Returns the year of a time.
pub(super) fn year_of(time: Timestamp) -> i32 {
    // A time begins with the four digits of its year.
    time.to_string().get(..4).and_then(|digits| digits.parse().ok()).unwrap_or(1970)
}

/// Returns the first second of a year; 0 for an invalid year.
pub(super) fn first_second(year: i32) -> i64 {
    let text = format!("{year:04}-01-01T00:00:00Z");
    text.parse::<Timestamp>().map_or(0, |time| time.as_millis() / 1_000)
}

#[cfg(test)]
mod tests {
    use super::{first_second, year_of};

    #[test]
    fn a_year_begins_with_its_first_second() {
        assert_eq!(first_second(2024), 1_704_067_200);
        let last = bitmart::Timestamp::from_millis(first_second(2024) * 1_000 - 1);
        assert_eq!(year_of(last), 2023);
    }
}
