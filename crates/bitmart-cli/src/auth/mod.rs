//! `auth`: keys in profiles of `~/.bitmart/config.toml`.

pub(crate) mod check;
pub(crate) mod keyring;
mod secret;
pub(crate) mod store;

use std::io::BufRead as _;

use bitmart::Credentials;
use clap::{Arg, ArgAction, ArgMatches, Command};

use self::store::Store;
use crate::confirm::prompt;
use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::output::{self, json::Json};

/// The longest line that is read for a key, a secret or a memo.
const LINE: u64 = 4096;

pub(crate) fn command() -> Command {
    let profile =
        || Arg::new("name").value_name("NAME").default_value("default").help("Name of the profile");
    Command::new("auth")
        .about("Keys: store, list, check and remove them")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("add")
                .about("Store a key in ~/.bitmart/config.toml")
                .after_help(
                    "Asks for key, secret and memo, as BitMart showed them when the key was made; what is \
                     typed is not shown. The file is readable by you alone.",
                )
                .arg(profile())
                .arg(
                    Arg::new("stdin")
                        .long("stdin")
                        .action(ArgAction::SetTrue)
                        .help("Read key, secret and memo from standard input, a line each"),
                )
                .arg(
                    Arg::new("keyring")
                        .long("keyring")
                        .action(ArgAction::SetTrue)
                        .help("Store them in the keyring of the system"),
                ),
        )
        .subcommand(Command::new("list").about("The stored profiles, without their secrets"))
        .subcommand(
            Command::new("check")
                .about("Ask the exchange whether the key works, and what it may do")
                .after_help("Only reads; --env says where, which is live for a profile.")
                .arg(
                    Arg::new("name")
                        .value_name("NAME")
                        .conflicts_with("profile")
                        .help("Name of the profile, as --profile"),
                ),
        )
        .subcommand(Command::new("remove").about("Forget a profile").arg(
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
        prompt::yes(&format!("there is a profile {name:?}: replace its key?"))?;
    }
    let [key, secret, memo] = if matches.get_flag("stdin") {
        lines()?
    } else {
        secret::ask(["key", "secret", "memo"]).await?
    };
    // What the library would refuse later is not stored.
    Credentials::new(key.as_str(), secret.as_str(), memo.as_str())
        .map_err(|error| Failure::usage(chain(&error)))?;
    let values = [key.as_str(), secret.as_str(), memo.as_str()];
    let place = if matches.get_flag("keyring") {
        store.set_keyring(name)?;
        keyring::store(name, values)?;
        "the keyring of the system".to_owned()
    } else {
        store.set(name, values)?;
        store.path().display().to_string()
    };
    store.save()?;
    eprintln!("stored in {place}; `bitmart auth check {name}` tries it on the exchange");
    Ok(())
}

/// Three lines of standard input.
fn lines() -> Result<[String; 3], Failure> {
    use std::io::Read as _;

    let mut input = std::io::stdin().lock().take(3 * LINE);
    let mut line = |what: &str| {
        let mut text = String::new();
        input
            .read_line(&mut text)
            .map_err(|error| Failure::machine(format!("standard input: {error}")))?;
        let text = text.trim();
        if text.is_empty() {
            let words = format!("standard input has no {what}");
            return Err(Failure::usage(words).with_advice("give key, secret and memo, a line each"));
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
            ("key".to_owned(), profile.key.map_or(Json::Null, Json::Text)),
            ("complete".to_owned(), Json::Bool(profile.complete)),
            ("keyring".to_owned(), Json::Bool(profile.keyring)),
        ])
    });
    output::print_rows(&context.view, &Json::List(rows.collect()))?;
    if let Some(problem) = store.exposed() {
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
        prompt::yes(&format!("forget the key of profile {name:?}?"))?;
    }
    if store.is_in_keyring(name) {
        keyring::remove(name)?;
    }
    store.remove(name);
    store.save()?;
    eprintln!("removed; the key itself stays valid until you delete it at the exchange");
    Ok(())
}

/// Nobody answered a question.
fn unanswered() -> Failure {
    Failure::new(Exit::NotConfirmed, "no answer; nothing was stored")
}
