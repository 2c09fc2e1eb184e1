//! The end of the exchange, and what is said of it.

use bitmart::Timestamp;

/// 2027-01-31 15:59 UTC, when BitMart ends operations, in milliseconds.
const END_MS: i64 = 1_801_411_140_000;

/// The sentence of the help.
pub(crate) fn sentence(now: Timestamp) -> &'static str {
    if has_passed(now) {
        "BitMart ended operations on 2027-01-31 15:59 UTC: the sandbox, recordings and exports remain."
    } else {
        "BitMart ended trading on 2026-08-26 and ends operations on 2027-01-31 15:59 UTC: export your history."
    }
}

/// What to tell whoever goes to the exchange itself; nothing while it operates.
pub(crate) fn warning(now: Timestamp) -> Option<&'static str> {
    has_passed(now).then_some(
        "live: BitMart ended operations on 2027-01-31 15:59 UTC; whatever answers there now is not the \
         exchange that it was. --env sandbox is an exchange on this machine",
    )
}

fn has_passed(now: Timestamp) -> bool {
    now.as_millis() >= END_MS
}

#[cfg(test)]
mod tests {
    use super::{END_MS, sentence, warning};
    use bitmart::Timestamp;

    #[test]
    fn the_end_is_told_from_its_minute_on() {
        let end: Timestamp = "2027-01-31T15:59:00Z".parse().expect("a time");
        assert_eq!(end.as_millis(), END_MS);
        let before = Timestamp::from_millis(END_MS - 1);
        assert!(sentence(before).contains("export your history") && warning(before).is_none());
        assert!(sentence(end).contains("ended operations"));
        assert!(warning(end).is_some_and(|words| words.contains("--env sandbox")));
    }
}
