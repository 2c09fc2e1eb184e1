//! Classifies responses that do not come from the exchange: redirects and pages of proxies.

use http::header::{HeaderName, LOCATION};
use http::{HeaderMap, StatusCode, Uri};

use super::encoding::Encoding;
use crate::error::Unexpected;

/// Bytes of a page that are searched.
const SEARCHED: usize = 16 * 1024;

/// Maximum length of an address in an error, in characters.
const ADDRESS_KEPT: usize = 160;

/// Header in which Cloudflare marks browser checks.
const MITIGATED: HeaderName = HeaderName::from_static("cf-mitigated");

/// Texts of pages that check for a browser.
const CHALLENGES: &[&str] = &["just a moment", "cf-chl", "_cf_chl_opt", "checking your browser"];

/// Texts of pages that block a region.
const REGIONS: &[&str] = &[
    "block access from your country",
    "not available in your country",
    "not available in your region",
];

/// Texts of pages that block the sender.
const BLOCKS: &[&str] = &[
    "you have been blocked",
    "attention required! | cloudflare",
    "request blocked",
    "access denied",
    "request could not be satisfied",
];

/// Error codes with which Cloudflare blocks requests.
const BLOCK_CODES: std::ops::Range<u32> = 1000..1200;
/// Cloudflare's error code for a blocked country.
const COUNTRY: u32 = 1009;

/// Refines `reason` by status, headers and body. The text is a detail for the error message.
pub(super) fn classify(
    reason: Unexpected,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> (Unexpected, Option<String>) {
    if let (true, Some(to)) = (status.is_redirection(), headers.get(LOCATION)) {
        return (Unexpected::Redirect, Some(address(to.as_bytes())));
    }
    if matches!(reason, Unexpected::NotJson | Unexpected::Truncated) {
        let encoding = Encoding::of(headers);
        let is_unread = match encoding {
            Encoding::None => false,
            Encoding::Deflated => std::str::from_utf8(body).is_err(),
            Encoding::Other(_) => true,
        };
        if is_unread {
            return (Unexpected::Encoding, Some(encoding.to_string()));
        }
    }
    if status == StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS {
        return (Unexpected::Region, None);
    }
    let text = &body[..body.len().min(SEARCHED)];
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let contains = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    let is_rejection = matches!(status.as_u16(), 401 | 403 | 405 | 406 | 429 | 503);
    if headers.get(MITIGATED).is_some_and(|value| value == "challenge")
        || (is_rejection && contains(CHALLENGES))
    {
        return (Unexpected::Challenge, None);
    }
    let number = number(&text);
    let named = number.map(|number| format!("error code {number}"));
    match number {
        Some(COUNTRY) => (Unexpected::Region, named),
        Some(number) if BLOCK_CODES.contains(&number) => (Unexpected::Blocked, named),
        _ if is_rejection && contains(REGIONS) => (Unexpected::Region, None),
        _ if is_rejection && contains(BLOCKS) => (Unexpected::Blocked, None),
        _ => (reason, named),
    }
}

/// A proxy's own error code, as Cloudflare writes it in its texts and pages.
fn number(text: &str) -> Option<u32> {
    ["error code: ", "error code ", "cf-error-code\">", "\"error_code\":"].iter().find_map(|mark| {
        let (_, behind) = text.split_once(mark)?;
        let behind = behind.trim_start();
        let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
        // Three digits are an HTTP status, four an error code of the proxy.
        behind.get(..end).filter(|digits| matches!(digits.len(), 3 | 4))?.parse().ok()
    })
}

/// Host and path of an address, without the query, which may contain secrets.
fn address(location: &[u8]) -> String {
    let text = std::str::from_utf8(location).ok();
    let Some(uri) = text.and_then(|text| text.trim().parse::<Uri>().ok()) else {
        return "an invalid address".to_owned();
    };
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    let host = uri.host().map(|host| format!("{host}{port}")).unwrap_or_default();
    format!("{host}{}", uri.path()).chars().take(ADDRESS_KEPT).collect()
}

/// The error text of an unexpected response.
pub(crate) fn text(reason: Unexpected, status: Option<StatusCode>) -> &'static str {
    let status = status.unwrap_or_default();
    match reason {
        Unexpected::Empty if status.is_server_error() => {
            "the response is empty, and a proxy in front of the exchange reports a server error"
        }
        Unexpected::Empty => "the response is empty",
        Unexpected::Html if status == StatusCode::NETWORK_AUTHENTICATION_REQUIRED => {
            "the response is an HTML page of a network that requires a login"
        }
        Unexpected::Html if status.is_server_error() => {
            "the response is an HTML page, probably of a proxy that does not reach the exchange"
        }
        Unexpected::Html if status.is_client_error() => {
            "the response is an HTML page, probably of a proxy that rejects the request"
        }
        Unexpected::Html if status.is_success() => {
            "the response is an HTML page, probably of a proxy or of a network that requires a login"
        }
        Unexpected::Html => "the response is an HTML page, probably of a proxy",
        Unexpected::Truncated => "the response ends too early",
        Unexpected::NotJson if status.is_server_error() => {
            "the response is not the exchange's JSON, and a proxy in front of it reports a server error"
        }
        Unexpected::NotJson => "the response is not the exchange's JSON",
        Unexpected::NoCode => "the response has no code",
        Unexpected::CodesDiffer => "the response has two codes that differ",
        Unexpected::StatusContradictsCode => {
            "the code reports success but the HTTP status does not"
        }
        Unexpected::MessageContradictsCode => {
            "the code reports success, but the message does not and there is no data"
        }
        Unexpected::Redirect => "the response is a redirect, which is not followed",
        Unexpected::Challenge => "the response is a page that checks for a browser",
        Unexpected::Blocked => "a proxy has blocked the request",
        Unexpected::Region => "the region of this IP address is blocked",
        Unexpected::Encoding => "the encoding of the response is not supported",
    }
}

/// What the caller can do about an unexpected response.
pub(crate) fn advice(reason: Unexpected, status: Option<StatusCode>) -> Option<&'static str> {
    let status = status.unwrap_or_default();
    Some(match reason {
        Unexpected::Redirect => {
            "Check the address of the environment, and whether this network requires a login."
        }
        Unexpected::Challenge => {
            "The proxy takes this client for a bot: send fewer requests, name your program in the \
             header User-Agent, or use another IP address."
        }
        Unexpected::Blocked => {
            "Name your program in the header User-Agent, send fewer requests, or use another IP address."
        }
        Unexpected::Region => "The exchange does not serve this region.",
        Unexpected::Encoding => "Let your HTTP stack request gzip or no compression.",
        Unexpected::Html
            if status.is_success() || status == StatusCode::NETWORK_AUTHENTICATION_REQUIRED =>
        {
            "Check the address of the environment, and open a page in a browser to see whether this \
             network requires a login."
        }
        Unexpected::Html | Unexpected::NotJson | Unexpected::Empty if status.is_server_error() => {
            "The exchange may be down: try again later."
        }
        Unexpected::Html if status.is_client_error() => {
            "Check the address of the environment, and name your program in the header \
             User-Agent."
        }
        _ => return None,
    })
}
