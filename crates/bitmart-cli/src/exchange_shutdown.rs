//! Notices about the shutdown of the exchange.

use bitmart::Timestamp;

/// 2027-01-31 15:59 UTC, when BitMart ends operations, in milliseconds since 1970.
const END_MS: i64 = 1_801_411_140_000;

/// The notice in the help.
pub(crate) fn help_notice(now: Timestamp) -> &'static str {
    if has_passed(now) {
        "BitMart ended operations on 2027-01-31 15:59 UTC: the sandbox, recordings and exports remain."
    } else {
        "BitMart ended trading on 2026-08-26 and ends operations on 2027-01-31 15:59 UTC: export your history."
    }
}

/// The warning for requests to the live exchange after the shutdown.
pub(crate) fn live_warning(now: Timestamp) -> Option<&'static str> {
    has_passed(now).then_some(
        "live: BitMart ended operations on 2027-01-31 15:59 UTC; a server that still responds there is not \
         the exchange. --env sandbox is a local exchange",
    )
}

fn has_passed(now: Timestamp) -> bool {
    now.as_millis() >= END_MS
}

#[cfg(test)]
mod tests {
    use bitmart::Timestamp;

    use super::{END_MS, help_notice, live_warning};

    #[test]
    fn notices_change_at_the_minute_of_the_shutdown() {
        let end: Timestamp = "2027-01-31T15:59:00Z".parse().expect("a time");
        assert_eq!(end.as_millis(), END_MS);
        let before = Timestamp::from_millis(END_MS - 1);
        assert!(
            help_notice(before).contains("export your history") && live_warning(before).is_none()
        );
        assert!(help_notice(end).contains("ended operations"));
        assert!(live_warning(end).is_some_and(|text| text.contains("--env sandbox")));
    }
}
