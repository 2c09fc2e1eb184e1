//! `sandbox env`: addresses and key of the running sandbox, for shells and programs.

use bitmart::Environment;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::ready_file::ReadyFile;

/// Output languages with their help.
const LANGUAGES: [(&str, &str); 4] = [
    ("shell", "Shell variables: eval \"$(bitmart sandbox env --shell)\""),
    ("python", "Python assignments"),
    ("node", "JavaScript constants"),
    ("json", "A JSON object"),
];

pub(super) fn command() -> Command {
    Command::new("env")
        .about("Print addresses and key of the sandbox for a shell or a program, secret included")
        .after_help(
            "For a shell BITMART_ENVIRONMENT is set as well, which this program and programs with this library use. \
             The key is only valid for this sandbox. A sandbox that is started again has other ports: evaluate this \
             again, or fix them with `sandbox up --spot ADDRESS --futures ADDRESS`.",
        )
        .args(LANGUAGES.map(|(language, help)| {
            Arg::new(language).long(language).action(ArgAction::SetTrue).help(help)
        }))
        .group(ArgGroup::new("language").args(LANGUAGES.map(|(language, _)| language)))
}

pub(super) fn text(ready: &ReadyFile, line: &str, matches: &ArgMatches) -> Result<String, Failure> {
    let is = |language: &str| matches.get_flag(language);
    let environment = ready.environment()?;
    if is("json") {
        return Ok(format!("{}\n", object(ready, &environment)));
    }
    let values = values(ready, &environment);
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

fn values<'a>(ready: &'a ReadyFile, environment: &'a Environment) -> [(&'static str, &'a str); 9] {
    let (key, secret, memo) = ready.key();
    [
        ("BITMART_API_KEY", key),
        ("BITMART_API_SECRET", secret),
        ("BITMART_API_MEMO", memo),
        ("BITMART_SPOT_URL", &environment.spot_rest),
        ("BITMART_SPOT_WS_PUBLIC", &environment.spot_ws_public),
        ("BITMART_SPOT_WS_PRIVATE", &environment.spot_ws_private),
        ("BITMART_FUTURES_URL", &environment.futures_rest),
        ("BITMART_FUTURES_WS_PUBLIC", &environment.futures_ws_public),
        ("BITMART_FUTURES_WS_PRIVATE", &environment.futures_ws_private),
    ]
}

fn object(ready: &ReadyFile, environment: &Environment) -> Value {
    let (key, secret, memo) = ready.key();
    let host = |rest: &str, public: &str, private: &str| json!({ "rest": rest, "ws_public": public, "ws_private": private });
    json!({
        "key": key, "secret": secret, "memo": memo,
        "spot": host(&environment.spot_rest, &environment.spot_ws_public, &environment.spot_ws_private),
        "futures": host(&environment.futures_rest, &environment.futures_ws_public, &environment.futures_ws_private),
        "admin": ready.admin(),
        "admin_token": ready.admin_token(),
        "root_certificate": ready.root_certificate(),
    })
}

/// A JSON string is also a string literal of Python and JavaScript.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
