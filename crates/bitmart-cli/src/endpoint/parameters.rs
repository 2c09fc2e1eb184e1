//! Converts the arguments of a command to the JSON object of its parameters.

use bitmart::rest::catalog::{EndpointEntry, Form, Parameter};
use bitmart::{Decimal, Timestamp};
use clap::ArgMatches;

use super::command::is_time;
use crate::failure::Failure;
use crate::normalize;
use crate::output::json::Json;
use crate::timezone::Zone;

/// Maximum size of a file for a parameter, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The given parameters in documented order. Days begin in `zone`.
pub(super) fn from_matches(
    entry: &'static EndpointEntry,
    matches: &ArgMatches,
    zone: &Zone,
) -> Result<Vec<(String, Json)>, Failure> {
    let given = entry.parameters.iter().filter_map(|parameter| {
        let text = matches.get_one::<String>(parameter.name)?;
        Some((parameter, text))
    });
    given
        .map(|(parameter, text)| Ok((parameter.name.to_owned(), value_in(zone, parameter, text)?)))
        .collect()
}

/// Converts values by name from text to their documented form. Days begin in UTC.
pub(crate) fn typed(
    entry: &EndpointEntry,
    given: &[(String, String)],
) -> Result<Vec<(String, Json)>, Failure> {
    let typed = given.iter().map(|(name, text)| {
        let parameter = entry.parameters.iter().find(|parameter| parameter.name == name);
        let parameter = parameter.ok_or_else(|| {
            Failure::usage(format!("{} has no parameter {name}", entry.metadata.id))
        })?;
        Ok((name.clone(), value_in(&Zone::utc(), parameter, text)?))
    });
    typed.collect()
}

/// Converts the text of a parameter to its documented form and case. Days begin in `zone`.
pub(crate) fn value_in(zone: &Zone, parameter: &Parameter, text: &str) -> Result<Json, Failure> {
    let documented = parameter.values.iter().find(|value| value.eq_ignore_ascii_case(text));
    let exact = parameter.values.contains(&text);
    let normalized = normalize::parameter(parameter.name, text);
    let text = match documented {
        Some(value) if !exact => value,
        _ => normalized.as_deref().unwrap_or(text),
    };
    let wrong = |expected: &str| {
        Failure::usage(format!("{} is {text:?}, expected {expected}", parameter.name))
    };
    match parameter.form {
        Form::Integer if is_time(parameter) => time(zone, text, parameter.unit)
            .map(Json::Number)
            .ok_or_else(|| wrong("a time like 2026-01-31, 2026-01-31T15:59:00Z or a number")),
        Form::Integer => {
            text.parse::<i64>().map_err(|_| wrong("an integer"))?;
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
            match Json::parse(&text) {
                Ok(list @ Json::List(_)) => Ok(list),
                _ => Err(Failure::usage(format!("{} is not a JSON list", parameter.name))),
            }
        }
        Form::Decimal if text.parse::<Decimal>().is_err() => Err(wrong("a number like 0.01")),
        _ => Ok(Json::Text(text.to_owned())),
    }
}

/// Before the exchange existed: 2010-01-01 in seconds. A smaller number is a year, a day without dashes, or a mistake.
const EARLIEST_S: u64 = 1_262_304_000;

/// A time in the unit of the parameter, from a number in that unit or from a date.
fn time(zone: &Zone, text: &str, unit: &str) -> Option<String> {
    let is_seconds = unit == "s";
    if let Ok(number) = text.parse::<u64>() {
        let earliest = if is_seconds { EARLIEST_S } else { EARLIEST_S * 1000 };
        return (number >= earliest).then(|| text.to_owned());
    }
    let millis = date_in(zone, text)?.as_millis();
    Some(if is_seconds { millis.div_euclid(1000) } else { millis }.to_string())
}

/// Parses a day (its beginning in UTC) or a time in RFC 3339.
pub(crate) fn date(text: &str) -> Option<Timestamp> {
    date_in(&Zone::utc(), text)
}

/// Parses a day (its beginning in `zone`) or a time in RFC 3339.
pub(crate) fn date_in(zone: &Zone, text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if [year.len(), month.len(), day.len()] != [4, 2, 2]
        || ![year, month, day].map(is_digits).iter().all(|is| *is)
    {
        return None;
    }
    zone.begin_of_day(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

fn read(path: &str) -> Result<String, Failure> {
    use std::io::Read as _;

    let unreadable = |error: std::io::Error| Failure::io(format!("{path}: {error}"));
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE {
        return Err(Failure::usage(format!("{path} is over 1 MiB")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{date_in, time};
    use crate::timezone::{Zone, parse};

    #[test]
    fn accepts_times_as_dates_timestamps_and_numbers() {
        let time = |text: &str, unit: &str| time(&Zone::utc(), text, unit);
        assert_eq!(time("2024-01-01", "ms").as_deref(), Some("1704067200000"));
        assert_eq!(time("2024-01-01T00:00:01Z", "s").as_deref(), Some("1704067201"));
        assert_eq!(time("1704067200", "s").as_deref(), Some("1704067200"));
        assert_eq!(time("1704067200000", "ms").as_deref(), Some("1704067200000"));
        for mistaken in ["2024", "20240131", "1704067200"] {
            assert_eq!(time(mistaken, "ms"), None, "{mistaken} would be a time in 1970");
        }
        assert_eq!(time("20240131", "s"), None);
        assert_eq!(time("yesterday", "ms"), None);
        assert_eq!(time("-1", "ms"), None);
    }

    #[test]
    fn days_begin_in_the_zone_and_timestamps_do_not_depend_on_it() {
        let vienna = parse("Europe/Vienna").expect("a zone");
        let date = |text: &str| date_in(&vienna, text).map(|time| time.to_string());
        assert_eq!(date("2024-01-31").as_deref(), Some("2024-01-30T23:00:00.000Z"));
        assert_eq!(date("2024-07-01").as_deref(), Some("2024-06-30T22:00:00.000Z"));
        assert_eq!(date("2024-01-31T12:00:00Z").as_deref(), Some("2024-01-31T12:00:00.000Z"));
        for wrong in ["2024-02-30", "24-1-1", "2024-1-31", "2024", "+024-01-01", "tomorrow"] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }
}
