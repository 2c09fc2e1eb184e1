//! Removes keys and signatures before anything is recorded.

use hyper::HeaderMap;
use serde_json::Value;

/// What replaces a secret.
pub(super) const HIDDEN: &str = "[hidden]";
/// Bytes of recorded headers. The rest is left out.
const MAX_HEADERS: usize = 4 << 10;
/// A header or query parameter whose name contains one of these is hidden.
const SECRET_NAMES: [&str; 8] =
    ["key", "sign", "secret", "memo", "token", "auth", "cookie", "passw"];
/// Operations of a WebSocket login. Only the time is no secret of a login.
const LOGINS: [&str; 2] = ["login", "access"];

/// Whether a name in lower case is that of a secret.
fn is_secret(name: &str) -> bool {
    // The key of a WebSocket handshake is a random number.
    SECRET_NAMES.iter().any(|part| name.contains(part)) && !name.starts_with("sec-websocket-")
}

/// The headers as lines, without secrets.
pub(super) fn headers(headers: &HeaderMap) -> String {
    let mut lines = String::new();
    // Enough for those of most requests.
    lines.reserve(384);
    for (name, value) in headers {
        let value = if is_secret(name.as_str()) {
            HIDDEN.into()
        } else {
            String::from_utf8_lossy(value.as_bytes())
        };
        if lines.len() + name.as_str().len() + value.len() + 3 > MAX_HEADERS {
            lines.push_str("…\n");
            break;
        }
        lines.push_str(name.as_str());
        lines.push_str(": ");
        lines.push_str(&value);
        lines.push('\n');
    }
    lines
}

/// A query without the values of secret parameters.
pub(super) fn query(query: &str) -> String {
    if query.is_empty() {
        return String::new();
    }
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(&name.to_ascii_lowercase()) => format!("{name}={HIDDEN}"),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
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
