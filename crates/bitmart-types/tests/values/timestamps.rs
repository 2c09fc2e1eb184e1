//! Timestamps.

use std::time::{Duration, UNIX_EPOCH};

use bitmart_types::Timestamp;
use proptest::prelude::*;

#[test]
fn known_timestamps_format_as_their_dates() {
    for (millis, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (1_692_245_338_123, "2023-08-17T04:08:58.123Z"),
        (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ] {
        let time = Timestamp::from_millis(millis);
        assert_eq!(time.to_string(), text);
        assert_eq!(format!("{time:?}"), text);
        assert_eq!(text.parse(), Ok(time));
    }
}

#[test]
fn fractions_are_cut_at_the_millisecond() {
    for (fraction, millis) in
        [("", 0), (".1", 100), (".12", 120), (".1239", 123), (".000999999", 0)]
    {
        let text = format!("1970-01-01T00:00:00{fraction}Z");
        assert_eq!(text.parse(), Ok(Timestamp::from_millis(millis)), "{text}");
    }
}

#[test]
fn malformed_dates_are_rejected() {
    for text in [
        "",
        "2023-08-17",
        "2023-08-17T04:08:58",
        "2023-08-17T04:08:58+02:00",
        "2023-02-29T00:00:00Z",
        "2023-13-01T00:00:00Z",
        "2023-00-01T00:00:00Z",
        "2023-01-00T00:00:00Z",
        "2023-01-01T24:00:00Z",
        "2023-01-01T00:60:00Z",
        "2023-01-01T00:00:00.Z",
        "2023-01-01T00:00:00.1x2Z",
        "23-01-01T00:00:00Z",
        "2023-1-01T00:00:00Z",
        "+023-01-01T00:00:00Z",
        "2023-01-01-01T00:00:00Z",
        "2023-01-01T00:00:00ZZ",
    ] {
        assert!(text.parse::<Timestamp>().is_err(), "{text}");
    }
}

#[test]
fn seconds_round_down() {
    assert_eq!(Timestamp::from_secs(2).as_millis(), 2_000);
    assert_eq!(Timestamp::from_millis(1_999).as_secs(), 1);
    assert_eq!(Timestamp::from_millis(-1).as_secs(), -1);
    assert_eq!(Timestamp::from_secs(i64::MAX).as_millis(), i64::MAX);
}

#[test]
fn arithmetic_is_clamped() {
    let (early, late) = (Timestamp::from_millis(100), Timestamp::from_millis(350));
    assert_eq!(late.duration_since(early), Duration::from_millis(250));
    assert_eq!(early.duration_since(late), Duration::ZERO);
    assert_eq!(early + Duration::from_millis(250), late);
    assert_eq!(late - Duration::from_millis(250), early);
    assert_eq!((late + Duration::MAX).as_millis(), i64::MAX);
}

#[test]
fn system_times_convert_in_both_directions_of_the_epoch() {
    let second = Duration::from_secs(1);
    assert_eq!(Timestamp::from(UNIX_EPOCH + second).as_millis(), 1_000);
    assert_eq!(Timestamp::from(UNIX_EPOCH - second).as_millis(), -1_000);
}

#[test]
fn extreme_timestamps_format() {
    for millis in [i64::MIN, i64::MAX] {
        assert!(Timestamp::from_millis(millis).to_string().ends_with('Z'));
    }
}

proptest! {
    #[test]
    fn dates_of_four_digit_years_round_trip(millis in -62_135_596_800_000_i64..=253_402_300_799_999) {
        let time = Timestamp::from_millis(millis);
        prop_assert_eq!(time.to_string().parse(), Ok(time));
    }

    #[test]
    fn consecutive_days_have_consecutive_dates(day in -700_000_i64..2_900_000) {
        let date = |day: i64| Timestamp::from_secs(day * 86_400).to_string();
        let (today, tomorrow) = (date(day), date(day + 1));
        let number = |date: &str| date[8..10].parse::<u32>();
        let next = number(&tomorrow)?;
        prop_assert!(next == number(&today)? + 1 || next == 1, "{} {}", today, tomorrow);
        prop_assert!(today < tomorrow);
    }

    #[test]
    fn parsing_never_panics(text in any::<String>()) {
        let _ = text.parse::<Timestamp>();
    }
}
