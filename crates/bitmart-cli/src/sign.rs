//! `sign`: a signed request as a configuration for curl, so that no secret stands among arguments.

use std::io::{self, IsTerminal as _, Read as _};

use bitmart::rest::http;
use bitmart::rest::{Encoder, Method};
use bitmart::{Credentials, Timestamp};
use clap::{ArgMatches, Command};

use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::output;
use crate::request::{self, Request};
use crate::target::Target;

/// Largest body that is read, in bytes.
const BODY: u64 = 1 << 20;

pub(crate) fn command() -> Command {
    Command::new("sign")
        .about("Sign a request for curl: bitmart sign METHOD PATH | curl --config -")
        .after_help(
            "Reads the body of a POST from standard input, unless parameters are given, and prints what \
             `curl --config -` reads: address, headers and body. Key and signature go through the pipe, \
             so that no list of processes shows them; secret and memo stay here. The signature is good for \
             60 seconds. Nothing is checked and nothing is sent.\n\n\
             printf %s '{\"symbol\":\"BTC_USDT\"}' | bitmart sign POST /spot/v4/query/open-orders | curl --config -",
        )
        .args(request::arguments())
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    let target = context.target().await?;
    if context.is_in_process() {
        return Err(Failure::new(Exit::NotSent, "there is no key, and no sandbox runs")
            .with_advice(
                "store a key with `bitmart auth add`, or run `bitmart sandbox up --detach`",
            ));
    }
    let request = Request::read(matches, target.credentials.is_some())?;
    let parameters = request.parameters(matches, context.view.zone())?;
    let mut payload = request.payload(&parameters)?;
    if request.metadata.method == Method::Post && parameters.is_empty() {
        let body = body()?;
        if !body.trim().is_empty() {
            request::set_body(&mut payload, body)?;
        }
    }
    let request = encoder(&target)?.encode_raw(request.metadata, payload, Timestamp::now())?;
    output::write(config(request.uri(), request.headers(), request.body()).as_bytes())
}

/// What writes the requests of `target`.
pub(crate) fn encoder(target: &Target) -> Result<Encoder, Failure> {
    let broken = |error: &dyn std::error::Error| Failure::usage(chain(error));
    let encoder = Encoder::new(&target.environment).map_err(|error| broken(&error))?;
    let with = |credentials: &Credentials| {
        encoder.clone().with_credentials(credentials.clone()).map_err(|error| broken(&error))
    };
    target.credentials.as_ref().map_or(Ok(encoder.clone()), with)
}

/// The body from standard input.
fn body() -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        return Err(Failure::usage("the body comes from standard input, which is a terminal")
            .with_advice("printf %s '{…}' | bitmart sign …, or give parameters: NAME=VALUE"));
    }
    let mut text = String::new();
    io::stdin()
        .take(BODY + 1)
        .read_to_string(&mut text)
        .map_err(|error| Failure::machine(format!("standard input: {error}")))?;
    if text.len() as u64 > BODY {
        return Err(Failure::usage("the body is over 1 MiB"));
    }
    Ok(text)
}

/// The request as a configuration of curl.
fn config(uri: &http::Uri, headers: &http::HeaderMap, body: &[u8]) -> String {
    let mut text = format!("silent\nshow-error\nurl = {}\n", quoted(&uri.to_string()));
    for (name, value) in headers {
        // Whoever asks for gzip has to inflate it.
        if *name != http::header::ACCEPT_ENCODING {
            let value = String::from_utf8_lossy(value.as_bytes());
            text += &format!("header = {}\n", quoted(&format!("{name}: {value}")));
        }
    }
    if !body.is_empty() {
        text += &format!("data-raw = {}\n", quoted(&String::from_utf8_lossy(body)));
    }
    text
}

/// A text in the quotes of curl's configuration.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn no_text_breaks_out_of_its_quotes() {
        assert_eq!(quoted("{\"a\":\"\\n\"}\nurl"), r#""{\"a\":\"\\n\"}\nurl""#);
        assert_eq!(quoted("@file"), "\"@file\"");
    }
}
