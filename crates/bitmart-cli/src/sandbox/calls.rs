//! Commands that follow from the calls of the sandbox's operator: a new call has a command without a change here.

use bitmart::sandbox::operator::{Call, Field, Kind, calls};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::{Map, Value, json};

use crate::normalize;

/// Calls whose command has another name.
const RENAMED: [(&str, &str); 1] = [("set_balance", "fund")];
/// Calls of commands with arguments of their own: `keys`, `fault`, `clock`, `snapshot`, `play` and `down`.
const WITH_OWN_ARGUMENTS: [&str; 8] = [
    "play_scenario",
    "create_key",
    "inject_fault",
    "clear_faults",
    "advance_clock",
    "step_market",
    "snapshot",
    "stop",
];

/// Every call whose command follows from its description.
fn calls_with_a_command() -> impl Iterator<Item = &'static Call> {
    calls().filter(|call| !WITH_OWN_ARGUMENTS.contains(&call.name()))
}

fn command_name(call: &Call) -> String {
    let renamed = RENAMED.iter().find(|row| row.0 == call.name());
    renamed.map_or_else(|| kebab(call.name()), |row| row.1.to_owned())
}

fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

pub(super) fn commands() -> impl Iterator<Item = Command> {
    calls_with_a_command().map(|call| {
        let (about, details) = first_sentence(call.description());
        let command = Command::new(command_name(call)).about(about).args(arguments(call.fields()));
        if details.is_empty() { command } else { command.after_help(details) }
    })
}

/// The call of a command.
pub(super) fn find(command: &str) -> Option<&'static Call> {
    calls_with_a_command().find(|call| command_name(call) == command)
}

fn first_sentence(text: &'static str) -> (&'static str, &'static str) {
    match text.split_once(". ") {
        Some((first, rest)) => (first, rest),
        None => (text.trim_end_matches('.'), ""),
    }
}

/// One argument for each field, and for each field of an object.
fn arguments(fields: &[Field]) -> Vec<Arg> {
    let argument = |field: &Field| match field.kind {
        Kind::Object(inner) => arguments(inner),
        _ => vec![argument(field)],
    };
    fields.iter().flat_map(argument).collect()
}

fn argument(field: &Field) -> Arg {
    let argument = Arg::new(field.name)
        .value_name(field.name.to_ascii_uppercase())
        .help(field.description.trim_end_matches('.'));
    let argument = match field.kind {
        Kind::Integer => argument.value_parser(value_parser!(u64)),
        Kind::Boolean => argument.value_parser(value_parser!(bool)),
        Kind::OneOf(values) => {
            argument.value_parser(PossibleValuesParser::new(values)).ignore_case(true)
        }
        // Commas are part of the JSON of objects.
        Kind::List(item) if !item.fields().is_empty() => argument.value_parser(json_list),
        Kind::List(_) => argument.value_delimiter(','),
        _ => argument,
    };
    match default(field) {
        Some(default) => argument.long(kebab(field.name)).default_value(default),
        None if field.required => argument.required(true),
        None => argument.long(kebab(field.name)),
    }
}

fn json_list(text: &str) -> Result<Value, String> {
    let list = serde_json::from_str::<Vec<Value>>(text);
    list.map(Value::Array).map_err(|error| format!("it is a list in JSON: {error}"))
}

/// The value of a required field without its option; `None` for a field that must be given.
fn default(field: &Field) -> Option<&'static str> {
    match field.kind {
        _ if !field.required => None,
        _ if field.name == "account" => Some("1"),
        Kind::Boolean => Some("true"),
        Kind::OneOf(values) => values.first().copied(),
        _ => None,
    }
}

/// The fields of a call as given on the command line.
pub(super) fn fields(fields: &[Field], matches: &ArgMatches) -> Map<String, Value> {
    let given = |field: &Field| Some((field.name.to_owned(), value(field, matches)?));
    fields.iter().filter_map(given).collect()
}

fn value(field: &Field, matches: &ArgMatches) -> Option<Value> {
    let text = || matches.get_one::<String>(field.name);
    Some(match field.kind {
        Kind::Object(inner) => Value::Object(fields(inner, matches)),
        Kind::Integer => json!(matches.get_one::<u64>(field.name)?),
        Kind::Boolean => json!(matches.get_one::<bool>(field.name)?),
        Kind::OneOf(values) => {
            let given = text()?;
            json!(values.iter().find(|value| value.eq_ignore_ascii_case(given))?)
        }
        Kind::List(item) if !item.fields().is_empty() => {
            matches.get_one::<Value>(field.name)?.clone()
        }
        Kind::List(_) => {
            json!(matches.get_many::<String>(field.name)?.map(|one| one.trim()).collect::<Vec<_>>())
        }
        _ => {
            let given = text()?;
            json!(normalize::parameter(field.name, given).unwrap_or_else(|| given.clone()))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<(String, String), clap::Error> {
        let (name, words) = words.split_first().expect("a command");
        let call = find(name).expect("a call");
        let command = commands().find(|command| command.get_name() == *name).expect("a command");
        let matches = command.no_binary_name(true).try_get_matches_from(words)?;
        Ok(call.request(fields(call.fields(), &matches)))
    }

    #[test]
    fn arguments_become_the_fields_of_the_call() {
        for (words, path, body) in [
            (
                &["fund", "usdt", "5"][..],
                "/balances",
                json!({ "account": 1, "wallet": "spot", "currency": "USDT", "amount": "5" }),
            ),
            (
                &["set-brackets", "BTCUSDT", r#"[{"leverage":5,"cap":"10","ratio":"0.1"}]"#],
                "/market/brackets",
                json!({
                    "symbol": "BTCUSDT",
                    "brackets": [{ "leverage": 5, "cap": "10", "ratio": "0.1" }],
                }),
            ),
            (&["book", "btc_usdt"], "/book/BTC_USDT", json!({})),
            (
                &["halt-market", "BTCUSDT", "--halted", "false"],
                "/market/halt",
                json!({ "symbol": "BTCUSDT", "halted": false }),
            ),
            (
                &["set-network", "usdt-trc20", "--fee", "1.5", "--decimals", "6", "--memo", "true"],
                "/networks",
                json!({ "currency": "USDT-TRC20", "terms": { "fee": "1.5", "decimals": 6, "memo": true } }),
            ),
            (
                &["save-address", "T1", "--account", "3", "--network", "TRC20"],
                "/addresses",
                json!({ "account": 3, "address": { "address": "T1", "network": "TRC20" } }),
            ),
        ] {
            let parsed = parse(words).expect("arguments");
            assert_eq!(parsed, (path.to_owned(), body.to_string()), "{words:?}");
        }
        assert!(parse(&["fund", "USDT"]).is_err(), "an amount is missing");
        assert!(parse(&["fund", "USDT", "1", "--wallet", "purse"]).is_err(), "no such wallet");
    }

    #[test]
    fn exceptions_name_calls() {
        let names: Vec<&str> = calls().map(Call::name).collect();
        for name in RENAMED.iter().map(|row| row.0).chain(WITH_OWN_ARGUMENTS) {
            assert!(names.contains(&name), "{name}");
        }
    }
}
