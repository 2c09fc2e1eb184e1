//! Removes keys and signatures before anything is recorded.
//!
//! A name says that its value is secret, except in a message of a WebSocket, whose values have no names: there only
//! what is known to be no secret is kept.

use hyper::{HeaderMap, header::SEC_WEBSOCKET_KEY};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::Excerpt;

/// The text that replaces a secret.
pub(crate) const HIDDEN: &str = "[hidden]";
/// Bytes of recorded headers. The rest is left out.
const MAX_HEADERS: usize = 4 << 10;
/// Operations of a WebSocket message whose arguments are topics.
const TOPIC_OPERATIONS: [&str; 3] = ["subscribe", "unsubscribe", "request"];
/// Longest shown name of an unknown operation.
const MAX_OPERATION: usize = 16;

/// Whether a text begins with a word of names of secrets, in lower or upper case. This runs at every byte of the
/// names of headers and of bodies: the first two letters decide at nearly all of them.
fn begins_with_secret_word(text: &[u8]) -> bool {
    let [first, second, ..] = text else { return false };
    let word: &[u8] = match (first | LOWER, second | LOWER) {
        (b'k', b'e') => b"key",
        (b's', b'i') => b"sign",
        (b's', b'e') => b"secret",
        (b'm', b'e') => b"memo",
        (b't', b'o') => b"token",
        (b'a', b'u') => b"auth",
        (b'c', b'o') => b"cookie",
        (b'c', b'r') => b"credential",
        (b'p', b'a') => b"pass",
        (b'p', b'w') => b"pwd",
        _ => return false,
    };
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// The bit in which letters in lower case differ from those in upper case.
const LOWER: u8 = 0x20;

/// Whether a word of names of secrets begins with a byte.
const BEGINS_WORD: [bool; 256] = {
    let mut begins = [false; 256];
    let mut letters: &[u8] = b"ksmtacpKSMTACP";
    while let [letter, rest @ ..] = letters {
        begins[*letter as usize] = true;
        letters = rest;
    }
    begins
};

/// Whether the value of a header, parameter or member with this name is hidden: the name contains a word, in upper or
/// lower case.
fn is_secret(name: &[u8]) -> bool {
    let mut rest = name;
    while let [first, after @ ..] = rest {
        if BEGINS_WORD[usize::from(*first)] && begins_with_secret_word(rest) {
            return true;
        }
        rest = after;
    }
    false
}

/// Appends the headers as lines, without secrets.
pub(super) fn headers(headers: &HeaderMap, lines: &mut Vec<u8>) {
    let start = lines.len();
    for (name, value) in headers {
        // The key of a WebSocket handshake is a random number.
        let is_secret = name != SEC_WEBSOCKET_KEY && is_secret(name.as_str().as_bytes());
        let is_hidden = value.is_sensitive() || is_secret;
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
            Some((name, _)) if is_secret(&decoded(name)) => {
                for part in [name, "=", HIDDEN] {
                    text.extend_from_slice(part.as_bytes());
                }
            }
            _ => text.extend_from_slice(pair.as_bytes()),
        }
    }
}

fn decoded(name: &str) -> std::borrow::Cow<'_, [u8]> {
    percent_decode_str(name).into()
}

/// A body without the values of secret members or parameters; `None` if it has none.
pub(super) fn body(body: &[u8]) -> Option<Vec<u8>> {
    let start = Excerpt::cut(body);
    // An escape may be a part of a name. Nearly all bodies end here.
    if !is_secret(start) && !start.iter().any(|byte| matches!(byte, b'\\' | b'%')) {
        return None;
    }
    if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
        if hide_members(&mut value) {
            return Some(value.to_string().into_bytes());
        }
        // Of repeated members the value has the last only, and a text may be JSON itself.
        let (received, read) = (String::from_utf8_lossy(body), value.to_string());
        let has_more =
            received.contains('\\') || received.matches('"').count() != read.matches('"').count();
        return (is_secret(start) && has_more).then(|| hidden_body(body));
    }
    // An escape of malformed JSON may be a part of a name.
    let may_be_json = start.contains(&b'\\');
    if !may_be_json && !is_secret(&decoded(&String::from_utf8_lossy(start))) {
        return None;
    }
    let is_name = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.%+".contains(&byte))
    };
    match std::str::from_utf8(body) {
        Ok(text)
            if text
                .split('&')
                .all(|pair| pair.split_once('=').is_some_and(|pair| is_name(pair.0))) =>
        {
            let mut shown = Vec::new();
            query(text, &mut shown);
            (shown != body).then_some(shown)
        }
        _ => Some(hidden_body(body)),
    }
}

