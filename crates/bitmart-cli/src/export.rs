//! `export`: the history of an account, complete or with the reason for each gap.
//!
//! A *dataset* is one list of the exchange, such as the deposits. Each *run* of the command continues all of them: of a
//! history it requests what came since the last run, and an overlap before it; of a list without a past, such as the
//! balances, it adds a snapshot. Responses are stored unchanged beside the rows that were decoded from them.

mod ambiguous;
mod archive;
mod cells;
mod column_stats;
pub(crate) mod columns;
mod contracts;
mod cursor;
mod derived_files;
mod fetch;
mod forecast;
mod history_rows;
mod index;
mod inspection;
mod list_end;
mod lock;
mod manifest;
mod outage;
mod pages;
#[cfg(feature = "parquet")]
mod parquet;
mod plan;
mod progress;
mod reader;
mod readme;
mod rebuild;
mod reference;
mod rejected_times;
mod renewed_key;
mod reread;
mod row_check;
mod row_versions;
mod rows;
mod run;
mod snapshot;
mod snapshot_pages;
mod sorted;
mod source;
mod spans;
mod state;
mod store;
mod table;
pub(crate) mod verify;
#[cfg_attr(not(feature = "parquet"), allow(dead_code, reason = "only Parquet writes them"))]
mod wide_decimal;
mod year;

use std::path::PathBuf;

use bitmart::Timestamp;
use bitmart::rest::Client;
use bitmart::rest::types::Clock as _;
use clap::{Arg, ArgAction, Command};

pub(crate) use self::cells::without_formula;
pub(crate) use self::contracts::Contracts;
use self::forecast::Forecast;
pub(crate) use self::inspection::{DatasetInspection, Inspection};
use self::outage::RetryBudget;
pub(crate) use self::plan::GROUPS;
use self::plan::Selection;
use self::progress::Overall;
pub(crate) use self::reader::Archive;
pub(crate) use self::run::run;
use crate::failure::Failure;
use crate::output::Format;

/// Beginning of the exchange's history.
const BEGIN: &str = "2017-12-01";
/// The exchange adds some rows late, with an older time: an export ends this long before now.
const SETTLED_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

pub(crate) fn command() -> Command {
    let span = |name: &'static str, help| Arg::new(name).long(name).value_name("DATE").help(help);
    Command::new("export")
        .about("Exports the history of the account; the same command again continues to now")
        .arg(
            Arg::new("out")
                .long("out")
                .required_unless_present("reread")
                .value_name("DIR")
                .help("Folder of the export, new or to be continued"),
        )
        .arg(Arg::new("reread").long("reread").value_name("DIR").conflicts_with_all(["out", "from", "days", "to", "what", "all-contracts", "format"]).help(
            "Decode the stored responses of an export again, offline",
        ))
        .arg(span("from", "Begin, in the --timezone [default: 2017-12-01]"))
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
            "End, in the --timezone, or `now`, which rows of the last moment may miss [default: a minute ago]",
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
                    GROUPS.join(", ")
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
                .help("Request the orders of every contract, traded or not; takes hours"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("A,B,...")
                .value_delimiter(',')
                .value_parser(Format::FILE_NAMES)
                .default_value("jsonl")
                .help("Also make files in these formats"),
        )
        .arg(
            Arg::new("overlap")
                .long("overlap")
                .value_name("DAYS")
                .value_parser(clap::value_parser!(u32).range(0..=3650))
                .default_value("7")
                .help("Compare so many days before the last end once more"),
        )
        .arg(
            Arg::new("patience")
                .long("patience")
                .value_name("HOURS")
                .value_parser(clap::value_parser!(u32).range(0..=168))
                .default_value("12")
                .help("How long to wait for an exchange that does not respond"),
        )
        .arg(
            Arg::new("profiles")
                .long("profiles")
                .value_name("A,B,...")
                .value_delimiter(',')
                .help("Export these profiles, each into its folder below DIR"),
        )
        .arg(
            Arg::new("new-key")
                .long("new-key")
                .action(ArgAction::SetTrue)
                .help("Continue an export that another API key of the same account began")
                .long_help(
                    "Continue an export that another API key of the same account began. Not needed if the export \
                     has the account's id, in reference-account; if that is another one, it is rejected all the \
                     same.",
                ),
        )
        .arg(
            // For tests: pauses are counted instead of slept.
            Arg::new("no-pauses").long("no-pauses").hide(true).action(ArgAction::SetTrue),
        )
        .arg(
            // For tests against a sandbox without limits: those alone take minutes for three years.
            Arg::new("unlimited").long("unlimited").hide(true).action(ArgAction::SetTrue),
        )
        .arg(Arg::new("stop-after").long("stop-after").hide(true).value_parser(
            // For tests: the process aborts after so many pages, as by kill -9.
            clap::value_parser!(u64),
        ))
}

/// State of a running export.
struct Export {
    client: Client,
    folder: PathBuf,
    /// Begin of the archive.
    from: Timestamp,
    /// End of this run.
    to: Timestamp,
    /// Number of this run.
    run: u32,
    /// How far before the last end a run begins.
    overlap_ms: i64,
    /// Set while the requests are counted and not sent.
    forecast: Option<Forecast>,
    retries: RetryBudget,
    overall: Overall,
    /// For tests: the process aborts after so many pages.
    pages_left: Option<u64>,
}

impl Export {
    /// The exchange's time, as far as it is known.
    fn now(&self) -> Timestamp {
        self.client.clock().now()
    }

    /// Counts a page that was stored.
    fn page_done(&mut self) {
        if let Some(left) = &mut self.pages_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                std::process::abort();
            }
        }
    }

    /// Requests everything selected that is not stored yet, in several rounds while single lists fail.
    async fn fetch(&mut self, selection: &Selection, limited: bool) -> Result<(), Failure> {
        self.forecast = Some(Forecast::default());
        plan::run(self, selection).await?;
        if let Some(forecast) = self.forecast.take() {
            eprintln!("{}", forecast.line(limited));
            self.overall = Overall::new(forecast.datasets());
        }
        loop {
            plan::run(self, selection).await?;
            if !self.retries.before_round().await {
                break;
            }
        }
        eprintln!("{}", self.overall.line());
        Ok(())
    }
}
