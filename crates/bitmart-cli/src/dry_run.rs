//! `--dry-run`: the request as it would be sent, and a pipe that sends the same with curl.

use std::fmt::Write as _;

use bitmart::Timestamp;
use bitmart::rest::{Auth, Metadata, Method, Payload};

use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::sign;
use crate::target::Target;

/// Prints the signed request; key and signature are not shown.
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
    text += "\nthe same with curl";
    if context.is_in_process() {
        text += ", once `bitmart sandbox up --detach` runs the sandbox";
    }
    text += ":\n\n";
    text += &match metadata.auth {
        Auth::None if body.is_empty() => format!("curl {}\n", word(&request.uri().to_string())),
        _ => {
            let path = request.uri().path_and_query().map_or(metadata.path, |path| path.as_str());
            pipe(metadata.method, path, &body, &context.words())
        }
    };
    output::write(text.as_bytes())
}

/// The pipe. Only what is no secret is an argument in it: lists of processes show arguments to everybody
/// on the machine.
fn pipe(method: Method, path: &str, body: &str, options: &[&str]) -> String {
    let method = if method == Method::Get { "GET" } else { "POST" };
    let mut sign = format!("bitmart sign {method} {}", word(path));
    for option in options {
        sign += &format!(" {}", word(option));
    }
    if body.is_empty() {
        return format!("{sign} | curl --config -\n");
    }
    format!("printf %s {} |\n  {sign} |\n  curl --config -\n", word(body))
}

/// One word for a shell.
fn word(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/_-.:,=".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn no_body_breaks_out_of_its_quotes() {
        assert_eq!(word(r#"{"a":"it's"}"#), r#"'{"a":"it'\''s"}'"#);
        assert_eq!(word("/spot/v1/a?b=c&d"), "'/spot/v1/a?b=c&d'");
        assert_eq!((word("/spot/v1/a").as_str(), word("").as_str()), ("/spot/v1/a", "''"));
    }
}
