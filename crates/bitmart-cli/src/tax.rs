//! `tax`: writes the ledger of an archive as files for tax tools, offline.
//!
//! Most tools import *lines* with a sent amount, a received amount and a fee. An entry of the ledger becomes one line
//! or several, a line one row or several of the tool's tables. The format `generic` has a row for each movement
//! instead.

mod format;
mod line;
mod output;
mod rows;
mod rp2;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use bitmart::{Decimal, Timestamp};
use clap::{Arg, ArgAction, ArgMatches, Command};

use self::format::{FORMATS, Format, GENERIC, Settings, find, rows_of};
use self::line::{Line, LineKind, lines, plain};
use self::output::OutputFiles;
use crate::endpoint::parameters::date;
use crate::export::Archive;
use crate::failure::{Exit, Failure};
use crate::ledger::{Difference, Entry, Ledger, add, check};
use crate::timezone::{self, Zone};

/// Sums by coin.
type Sums = BTreeMap<String, Decimal>;

pub(crate) fn command() -> Command {
    Command::new("tax")
        .about("Writes an export for a tax tool: trades, deposits, fees, interest, futures; offline")
        .after_help(format!(
            "A test imports the files of {} with the tools themselves. UNVERIFIED, after the columns that \
             the tools publish: {}. Transfers between wallets of the account are in the file of {GENERIC} \
             only; what else a format cannot represent is printed when it is written.",
            names(|format| format.verified && format.name != GENERIC),
            names(|format| !format.verified),
        ))
        .arg(Arg::new("dir").required(true).value_name("DIR").help("Folder of the export"))
        .arg(
            Arg::new("format")
                .long("format")
                .required(true)
                .value_name("TOOL")
                .help(format!("{} (every movement)", names(|_| true))),
        )
        .arg(
            Arg::new("year")
                .long("year")
                .value_name("YEAR")
                .allow_hyphen_values(true)
                .help(
                    "Only this year of --timezone [default: all, which tools need for what was paid \
                     earlier]",
                ),
        )
        .arg(Arg::new("out").long("out").value_name("FILE").help(
            "File to write; formats of several files add a suffix to its name [default: standard output]",
        ))
        .arg(Arg::new("usdt-price").long("usdt-price").value_name("PRICE").help(
            "rp2: what a USDT was worth in the currency of the tax return; without, dali looks up all prices",
        ))
        .arg(
            Arg::new("play-money")
                .long("play-money")
                .action(ArgAction::SetTrue)
                .help("Accept an export of play money, to try it"),
        )
        .arg(
            // For tests: the present time.
            Arg::new("now").long("now").hide(true),
        )
}

fn names(wanted: impl Fn(&Format) -> bool) -> String {
    let names: Vec<_> =
        FORMATS.iter().filter(|format| wanted(format)).map(|format| format.name).collect();
    names.join(", ")
}

/// Options of the command line.
struct Options {
    format: &'static Format,
    settings: Settings,
    year: Option<i16>,
    /// Begin and end of the year.
    span: Option<(Timestamp, Timestamp)>,
}

impl Options {
    fn parse(matches: &ArgMatches) -> Result<Self, Failure> {
        let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
        let name = text("format").unwrap_or_default();
        let format = find(name).ok_or_else(|| {
            Failure::usage(format!("{name:?} is no format; there are {}", names(|_| true)))
        })?;
        let zone = text("timezone").map_or(Ok(Zone::utc()), timezone::parse)?;
        let settings = Settings { zone, usdt_price: None };
        let mut options = Self { format, settings, year: None, span: None };
        if let Some(year) = text("year") {
            let span =
                year.parse().ok().and_then(|year| Some((year, options.settings.zone.year(year)?)));
            let (number, span) =
                span.ok_or_else(|| Failure::usage(format!("{year:?} is no year, such as 2025")))?;
            (options.year, options.span) = (Some(number), Some(span));
        }
        if let Some(price) = text("usdt-price") {
            let read = Decimal::from_str_exact(price).ok().filter(|price| *price > Decimal::ZERO);
            let read =
                read.ok_or_else(|| Failure::usage(format!("{price:?} is no price of a USDT")))?;
            options.settings.usdt_price = Some(read);
        }
        Ok(options)
    }

    fn includes(&self, entry: &Entry) -> bool {
        self.span.is_none_or(|(begin, end)| begin <= entry.time && entry.time < end)
    }

