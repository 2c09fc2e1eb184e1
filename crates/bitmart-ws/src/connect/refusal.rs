//! A handshake that was answered by a page or a status instead of a connection.

use std::time::{Duration, SystemTime};

use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::reason::ReconnectReason;

/// The most that is read of a page. What names it stands at its beginning.
const PAGE_BYTES: usize = 16 * 1024;

/// How long the page may take. Without it the status is told alone.
const PAGE_WITHIN: Duration = Duration::from_secs(2);

/// What the answer says.
pub(super) async fn read(response: Response<Incoming>) -> ReconnectReason {
    let status = response.status().as_u16();
    let wait = retry_after(response.headers(), SystemTime::now());
    let is_html = header(response.headers(), CONTENT_TYPE)
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/html"));
    let mut page = Vec::new();
    let mut body = response.into_body();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            page.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
            if page.len() >= PAGE_BYTES {
                break;
            }
        }
    };
    // Cut off or not, what has come so far is looked at.
    let _ = tokio::time::timeout(PAGE_WITHIN, reading).await;
    page.truncate(PAGE_BYTES);
    let page = name(&String::from_utf8_lossy(&page), is_html);
    ReconnectReason::HandshakeRefused { status, page, wait }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The pause that the server asks for: in seconds, or until a date. A date counts from the server's
/// own `Date`, so that a clock that is off does no harm.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = header(headers, RETRY_AFTER)?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are the longest pause there is, which is bounded later.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let from = header(headers, DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    // A date that has passed asks for no pause.
    Some(until.duration_since(from.unwrap_or(now)).unwrap_or_default())
}

/// What a page is, in words of this crate and the number of Cloudflare's error.
fn name(page: &str, is_html: bool) -> Option<String> {
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

    use super::{name, retry_after};

    fn pause(fields: &[(&'static str, &'static str)]) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        // 2026-08-01T00:00:00Z
        retry_after(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(1_785_542_400))
    }

    #[test]
    fn a_retry_after_is_seconds_or_a_date() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(pause(&[("retry-after", " 30 ")]), seconds(30));
        assert_eq!(pause(&[("retry-after", "99999999999999999999999")]), seconds(u64::MAX));
        let date = "Sat, 01 Aug 2026 00:01:30 GMT";
        assert_eq!(pause(&[("retry-after", date)]), seconds(90));
        let server = "Sat, 01 Aug 2026 00:01:20 GMT";
        assert_eq!(pause(&[("retry-after", date), ("date", server)]), seconds(10));
        let past = "Fri, 31 Jul 2026 23:59:59 GMT";
        assert_eq!(pause(&[("retry-after", past)]), seconds(0));
        for nothing in ["", "-5", "soon", "1.5"] {
            assert_eq!(pause(&[("retry-after", nothing)]), None, "{nothing}");
        }
        assert_eq!(pause(&[]), None);
    }

    #[test]
    fn pages_are_named_for_what_they_are() {
        let named = |page: &str| name(page, false);
        let blocked = Some("a Cloudflare page, error code: 1020".to_owned());
        assert_eq!(named("error code: 1020"), blocked);
        assert_eq!(named("<html>…<span>Error code:  1020</span>"), blocked);
        let challenge = "<!DOCTYPE html><title>Just a moment…</title><script src=/cf-chl/>";
        assert_eq!(named(challenge), Some("a Cloudflare page".to_owned()));
        let html = Some("an HTML page, probably of a proxy".to_owned());
        assert_eq!(named("<!DOCTYPE html><h1>451</h1>"), html);
        assert_eq!(name("", true), html);
        assert_eq!(named(r#"{"message":"Too many requests"}"#), None);
        assert_eq!(named("error code: x"), None);
    }
}
