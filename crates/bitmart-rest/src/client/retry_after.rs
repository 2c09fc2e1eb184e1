//! The `Retry-After` header.

use std::time::Duration;

use bitmart_types::Timestamp;
use http::HeaderMap;
use http::header::{DATE, HeaderName, RETRY_AFTER};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads `Retry-After`, in seconds or as a date. A date is relative to the response's `Date` header, or
/// to `now` without one. A date in the past yields zero.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = text(headers, &RETRY_AFTER)?;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that does not fit is treated as the maximum.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = date(text)?;
    let from = self::text(headers, &DATE).and_then(date).unwrap_or(now);
    Some(until.duration_since(from))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

/// An HTTP date: `Sun, 06 Nov 1994 08:49:37 GMT`. The obsolete formats are not supported.
fn date(text: &str) -> Option<Timestamp> {
    let (_, date) = text.split_once(", ")?;
    let mut parts = date.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    if parts.next() != Some("GMT") || parts.next().is_some() {
        return None;
    }
    format!("{year}-{month:02}-{day}T{time}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pairs: &[(HeaderName, &'static str)], now: &str) -> Option<Duration> {
        let value = http::HeaderValue::from_static;
        let headers = pairs.iter().map(|(name, text)| (name.clone(), value(text))).collect();
        retry_after(&headers, now.parse().unwrap())
    }

    #[test]
    fn only_seconds_and_dates_are_accepted() {
        let now = "2026-11-29T17:00:00Z";
        let secs = |secs| Some(Duration::from_secs(secs));
        for (text, expected) in [
            ("7", secs(7)),
            (" 0 ", secs(0)),
            ("99999999999999999999999", secs(u64::MAX)),
            ("Sun, 29 Nov 2026 17:00:30 GMT", secs(30)),
            ("Sun, 29 Nov 2026 16:59:30 GMT", secs(0)),
            ("Fri, 01 Jan 2027 00:00:00 GMT", secs(32 * 86_400 + 7 * 3600)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("Sun, 29 Nov 2026 17:00:30", None),
            ("Sun, 29 Nov 2026 17:00:30 UTC", None),
            ("Sun, 29 Foo 2026 17:00:30 GMT", None),
            ("Sun, 99 Nov 2026 17:00:30 GMT", None),
        ] {
            assert_eq!(parsed(&[(RETRY_AFTER, text)], now), expected, "{text:?}");
        }
        assert_eq!(parsed(&[], now), None);
    }

    #[test]
    fn a_date_is_relative_to_the_servers_date() {
        let headers = [
            (RETRY_AFTER, "Sun, 29 Nov 2026 17:00:30 GMT"),
            (DATE, "Sun, 29 Nov 2026 17:00:10 GMT"),
        ];
        assert_eq!(parsed(&headers, "2020-01-01T00:00:00Z"), Some(Duration::from_secs(20)));
    }
}
