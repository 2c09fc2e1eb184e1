//! `sign`: prints a signed request as a curl configuration, so that no secret is a command-line argument.

use std::io::{self, IsTerminal as _, Read as _};

use bitmart::rest::endpoint::{Encoder, Method};
use bitmart::rest::http;
use bitmart::{Credentials, Timestamp};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::output;
use crate::request::{self, Request};
use crate::target::Target;

/// Maximum size of a body in bytes.
const MAX_BODY: u64 = 1 << 20;

pub(crate) fn command() -> Command {
    Command::new("sign")
        .about("Sign a request for curl: bitmart sign METHOD PATH | curl --config -")
        .after_help(
            "Reads the body of a POST from standard input, unless parameters are given, and prints a \
             configuration for `curl --config -`: URL, headers and body. Key and signature go through the pipe, \
             so that no process list shows them; secret and memo are not printed. The signature is valid for \
             60 seconds. Nothing is validated and nothing is sent.\n\n\
             printf %s '{\"symbol\":\"BTC_USDT\"}' | bitmart sign POST /spot/v4/query/open-orders | curl --config -",
        )
        .args(request::arguments())
        .arg(
            Arg::new("raw")
                .long("raw")
                .action(ArgAction::SetTrue)
                .help("Sign the body of standard input even if it is not JSON"),
        )
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    let target = context.target().await?;
    if context.is_in_process() {
        return Err(Failure::new(Exit::NotSent, "there is no key, and no sandbox is running")
            .with_advice(
                "store a key with `bitmart auth add`, or run `bitmart sandbox up --detach`",
            ));
    }
    let request = Request::from_matches(matches, target.credentials.is_some())?;
    let parameters = request.parameters(matches, context.output.times.zone())?;
    let mut payload = request.payload(&parameters)?;
    if request.metadata.method == Method::Post && parameters.is_empty() {
        let body = read_body()?;
        if matches.get_flag("raw") {
            payload.raw_body(body);
        } else if !body.trim().is_empty() {
            request::set_body(&mut payload, body)?;
        }
    }
    let request = encoder(&target)?.encode_raw(request.metadata, payload, Timestamp::now())?;
    output::write(curl_config(request.uri(), request.headers(), request.body()).as_bytes())
}

/// The encoder for the environment and key of `target`.
pub(crate) fn encoder(target: &Target) -> Result<Encoder, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::usage(chain(error));
    let encoder = Encoder::new(&target.environment).map_err(|error| failed(&error))?;
    let with = |credentials: &Credentials| {
        encoder.clone().with_credentials(credentials.clone()).map_err(|error| failed(&error))
    };
    target.credentials.as_ref().map_or(Ok(encoder.clone()), with)
}

/// Reads the body from standard input.
fn read_body() -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        return Err(Failure::usage("the body is read from standard input, which is a terminal")
            .with_advice("printf %s '{…}' | bitmart sign …, or give parameters: NAME=VALUE"));
    }
    let mut text = String::new();
    io::stdin()
        .take(MAX_BODY + 1)
        .read_to_string(&mut text)
        .map_err(|error| Failure::io(format!("standard input: {error}")))?;
    if text.len() as u64 > MAX_BODY {
        return Err(Failure::usage("the body is over 1 MiB"));
    }
    Ok(text)
}

/// A request as a curl configuration.
fn curl_config(uri: &http::Uri, headers: &http::HeaderMap, body: &[u8]) -> String {
    // curl would send `[1-2]` and `{a,b}` as several requests, and would shorten `/../`.
    let address = quoted(&uri.to_string());
    let mut text = format!("silent\nshow-error\ngloboff\npath-as-is\nurl = {address}\n");
    for (name, value) in headers {
        // curl would print a compressed response as it is.
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

/// Quotes a text for a curl configuration.
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
    fn quotes_and_control_characters_are_escaped() {
        assert_eq!(quoted("{\"a\":\"\\n\"}\nurl"), r#""{\"a\":\"\\n\"}\nurl""#);
        assert_eq!(quoted("@file"), "\"@file\"");
    }
}
