//! Explains rejected keys, timestamps and signatures. The sandbox knows the secret, so it signs the message with
//! common mistakes until the signature matches. No explanation quotes a secret, a memo or a signature.

use std::sync::Arc;

use super::{
    LOGIN_BODY, WINDOW_MS, body_variants,
    signature::{from_hex, mac_of},
};
use crate::{clock::Clock, keys::ApiKey};

/// Longest body whose variants are tried, in bytes. Each variant is signed some hundred times.
const MAX_BODY: usize = 4 << 10;
/// Maximum number of other keys that are tried.
const MAX_OTHER_KEYS: usize = 8;
/// Maximum difference in milliseconds between the signed timestamp and the header that is tried.
const MAX_TIMESTAMP_GAP_MS: u64 = 50;

/// A candidate for a part of the signed message, and the mistake that it represents; `None` if it is correct.
type Candidate = (Vec<u8>, Option<&'static str>);

/// Where a signature was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    Headers,
    Login,
}

impl Location {
    fn timestamp(self) -> &'static str {
        match self {
            Self::Headers => "X-BM-TIMESTAMP",
            Self::Login => "the timestamp",
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Headers => "X-BM-SIGN",
            Self::Login => "the signature",
        }
    }
}

/// Explains why a key is unknown.
pub(super) fn unknown_key(given: &str, keys: &[Arc<ApiKey>]) -> String {
    let bare = given.trim_matches(|c: char| c.is_whitespace() || "\"'\u{feff}<>".contains(c));
    let is_any = |fits: &dyn Fn(&ApiKey) -> bool| keys.iter().any(|key| fits(key));
    if is_any(&|key| key.key == bare) {
        "the key has a blank, a quote or a byte-order mark around it".into()
    } else if is_any(&|key| key.key.eq_ignore_ascii_case(bare)) {
        "the key has the wrong case".into()
    } else if is_any(&|key| key.secret == bare) {
        "this is the secret of a key, not the key".into()
    } else if is_any(&|key| key.memo == bare) {
        "this is the memo of a key, not the key".into()
    } else if is_placeholder(bare) {
        "this is the placeholder of a sample: put the key of the sandbox's ready line there".into()
    } else {
        format!(
            "this is none of the keys of this sandbox, of which there are {}: take the key of its ready line, which \
             depends on --seed",
            keys.len()
        )
    }
}

fn is_placeholder(text: &str) -> bool {
    let text = text.to_ascii_lowercase().replace(['_', ' ', '-'], "");
    text.starts_with("your") && (text.contains("key") || text.contains("secret"))
}

/// Explains why a timestamp is not a number of milliseconds.
pub(super) fn no_timestamp(text: &str, location: Location) -> String {
    let name = location.timestamp();
    if text.chars().any(|c| c.is_ascii_digit())
        && text.chars().all(|c| "0123456789+-.eE".contains(c))
    {
        format!("{name} must be whole milliseconds since 1970, without a sign, point or exponent")
    } else {
        format!("{name} is not a number: it must be milliseconds since 1970")
    }
}

/// Explains why a timestamp is more than a minute off.
pub(super) fn stale(sent_ms: u64, clock: Clock, location: Location) -> String {
    let name = location.timestamp();
    let unit = match sent_ms {
        100_000_000..100_000_000_000 => Some("seconds"),
        100_000_000_000_000..100_000_000_000_000_000 => Some("microseconds"),
        100_000_000_000_000_000.. => Some("nanoseconds"),
        _ => None,
    };
    if let Some(unit) = unit {
        return format!("{name} is in {unit}: it must be in milliseconds since 1970");
    }
    let now_ms = clock.nearest_to(sent_ms);
    let direction = if sent_ms < now_ms { "behind" } else { "ahead of" };
    let by = length(sent_ms.abs_diff(now_ms));
    let stopped_hint = if clock.is_stepped() {
        "; this clock is stopped until it is advanced, so read its time from /system/time"
    } else {
        ""
    };
    let max_secs = WINDOW_MS / 1_000;
    format!(
        "{name} is {by} {direction} the clock of the sandbox, at most {max_secs} s are allowed{stopped_hint}"
    )
}

/// A duration as text.
pub(super) fn length(ms: u64) -> String {
    match ms {
        0..120_000 => format!("{}.{:03} s", ms / 1_000, ms % 1_000),
        120_000..7_200_000 => format!("{} minutes", ms / 60_000),
        7_200_000..172_800_000 => format!("{} hours", ms / 3_600_000),
        _ => format!("{} days", ms / 86_400_000),
    }
}

