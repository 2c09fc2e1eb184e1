//! `auth`: keys in profiles of `~/.bitmart/config.toml`.

pub(crate) mod check;
mod hidden_input;
pub(crate) mod keyring;
pub(crate) mod store;

use std::io::{BufRead, Read as _};

use bitmart::Credentials;
use clap::{Arg, ArgAction, ArgMatches, Command};

use self::store::Store;
use crate::confirm::prompt;
use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::output::{self, json::Json};

/// Maximum length of a key, a secret or a memo on standard input, in bytes.
const MAX_LINE: usize = 4096;

pub(crate) fn command() -> Command {
    let profile =
        || Arg::new("name").value_name("NAME").default_value("default").help("Name of the profile");
    Command::new("auth")
        .about("Store, list, check and remove API keys")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("add")
                .about("Store a key in ~/.bitmart/config.toml")
                .after_help(
                    "Asks for key, secret and memo, as BitMart showed them when the key was created. The input \
                     is not shown. Only you can read the file.",
                )
                .arg(profile())
                .arg(
                    Arg::new("stdin")
                        .long("stdin")
                        .action(ArgAction::SetTrue)
                        .help("Read key, secret and memo from standard input, one per line"),
                )
                .arg(
                    Arg::new("keyring")
                        .long("keyring")
                        .action(ArgAction::SetTrue)
                        .help("Store them in the keyring of the operating system"),
                ),
        )
        .subcommand(Command::new("list").about("List the stored profiles, without their secrets"))
        .subcommand(
            Command::new("check")
                .about("Check at the exchange whether a key works, and print its permissions")
                .after_help("Only reads. Without --env it uses the live exchange for a stored profile.")
                .arg(
                    Arg::new("name")
                        .value_name("NAME")
                        .conflicts_with("profile")
                        .help("Name of the profile; the same as --profile"),
                ),
        )
        .subcommand(Command::new("remove").about("Remove a profile").arg(
            Arg::new("name").value_name("NAME").required(true).help("Name of the profile"),
        ))
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("add", matches)) => add(context, matches).await,
        Some(("list", _)) => list(context),
        Some(("check", matches)) => {
            let name = matches.get_one::<String>("name").map(String::as_str);
            check::run(context, name.or(context.profile())).await
        }
        Some(("remove", matches)) => remove(context, name(matches)),
        _ => Err(Failure::usage("auth: a command is missing")),
    }
}

fn name(matches: &ArgMatches) -> &str {
    matches.get_one::<String>("name").map_or("default", String::as_str)
}

async fn add(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    let name = name(matches);
    let mut store = Store::open()?;
    let may_replace = context.yes || store.has(name);
    if store.has(name) && !context.yes && !context.dry_run {
        prompt::confirm_local(&format!("profile {name:?} exists: replace its key?"))?;
    }
    let to_keyring = matches.get_flag("keyring");
    if to_keyring {
        keyring::check_support()?;
    }
    let [key, secret, memo] = if matches.get_flag("stdin") {
        read_lines(std::io::stdin().lock())?
    } else {
        hidden_input::ask(["key", "secret", "memo"]).await?
    };
    // A key that the library would reject later is not stored.
    Credentials::new(key.as_str(), secret.as_str(), memo.as_str())
        .map_err(|error| Failure::usage(chain(&error)))?;
    let values = [key.as_str(), secret.as_str(), memo.as_str()];
    let location = if to_keyring {
        "the keyring of the operating system".to_owned()
    } else {
        store.path().display().to_string()
    };
    if context.dry_run {
        eprintln!("dry run: the key of profile {name:?} would be stored in {location}");
        return Ok(());
    }
    store.lock()?;
    if store.has(name) && !may_replace {
        let text = format!("profile {name:?} was added by another program; nothing was stored");
        return Err(Failure::new(Exit::NotConfirmed, text));
    }
    if to_keyring {
        store_in_keyring(&mut store, name, values)?;
    } else {
        store_in_file(&mut store, name, values, keyring::remove)?;
    }
    eprintln!("stored in {location}; `bitmart auth check {name}` checks it at the exchange");
    Ok(())
}

