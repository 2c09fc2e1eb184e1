//! From the arguments of a command to the JSON object of its parameters.

use bitmart::rest::catalog::{EndpointEntry, Form, Parameter};
use bitmart::{Decimal, Timestamp};
use clap::ArgMatches;

use super::command::is_time;
use crate::failure::Failure;
use crate::names;
use crate::output::json::Json;

/// Largest file that is read for a parameter, in bytes.
const FILE: u64 = 1 << 20;

/// The parameters that were given, in the order of the description.
pub(super) fn of(
    entry: &'static EndpointEntry,
    matches: &ArgMatches,
) -> Result<Vec<(String, Json)>, Failure> {
    let given = entry.parameters.iter().filter_map(|parameter| {
        let text = matches.get_one::<String>(parameter.name)?;
        Some((parameter, text))
    });
    given
        .map(|(parameter, text)| Ok((parameter.name.to_owned(), value(parameter, text)?)))
        .collect()
}

/// Values by name, as texts, in the form that the endpoint's description gives them.
pub(crate) fn typed(
    entry: &EndpointEntry,
    given: &[(String, String)],
) -> Result<Vec<(String, Json)>, Failure> {
    let typed = given.iter().map(|(name, text)| {
        let parameter = entry.parameters.iter().find(|parameter| parameter.name == name);
        let parameter = parameter
            .ok_or_else(|| Failure::usage(format!("{} takes no {name}", entry.metadata.id)))?;
        Ok((name.clone(), value(parameter, text)?))
    });
    typed.collect()
}

/// The value of a parameter that was written as `text`, in the form and the case that are documented.
pub(crate) fn value(parameter: &Parameter, text: &str) -> Result<Json, Failure> {
    let documented = parameter.values.iter().find(|value| value.eq_ignore_ascii_case(text));
    let exact = parameter.values.contains(&text);
    let named = names::parameter(parameter.name, text);
    let text = match documented {
        Some(value) if !exact => value,
        _ => named.as_deref().unwrap_or(text),
    };
    let wrong = |expected: &str| {
        Failure::usage(format!("{} is {text:?}, expected {expected}", parameter.name))
    };
    match parameter.form {
        Form::Integer if is_time(parameter) => time(text, parameter.unit)
            .map(Json::Number)
            .ok_or_else(|| wrong("a time like 2026-01-31, 2026-01-31T15:59:00Z or a number")),
        Form::Integer => {
            text.parse::<i64>().map_err(|_| wrong("a whole number"))?;
            Ok(Json::Number(text.to_owned()))
        }
        Form::Flag => match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Json::Bool(true)),
            "false" => Ok(Json::Bool(false)),
            _ => Err(wrong("true or false")),
        },
        Form::List if parameter.items.is_empty() && !text.starts_with(['[', '@']) => {
            Ok(Json::List(text.split(',').map(|one| Json::Text(one.trim().to_owned())).collect()))
        }
        Form::List => {
            let text = match text.strip_prefix('@') {
                Some(path) => read(path)?,
                None => text.to_owned(),
            };
            match Json::read(&text) {
                Ok(list @ Json::List(_)) => Ok(list),
                _ => Err(Failure::usage(format!("{} is no JSON list", parameter.name))),
            }
        }
        Form::Decimal if text.parse::<Decimal>().is_err() => Err(wrong("a number like 0.01")),
        _ => Ok(Json::Text(text.to_owned())),
    }
}

/// A number in the unit of the parameter, from that number or from a date.
fn time(text: &str, unit: &str) -> Option<String> {
    if text.parse::<u64>().is_ok() {
        return Some(text.to_owned());
    }
    let millis = date(text)?.as_millis();
    Some(if unit == "s" { millis.div_euclid(1000) } else { millis }.to_string())
}

/// A day (its begin, UTC) or a moment in RFC 3339.
pub(crate) fn date(text: &str) -> Option<Timestamp> {
    text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).ok()
}

fn read(path: &str) -> Result<String, Failure> {
    use std::io::Read as _;

    let unreadable = |error: std::io::Error| Failure::machine(format!("{path}: {error}"));
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE {
        return Err(Failure::usage(format!("{path} is over 1 MiB")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_are_dates_moments_or_numbers() {
        assert_eq!(time("2024-01-01", "ms").as_deref(), Some("1704067200000"));
        assert_eq!(time("2024-01-01T00:00:01Z", "s").as_deref(), Some("1704067201"));
        assert_eq!(time("1704067200", "s").as_deref(), Some("1704067200"));
        assert_eq!(time("yesterday", "ms"), None);
        assert_eq!(time("-1", "ms"), None);
    }
}