/// A signature that does not match, with the message that it should have signed.
pub(super) struct Attempt<'a> {
    pub(super) key: &'a ApiKey,
    /// Other keys, whose secret or memo may have been used by mistake.
    pub(super) others: &'a [Arc<ApiKey>],
    pub(super) timestamp: &'a str,
    pub(super) body: &'a [u8],
    pub(super) sign: &'a str,
    pub(super) location: Location,
}

/// Explains why a signature is wrong.
pub(super) fn wrong_signature(attempt: &Attempt<'_>) -> String {
    let name = attempt.location.sign();
    let sign = attempt.sign;
    let Some(given) = from_hex(sign) else { return not_hex(attempt) };
    if attempt.body.len() > MAX_BODY {
        let length = attempt.body.len();
        return format!(
            "{name} is wrong, and the body of {length} bytes is too long to find out why"
        );
    }
    if let Some(mistakes) = find_mistakes(attempt, given) {
        return format!("{name} is that of {mistakes}");
    }
    let signed = match attempt.location {
        Location::Headers => "timestamp#memo#body, the body exactly as it is sent",
        Location::Login => "timestamp#memo#bitmart.WebSocket",
    };
    format!(
        "{name} matches none of the common mistakes: the secret or the memo is a different one, or the signed text is \
         not {signed}"
    )
}

/// Explains a signature that is not 64 lower-case hexadecimal digits.
fn not_hex(attempt: &Attempt<'_>) -> String {
    let (name, sign) = (attempt.location.sign(), attempt.sign);
    let bare = sign.trim_matches(|c: char| c.is_whitespace() || "\"'".contains(c));
    if let Some(given) = from_hex(&bare.to_ascii_lowercase()) {
        let form = if bare == sign { "in capitals" } else { "in quotes or blanks" };
        let right =
            find_mistakes(attempt, given).map(|mistakes| format!(", and is that of {mistakes}"));
        return format!("{name} is {form}: it must be lower-case hex{}", right.unwrap_or_default());
    }
    let kind = match sign.len() {
        44 if sign.ends_with('=') => " (this looks like base64)",
        128 => " (this looks like SHA-512)",
        40 => " (this looks like SHA-1)",
        32 => " (this looks like MD5)",
        _ => "",
    };
    format!(
        "{name} must be 64 digits of lower-case hex, an HMAC with SHA-256, and has {} characters{kind}",
        sign.len()
    )
}

/// Finds the mistakes with which a signature was made.
fn find_mistakes(attempt: &Attempt<'_>, given: [u8; 32]) -> Option<String> {
    let Attempt { key, others, timestamp, body, .. } = attempt;
    if body.len() > MAX_BODY {
        return None;
    }
    let others: Vec<&ApiKey> =
        others.iter().map(|other| &**other).filter(|other| other.key != key.key).collect();
    let others = &others[..others.len().min(MAX_OTHER_KEYS)];
    let (secrets, middles) = (secrets(key, others), middles(key, others));
    let bodies = bodies(body, attempt.location);
    let fits = |secret: &[u8], timestamp: &str, middle: &[u8], body: &[u8]| {
        mac_of(secret, &[timestamp.as_bytes(), middle, body]) == Some(given)
    };
    for (secret, of_secret) in &secrets {
        for (middle, of_memo) in &middles {
            for (body, of_body) in &bodies {
                let mistakes: Vec<&str> =
                    [of_secret, of_memo, of_body].into_iter().flatten().copied().collect();
                // Combinations of three mistakes are unlikely, and too many to try.
                if mistakes.len() < 3 && fits(secret, timestamp, middle, body) {
                    let whole = if mistakes.is_empty() {
                        "the right message"
                    } else {
                        &mistakes.join(" and ")
                    };
                    return Some(whole.to_owned());
                }
            }
        }
    }
    let sent_ms: u64 = timestamp.parse().ok()?;
    let (middle, secret) = (&middles[0].0, &secrets[0].0);
    let near = (sent_ms.saturating_sub(MAX_TIMESTAMP_GAP_MS)
        ..=sent_ms.saturating_add(MAX_TIMESTAMP_GAP_MS))
        .chain([sent_ms / 1_000])
        .find(|at| fits(secret, &at.to_string(), middle, body));
    near.map(|_| "another timestamp than the one that was sent: read the clock once".to_owned())
}

