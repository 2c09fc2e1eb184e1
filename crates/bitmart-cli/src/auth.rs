//! `auth`: keys in profiles of `~/.bitmart/config.toml`.

pub(crate) mod check;
mod hidden_input;
pub(crate) mod keyring;
pub(crate) mod store;

use std::io::BufRead as _;

use bitmart::Credentials;
use clap::{Arg, ArgAction, ArgMatches, Command};

use self::store::Store;
use crate::confirm::prompt;
use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::output::{self, json::Json};

/// Maximum length of a key, a secret or a memo on standard input, in bytes.
const MAX_LINE: u64 = 4096;

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
    if store.has(name) && !context.yes {
        prompt::confirm(&format!("profile {name:?} exists: replace its key?"))?;
    }
    let [key, secret, memo] = if matches.get_flag("stdin") {
        read_lines()?
    } else {
        hidden_input::ask(["key", "secret", "memo"]).await?
    };
    // A key that the library would reject later is not stored.
    Credentials::new(key.as_str(), secret.as_str(), memo.as_str())
        .map_err(|error| Failure::usage(chain(&error)))?;
    let values = [key.as_str(), secret.as_str(), memo.as_str()];
    let location = if matches.get_flag("keyring") {
        store.set_keyring(name)?;
        keyring::store(name, values)?;
        "the keyring of the operating system".to_owned()
    } else {
        if store.is_in_keyring(name) {
            remove_from_keyring(&store, name)?;
        }
        store.set(name, values)?;
        store.path().display().to_string()
    };
    store.save()?;
    eprintln!("stored in {location}; `bitmart auth check {name}` checks it at the exchange");
    Ok(())
}

/// Deletes the key that a file profile replaces: without its marker `auth remove` would not find it.
fn remove_from_keyring(store: &Store, name: &str) -> Result<(), Failure> {
    keyring::remove(name).map_err(|failure| {
        failure.with_context(&format!("the old key of profile {name:?}, nothing was stored")).with_advice(
            format!(
                "to leave the old key in the keyring, delete `keyring = true` of this profile from {}",
                store.path().display()
            ),
        )
    })
}

/// Reads key, secret and memo from standard input, one per line.
fn read_lines() -> Result<[String; 3], Failure> {
    use std::io::Read as _;

    let mut input = std::io::stdin().lock().take(3 * MAX_LINE);
    let mut line = |what: &str| {
        let mut text = String::new();
        input
            .read_line(&mut text)
            .map_err(|error| Failure::io(format!("standard input: {error}")))?;
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
    if !context.yes {
        prompt::confirm(&format!("remove the key of profile {name:?}?"))?;
    }
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
