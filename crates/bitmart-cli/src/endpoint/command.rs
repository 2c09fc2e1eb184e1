//! A command for every endpoint of the catalog.

use bitmart::rest::catalog::{ENDPOINTS, EndpointEntry, Form, Parameter, Presence, Role};
use bitmart::rest::endpoint::{Auth, Effect, Host, LimitScope, Method};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command};

use super::former::former;

/// The option that accepts the risks of a withdrawal.
pub(crate) const SURE: &str = "sure";

/// The groups of endpoints as commands, with their help.
const GROUPS: &[(&str, &str)] = &[
    ("system", "Time and service status of the exchange"),
    ("spot", "Spot: market data, orders, algo orders"),
    ("account", "Balances, deposits, withdrawals, fees"),
    ("margin", "Isolated margin: loans, repayments, accounts"),
    ("sub_accounts", "Sub-accounts of spot: transfers, balances"),
    ("broker", "Rebates of brokers"),
    ("futures", "Futures: market data, orders, positions, plan orders"),
    ("futures_sub_accounts", "Sub-accounts of futures: transfers, balances"),
    ("affiliate", "Customers and rebates of affiliates"),
    ("earn", "Savings, flexible and fixed"),
];

/// A command for each group, with a subcommand for each endpoint.
pub(crate) fn groups() -> impl Iterator<Item = Command> {
    GROUPS.iter().map(|(group, about)| {
        Command::new(kebab(group))
            .about(*about)
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommands(entries(group).map(command))
    })
}

/// The endpoint of a group and command name, such as `spot` and `ticker`.
pub(crate) fn find(group: &str, name: &str) -> Option<&'static EndpointEntry> {
    let (group, _) = GROUPS.iter().find(|(known, _)| kebab(known) == group)?;
    entries(group).find(|entry| command_name(entry) == name)
}