/// The text that replaces a body if it is not known where in it a secret may be.
fn hidden_body(body: &[u8]) -> Vec<u8> {
    format!("{HIDDEN}: {} bytes in which a secret may be", body.len()).into()
}

/// Hides the values of secret members. Returns whether there are any.
fn hide_members(value: &mut Value) -> bool {
    let mut has_secrets = false;
    match value {
        Value::Array(values) => {
            for value in values {
                has_secrets |= hide_members(value);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                if is_secret(name.as_bytes()) {
                    *value = HIDDEN.into();
                    has_secrets = true;
                } else {
                    has_secrets |= hide_members(value);
                }
            }
        }
        _ => {}
    }
    has_secrets
}

/// A message of a WebSocket client without secrets; `None` if it has none. Kept are the operation and its topics.
pub(super) fn message(text: &str) -> Option<String> {
    if text == "ping" {
        return None;
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(mut message)) => {
            hide_all_but_topics(&mut message);
            changed(text, &Value::Object(message))
        }
        Ok(_) => Some(format!("{HIDDEN}: JSON, but no object")),
        // The error has a position and no value.
        Err(error) => Some(format!("{HIDDEN}: no JSON: {error}")),
    }
}

/// A response to a message without secrets, which it may repeat; `None` if it has none. Pushes, which are frequent,
/// have none.
pub(super) fn response(text: &str) -> Option<String> {
    let is_push = |start| text.starts_with(start);
    if ["{\"data\"", "{\"group\"", "{\"table\""].into_iter().any(is_push) {
        return None;
    }
    let Ok(Value::Object(mut response)) = serde_json::from_str(text) else { return None };
    for (name, value) in &mut response {
        match (name.as_str(), &mut *value) {
            ("request", Value::Object(message)) => hide_all_but_topics(message),
            ("action" | "event", Value::String(name)) => hide_operation(name),
            ("error", Value::String(error)) => hide_repeated(error),
            _ => {}
        }
    }
    changed(text, &Value::Object(response))
}

/// The text of `value` if it is not what `text` says. A name that is given twice is lost in a value.
fn changed(text: &str, value: &Value) -> Option<String> {
    let shown = value.to_string();
    let quotes = |text: &str| text.bytes().filter(|byte| *byte == b'"').count();
    let is_same = quotes(text) == quotes(&shown)
        && serde_json::from_str::<Value>(text).is_ok_and(|sent| sent == *value);
    (!is_same).then_some(shown)
}

fn hide_all_but_topics(message: &mut Map<String, Value>) {
    let is_operation =
        |name: &str| ["op", "action"].iter().any(|one| name.eq_ignore_ascii_case(one));
    let named = message.iter().filter(|(name, _)| is_operation(name));
    let is_about_topics = |value: &Value| {
        let name = value.as_str().unwrap_or_default().trim();
        TOPIC_OPERATIONS.iter().any(|one| name.eq_ignore_ascii_case(one))
    };
    let operations: Vec<bool> = named.map(|(_, value)| is_about_topics(value)).collect();
    let has_topics = !operations.is_empty() && !operations.contains(&false);
    for (name, value) in message {
        match value {
            Value::String(text) if is_operation(name) => hide_operation(text),
            _ if has_topics && name.eq_ignore_ascii_case("args") => {}
            _ => hide(value),
        }
    }
}

/// Hides an operation that does not look like one.
fn hide_operation(name: &mut String) {
    if name.len() > MAX_OPERATION || !name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        HIDDEN.clone_into(name);
    }
}

/// Hides every value that is not a time.
fn hide(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(hide),
        Value::Object(members) => members.values_mut().for_each(hide),
        Value::String(text) if !is_time(text) => *value = HIDDEN.into(),
        Value::Number(number) if !is_time(&number.to_string()) => *value = HIDDEN.into(),
        _ => {}
    }
}

/// Whether a text is a time in seconds or milliseconds since 1970.
fn is_time(text: &str) -> bool {
    matches!(text.len(), 10 | 13) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Hides what an error of the futures dialect repeats: a message, or the start of a key.
fn hide_repeated(error: &mut String) {
    if let Some(sent) =
        error.strip_prefix("Invalid message: ").and_then(|rest| rest.split_once(": "))
    {
        if let Some(shown) = message(sent.1) {
            *error = format!("Invalid message: {}: {shown}", sent.0);
        }
    } else if let Some((start, rest)) = error.split_once("apiKey ")
        && let Some((_, end)) = rest.split_once("****")
    {
        *error = format!("{start}apiKey {HIDDEN}{end}");
    }
}