fn secrets(key: &ApiKey, others: &[&ApiKey]) -> Vec<Candidate> {
    let secret = &key.secret;
    let mut all: Vec<Candidate> = vec![
        (secret.clone().into_bytes(), None),
        (key.key.clone().into_bytes(), Some("the key in place of the secret")),
        (key.memo.clone().into_bytes(), Some("the memo in place of the secret")),
    ];
    all.extend(with_quotes_and_blanks(
        secret,
        "a secret in quotes",
        "a secret with a blank, line break or byte-order mark",
    ));
    all.extend(
        ["your_api_secret", "Your Secret KEY", "<your_secret_key>", "your_secret_key"]
            .map(|text| (text.into(), Some("the placeholder of a sample in place of the secret"))),
    );
    if let Some(bytes) = hex_bytes(secret) {
        all.push((bytes, Some("a secret that was decoded from hex: it is used as text")));
    }
    let of_others = others.iter().map(|other| other.secret.clone().into_bytes());
    all.extend(of_others.map(|secret| (secret, Some("the secret of another key"))));
    all
}

/// Candidates for the part between timestamp and body.
fn middles(key: &ApiKey, others: &[&ApiKey]) -> Vec<Candidate> {
    let framed = |memo: &str| format!("#{memo}#").into_bytes();
    let mut all: Vec<Candidate> = vec![
        (framed(&key.memo), None),
        (b"##".to_vec(), Some("an empty memo")),
        (b"#".to_vec(), Some("a message without the memo: it is timestamp#memo#body")),
        (Vec::new(), Some("a message without memo and #: it is timestamp#memo#body")),
        (key.memo.clone().into_bytes(), Some("a message without #: it is timestamp#memo#body")),
        (framed(&key.key), Some("the key in place of the memo")),
    ];
    let odd = with_quotes_and_blanks(
        &key.memo,
        "a memo in quotes",
        "a memo with a blank, line break or byte-order mark",
    );
    all.extend(odd.into_iter().map(|(memo, mistake)| ([b"#", &memo[..], b"#"].concat(), mistake)));
    for memo in [key.memo.to_uppercase(), key.memo.to_lowercase()] {
        if memo != key.memo {
            all.push((framed(&memo), Some("a memo in the wrong case")));
        }
    }
    let placeholders = ["your_api_memo", "Your Memo", "<your_memo>", "your_memo", "memo"];
    let wrong = placeholders.into_iter().filter(|memo| *memo != key.memo);
    all.extend(
        wrong.map(|memo| (framed(memo), Some("the placeholder of a sample in place of the memo"))),
    );
    let nothing = ["null", "None", "undefined", "nil"].into_iter().filter(|memo| *memo != key.memo);
    all.extend(nothing.map(|memo| (framed(memo), Some("a memo that was left out"))));
    let foreign = others.iter().filter(|other| other.memo != key.memo);
    all.extend(foreign.map(|other| (framed(&other.memo), Some("the memo of another key"))));
    all
}

fn bodies(body: &[u8], location: Location) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = vec![(body.to_vec(), None)];
    match location {
        Location::Headers => {
            all.extend(
                body_variants::variants_of(body)
                    .into_iter()
                    .map(|(form, mistake)| (form, Some(mistake))),
            );
            all.push((LOGIN_BODY.to_vec(), Some("the login of a WebSocket")));
        }
        Location::Login => all.extend(
            ["", "{}", "bitmart.websocket", "bitmart.Websocket", "bitmart.com", "access", "login"]
                .map(|text| (text.into(), Some("another text than bitmart.WebSocket"))),
        ),
    }
    all
}

/// A value with the quotes and whitespace that are often copied along with it.
fn with_quotes_and_blanks(
    value: &str,
    quoted: &'static str,
    blank: &'static str,
) -> Vec<Candidate> {
    let quotes = [format!("\"{value}\""), format!("'{value}'")];
    let blanks = [
        format!("{value} "),
        format!(" {value}"),
        format!("{value}\n"),
        format!("{value}\r\n"),
        format!("{value}\r"),
        format!("{value}\t"),
        format!("\u{feff}{value}"),
    ];
    let quotes = quotes.map(|text| (text.into_bytes(), Some(quoted)));
    quotes.into_iter().chain(blanks.map(|text| (text.into_bytes(), Some(blank)))).collect()
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if text.len() % 2 == 1 { None } else { digits.map(byte).collect() }
}

#[cfg(test)]
mod tests;
