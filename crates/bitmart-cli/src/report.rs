//! `report`: one HTML page about an archive, for human readers.

mod money;
mod overview;
mod page;
mod timeline;
mod totals;
mod trading;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use bitmart::{Decimal, Timestamp};
use clap::{Arg, ArgMatches, Command};

use self::page::Page;
use self::totals::Totals;
use crate::endpoint::parameters::date;
use crate::export::{Archive, Inspection};
use crate::failure::{Exit, Failure};
use crate::ledger::{self, Difference, Problems, plus};
use crate::output;
use crate::secure_fs;
use crate::timezone::{self, Zone};

pub(crate) fn command() -> Command {
    Command::new("report")
        .about(
            "Writes an HTML page about an export: balances, trades, income, what is missing; offline",
        )
        .after_help(
            "The page is one file, without scripts and external resources, and can be printed. Days and \
             months begin in the time zone of --timezone. Amounts are those of the export, to the last \
             digit. The export must be finished. If its files were changed, the page is written and the \
             exit code is 10.",
        )
        .arg(Arg::new("dir").required(true).value_name("DIR").help("Folder of the export"))
        .arg(Arg::new("out").long("out").value_name("FILE").default_value("report.html").help(
            "File of the page, or - for standard output; an existing file is not overwritten",
        ))
        .arg(
            // For tests: the present time.
            Arg::new("now").long("now").hide(true),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let zone = matches.get_one::<String>("timezone");
    let zone = zone.map_or_else(|| Ok(Zone::utc()), |name| timezone::parse(name))?;
    let now = date(text("now")).unwrap_or_else(Timestamp::now);
    let to = Some(text("out")).filter(|name| *name != "-").map(PathBuf::from);
    // Checked before the work, and again when the file is created.
    if let Some(to) = to.as_deref().filter(|to| to.exists()) {
        return Err(already_exists(to));
    }
    let archive = Archive::open(Path::new(text("dir")))?;
    archive.must_be_finished()?;
    let data = ReportData::collect(&archive, zone, now)?;
    for line in overview::warnings(&data) {
        eprintln!("{line}");
    }
    let html = page(&data)?.html()?;
    match &to {
        Some(to) => {
            write_new(to, html.as_bytes())?;
            eprintln!("{}: {} kB", to.display(), html.len().div_ceil(1_000));
        }
        None => output::write(html.as_bytes())?,
    }
    if data.inspection.faults.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Incomplete, data.inspection.faults.join("\n"))
        .with_advice("the page says so; put back a copy of the files"))
}

/// The data of the page.
struct ReportData<'a> {
    archive: &'a Archive,
    zone: Zone,
    now: Timestamp,
    inspection: Inspection,
    totals: Totals,
    problems: Problems,
    differences: Vec<Difference>,
}

impl<'a> ReportData<'a> {
    fn collect(archive: &'a Archive, zone: Zone, now: Timestamp) -> Result<Self, Failure> {
        let inspection = archive.inspect(now)?;
        let (totals, problems) = totals::collect(archive, &zone)?;
        let (differences, _) = ledger::check(archive)?;
        Ok(Self { archive, zone, now, inspection, totals, problems, differences })
    }
}

fn page(data: &ReportData<'_>) -> Result<Page, Failure> {
    let mut page = overview::page(data);
    page.sections = vec![
        overview::completeness(data),
        money::balances(data)?,
        money::funds(data)?,
        trading::trades(data)?,
        trading::futures(data)?,
        trading::income(data)?,
        money::check(data),
        overview::files(data),
    ];
    Ok(page)
}

/// Formats an amount without trailing zeros.
fn plain(amount: Decimal) -> String {
    amount.normalize().to_string()
}

fn already_exists(path: &Path) -> Failure {
    Failure::usage(format!("{} is there; it was not overwritten", path.display()))
        .with_advice("name another file with --out")
}

/// Creates a file that only the user can read. Fails if it exists.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let to_failure = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => already_exists(path),
        _ => Failure::io(format!("{}: {error}", path.display())),
    };
    let mut file = secure_fs::create_new(path).map_err(to_failure)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    // An incomplete page is removed.
    written.map_err(to_failure).inspect_err(|_| drop(std::fs::remove_file(path)))
}
