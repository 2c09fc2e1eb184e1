//! What is wrong with a key, a timestamp or a signature. The sandbox knows the right secret, so it tries
//! what clients usually get wrong. Nothing here quotes a secret, a memo or a signature.

use std::sync::Arc;

use super::{LOGIN_BODY, WINDOW_MS, forms, from_hex, mac_of};
use crate::{clock::Clock, keys::ApiKey};

/// Longest body whose other forms are tried, in bytes: each is signed some hundred times.
const LONGEST: usize = 4 << 10;
/// Keys of others that are tried.
const OTHERS: usize = 8;
/// Milliseconds by which the signed timestamp may be another one than that of the header.
const NEAR_MS: u64 = 50;

/// A part of what is signed, and the description of the mistake if it is not the right one.
type Slip = (Vec<u8>, Option<&'static str>);

/// Where a signature was sent, for the text about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Headers,
    Login,
}

impl Place {
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

/// Why a key is not known.
pub(super) fn unknown_key(given: &str, keys: &[Arc<ApiKey>]) -> String {
    let bare = given.trim_matches(|c: char| c.is_whitespace() || "\"'\u{feff}<>".contains(c));
    let found = |fits: &dyn Fn(&ApiKey) -> bool| keys.iter().any(|key| fits(key));
    if found(&|key| key.key == bare) {
        "the key has a blank, a quote or a byte-order mark around it".into()
    } else if found(&|key| key.key.eq_ignore_ascii_case(bare)) {
        "the key is written in other capitals".into()
    } else if found(&|key| key.secret == bare) {
        "this is the secret of a key, not the key".into()
    } else if found(&|key| key.memo == bare) {
        "this is the memo of a key, not the key".into()
    } else if is_placeholder(bare) {
        "this is the placeholder of a sample: put the key of the sandbox's ready line there".into()
    } else {
        let count = keys.len();
        format!(
            "no key of this sandbox (it has {count}) is this one: take the key of its ready line, which \
             is another one with another --seed"
        )
    }
}

fn is_placeholder(text: &str) -> bool {
    let text = text.to_ascii_lowercase().replace(['_', ' ', '-'], "");
    text.starts_with("your") && (text.contains("key") || text.contains("secret"))
}

/// Why a timestamp is no number of milliseconds.
pub(super) fn no_timestamp(text: &str, place: Place) -> String {
    let name = place.timestamp();
    if text.chars().any(|c| c.is_ascii_digit())
        && text.chars().all(|c| "0123456789+-.eE".contains(c))
    {
        format!("{name} must be whole milliseconds since 1970, without a sign, point or exponent")
    } else {
        format!("{name} is no number: it must be milliseconds since 1970")
    }
}

/// Why a timestamp is outside of the minute.
pub(super) fn stale(sent_ms: u64, clock: Clock, place: Place) -> String {
    let name = place.timestamp();
    let unit = match sent_ms {
        100_000_000..100_000_000_000 => Some("seconds"),
        100_000_000_000_000..100_000_000_000_000_000 => Some("microseconds"),
        100_000_000_000_000_000.. => Some("nanoseconds"),
        _ => None,
    };
    if let Some(unit) = unit {
        return format!("{name} is in {unit}: it must be in milliseconds since 1970");
    }
    let now_ms = clock.facing(sent_ms);
    let way = if sent_ms < now_ms { "behind" } else { "ahead of" };
    let by = length(sent_ms.abs_diff(now_ms));
    let still = if clock.is_stepped() {
        "; this clock stands still until it is advanced, so take its time from /system/time"
    } else {
        ""
    };
    let most = WINDOW_MS / 1_000;
    format!("{name} is {by} {way} the clock of the sandbox, at most {most} s are allowed{still}")
}

/// A length of time as text.
pub(super) fn length(ms: u64) -> String {
    match ms {
        0..120_000 => format!("{}.{:03} s", ms / 1_000, ms % 1_000),
        120_000..7_200_000 => format!("{} minutes", ms / 60_000),
        7_200_000..172_800_000 => format!("{} hours", ms / 3_600_000),
        _ => format!("{} days", ms / 86_400_000),
    }
}

/// What was signed, as far as the exchange knows it.
pub(super) struct Attempt<'a> {
    pub(super) key: &'a ApiKey,
    /// Other keys, whose secret or memo may have been taken.
    pub(super) others: &'a [Arc<ApiKey>],
    pub(super) timestamp: &'a str,
    pub(super) body: &'a [u8],
    pub(super) sign: &'a str,
    pub(super) place: Place,
}

