//! A recorded request as code that sends it again, refused or not: nothing in it may check or change the request. Key
//! and secret come from the environment, but never the address: no copied code may reach the exchange.

use hyper::Method as HttpMethod;
use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::page::Addresses;
use crate::{
    generated::{Auth, Host, Method, routes},
    traffic::{HIDDEN, RequestRecord},
};

/// Signs `body` in Python.
const PYTHON_SIGNATURE: [&str; 4] = [
    "headers[\"X-BM-TIMESTAMP\"] = now = str(int(time.time() * 1000))",
    "signed = f\"{now}#{os.environ['BITMART_API_MEMO']}#\".encode() + body",
    "secret = os.environ[\"BITMART_API_SECRET\"].encode()",
    "headers[\"X-BM-SIGN\"] = hmac.new(secret, signed, hashlib.sha256).hexdigest()",
];
/// Sends `request` in Python, and prints the response.
const PYTHON_RESPONSE: [&str; 5] = [
    "try:",
    "    response = urllib.request.urlopen(request)",
    "except urllib.error.HTTPError as error:",
    "    response = error",
    "print(response.status, response.headers.get(\"X-Sandbox-Reason\"), response.read().decode())",
];

/// A snippet in one language.
#[derive(Debug)]
pub(super) struct Snippet {
    pub(super) name: &'static str,
    pub(super) id: &'static str,
    /// The code, or why there is none in this language.
    pub(super) code: Result<String, &'static str>,
}

/// The snippets of a request. The error says why there are none in any language.
pub(super) fn of(
    record: &RequestRecord,
    addresses: &Addresses,
) -> Result<Vec<Snippet>, &'static str> {
    let is_get = record.method == HttpMethod::GET;
    if !is_get && record.method != HttpMethod::POST {
        return Err("it is neither a GET nor a POST");
    }
    if record.body().is_truncated() || !record.has_whole_target {
        return Err("it is too long to be recorded completely");
    }
    let (target, body) = (record.target(), record.body());
    let Ok(body) = std::str::from_utf8(body.bytes) else { return Err("its body is not text") };
    if [&target, body].iter().any(|text| text.contains(HIDDEN)) {
        return Err("it had a secret, which is not recorded");
    }
    if is_get && !body.is_empty() {
        return Err("it is a GET with a body");
    }
    let headers = record.headers();
    if headers.ends_with("…\n") {
        return Err("its headers are not recorded completely");
    }
    let content_type = header(&headers, "content-type").map(ToOwned::to_owned);
    if content_type.as_deref().is_some_and(|text| !text.is_ascii()) {
        return Err("its Content-Type is not ASCII");
    }
    if !is_get && content_type.is_none() {
        // Python and curl would add one.
        return Err("it has no Content-Type, which no copied code can leave out");
    }
    let auth = routes()
        .find(|route| route.path == record.path() && (route.method == Method::Get) == is_get)
        .map_or(Auth::Signed, |route| route.auth);
    let address = match record.host {
        Host::Spot => addresses.spot.as_str(),
        Host::Futures => addresses.futures.as_str(),
    };
    let request =
        CopiedRequest { record, address, target, body: body.to_owned(), content_type, auth };
    let signed = request.check_clients_of_this_project();
    let can_be_pasted = if is_shown(&request.target) && is_shown(&request.body) {
        Ok(())
    } else {
        Err("it has control characters, which a terminal takes as keys when a command is pasted")
    };
    let curl = can_be_pasted.and(if request.is_public() { Ok(()) } else { signed });
    Ok(vec![
        Snippet { name: "curl", id: "as-curl", code: curl.map(|()| request.curl()) },
        Snippet { name: "Rust", id: "as-rust", code: signed.map(|()| request.rust()) },
        Snippet { name: "Python", id: "as-python", code: Ok(request.python()) },
    ])
}

/// Whether a text is what it looks like: without control characters other than line breaks, and without characters
/// that change the direction of others.
fn is_shown(text: &str) -> bool {
    // `Debug` escapes what is not printable.
    text.chars().all(|letter| {
        letter == '\n'
            || letter.is_ascii_graphic()
            || letter == ' '
            || !letter.is_ascii() && letter.escape_debug().len() == 1
    })
}

/// What to know before such a request is sent again; empty if the response will be the same in the same state.
pub(super) fn warning(record: &RequestRecord) -> &'static str {
    match record.code {
        // Futures have two codes of their own for times.
        Some(30_001..=30_012 | 40_013 | 40_039) => {
            "It was refused for its key, signature or time. The code signs it correctly, with the key of the sandbox: \
             the response will differ, and an order may be placed."
        }
        _ => "",
    }
}

