//! A recorded request as code that sends it again. Key and secret come from the environment.

use hyper::Method as HttpMethod;
use serde_json::Value;

use crate::{
    generated::{Auth, Host, Method, routes},
    traffic::RequestRecord,
};

/// A snippet in one language.
#[derive(Debug)]
pub(super) struct Snippet {
    pub(super) name: &'static str,
    pub(super) id: &'static str,
    pub(super) text: String,
}

/// The snippets of a request; none if its body was truncated.
pub(super) fn of(record: &RequestRecord) -> Vec<Snippet> {
    let is_get = record.method == HttpMethod::GET;
    if record.body.is_truncated() || !is_get && record.method != HttpMethod::POST {
        return Vec::new();
    }
    let body = String::from_utf8_lossy(&record.body.bytes).into_owned();
    let target = match record.query.as_str() {
        "" => record.path.clone(),
        query => format!("{}?{query}", record.path),
    };
    let auth = routes()
        .find(|route| route.path == record.path && (route.method == Method::Get) == is_get)
        .map_or(Auth::Signed, |route| route.auth);
    let request = Parts { record, target, body, auth };
    vec![
        Snippet { name: "curl", id: "as-curl", text: request.curl() },
        Snippet { name: "Rust", id: "as-rust", text: request.rust() },
        Snippet { name: "Python", id: "as-python", text: request.python() },
    ]
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
            Host::Futures if !self.record.path.starts_with("/contract/") => " --futures",
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
            if method == "Get" { query_as_json(&self.record.query) } else { self.body.clone() };
        format!(
            "use bitmart::rest::{{self, Method, catalog}};\n\
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
            rust_text(&self.record.path),
            rust_text(&parameters),
        )
    }

    fn python(&self) -> String {
        let is_post = self.record.method == HttpMethod::POST;
        let mut text =
            String::from("import hashlib, hmac, os, time, urllib.error, urllib.request\n\n");
        text += &format!(
            "url = os.environ[\"BITMART_{}_URL\"] + {}\n",
            self.host(),
            python(&self.target)
        );
        if is_post {
            text += &format!("body = {}.encode()\n", python(&self.body));
        }
        text += "headers = {\"Content-Type\": \"application/json\"}\n";
        if self.auth != Auth::None {
            text += "headers[\"X-BM-KEY\"] = os.environ[\"BITMART_API_KEY\"]\n";
        }
        if self.auth == Auth::Signed && is_post {
            text += "headers[\"X-BM-TIMESTAMP\"] = now = str(int(time.time() * 1000))\n\
                     signed = f\"{now}#{os.environ['BITMART_API_MEMO']}#\".encode() + body\n\
                     secret = os.environ[\"BITMART_API_SECRET\"].encode()\n\
                     headers[\"X-BM-SIGN\"] = hmac.new(secret, signed, hashlib.sha256).hexdigest()\n";
        }
        let data = if is_post { "body" } else { "None" };
        text += &format!(
            "request = urllib.request.Request(url, {data}, headers)\n\
             try:\n\
             \x20   response = urllib.request.urlopen(request)\n\
             except urllib.error.HTTPError as error:\n\
             \x20   response = error\n\
             print(response.status, response.headers.get(\"X-Sandbox-Reason\"), response.read().decode())\n"
        );
        text
    }
}

fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A JSON string is a literal of Python as well.
fn python(text: &str) -> String {
    Value::from(text).to_string()
}

/// A raw string, or an escaped one if it contains what a raw one cannot.
fn rust_text(text: &str) -> String {
    let is_plain = text.chars().all(|letter| !letter.is_control() || letter == '\n');
    let hashes = "#".repeat(
        (1..9).find(|count| !text.contains(&format!("\"{}", "#".repeat(*count)))).unwrap_or(9),
    );
    match text.contains(['"', '\\']) {
        true if is_plain => format!("r{hashes}\"{text}\"{hashes}"),
        _ => format!("{text:?}"),
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
        assert_eq!(
            query_as_json("symbol=BTC_USDT&limit=5"),
            r#"{"limit":"5","symbol":"BTC_USDT"}"#
        );
    }
}
