//! `--dry-run`: prints the request and a pipe that sends it with curl.

use std::fmt::Write as _;

use bitmart::Timestamp;
use bitmart::rest::endpoint::{Auth, Metadata, Method, Payload};

use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::sign;
use crate::target::Target;

/// Prints the signed request without key and signature.
pub(crate) fn print(
    context: &Context,
    target: &Target,
    metadata: &'static Metadata,
    payload: Payload,
) -> Result<(), Failure> {
    let request = sign::encoder(target)?.encode_raw(metadata, payload, Timestamp::now())?;
    let body = String::from_utf8_lossy(request.body()).into_owned();
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let value = if value.is_sensitive() { "(hidden)" } else { value.to_str().unwrap_or("?") };
        let _ = writeln!(text, "{name}: {value}");
    }
    if !body.is_empty() {
        let _ = writeln!(text, "\n{body}");
    }
    text += "\nsend it with curl";
    if context.is_in_process() {
        text += ", after `bitmart sandbox up --detach`";
    }
    text += ":\n\n";
    text += &match metadata.auth {
        Auth::None if body.is_empty() => {
            format!("curl {}\n", shell_word(&request.uri().to_string()))
        }
        _ => {
            let path = request.uri().path_and_query().map_or(metadata.path, |path| path.as_str());
            curl_pipe(metadata.method, path, &body, &context.target_options())
        }
    };
    output::write(text.as_bytes())
}

/// A pipe from `bitmart sign` to curl. No secret is an argument in it: other users of the machine can read the
/// arguments of processes.
fn curl_pipe(method: Method, path: &str, body: &str, options: &[&str]) -> String {
    let method = if method == Method::Get { "GET" } else { "POST" };
    let mut sign = format!("bitmart sign {method} {}", shell_word(path));
    for option in options {
        sign += &format!(" {}", shell_word(option));
    }
    if body.is_empty() {
        return format!("{sign} | curl --config -\n");
    }
    format!("printf %s {} |\n  {sign} |\n  curl --config -\n", shell_word(body))
}

/// Quotes a text as one word of a shell.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/_-.:,=".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn a_body_is_quoted_for_the_shell() {
        assert_eq!(shell_word(r#"{"a":"it's"}"#), r#"'{"a":"it'\''s"}'"#);
        assert_eq!(shell_word("/spot/v1/a?b=c&d"), "'/spot/v1/a?b=c&d'");
        assert_eq!(
            (shell_word("/spot/v1/a").as_str(), shell_word("").as_str()),
            ("/spot/v1/a", "''")
        );
    }
}
