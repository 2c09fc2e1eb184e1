//! Handshakes that the server answered with an HTTP error.

use std::time::{Duration, SystemTime};

use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::reason::ReconnectReason;

/// How much of a response body is read. Its beginning is enough to recognize it.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// How long reading the body may take. After that only the status is reported.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) async fn read(response: Response<Incoming>) -> ReconnectReason {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers(), SystemTime::now());
    let is_html = header(response.headers(), CONTENT_TYPE)
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/html"));
    let mut bytes = Vec::new();
    let mut body = response.into_body();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
            if bytes.len() >= MAX_BODY_BYTES {
                break;
            }
        }
    };
    // After a timeout, the part that was read is used.
    let _ = tokio::time::timeout(BODY_TIMEOUT, reading).await;
    bytes.truncate(MAX_BODY_BYTES);
    let page = describe(&String::from_utf8_lossy(&bytes), is_html);
    ReconnectReason::HandshakeRejected { status, page, retry_after }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Returns the delay of `Retry-After`, given in seconds or as a date. A date is compared with the
/// server's own `Date`, so that a wrong clock does no harm.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = header(headers, RETRY_AFTER)?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // The caller bounds the delay.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let from = header(headers, DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    // A date in the past demands no delay.
    Some(until.duration_since(from.unwrap_or(now)).unwrap_or_default())
}

/// Describes an error page: who sent it, and Cloudflare's error code if it contains one.
fn describe(page: &str, is_html: bool) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let code = lower.split_once("error code:").map(|(_, rest)| {
        let digits = rest.trim_start().split(|c: char| !c.is_ascii_digit()).next();
        digits.unwrap_or_default().chars().take(6).collect::<String>()
    });
    if let Some(code) = code.filter(|code| !code.is_empty()) {
        return Some(format!("a Cloudflare page, error code: {code}"));
    }
    if lower.contains("cloudflare") || lower.contains("cf-chl") {
        return Some("a Cloudflare page".to_owned());
    }
    let is_html = is_html || ["<!doctype html", "<html"].iter().any(|tag| lower.contains(tag));
    is_html.then(|| "an HTML page, probably of a proxy".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use http::{HeaderMap, HeaderValue};

    use super::{describe, retry_after};

    fn delay(fields: &[(&'static str, &'static str)]) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        // 2026-08-01T00:00:00Z
        retry_after(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(1_785_542_400))
    }

    #[test]
    fn parses_a_retry_after_in_seconds_and_as_a_date() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(delay(&[("retry-after", " 30 ")]), seconds(30));
        assert_eq!(delay(&[("retry-after", "99999999999999999999999")]), seconds(u64::MAX));
        let date = "Sat, 01 Aug 2026 00:01:30 GMT";
        assert_eq!(delay(&[("retry-after", date)]), seconds(90));
        let server = "Sat, 01 Aug 2026 00:01:20 GMT";
        assert_eq!(delay(&[("retry-after", date), ("date", server)]), seconds(10));
        let past = "Fri, 31 Jul 2026 23:59:59 GMT";
        assert_eq!(delay(&[("retry-after", past)]), seconds(0));
        for invalid in ["", "-5", "soon", "1.5"] {
            assert_eq!(delay(&[("retry-after", invalid)]), None, "{invalid}");
        }
        assert_eq!(delay(&[]), None);
    }

    #[test]
    fn describes_error_pages() {
        let described = |page: &str| describe(page, false);
        let blocked = Some("a Cloudflare page, error code: 1020".to_owned());
        assert_eq!(described("error code: 1020"), blocked);
        assert_eq!(described("<html>…<span>Error code:  1020</span>"), blocked);
        let challenge = "<!DOCTYPE html><title>Just a moment…</title><script src=/cf-chl/>";
        assert_eq!(described(challenge), Some("a Cloudflare page".to_owned()));
        let html = Some("an HTML page, probably of a proxy".to_owned());
        assert_eq!(described("<!DOCTYPE html><h1>451</h1>"), html);
        assert_eq!(describe("", true), html);
        assert_eq!(described(r#"{"message":"Too many requests"}"#), None);
        assert_eq!(described("error code: x"), None);
    }
}