fn entries(group: &'static str) -> impl Iterator<Item = &'static EndpointEntry> {
    ENDPOINTS.iter().filter(move |entry| entry.group == group)
}

/// `spot_submit_order` is `submit-order` of the group `spot`.
fn command_name(entry: &EndpointEntry) -> String {
    name_of(entry.group, entry.metadata.id)
}

fn name_of(group: &str, id: &str) -> String {
    let name = id.strip_prefix(group).unwrap_or(id);
    kebab(name.trim_start_matches('_'))
}

pub(crate) fn sure() -> Arg {
    Arg::new(SURE)
        .long(SURE)
        .action(ArgAction::SetTrue)
        .help("Send it although address or memo look wrong; --yes alone does not")
}

fn command(entry: &'static EndpointEntry) -> Command {
    let (required, optional): (Vec<_>, Vec<_>) =
        entry.parameters.iter().partition(|one| one.presence == Presence::Required);
    let is_withdrawal = entry.role == Some(Role::Withdraw);
    Command::new(command_name(entry))
        .aliases(former(entry.metadata.id).map(|id| name_of(entry.group, id)))
        .args(is_withdrawal.then(sure))
        .about(entry.title)
        .after_help(description(entry))
        .args(
            required
                .into_iter()
                .enumerate()
                .map(|(at, one)| argument(one).index(at + 1).required(true)),
        )
        .args(optional.into_iter().map(|one| argument(one).long(kebab(one.name))))
}

fn argument(parameter: &'static Parameter) -> Arg {
    let argument = Arg::new(parameter.name)
        .value_name(value_name(parameter))
        .help(help(parameter))
        .allow_negative_numbers(true);
    if parameter.values.is_empty() {
        argument
    } else {
        argument.value_parser(PossibleValuesParser::new(parameter.values)).ignore_case(true)
    }
}

fn value_name(parameter: &Parameter) -> String {
    match parameter.form {
        Form::Flag => "true|false".to_owned(),
        Form::List if parameter.items.is_empty() => "A,B,...".to_owned(),
        Form::List => "JSON|@FILE".to_owned(),
        _ if is_time(parameter) => "TIME".to_owned(),
        _ => kebab(parameter.name).to_uppercase(),
    }
}

/// Whether a parameter is a time, which may be given as a date.
pub(super) fn is_time(parameter: &Parameter) -> bool {
    let name = parameter.name.to_ascii_lowercase();
    let named = ["time", "after", "before"].iter().any(|end| name.ends_with(end));
    parameter.form == Form::Integer && matches!(parameter.unit, "ms" | "s") && named
}

fn help(parameter: &Parameter) -> String {
    let mut text = parameter.doc.to_owned();
    let mut add = |what: &str, value: &str| {
        if !value.is_empty() {
            text += &format!(" [{what}{value}]");
        }
    };
    if is_time(parameter) {
        add("date or ", parameter.unit);
    } else {
        add("unit: ", parameter.unit);
    }
    add("minimum: ", parameter.min);
    add("maximum: ", parameter.max);
    add("default: ", parameter.default);
    if parameter.presence == Presence::Conditional {
        add("required in ", "some cases");
    }
    if !parameter.items.is_empty() {
        let names: Vec<_> = parameter.items.iter().map(|item| item.name).collect();
        add("objects of ", &names.join(", "));
    }
    text
}

/// Method and path, key, rate limit, and remarks.
fn description(entry: &EndpointEntry) -> String {
    let metadata = &entry.metadata;
    let method = match metadata.method {
        Method::Post => "POST",
        _ => "GET",
    };
    let host = if metadata.host == Host::Futures { "futures" } else { "spot" };
    let mut text = format!("{method} {} on the {host} host\n", metadata.path);
    text += match metadata.auth {
        Auth::None => "Key: not required",
        Auth::Keyed => "Key: required, without a signature",
        _ => "Key: required, signed",
    };
    if let Some(permission) = entry.permission {
        text += &format!("; permission {permission}");
    }
    text += match metadata.effect {
        Effect::Read => "\nEffect: none, read only",
        Effect::Trade => "\nEffect: TRADES; asks for confirmation",
        Effect::Transfer => "\nEffect: MOVES MONEY; asks for confirmation",
        _ => "\nEffect: changes settings; asks for confirmation",
    };
    text += &match metadata.limit {
        Some(limit) => {
            let scope = match limit.scope {
                LimitScope::Ip => "IP address",
                LimitScope::Key => "key",
                _ => "user",
            };
            format!("\nRate limit: {} in {} s per {scope}", limit.count, limit.window_secs)
        }
        None => "\nRate limit: not published".to_owned(),
    };
    text += &format!("\nRust: {}", entry.call);
    if let Some(availability) = entry.availability {
        text += &format!("\nAvailable for: {availability}");
    }
    if entry.is_unverified {
        text += "\nNote: BitMart does not document the response";
    }
    for (title, lines) in [("Note", entry.quirks), ("Error", entry.errors)] {
        for line in lines {
            text += &format!("\n{title}: {line}");
        }
    }
    text
}

/// Converts `startTime`, `start_time` and `N` to `start-time` and `n`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(if letter == '_' { '-' } else { letter.to_ascii_lowercase() });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{ENDPOINTS, GROUPS, command_name, find, groups, kebab};

    #[test]
    fn every_endpoint_has_its_own_command() {
        let mut seen = std::collections::BTreeSet::new();
        for entry in ENDPOINTS {
            let id = entry.metadata.id;
            let (group, name) = (kebab(entry.group), command_name(entry));
            assert!(GROUPS.iter().any(|(known, _)| *known == entry.group), "{id} has no group");
            assert!(
                seen.insert((group.clone(), name.clone())),
                "{id}: {group} {name} exists twice"
            );
            assert_eq!(find(&group, &name).map(|found| found.metadata.id), Some(id));
        }
    }

    #[test]
    fn a_former_command_runs_its_endpoint() {
        let program = clap::Command::new("bitmart").subcommands(groups());
        let matches = program.try_get_matches_from(["bitmart", "futures", "assets"]);
        let matches = matches.expect("a command");
        let (group, matches) = matches.subcommand().expect("a group");
        let (name, _) = matches.subcommand().expect("a command");
        let found = find(group, name).map(|entry| entry.metadata.id);
        assert_eq!(found, Some("futures_balances"));
    }
}
