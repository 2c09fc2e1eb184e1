//! `sandbox env`: addresses and key of the running sandbox, as a program wants them.

use bitmart::Environment;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use serde_json::{Value, json};

use super::ready::Ready;
use crate::failure::Failure;

/// Languages that the values are written in, each with what it is for.
const FORMS: [(&str, &str); 4] = [
    ("shell", "Variables to export: eval \"$(bitmart sandbox env --shell)\""),
    ("python", "Assignments of Python"),
    ("node", "Constants of JavaScript"),
    ("json", "An object of JSON"),
];

pub(super) fn command() -> Command {
    Command::new("env")
        .about("Addresses and key of the sandbox for a shell or a program, secret included")
        .after_help(
            "The shell gets BITMART_ENVIRONMENT as well, which this program and programs with this library \
             go by. Nothing of it is worth anything outside of this sandbox.",
        )
        .args(FORMS.map(|(form, help)| {
            Arg::new(form).long(form).action(ArgAction::SetTrue).help(help)
        }))
        .group(ArgGroup::new("form").args(FORMS.map(|(form, _)| form)))
}

/// The text to print.
pub(super) fn text(ready: &Ready, line: &str, matches: &ArgMatches) -> Result<String, Failure> {
    let is = |form: &str| matches.get_flag(form);
    let place = ready.environment()?;
    if is("json") {
        return Ok(format!("{}\n", object(ready, &place)));
    }
    let values = values(ready, &place);
    let lines = values.iter().map(|(name, value)| {
        if is("python") {
            format!("{name} = {}\n", quoted(value))
        } else if is("node") {
            format!("const {name} = {};\n", quoted(value))
        } else {
            format!("export {name}={}\n", shell(value))
        }
    });
    let text: String = lines.collect();
    if is("python") || is("node") {
        return Ok(text);
    }
    Ok(format!("{text}export {}={}\n", Environment::VARIABLE, shell(line.trim())))
}

fn values<'a>(ready: &'a Ready, place: &'a Environment) -> [(&'static str, &'a str); 9] {
    let (key, secret, memo) = ready.key();
    [
        ("BITMART_API_KEY", key),
        ("BITMART_API_SECRET", secret),
        ("BITMART_API_MEMO", memo),
        ("BITMART_SPOT_URL", &place.spot_rest),
        ("BITMART_SPOT_WS_PUBLIC", &place.spot_ws_public),
        ("BITMART_SPOT_WS_PRIVATE", &place.spot_ws_private),
        ("BITMART_FUTURES_URL", &place.futures_rest),
        ("BITMART_FUTURES_WS_PUBLIC", &place.futures_ws_public),
        ("BITMART_FUTURES_WS_PRIVATE", &place.futures_ws_private),
    ]
}

fn object(ready: &Ready, place: &Environment) -> Value {
    let (key, secret, memo) = ready.key();
    let host = |rest: &str, public: &str, private: &str| json!({ "rest": rest, "ws_public": public, "ws_private": private });
    json!({
        "key": key, "secret": secret, "memo": memo,
        "spot": host(&place.spot_rest, &place.spot_ws_public, &place.spot_ws_private),
        "futures": host(&place.futures_rest, &place.futures_ws_public, &place.futures_ws_private),
        "admin": ready.admin(),
        "admin_token": ready.admin_token(),
        "root_certificate": ready.root_certificate(),
    })
}

/// A text of JSON is one of Python and of JavaScript, too.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
