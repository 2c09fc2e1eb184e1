//! What an answer is that is not the exchange's: a redirect, or a page of somebody in between.

use http::header::{HeaderName, LOCATION};
use http::{HeaderMap, StatusCode, Uri};

use super::encoding::Encoding;
use crate::error::Unexpected;

/// How much of a page is looked at, in bytes.
const LOOKED_AT: usize = 16 * 1024;

/// Longest address that is kept, in characters.
const ADDRESS_KEPT: usize = 160;

/// Cloudflare names its browser checks in it.
const MITIGATED: HeaderName = HeaderName::from_static("cf-mitigated");

/// Marks of a page that wants a browser to prove itself.
const CHALLENGES: &[&str] = &["just a moment", "cf-chl", "_cf_chl_opt", "checking your browser"];

/// Marks of a page that refuses a region.
const REGIONS: &[&str] = &[
    "block access from your country",
    "not available in your country",
    "not available in your region",
];

/// Marks of a page that refuses a sender.
const BLOCKS: &[&str] = &[
    "you have been blocked",
    "attention required! | cloudflare",
    "request blocked",
    "access denied",
    "request could not be satisfied",
];

/// Refusals of Cloudflare.
const REFUSALS: std::ops::Range<u32> = 1000..1200;
/// A refusal of Cloudflare for the country of the address.
const COUNTRY: u32 = 1009;

/// Says more closely why an answer is `reason`, with what is worth telling of it.
pub(super) fn read(
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
    let text = &body[..body.len().min(LOOKED_AT)];
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let says = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    let is_refused = matches!(status.as_u16(), 401 | 403 | 405 | 406 | 429 | 503);
    if headers.get(MITIGATED).is_some_and(|value| value == "challenge")
        || (is_refused && says(CHALLENGES))
    {
        return (Unexpected::Challenge, None);
    }
    let number = number(&text);
    let named = number.map(|number| format!("error code {number}"));
    match number {
        Some(COUNTRY) => (Unexpected::Region, named),
        Some(number) if REFUSALS.contains(&number) => (Unexpected::Blocked, named),
        _ if is_refused && says(REGIONS) => (Unexpected::Region, None),
        _ if is_refused && says(BLOCKS) => (Unexpected::Blocked, None),
        _ => (reason, named),
    }
}

/// The number of a proxy's own error, as Cloudflare writes it in its texts and pages.
fn number(text: &str) -> Option<u32> {
    ["error code: ", "error code ", "cf-error-code\">", "\"error_code\":"].iter().find_map(|mark| {
        let (_, behind) = text.split_once(mark)?;
        let behind = behind.trim_start();
        let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
        // Three digits are a status, four an error of its own.
        behind.get(..end).filter(|digits| matches!(digits.len(), 3 | 4))?.parse().ok()
    })
}

/// Host and path of an address: what follows may be secret.
fn address(location: &[u8]) -> String {
    let text = std::str::from_utf8(location).ok();
    let Some(uri) = text.and_then(|text| text.trim().parse::<Uri>().ok()) else {
        return "an address that cannot be read".to_owned();
    };
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    let host = uri.host().map(|host| format!("{host}{port}")).unwrap_or_default();
    format!("{host}{}", uri.path()).chars().take(ADDRESS_KEPT).collect()
}

/// What is known of an answer that is not the exchange's.
pub(crate) fn text(reason: Unexpected, status: Option<StatusCode>) -> &'static str {
    let status = status.unwrap_or_default();
    match reason {
        Unexpected::Empty if status.is_server_error() => {
            "the answer is empty, and a proxy in front of the exchange reports a fault"
        }
        Unexpected::Empty => "the answer is empty",
        Unexpected::Html if status == StatusCode::NETWORK_AUTHENTICATION_REQUIRED => {
            "the answer is an HTML page of a network that asks to log in"
        }
        Unexpected::Html if status.is_server_error() => {
            "the answer is an HTML page, probably of a proxy that does not reach the exchange"
        }
        Unexpected::Html if status.is_client_error() => {
            "the answer is an HTML page, probably of a proxy that refuses the request"
        }
        Unexpected::Html if status.is_success() => {
            "the answer is an HTML page, probably of a proxy or of a network that asks to log in"
        }
        Unexpected::Html => "the answer is an HTML page, probably of a proxy",
        Unexpected::Truncated => "the answer ends too early",
        Unexpected::NotJson if status.is_server_error() => {
            "the answer is not the exchange's JSON, and a proxy in front of it reports a fault"
        }
        Unexpected::NotJson => "the answer is not the exchange's JSON",
        Unexpected::NoCode => "the answer has no code",
        Unexpected::CodesDiffer => "the answer has two codes that differ",
        Unexpected::StatusContradictsCode => {
            "the answer's code says success but its status does not"
        }
        Unexpected::MessageContradictsCode => {
            "the answer's code says success but its message does not and there is no data"
        }
        Unexpected::Redirect => "the answer is a redirect, which is not followed",
        Unexpected::Challenge => "the answer is a page that checks for a browser",
        Unexpected::Blocked => "the answer says that a proxy has blocked the request",
        Unexpected::Region => "the answer says that it is not given to the region of this address",
        Unexpected::Encoding => "the answer is compressed in a way that is not read",
    }
}

/// What to do about it.
pub(crate) fn advice(reason: Unexpected, status: Option<StatusCode>) -> Option<&'static str> {
    let status = status.unwrap_or_default();
    Some(match reason {
        Unexpected::Redirect => {
            "Check the address of the environment, and whether this network asks to log in."
        }
        Unexpected::Challenge => {
            "The proxy takes this address or its pace for a bot: send less, name your program in \
             the header User-Agent, or use another address."
        }
        Unexpected::Blocked => {
            "Name your program in the header User-Agent, send less, or use another address."
        }
        Unexpected::Region => "The exchange does not serve this address from where it is.",
        Unexpected::Encoding => "Let your HTTP stack ask for gzip or for nothing.",
        Unexpected::Html
            if status.is_success() || status == StatusCode::NETWORK_AUTHENTICATION_REQUIRED =>
        {
            "Check the address of the environment, and open a page in a browser to see whether this \
             network asks to log in."
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
