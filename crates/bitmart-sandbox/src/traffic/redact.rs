//! Removes keys and signatures before anything is recorded.

use hyper::HeaderMap;
use serde_json::Value;

/// What replaces a secret.
pub(super) const HIDDEN: &str = "[hidden]";
/// Bytes of recorded headers. The rest is left out.
const MAX_HEADERS: usize = 4 << 10;
/// Operations of a WebSocket login. Only the time is no secret of a login.
const LOGINS: [&str; 2] = ["login", "access"];

/// The words of names of secrets that begin with a letter in lower case. This runs for each header of each request:
/// the first letter decides at nearly every position.
fn secret_words(first: u8) -> &'static [&'static str] {
    match first {
        b'k' => &["key"],
        b's' => &["sign", "secret"],
        b'm' => &["memo"],
        b't' => &["token"],
        b'a' => &["auth"],
        b'c' => &["cookie"],
        b'p' => &["passw"],
        _ => &[],
    }
}

/// Whether a header or query parameter with this name is hidden: one whose name contains a word, in upper or lower
/// case.
fn is_secret(name: &str) -> bool {
    let name = name.as_bytes();
    let has = |at: usize, word: &str| {
        let part = name.get(at..at + word.len());
        part.is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    name.iter().enumerate().any(|(at, letter)| {
        secret_words(letter.to_ascii_lowercase()).iter().any(|word| has(at, word))
            // The key of a WebSocket handshake is a random number.
            && !name.starts_with(b"sec-websocket-")
    })
}

/// Appends the headers as lines, without secrets.
pub(super) fn headers(headers: &HeaderMap, lines: &mut Vec<u8>) {
    let start = lines.len();
    for (name, value) in headers {
        let is_hidden = value.is_sensitive() || is_secret(name.as_str());
        let value = if is_hidden { HIDDEN.as_bytes() } else { value.as_bytes() };
        if lines.len() - start + name.as_str().len() + value.len() + 3 > MAX_HEADERS {
            lines.extend_from_slice("…\n".as_bytes());
            break;
        }
        for part in [name.as_str().as_bytes(), b": ", value, b"\n"] {
            lines.extend_from_slice(part);
        }
    }
}

/// Appends a query without the values of secret parameters.
pub(super) fn query(query: &str, text: &mut Vec<u8>) {
    for (at, pair) in query.split('&').enumerate() {
        if at > 0 {
            text.push(b'&');
        }
        match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => {
                for part in [name, "=", HIDDEN] {
                    text.extend_from_slice(part.as_bytes());
                }
            }
            _ => text.extend_from_slice(pair.as_bytes()),
        }
    }
}

/// A message of a WebSocket client without the key and the signature of a login; `None` if it has none.
pub(super) fn message(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if !LOGINS.iter().any(|name| lower.contains(name)) {
        return None;
    }
    let Ok(Value::Object(mut message)) = serde_json::from_str::<Value>(text) else {
        return Some(format!("{HIDDEN}: a login that is not a JSON object"));
    };
    let is_login = |value: Option<&Value>| {
        let name = value.and_then(Value::as_str).unwrap_or_default();
        LOGINS.iter().any(|login| name.trim().eq_ignore_ascii_case(login))
    };
    if !is_login(message.get("op")) && !is_login(message.get("action")) {
        // The word is in some other place, such as a topic. Strange messages are hidden, to be safe.
        let is_known = message.contains_key("op") || message.contains_key("action");
        return (!is_known).then(|| format!("{HIDDEN}: it may be a login"));
    }
    for (name, value) in &mut message {
        if name != "op" && name != "action" {
            hide(value);
        }
    }
    Some(Value::Object(message).to_string())
}

/// Hides every string that is not a time.
fn hide(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(hide),
        Value::Object(members) => members.values_mut().for_each(hide),
        Value::String(text) if text.len() > 14 || !text.bytes().all(|b| b.is_ascii_digit()) => {
            HIDDEN.clone_into(text);
        }
        _ => {}
    }
}
