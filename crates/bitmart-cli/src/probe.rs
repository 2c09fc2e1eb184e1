//! `probe`: records how the exchange responds to an account, without account data.

mod key;
mod requests;
mod result_folder;
mod streams;
mod values;

use std::path::Path;
use std::time::Duration;

use bitmart::rest::Client;
use bitmart::rest::recording::Redaction;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use self::result_folder::ResultFolder;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::target::{RateLimits, Target};

/// How often a request is sent.
const ATTEMPTS: u32 = 3;

pub(crate) fn command() -> Command {
    Command::new("probe")
        .about("Record how the exchange responds, without account data, to help this project")
        .long_about(
            "Sends one or two requests to every endpoint that only reads, within the rate limits, and \
             subscribes to every channel for a short time, with a read-only key. Each response is written to a \
             file without account data. Nothing is sent to anyone but the exchange: you decide whether to \
             share the folder after you have read it.",
        )
        .after_help(
            "Why: BitMart ends on 2027-01-31, and its real responses differ from its documents. Afterwards \
             nobody can record them.\n\n\
             Replaced by placeholders of the same form: keys, ids, addresses, hashes, traces, e-mail \
             addresses, names, and every value that is not known to be harmless. Amounts and prices keep sign, \
             decimal point, zeros and the count of digits; times move by a secret number of hours. Kept: \
             symbols, currencies, networks, error codes, flags, and the exchange's own words for states, sides \
             and types. So the files reveal which coins, markets and features you have used.\n\n\
             The folder contains rest/*.json and ws/*.json, which `cargo xtask conformance` reads, \
             differences.txt (deviations from the models) and skipped.txt (skipped endpoints with the \
             reason).\n\
             About 150 requests take a minute or two. Without a key it runs on the sandbox, whose key needs \
             --any-key.",
        )
        .arg(
            Arg::new("out")
                .long("out")
                .required(true)
                .value_name("DIR")
                .help("A new or empty folder"),
        )
        .arg(
            Arg::new("seconds")
                .long("seconds")
                .value_name("N")
                .value_parser(value_parser!(u64).range(0..=600))
                .default_value("20")
                .help("Maximum time of subscriptions; 0 skips the channels"),
        )
        .arg(
            Arg::new("any-key")
                .long("any-key")
                .action(ArgAction::SetTrue)
                .help("Accept a key that may trade or withdraw, or whose permissions are unknown"),
        )
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    if context.dry_run {
        return Err(Failure::usage("probe does not support --dry-run: it only reads"));
    }
    let folder = Path::new(matches.get_one::<String>("out").map_or("", String::as_str));
    // Before anything is sent. The folder is created when the key is accepted.
    ResultFolder::check(folder)?;
    let target = context.target().await?;
    let client = target.bulk_client(RateLimits::Respect, ATTEMPTS)?;
    if target.credentials.is_some() && !matches.get_flag("any-key") {
        key::require_read_only(&client).await?;
    }
    let redaction = Redaction::random().map_err(|error| Failure::io(error.to_string()))?;
    let key = target.credentials.as_ref().map(|credentials| credentials.key().to_owned());
    let mut results = ResultFolder::new(folder, redaction, key)?;
    let seconds = *matches.get_one::<u64>("seconds").unwrap_or(&20);
    let recorded = record(&target, &client, &mut results, seconds).await;
    conclude(recorded, results)
}

async fn record(
    target: &Target,
    client: &Client,
    results: &mut ResultFolder,
    seconds: u64,
) -> Result<(), Failure> {
    eprintln!("querying every endpoint that only reads");
    let values = requests::all(target, client, results).await?;
    if seconds > 0 {
        eprintln!("subscribing to every channel for up to {seconds} s");
        streams::all(target, &values, results, Duration::from_secs(seconds)).await?;
    }
    Ok(())
}

/// Writes the lists, also after a failure: what is recorded until then is useful. The first failure is the
/// one that is returned.
fn conclude(recorded: Result<(), Failure>, results: ResultFolder) -> Result<(), Failure> {
    let finished = results.finish();
    let Err(failure) = recorded else { return output::write(finished?.as_bytes()) };
    match finished {
        Ok(summary) => eprintln!("{summary}"),
        Err(second) => eprintln!("{second}"),
    }
    Err(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(folder: &Path) -> ResultFolder {
        ResultFolder::new(folder, Redaction::new(b"a secret"), None).expect("no folder")
    }

    #[test]
    fn the_lists_are_written_after_a_failure_of_any_part() {
        let place = tempfile::tempdir().expect("no temporary folder");
        let failure = conclude(Err(Failure::io("the streams failed")), results(place.path()));
        assert_eq!(failure.expect_err("it failed").to_string(), "the streams failed");
        for name in ["differences.txt", "skipped.txt"] {
            assert!(place.path().join(name).exists(), "{name} is missing");
        }
    }

    #[test]
    fn a_failure_of_the_lists_does_not_replace_the_first_failure() {
        let place = tempfile::tempdir().expect("no temporary folder");
        let results = results(place.path());
        std::fs::create_dir_all(place.path().join("differences.txt/x")).expect("no folder");
        let failure = conclude(Err(Failure::io("the streams failed")), results);
        assert_eq!(failure.expect_err("it failed").to_string(), "the streams failed");
    }
}