/// The value of a header in recorded lines.
fn header<'a>(lines: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = lines.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// A recorded request, as the code that sends it again needs it.
struct CopiedRequest<'a> {
    record: &'a RequestRecord,
    /// The address of the REST API to which it was sent.
    address: &'a str,
    /// Path and query.
    target: String,
    body: String,
    content_type: Option<String>,
    auth: Auth,
}

impl CopiedRequest<'_> {
    fn host(&self) -> &'static str {
        match self.record.host {
            Host::Spot => "Spot",
            Host::Futures => "Futures",
        }
    }

    /// Whether it needs no key.
    fn is_public(&self) -> bool {
        self.auth == Auth::None && self.record.method == HttpMethod::GET
    }

    /// Whether the SDK and `bitmart sign` send this request unchanged. The error says why they do not.
    fn check_clients_of_this_project(&self) -> Result<(), &'static str> {
        let is_post = self.record.method == HttpMethod::POST;
        if !self.has_plain_query() {
            return Err("the clients of this project would encode its query in another way");
        }
        if is_post && self.body.trim().is_empty() {
            return Err("the clients of this project send {} in place of an empty body");
        }
        if is_post && !self.has_json_type() {
            return Err("the clients of this project send application/json only");
        }
        Ok(())
    }

    /// Whether its type is the one that clients of this project send.
    fn has_json_type(&self) -> bool {
        let kind = self.content_type.as_deref().and_then(|text| text.split(';').next());
        kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    }

    /// Whether the query stays what it is if its names and values are decoded and encoded again.
    fn has_plain_query(&self) -> bool {
        let query = self.record.query();
        let is_plain = |pair: &str| {
            let has_escape = |at: usize| {
                pair.get(at + 1..at + 3).is_some_and(|code| u8::from_str_radix(code, 16).is_ok())
            };
            let escapes = pair.match_indices('%').all(|(at, _)| has_escape(at));
            let is_text = percent_decode_str(pair).decode_utf8().is_ok();
            escapes && is_text && pair.contains('=') && !pair.contains('+')
        };
        query.is_empty() || query.split('&').all(is_plain)
    }

    /// Key and signature go through a pipe, so that no process list shows them.
    fn curl(&self) -> String {
        if self.is_public() {
            // Without these options curl takes some addresses as several, and shortens others.
            let address = shell(&format!("{}{}", self.address, self.target));
            return format!("curl -gsS --path-as-is {address}\n");
        }
        let (method, target) = (&self.record.method, shell(&self.target));
        let futures = match self.record.host {
            Host::Futures if !self.record.path().starts_with("/contract/") => " --futures",
            _ => "",
        };
        let body = if method == HttpMethod::POST {
            format!("printf %s {} | ", shell(&self.body))
        } else {
            String::new()
        };
        let is_json = body.is_empty() || serde_json::from_str::<IgnoredAny>(&self.body).is_ok();
        let raw = if is_json { "" } else { " --raw" };
        // Without an environment a stored key would sign for the exchange.
        format!(
            "{body}bitmart --env sandbox sign {method} {target}{futures}{raw} | curl --config -\n"
        )
    }

    fn rust(&self) -> String {
        let is_post = self.record.method == HttpMethod::POST;
        let (method, effect) = if is_post { ("Post", "Account") } else { ("Get", "Read") };
        let (query, path) = (self.record.query(), self.record.path());
        let decode = |text| rust_text(&percent_decode_str(text).decode_utf8_lossy());
        let mut lines: Vec<String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| {
                format!("    payload.query({}, {});\n", decode(name), decode(value))
            })
            .collect();
        if is_post {
            lines.push(format!("    payload.raw_body({});\n", rust_text(&self.body)));
        }
        let mutable = if lines.is_empty() { "" } else { "mut " };
        format!(
            "use bitmart::rest::{{self, endpoint::{{Auth, Effect, Envelope, Host, Metadata, Method, Payload}}}};\n\
             use bitmart::{{Credentials, Environment, types::Service}};\n\n\
             static REQUEST: Metadata = Metadata::new(\"copied\", Method::{method}, Host::{}, {})\n\
             \x20   .auth(Auth::{:?})\n\
             \x20   .effect(Effect::{effect})\n\
             \x20   .envelope(Envelope::None);\n\n\
             #[tokio::main]\n\
             async fn main() -> Result<(), Box<dyn std::error::Error>> {{\n\
             \x20   let client = rest::Client::builder()\n\
             \x20       .environment(Environment::from_env()?.with(Service::{}Rest, {}))\n\
             \x20       .credentials(Credentials::from_env()?)\n\
             \x20       .build()?;\n\
             \x20   let {mutable}payload = Payload::new();\n\
             {}\
             \x20   println!(\"{{}}\", client.send_raw(&REQUEST, payload).await?.data);\n\
             \x20   Ok(())\n\
             }}\n",
            self.host(),
            rust_text(&path),
            self.auth,
            self.host(),
            rust_text(self.address),
            lines.concat(),
        )
    }

    fn python(&self) -> String {
        let is_post = self.record.method == HttpMethod::POST;
        let mut lines = vec![
            "import hashlib, hmac, os, time, urllib.error, urllib.request".to_owned(),
            String::new(),
            format!("url = {}", python(&format!("{}{}", self.address, self.target))),
        ];
        if is_post {
            lines.push(format!("body = {}.encode()", python(&self.body)));
        }
        lines.push(match &self.content_type {
            Some(kind) => format!("headers = {{\"Content-Type\": {}}}", python(kind)),
            None => "headers = {}".to_owned(),
        });
        if self.auth != Auth::None {
            lines.push("headers[\"X-BM-KEY\"] = os.environ[\"BITMART_API_KEY\"]".to_owned());
        }
        if self.auth == Auth::Signed && is_post {
            lines.extend(PYTHON_SIGNATURE.map(ToOwned::to_owned));
        }
        let data = if is_post { "body" } else { "None" };
        lines.push(format!("request = urllib.request.Request(url, {data}, headers)"));
        lines.extend(PYTHON_RESPONSE.map(ToOwned::to_owned));
        lines.join("\n") + "\n"
    }
}

