//! `--dry-run`: the request as it would be sent, and the same as a curl command.

use std::fmt::Write as _;

use bitmart::Timestamp;
use bitmart::rest::catalog::EndpointEntry;
use bitmart::rest::{Auth, Encoder, Payload};

use crate::failure::{Failure, chain};
use crate::output;
use crate::target::Target;

/// What signs a body as BitMart wants it, from the variables that hold the key.
const SIGN: &str = "$(printf %s \"$T#$BITMART_API_MEMO#$B\" | openssl dgst -sha256 -hmac \
                    \"$BITMART_API_SECRET\" | sed 's/.* //')";

/// Prints the signed request; key and signature are not shown.
pub(crate) fn print(
    target: &Target,
    entry: &'static EndpointEntry,
    payload: Payload,
) -> Result<(), Failure> {
    let broken = |error: &dyn std::error::Error| Failure::usage(chain(error));
    let mut encoder = Encoder::new(&target.environment).map_err(|error| broken(&error))?;
    if let Some(credentials) = &target.credentials {
        encoder = encoder.with_credentials(credentials.clone()).map_err(|error| broken(&error))?;
    }
    let request = encoder.encode_raw(&entry.metadata, payload, Timestamp::now())?;
    let body = String::from_utf8_lossy(request.body()).into_owned();
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let value = if value.is_sensitive() { "(hidden)" } else { value.to_str().unwrap_or("?") };
        let _ = writeln!(text, "{name}: {value}");
    }
    if !body.is_empty() {
        let _ = writeln!(text, "\n{body}");
    }
    text += "\nthe same with curl:\n\n";
    text += &curl(entry.metadata.auth, &request.uri().to_string(), &body);
    output::write(text.as_bytes())
}

fn curl(auth: Auth, url: &str, body: &str) -> String {
    let key = "-H \"X-BM-KEY: $BITMART_API_KEY\"";
    let json = "-H 'Content-Type: application/json'";
    match auth {
        Auth::None => format!("curl '{url}'\n"),
        Auth::Keyed if body.is_empty() => format!("curl {key} '{url}'\n"),
        Auth::Keyed => format!("curl {key} {json} -d {} '{url}'\n", shell(body)),
        _ => format!(
            "T=$(date +%s000)\nB={}\ncurl {key} -H \"X-BM-TIMESTAMP: $T\" \\\n  -H \"X-BM-SIGN: {SIGN}\" \
             \\\n  {json} -d \"$B\" '{url}'\n",
            shell(body)
        ),
    }
}

/// One word for a shell.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::shell;

    #[test]
    fn no_body_breaks_out_of_its_quotes() {
        assert_eq!(shell(r#"{"a":"it's"}"#), r#"'{"a":"it'\''s"}'"#);
    }
}
