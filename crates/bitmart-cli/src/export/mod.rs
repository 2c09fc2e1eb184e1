//! `export`: the history of an account, complete or with the reason why not.

mod datasets;
mod store;
pub(crate) mod verify;

use std::fs::File;
use std::path::{Path, PathBuf};

use bitmart::{Decimal, Timestamp};
use clap::{Arg, ArgMatches, Command};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::endpoint::parameters::date;
use crate::failure::{Exit, Failure, chain};
use crate::private;
use crate::target::Target;

/// Where the history of the exchange begins.
const BEGIN: &str = "2017-12-01";
/// Rows that the exchange adds late, with an old time: an export ends this long before now.
const SETTLED_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

pub(crate) fn command() -> Command {
    let span = |name: &'static str, help| Arg::new(name).long(name).value_name("DATE").help(help);
    Command::new("export")
        .about("Exports the history of the account; goes on where it was interrupted")
        .arg(
            Arg::new("out")
                .long("out")
                .required(true)
                .value_name("DIR")
                .help("Folder of the export; the same again goes on"),
        )
        .arg(span("from", "Begin, UTC [default: 2017-12-01]"))
        .arg(
            Arg::new("days")
                .long("days")
                .value_name("N")
                .conflicts_with("from")
                .value_parser(clap::value_parser!(u32).range(1..=3650))
                .help("Begin so many days before now"),
        )
        .arg(span(
            "to",
            "End, UTC, or `now`, which rows of the last moment may miss [default: a minute ago]",
        ))
        .arg(
            Arg::new("what")
                .long("what")
                .value_name("A,B,...")
                .value_delimiter(',')
                .value_parser(datasets::NAMES)
                .help("Only these datasets"),
        )
        .arg(Arg::new("stop-after").long("stop-after").hide(true).value_parser(
            // For tests: the process dies after so many pages, as by kill -9.
            clap::value_parser!(u64),
        ))
}

/// What an export is of, so that it goes on with the same and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    version: u32,
    /// The address that the history comes from.
    source: String,
    /// SHA-256 of the API key, so that two accounts do not mix.
    key: String,
    from_ms: i64,
    to_ms: i64,
}

/// Everything that an export needs.
struct Export<'a> {
    client: bitmart::rest::Client,
    folder: PathBuf,
    from: Timestamp,
    to: Timestamp,
    what: Vec<&'a str>,
    pages_left: Option<u64>,
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    let target = context.target().await?;
    let folder = PathBuf::from(matches.get_one::<String>("out").map_or("", String::as_str));
    let broken = |error: std::io::Error| Failure::machine(format!("{}: {error}", folder.display()));
    private::folder(&folder).map_err(broken)?;
    let lock = File::create(folder.join("lock")).map_err(broken)?;
    lock.try_lock().map_err(|error| {
        Failure::machine(format!("{}: another export is at work: {error}", folder.display()))
    })?;
    let terms = terms(&target, &folder, matches)?;
    let chosen = matches.get_many::<String>("what");
    let what = chosen
        .map_or_else(|| datasets::NAMES.to_vec(), |names| names.map(String::as_str).collect());
    let mut export = Export {
        client: target.client()?,
        folder,
        from: Timestamp::from_millis(terms.from_ms),
        to: Timestamp::from_millis(terms.to_ms),
        what,
        pages_left: matches.get_one::<u64>("stop-after").copied(),
    };
    datasets::run(&mut export).await?;
    let manifest = verify::Manifest::of(&export.folder, terms)?;
    manifest.write(&export.folder)?;
    eprintln!("{}", manifest.summary());
    if manifest.is_complete() {
        return Ok(());
    }
    Err(Failure::new(Exit::Incomplete, "the exchange did not give everything; see manifest.json")
        .with_advice("the same command asks again for what is missing"))
}

/// The terms of the export in `folder`, which are new or must be the same.
fn terms(target: &Target, folder: &Path, matches: &ArgMatches) -> Result<Terms, Failure> {
    let now = Timestamp::now().as_millis();
    let bound = |name: &str| match matches.get_one::<String>(name).filter(|text| *text != "now") {
        None => Ok(None),
        Some(text) => date(text).map(|time| Some(time.as_millis())).ok_or_else(|| {
            Failure::usage(format!("--{name} {text}: expected a date like 2024-01-31"))
        }),
    };
    let (from, to) = (bound("from")?, bound("to")?);
    let credentials = target.credentials.as_ref();
    let key = verify::sha256(credentials.map_or(&[], |credentials| credentials.key().as_bytes()));
    let source = target.environment.name.clone();
    let path = folder.join("export.json");
    if let Ok(text) = std::fs::read_to_string(&path) {
        let old: Terms = serde_json::from_str(&text)
            .map_err(|error| Failure::machine(format!("{}: {error}", path.display())))?;
        let same_span =
            from.is_none_or(|from| from == old.from_ms) && to.is_none_or(|to| to == old.to_ms);
        if (&old.source, &old.key) != (&source, &key) || !same_span {
            return Err(Failure::usage(
                "the folder holds an export of another account or another span",
            )
            .with_advice("name another folder, or leave out --from and --to to go on"));
        }
        return Ok(old);
    }
    let days = matches.get_one::<u32>("days").map(|days| now - i64::from(*days) * DAY_MS);
    let to_now = matches.get_one::<String>("to").is_some_and(|text| text == "now");
    let to_ms = to.unwrap_or(if to_now { now } else { now - SETTLED_MS });
    let begin = || date(BEGIN).map(Timestamp::as_millis);
    let from_ms = from.or(days).or_else(begin).unwrap_or_default();
    let terms = Terms { version: 1, source, key, from_ms, to_ms };
    let text = serde_json::to_string(&terms).map_err(|error| Failure::machine(chain(&error)))?;
    private::write(&path, text.as_bytes()).map_err(|error| Failure::machine(chain(&error)))?;
    Ok(terms)
}

/// How much of the span lies behind `at`, in percent.
fn percent(from: Timestamp, to: Timestamp, at: Timestamp) -> Decimal {
    let part =
        |begin: Timestamp, end: Timestamp| Decimal::from(end.as_millis() - begin.as_millis());
    let ratio = part(from, at).checked_div(part(from, to)).unwrap_or(Decimal::ONE);
    (ratio * Decimal::ONE_HUNDRED).round_dp(0)
}