/// A word of a shell.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A string literal of Python, which a JSON string is as well. Characters that are not shown are escaped.
fn python(text: &str) -> String {
    let letter = |letter: char| match letter {
        letter if is_shown(letter.encode_utf8(&mut [0; 4])) => letter.to_string(),
        letter => format!("\\U{:08x}", u32::from(letter)),
    };
    Value::from(text).to_string().chars().map(letter).collect()
}

/// A string literal of Rust: a raw one for a text with quotes or backslashes, unless that cannot contain the text or
/// would show other characters than it has.
fn rust_text(text: &str) -> String {
    let mut hashes = (1..9).map(|count| "#".repeat(count));
    match hashes.find(|hashes| !text.contains(&format!("\"{hashes}"))) {
        Some(hashes) if is_shown(text) && text.contains(['"', '\\']) => {
            format!("r{hashes}\"{text}\"{hashes}")
        }
        _ => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_for_each_language() {
        assert_eq!(shell("a'b"), r"'a'\''b'");
        assert_eq!(python("a\"\n'"), r#""a\"\n'""#);
        assert_eq!(rust_text("/a"), "\"/a\"");
        assert_eq!(rust_text(r#"{"a":1}"#), r##"r#"{"a":1}"#"##);
        assert_eq!(rust_text("a\"#b"), "r##\"a\"#b\"##");
        assert_eq!(rust_text("\u{1b}\""), r#""\u{1b}\"""#);
        assert_eq!(rust_text("\u{202e}\""), r#""\u{202e}\"""#);
        assert_eq!(python("ü\u{202e}"), r#""ü\U0000202e""#);
        assert!(is_shown("{\"a\": 'ü'}\n") && !is_shown("\u{15}") && !is_shown("\u{202e}"));
    }

    #[test]
    fn a_text_with_any_number_of_hashes_is_one_literal() {
        for count in 0..20 {
            let text = format!("{{\"a\":\"{}\"}}; injected(); //", "#".repeat(count));
            let literal = rust_text(&text);
            // Either every quote is escaped, or no quote inside is followed by as many hashes as the last one.
            match literal.strip_prefix('r') {
                None => assert_eq!(literal, format!("{text:?}")),
                Some(rest) => {
                    let hashes = rest.split('"').next().expect("hashes");
                    let end = format!("\"{hashes}");
                    let inner = rest.strip_prefix(hashes).and_then(|rest| rest.strip_suffix(&end));
                    let inner = inner.and_then(|rest| rest.strip_prefix('"')).expect("quotes");
                    assert!(inner == text && !inner.contains(&end), "{literal}");
                }
            }
        }
    }

    #[test]
    fn no_copied_text_contains_a_character_that_is_not_shown() {
        for letter in (0..=0x2fff).filter_map(char::from_u32) {
            let text = format!("\"{letter}");
            for copied in [python(&text), rust_text(&text)] {
                assert!(is_shown(&copied), "{:x}: {copied:?}", u32::from(letter));
            }
        }
    }
}