    fn year_text(&self) -> String {
        self.year.map(|year| format!("{year} ({})", self.settings.zone.name())).unwrap_or_default()
    }
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let options = Options::parse(matches)?;
    let folder = PathBuf::from(matches.get_one::<String>("dir").map_or("", String::as_str));
    let archive = Archive::open(&folder)?;
    archive.must_be_finished()?;
    if archive.is_play_money() && !matches.get_flag("play-money") {
        return Err(Failure::usage(format!(
            "{} is an archive of play money, which no tax is paid on: {}",
            folder.display(),
            archive.source()
        ))
        .with_advice("with --play-money the files are made all the same"));
    }
    let now = matches.get_one::<String>("now").and_then(|text| date(text));
    print_limits(&archive, &options, now.unwrap_or_else(Timestamp::now));
    let out = matches.get_one::<String>("out").map(PathBuf::from);
    let files = OutputFiles::create(options.format, out.as_deref())?;
    let summary = Summary::collect(&archive, &options)?;
    write(&archive, &options, files)?;
    summary.print(&options);
    if options.span.is_none() {
        print_balances(&archive)?;
    }
    check_completeness(&archive, &options)
}

/// Fails if the movements come from a list that is not complete, or from a file that was changed. The files are
/// written all the same.
fn check_completeness(archive: &Archive, options: &Options) -> Result<(), Failure> {
    let incomplete = archive.incomplete();
    let incomplete = incomplete.iter().filter(|(name, _)| Ledger::reads(name));
    let mut reasons: Vec<_> =
        incomplete.map(|(name, why)| format!("{name} is not complete: {why}")).collect();
    let end = options.span.map_or(archive.span().1, |(_, last)| last.min(archive.span().1));
    let ends_early = archive
        .rejected_later()
        .into_iter()
        .filter(|(name, until)| Ledger::reads(name) && until.is_none_or(|until| until < end));
    reasons.extend(ends_early.map(|(name, until)| {
        let until = until.map_or_else(|| "an unknown time".to_owned(), |time| time.to_string());
        format!("{name} ends at {until}: the exchange rejected it later")
    }));
    reasons.extend(Ledger::absent(archive).map(|name| format!("{name} was never exported")));
    let changed = archive.with_other_length();
    let changed = changed.iter().filter(|name| Ledger::reads(name));
    reasons.extend(changed.map(|name| format!("{name}.jsonl has another length than it had")));
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Incomplete, format!("movements may be missing: {}", reasons.join("; ")))
        .with_advice("the files are written all the same; see `bitmart verify`"))
}

/// Prints what limits the use of the files: the span and the gaps of the archive.
fn print_limits(archive: &Archive, options: &Options, now: Timestamp) {
    let (begin, end) = archive.span();
    if options.span.is_some_and(|(first, _)| begin > first) {
        eprintln!(
            "the archive begins after {} does: what came earlier is missing",
            options.year_text()
        );
    }
    eprintln!("{}, {begin} to {end}", archive.source());
    if !options.format.verified {
        eprintln!(
            "UNVERIFIED: nobody has imported such a file into {} yet; compare its sums after the import",
            options.format.name
        );
    }
    match options.span {
        Some((_, last)) if end < last => eprintln!(
            "the archive ends before {} does: what came later is missing; run the export again",
            options.year_text()
        ),
        None if archive.is_stale(now) => {
            eprintln!("STALE: the archive ends more than a day ago; what came later is missing");
        }
        _ => {}
    }
    for (name, why) in archive.incomplete() {
        eprintln!("{name} is not complete: {why}");
    }
}

/// Sums and problems of the exported lines.
#[derive(Default)]
struct Summary {
    /// Sums of the ledger.
    ledger_sums: Sums,
    /// Sums of the lines in the file.
    line_sums: Sums,
    /// Kinds that the format cannot represent: the number of lines, and their sums.
    unsupported: BTreeMap<LineKind, (u64, Sums)>,
    /// Coins without a price, and the number of rows.
    unpriced: BTreeMap<String, u64>,
    problems: Vec<String>,
}

impl Summary {
    /// Reads the ledger once, before anything is written.
    fn collect(archive: &Archive, options: &Options) -> Result<Self, Failure> {
        let mut summary = Self::default();
        let (mut rows, mut all) = (0_u64, None::<(Timestamp, Timestamp)>);
        let problems = Ledger::new(archive).each(|entry| {
            all = Some((all.map_or(entry.time, |(first, _)| first), entry.time));
            if !options.includes(entry) {
                return Ok(());
            }
            rows += 1;
            let inside = entry.movements.iter().filter(|movement| movement.wallet.is_inside());
            for movement in inside {
                add(&mut summary.ledger_sums, movement.coin.clone(), movement.amount)?;
            }
            if options.format.name == GENERIC {
                return Ok(());
            }
            for line in lines(entry) {
                summary.add(options, entry, &line)?;
            }
            Ok(())
        })?;
        if rows == 0 {
            let span = all.map_or("; it has none at all".to_owned(), |(first, last)| {
                format!("; its first is of {first} and its last of {last}")
            });
            let year = options.year_text();
            let when = if year.is_empty() { String::new() } else { format!(" of {year}") };
            return Err(Failure::usage(format!("the archive has no movements{when}{span}")));
        }
        summary.problems = problems.lines();
        Ok(summary)
    }

