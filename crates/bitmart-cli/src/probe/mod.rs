//! `probe`: evidence of how the exchange really answers, from an account, without what is about it.

mod ask;
mod key;
mod share;
mod streams;
mod values;

use std::path::Path;
use std::time::Duration;

use bitmart::rest::testing::Redaction;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use self::share::Share;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;

pub(crate) fn command() -> Command {
    Command::new("probe")
        .about("Records how the exchange answers, without what is about you, to help this project")
        .long_about(
            "Asks every endpoint that only reads, once or twice and within the limits, and follows every \
             channel for a short while, with a key that may do no more than read. What comes is written into \
             a folder, a file for each answer, without what is about you. Nothing is sent anywhere but these \
             questions to the exchange: whether the folder is shared is for you to decide, after you have \
             read it.",
        )
        .after_help(
            "Why: BitMart ends on 2027-01-31, and what it really answers differs from its documents. Nobody \
             can record it afterwards.\n\n\
             Replaced by stand-ins of the same form: keys, ids, addresses, hashes, traces, e-mail, names, and \
             every value whose member is not known to be harmless. Amounts and prices keep sign, point, zeros \
             and the count of digits; times move by a secret number of hours. Kept: symbols, currencies, \
             networks, states, sides, types, codes, flags. So the files tell which coins and markets you have \
             used, and which features.\n\n\
             The folder holds rest/*.json and ws/*.json, which `cargo xtask conformance` reads, \
             differences.txt (what the models do not expect) and not-asked.txt (what was not asked, and why).\n\
             With about 150 requests it takes a minute or two. Without keys it tries itself on the sandbox, whose \
             key needs --any-key.",
        )
        .arg(
            Arg::new("out")
                .long("out")
                .required(true)
                .value_name("DIR")
                .help("A new folder, or an empty one"),
        )
        .arg(
            Arg::new("seconds")
                .long("seconds")
                .value_name("N")
                .value_parser(value_parser!(u64).range(0..=600))
                .default_value("20")
                .help("How long channels are followed at most; 0 leaves them out"),
        )
        .arg(
            Arg::new("any-key")
                .long("any-key")
                .action(ArgAction::SetTrue)
                .help("Use a key that may trade or withdraw, or does not tell what it may do"),
        )
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    if context.dry_run {
        return Err(Failure::usage("probe has no --dry-run: it only reads, and sends nothing on"));
    }
    let target = context.target().await?;
    let client = target.patient_client(true, 3)?;
    if target.credentials.is_some() && !matches.get_flag("any-key") {
        key::refuse_unless_read_only(&client).await?;
    }
    let folder = Path::new(matches.get_one::<String>("out").map_or("", String::as_str));
    let redaction = Redaction::random().map_err(|error| Failure::machine(error.to_string()))?;
    let key = target.credentials.as_ref().map(|credentials| credentials.key().to_owned());
    let mut share = Share::new(folder, redaction, key)?;
    eprintln!("asking every endpoint that only reads");
    let values = match ask::all(&target, &client, &mut share).await {
        Ok(values) => values,
        Err(failure) => {
            eprintln!("{}", share.finish()?);
            return Err(failure);
        }
    };
    let seconds = *matches.get_one::<u64>("seconds").unwrap_or(&20);
    if seconds > 0 {
        eprintln!("following every channel, {seconds} s at most");
        streams::all(&target, &values, &mut share, Duration::from_secs(seconds)).await?;
    }
    output::write(share.finish()?.as_bytes())
}
