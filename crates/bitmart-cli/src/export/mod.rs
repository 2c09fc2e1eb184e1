//! `export`: the history of an account, complete or with the reason why not.

mod amounts;
mod balance;
mod cells;
mod columns;
mod derive;
mod forecast;
mod histories;
mod manifest;
mod order;
#[cfg(feature = "parquet")]
mod parquet;
mod plan;
mod progress;
mod readme;
mod reference;
mod reread;
mod store;
mod table;
mod tax;
pub(crate) mod verify;
mod walk;
mod year;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use bitmart::Timestamp;
use bitmart::rest::Client;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::{Deserialize, Serialize};

use self::forecast::Forecast;
use self::manifest::{Manifest, sha256};
use self::plan::What;
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
                .required_unless_present("reread")
                .value_name("DIR")
                .help("Folder of the export; the same again goes on"),
        )
        .arg(Arg::new("reread").long("reread").value_name("DIR").conflicts_with_all(["out", "from", "days", "to", "what", "all-contracts", "format"]).help(
            "Make the rows of an export anew from the responses in it; asks the exchange nothing",
        ))
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
                .help("Only these parts [default: all but candles]")
                .long_help(format!(
                    "Only these parts: {} and klines:SYMBOLS, as in klines:BTC_USDT,BTCUSDT \
                     [default: all but candles]",
                    plan::GROUPS.join(", ")
                )),
        )
        .arg(
            Arg::new("step")
                .long("step")
                .value_name("MINUTES")
                .value_parser(["1", "5", "15", "30", "60", "120", "240", "1440", "10080"])
                .default_value("1440")
                .help("Length of a candle"),
        )
        .arg(
            Arg::new("all-contracts")
                .long("all-contracts")
                .action(ArgAction::SetTrue)
                .help("Ask every contract for orders, traded or not; takes hours"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("A,B,...")
                .value_delimiter(',')
                .value_parser(derive::FORMATS)
                .default_value("jsonl")
                .help("Also make files in these formats"),
        )
        .arg(
            // For tests against a sandbox that has none: the limits alone are minutes for three years.
            Arg::new("unlimited").long("unlimited").hide(true).action(ArgAction::SetTrue),
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
struct Export {
    client: Client,
    folder: PathBuf,
    from: Timestamp,
    to: Timestamp,
    /// While the plan is only counted.
    forecast: Option<Forecast>,
    pages_left: Option<u64>,
}

impl Export {
    /// A page is on the disk.
    fn page_done(&mut self) {
        if let Some(left) = &mut self.pages_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                std::process::abort();
            }
        }
    }
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    if let Some(folder) = matches.get_one::<String>("reread") {
        let stop_after = matches.get_one::<u64>("stop-after").copied();
        return reread::run(Path::new(folder), stop_after);
    }
    let words = matches.get_many::<String>("what").unwrap_or_default();
    let mut what = What::read(words.map(String::as_str)).map_err(Failure::usage)?;
    what.step = matches.get_one::<String>("step").cloned().unwrap_or_default();
    what.all_contracts = matches.get_flag("all-contracts");
    let formats: BTreeSet<String> =
        matches.get_many::<String>("format").unwrap_or_default().cloned().collect();

    let target = context.target().await?;
    let folder = PathBuf::from(matches.get_one::<String>("out").map_or("", String::as_str));
    let broken = |error: std::io::Error| Failure::machine(format!("{}: {error}", folder.display()));
    private::folder(&folder).map_err(broken)?;
    private::folder(&store::states(&folder)).map_err(broken)?;
    let _lock = lock(&folder)?;
    reread::finish(&folder, &mut reread::Steps(None))?;
    let terms = terms(&target, &folder, matches)?;
    let limited = !matches.get_flag("unlimited");
    let mut export = Export {
        client: target.patient_client(limited)?,
        folder,
        from: Timestamp::from_millis(terms.from_ms),
        to: Timestamp::from_millis(terms.to_ms),
        forecast: Some(Forecast::default()),
        pages_left: matches.get_one::<u64>("stop-after").copied(),
    };
    plan::run(&mut export, &what).await?;
    if let Some(forecast) = export.forecast.take() {
        eprintln!("{}", forecast.line(limited));
    }
    plan::run(&mut export, &what).await?;
    told(&conclude(&export.folder, terms, &formats)?)
}

/// Keeps others away from the folder as long as the file is open.
fn lock(folder: &Path) -> Result<File, Failure> {
    let broken = |error: &dyn std::fmt::Display| {
        Failure::machine(format!("{}: another export is at work: {error}", folder.display()))
    };
    let lock = File::create(folder.join("lock")).map_err(|error| broken(&error))?;
    lock.try_lock().map_err(|error| broken(&error))?;
    Ok(lock)
}

/// Makes the files that are made of the rows, and the manifest of all.
fn conclude(folder: &Path, terms: Terms, formats: &BTreeSet<String>) -> Result<Manifest, Failure> {
    let derived = derive::run(folder, formats)?;
    for note in &derived.notes {
        eprintln!("{note}");
    }
    let mut manifest = Manifest::of(folder, terms, &derived.files)?;
    manifest.notes = derived.notes;
    readme::write(folder, &mut manifest)?;
    manifest.write(folder)?;
    Ok(manifest)
}

/// Says whether all is there.
fn told(manifest: &Manifest) -> Result<(), Failure> {
    eprintln!("{}", manifest.summary());
    if manifest.is_complete() {
        return Ok(());
    }
    Err(Failure::new(Exit::Incomplete, "the exchange did not give everything; see manifest.json")
        .with_advice("the same command asks again for what was refused"))
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
    let key = sha256(credentials.map_or(&[], |credentials| credentials.key().as_bytes()));
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
