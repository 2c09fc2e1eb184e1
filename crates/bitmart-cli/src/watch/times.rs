//! Times in the messages of channels.

use bitmart::Timestamp;

use crate::output::json::Json;

/// Members with milliseconds since 1970.
const MILLISECONDS: [&str; 7] = [
    "create_time",
    "event_time",
    "fundingTime",
    "last_fill_time",
    "ms_t",
    "nextFundingTime",
    "update_time",
];
/// Members with seconds since 1970.
const SECONDS: [&str; 2] = ["candle[0]", "s_t"];
/// A number of seconds as large as this is in the year 5138.
const MAX_SECONDS: i64 = 100_000_000_000;

/// The time in a member of a channel's data.
pub(super) fn of_data(name: &str, value: &Json) -> Option<Timestamp> {
    let number = || value.cell().parse::<i64>().ok().filter(|number| *number > 0);
    let millis = match name {
        name if MILLISECONDS.contains(&name) => number()?,
        name if SECONDS.contains(&name) => number()?.checked_mul(1_000)?,
        // Seconds in candles, milliseconds in funding rates.
        "ts" => match number()? {
            seconds @ ..MAX_SECONDS => seconds * 1_000,
            millis => millis,
        },
        // Trades of futures have RFC 3339.
        "created_at" => return value.cell().parse().ok(),
        _ => return None,
    };
    Some(Timestamp::from_millis(millis))
}

/// The time in a member of a subscription event.
pub(super) fn of_event(name: &str, value: &Json) -> Option<Timestamp> {
    let millis = value.cell().parse().ok().filter(|_| name == "at")?;
    Some(Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::{Json, of_data};

    #[test]
    fn reads_times_in_their_unit() {
        let time = |name: &str, value: &str| {
            let value = Json::parse(value).expect("JSON");
            of_data(name, &value).map(bitmart::Timestamp::as_millis)
        };
        assert_eq!(time("ms_t", "1700000000123"), Some(1_700_000_000_123));
        assert_eq!(time("create_time", "\"1700000000123\""), Some(1_700_000_000_123));
        assert_eq!(time("candle[0]", "1700000000"), Some(1_700_000_000_000));
        assert_eq!(time("ts", "1700000000"), Some(1_700_000_000_000));
        assert_eq!(time("ts", "1700000000123"), Some(1_700_000_000_123));
        assert_eq!(time("created_at", "\"2024-01-31T12:00:00.5Z\""), Some(1_706_702_400_500));
        assert_eq!(time("last_fill_time", "\"0\""), None);
        assert_eq!(time("candle[1]", "1700000000"), None);
    }
}
