//! A recorded request as code that sends it again. Key and secret come from the environment.

use hyper::Method as HttpMethod;
use serde_json::Value;

use crate::{
    generated::{Auth, Host, Method, routes},
    traffic::RequestRecord,
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
    pub(super) text: String,
}

/// The snippets of a request; none if its body was truncated or is not text.
pub(super) fn of(record: &RequestRecord) -> Vec<Snippet> {
    let is_get = record.method == HttpMethod::GET;
    if record.body().is_truncated() || !is_get && record.method != HttpMethod::POST {
        return Vec::new();
    }
    let Ok(body) = std::str::from_utf8(record.body().bytes) else { return Vec::new() };
    let body = body.to_owned();
    let target = record.target();
    let auth = routes()
        .find(|route| route.path == record.path() && (route.method == Method::Get) == is_get)
        .map_or(Auth::Signed, |route| route.auth);
    let request = Parts { record, target, body, auth };
    let mut snippets = Vec::new();
    // A terminal takes control characters as keys when a command is pasted.
    if is_shown(&request.target) && is_shown(&request.body) {
        snippets.push(Snippet { name: "curl", id: "as-curl", text: request.curl() });
    }
    snippets.push(Snippet { name: "Rust", id: "as-rust", text: request.rust() });
    snippets.push(Snippet { name: "Python", id: "as-python", text: request.python() });
    snippets
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

struct Parts<'a> {
    record: &'a RequestRecord,
    target: String,
    body: String,
    auth: Auth,
}

impl Parts<'_> {
    fn host(&self) -> &'static str {
        match self.record.host {
            Host::Spot => "SPOT",
            Host::Futures => "FUTURES",
        }
    }

    /// Key and signature go through a pipe, so that no process list shows them.
    fn curl(&self) -> String {
        let (method, target) = (&self.record.method, shell(&self.target));
        if self.auth == Auth::None && method == HttpMethod::GET {
            return format!("curl -sS \"$BITMART_{}_URL\"{target}\n", self.host());
        }
        let futures = match self.record.host {
            Host::Futures if !self.record.path().starts_with("/contract/") => " --futures",
            _ => "",
        };
        let body = if method == HttpMethod::POST {
            format!("printf %s {} | ", shell(&self.body))
        } else {
            String::new()
        };
        format!("{body}bitmart sign {method} {target}{futures} | curl --config -\n")
    }

    fn rust(&self) -> String {
        let method = if self.record.method == HttpMethod::GET { "Get" } else { "Post" };
        let parameters =
            if method == "Get" { query_as_json(&self.record.query()) } else { self.body.clone() };
        format!(
            "use bitmart::rest::{{self, catalog, endpoint::Method}};\n\
             use bitmart::{{Credentials, Environment}};\n\n\
             #[tokio::main]\n\
             async fn main() -> Result<(), Box<dyn std::error::Error>> {{\n\
             \x20   let client = rest::Client::builder()\n\
             \x20       .environment(Environment::from_env()?)\n\
             \x20       .credentials(Credentials::from_env()?)\n\
             \x20       .build()?;\n\
             \x20   let entry = catalog::find_route(Method::{method}, {}).ok_or(\"unknown path\")?;\n\
             \x20   let payload = entry.encode_request({})?;\n\
             \x20   println!(\"{{}}\", client.send_raw(&entry.metadata, payload).await?.data);\n\
             \x20   Ok(())\n\
             }}\n",
            rust_text(&self.record.path()),
            rust_text(&parameters),
        )
    }

    fn python(&self) -> String {
        let is_post = self.record.method == HttpMethod::POST;
        let mut lines = vec![
            "import hashlib, hmac, os, time, urllib.error, urllib.request".to_owned(),
            String::new(),
            format!("url = os.environ[\"BITMART_{}_URL\"] + {}", self.host(), python(&self.target)),
        ];
        if is_post {
            lines.push(format!("body = {}.encode()", python(&self.body)));
        }
        lines.push("headers = {\"Content-Type\": \"application/json\"}".to_owned());
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

fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A JSON string is a literal of Python as well. Characters that are not shown are escaped.
fn python(text: &str) -> String {
    let letter = |letter: char| match letter {
        letter if letter.is_ascii() || is_shown(letter.encode_utf8(&mut [0; 4])) => {
            letter.to_string()
        }
        letter => format!("\\U{:08x}", u32::from(letter)),
    };
    Value::from(text).to_string().chars().map(letter).collect()
}

/// A raw string, or an escaped one if it contains what a raw one cannot.
fn rust_text(text: &str) -> String {
    let hashes = "#".repeat(
        (1..9).find(|count| !text.contains(&format!("\"{}", "#".repeat(*count)))).unwrap_or(9),
    );
    if is_shown(text) && text.contains(['"', '\\']) {
        format!("r{hashes}\"{text}\"{hashes}")
    } else {
        format!("{text:?}")
    }
}

/// The parameters of a query as a JSON object of strings.
fn query_as_json(query: &str) -> String {
    let fields = super::Fields::parse(query);
    Value::Object(fields.iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
        .to_string()
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
        assert_eq!(
            query_as_json("symbol=BTC_USDT&limit=5"),
            r#"{"limit":"5","symbol":"BTC_USDT"}"#
        );
    }
}