    fn add(&mut self, options: &Options, entry: &Entry, line: &Line) -> Result<(), Failure> {
        let sides = [
            (&line.received, Decimal::ONE),
            (&line.sent, Decimal::NEGATIVE_ONE),
            (&line.fee, Decimal::NEGATIVE_ONE),
        ];
        let is_unsupported = options.format.unsupported.contains(&line.kind);
        let mut sums = &mut self.line_sums;
        if is_unsupported {
            let unsupported = self.unsupported.entry(line.kind).or_default();
            unsupported.0 += 1;
            sums = &mut unsupported.1;
        }
        for (side, sign) in sides {
            let Some((coin, amount)) = side else { continue };
            add(sums, coin.clone(), sign * amount)?;
            let is_priced = options.format.name != rp2::FORMAT.name
                || is_unsupported
                || rp2::known_price(&options.settings, entry, coin).is_some();
            if !is_priced {
                *self.unpriced.entry(coin.clone()).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Prints remarks for users of the files.
    fn print(&self, options: &Options) {
        for line in &self.problems {
            eprintln!("{line}");
        }
        if options.year.is_some() {
            eprintln!(
                "only {}: what was bought before is not in the file, and a tool that counts what was paid \
                 for it needs all years",
                options.year_text()
            );
        }
        for (kind, (rows, sums)) in &self.unsupported {
            let sums = sums.iter().map(|(coin, sum)| format!("{} {coin}", plain(*sum)));
            eprintln!(
                "{} cannot carry this, and {rows} lines are not in the file: {}, {}",
                options.format.name,
                kind.description(),
                sums.collect::<Vec<_>>().join(", ")
            );
        }
        if !self.unpriced.is_empty() {
            let coins = self.unpriced.iter().map(|(coin, rows)| format!("{coin} ({rows} rows)"));
            eprintln!(
                "without a price, which dali has to look up: {}",
                coins.collect::<Vec<_>>().join(", ")
            );
        }
        if options.format.name == GENERIC {
            return;
        }
        for line in self.differences() {
            eprintln!("{line}");
        }
    }

    /// Differences between the sums of ledger and file, apart from unsupported lines.
    fn differences(&self) -> Vec<String> {
        let coins: BTreeSet<_> = self.ledger_sums.keys().chain(self.line_sums.keys()).collect();
        let of = |sums: &Sums, coin: &String| sums.get(coin).copied().unwrap_or_default();
        let line = |coin| {
            let unsupported = self.unsupported.values().map(|(_, sums)| of(sums, coin));
            let in_file = unsupported.fold(of(&self.line_sums, coin), Decimal::saturating_add);
            let rest = of(&self.ledger_sums, coin).saturating_sub(in_file);
            (!rest.is_zero()).then(|| {
                format!(
                    "{coin}: the ledger has {} more than the file: transfers of which only one side is in \
                     the archive",
                    plain(rest)
                )
            })
        };
        coins.into_iter().filter_map(line).collect()
    }
}

fn write(archive: &Archive, options: &Options, mut files: OutputFiles) -> Result<(), Failure> {
    let mut rows = 0_u64;
    Ledger::new(archive).each(|entry| {
        if !options.includes(entry) {
            return Ok(());
        }
        for (table, row) in rows_of(options.format, &options.settings, entry, &lines(entry)) {
            files.row(table, &row)?;
            rows += 1;
        }
        Ok(())
    })?;
    for name in files.finish()? {
        eprintln!("{name} is written");
    }
    eprintln!("{rows} rows");
    Ok(())
}

/// Prints the balances that differ from the sums of their movements.
fn print_balances(archive: &Archive) -> Result<(), Failure> {
    let (differences, _) = check(archive)?;
    let is_equal = |difference: &&Difference| difference.amount().is_zero();
    let equal = differences.iter().filter(is_equal).count();
    for difference in differences.iter().filter(|one| !is_equal(one)) {
        eprint!("{}", difference.lines());
    }
    eprintln!("{equal} of {} balances are the sums of their movements", differences.len());
    Ok(())
}