fn store_in_keyring(store: &mut Store, name: &str, values: [&str; 3]) -> Result<(), Failure> {
    let was_in_keyring = store.is_in_keyring(name);
    store.set_keyring(name)?;
    keyring::store(name, values)?;
    store.save().inspect_err(|_| {
        // Without its marker in the file nobody would find the key.
        if !was_in_keyring {
            drop(keyring::remove(name));
        }
    })
}

/// Stores a key in the file, then deletes the one in the keyring that it replaces. In this order, a failure
/// leaves at least one of them.
fn store_in_file(
    store: &mut Store,
    name: &str,
    values: [&str; 3],
    remove_from_keyring: impl FnOnce(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let was_in_keyring = store.is_in_keyring(name);
    store.set(name, values)?;
    store.save()?;
    if !was_in_keyring {
        return Ok(());
    }
    remove_from_keyring(name).map_err(|failure| {
        let text = format!(
            "the new key of profile {name:?} is stored, but the old one is still in the keyring"
        );
        failure.with_context(&text).with_advice(format!(
            "delete the entry of user {name:?} and service \"bitmart\" with a program for keyrings"
        ))
    })
}

/// Reads key, secret and memo, one per line.
fn read_lines(mut input: impl BufRead) -> Result<[String; 3], Failure> {
    let mut line = |what: &str| {
        let mut text = String::new();
        // One byte more than allowed, and the line break.
        input
            .by_ref()
            .take(MAX_LINE as u64 + 2)
            .read_line(&mut text)
            .map_err(|error| Failure::io(format!("standard input: {error}")))?;
        if text.trim_end_matches(['\r', '\n']).len() > MAX_LINE {
            return Err(Failure::usage(format!("the {what} is longer than {MAX_LINE} bytes")));
        }
        let text = text.trim();
        if text.is_empty() {
            let text = format!("standard input has no {what}");
            return Err(Failure::usage(text).with_advice("give key, secret and memo, one per line"));
        }
        Ok(text.to_owned())
    };
    Ok([line("key")?, line("secret")?, line("memo")?])
}

fn list(context: &Context) -> Result<(), Failure> {
    let store = Store::open()?;
    let rows = store.profiles().map(|profile| {
        Json::Object(vec![
            ("profile".to_owned(), Json::Text(profile.name)),
            ("key".to_owned(), profile.masked_key.map_or(Json::Null, Json::Text)),
            ("complete".to_owned(), Json::Bool(profile.complete)),
            ("keyring".to_owned(), Json::Bool(profile.keyring)),
        ])
    });
    output::print_rows(&context.output, &Json::List(rows.collect()))?;
    if let Some(problem) = store.permission_problem() {
        eprintln!("warning: {problem}");
    }
    Ok(())
}

fn remove(context: &Context, name: &str) -> Result<(), Failure> {
    let mut store = Store::open()?;
    if !store.has(name) {
        return Err(Failure::usage(format!("there is no profile {name:?}")));
    }
    if context.dry_run {
        eprintln!("dry run: the key of profile {name:?} would be removed");
        return Ok(());
    }
    if !context.yes {
        prompt::confirm_local(&format!("remove the key of profile {name:?}?"))?;
    }
    store.lock()?;
    // First: after a failure the marker in the file remains, so that the command can be repeated.
    if store.is_in_keyring(name) {
        keyring::remove(name)?;
    }
    store.remove(name);
    store.save()?;
    eprintln!("removed; the key itself stays valid until you delete it at the exchange");
    Ok(())
}

/// An empty line was entered.
fn no_input() -> Failure {
    Failure::new(Exit::NotConfirmed, "no input; nothing was stored")
}

#[cfg(test)]
mod tests;