/// Why a signature is wrong.
pub(super) fn wrong_signature(attempt: &Attempt<'_>) -> String {
    let name = attempt.place.sign();
    let sign = attempt.sign;
    let Some(given) = from_hex(sign) else { return not_hex(attempt) };
    if attempt.body.len() > LONGEST {
        let length = attempt.body.len();
        return format!(
            "{name} is wrong, and the body of {length} bytes is too long to find out why"
        );
    }
    if let Some(slips) = slips(attempt, given) {
        return format!("{name} is that of {slips}");
    }
    let signed = match attempt.place {
        Place::Headers => "timestamp#memo#body, the body exactly as it is sent",
        Place::Login => "timestamp#memo#bitmart.WebSocket",
    };
    format!(
        "{name} fits none of the usual slips: the secret or the memo is another one, or what was signed is \
         not {signed}"
    )
}

/// A signature that has not the documented form.
fn not_hex(attempt: &Attempt<'_>) -> String {
    let (name, sign) = (attempt.place.sign(), attempt.sign);
    let bare = sign.trim_matches(|c: char| c.is_whitespace() || "\"'".contains(c));
    if let Some(given) = from_hex(&bare.to_ascii_lowercase()) {
        let form = if bare == sign { "in capitals" } else { "in quotes or blanks" };
        let right = slips(attempt, given).map(|slips| format!(", and is that of {slips}"));
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

/// The slips that lead to a signature; empty text never comes out.
fn slips(attempt: &Attempt<'_>, given: [u8; 32]) -> Option<String> {
    let Attempt { key, others, timestamp, body, .. } = attempt;
    if body.len() > LONGEST {
        return None;
    }
    let others: Vec<&ApiKey> =
        others.iter().map(|other| &**other).filter(|other| other.key != key.key).collect();
    let others = &others[..others.len().min(OTHERS)];
    let (secrets, middles) = (secrets(key, others), middles(key, others));
    let bodies = bodies(body, attempt.place);
    let fits = |secret: &[u8], timestamp: &str, middle: &[u8], body: &[u8]| {
        mac_of(secret, &[timestamp.as_bytes(), middle, body]) == Some(given)
    };
    for (secret, of_secret) in &secrets {
        for (middle, of_memo) in &middles {
            for (body, of_body) in &bodies {
                let mistakes: Vec<&str> =
                    [of_secret, of_memo, of_body].into_iter().flatten().copied().collect();
                // Three slips at a time are too many to try, and too many to believe.
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
    let near = (sent_ms.saturating_sub(NEAR_MS)..=sent_ms.saturating_add(NEAR_MS))
        .chain([sent_ms / 1_000])
        .find(|at| fits(secret, &at.to_string(), middle, body));
    near.map(|_| "another timestamp than the one that is sent: read the clock once".to_owned())
}

fn secrets(key: &ApiKey, others: &[&ApiKey]) -> Vec<Slip> {
    let secret = &key.secret;
    let mut all: Vec<Slip> = vec![
        (secret.clone().into_bytes(), None),
        (key.key.clone().into_bytes(), Some("the key in place of the secret")),
        (key.memo.clone().into_bytes(), Some("the memo in place of the secret")),
    ];
    all.extend(around(
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

/// What is between timestamp and body.
fn middles(key: &ApiKey, others: &[&ApiKey]) -> Vec<Slip> {
    let framed = |memo: &str| format!("#{memo}#").into_bytes();
    let mut all: Vec<Slip> = vec![
        (framed(&key.memo), None),
        (b"##".to_vec(), Some("an empty memo")),
        (b"#".to_vec(), Some("a message without the memo: it is timestamp#memo#body")),
        (Vec::new(), Some("a message without memo and #: it is timestamp#memo#body")),
        (key.memo.clone().into_bytes(), Some("a message without #: it is timestamp#memo#body")),
        (framed(&key.key), Some("the key in place of the memo")),
    ];
    let odd =
        around(&key.memo, "a memo in quotes", "a memo with a blank, line break or byte-order mark");
    all.extend(odd.into_iter().map(|(memo, mistake)| ([b"#", &memo[..], b"#"].concat(), mistake)));
    for memo in [key.memo.to_uppercase(), key.memo.to_lowercase()] {
        if memo != key.memo {
            all.push((framed(&memo), Some("a memo in other capitals")));
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

fn bodies(body: &[u8], place: Place) -> Vec<Slip> {
    let mut all: Vec<Slip> = vec![(body.to_vec(), None)];
    match place {
        Place::Headers => {
            all.extend(
                forms::of_body(body).into_iter().map(|(form, mistake)| (form, Some(mistake))),
            );
            all.push((LOGIN_BODY.to_vec(), Some("the login of a WebSocket")));
        }
        Place::Login => all.extend(
            ["", "{}", "bitmart.websocket", "bitmart.Websocket", "bitmart.com", "access", "login"]
                .map(|text| {
                    (text.into(), Some("another text than bitmart.WebSocket in place of the body"))
                }),
        ),
    }
    all
}

/// A value with what gets stuck to it when it is copied.
fn around(value: &str, quoted: &'static str, blank: &'static str) -> Vec<Slip> {
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
