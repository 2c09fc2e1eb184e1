//! Calendar years in UTC.

use bitmart::Timestamp;

/// The year of a time.
pub(super) fn of(time: Timestamp) -> i32 {
    // Times are written with four digits of the year in front.
    time.to_string().get(..4).and_then(|digits| digits.parse().ok()).unwrap_or(1970)
}

/// Second at which a year begins; 1970 for one that has none.
pub(super) fn begin(year: i32) -> i64 {
    let text = format!("{year:04}-01-01T00:00:00Z");
    text.parse::<Timestamp>().map_or(0, |time| time.as_millis() / 1_000)
}

#[cfg(test)]
mod tests {
    use super::{begin, of};

    #[test]
    fn a_year_begins_with_its_first_second() {
        assert_eq!(begin(2024), 1_704_067_200);
        let last = bitmart::Timestamp::from_millis(begin(2024) * 1_000 - 1);
        assert_eq!(of(last), 2023);
    }
}
