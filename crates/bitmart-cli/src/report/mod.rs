//! `report`: one HTML page about an archive, for people.

mod about;
mod levels;
mod money;
mod page;
mod totals;
mod trading;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use bitmart::{Decimal, Timestamp};
use clap::{Arg, ArgMatches, Command};

use self::page::Page;
use self::totals::Totals;
use crate::endpoint::parameters::date;
use crate::export::{Archive, Examined};
use crate::failure::{Exit, Failure};
use crate::ledger::{self, Difference, Problems, plus};
use crate::output;
use crate::timezone::{self, Zone};

pub(crate) fn command() -> Command {
    Command::new("report")
        .about(
            "Writes an HTML page about an export: balances, trades, income, what is missing; \
                asks nobody",
        )
        .after_help(
            "The page is one file, without scripts and without anything from the network, and can \
             be printed. Days and months begin where --timezone says. Its amounts are those of the export, to the last digit. It needs an \
             export that came to its end. It ends with 10, and writes the page, when files of the \
             export are not as they were written.",
        )
        .arg(Arg::new("dir").required(true).value_name("DIR").help("Folder of the export"))
        .arg(Arg::new("out").long("out").value_name("FILE").default_value("report.html").help(
            "File of the page, or - for standard output; a file that exists stays as it \
                       is",
        ))
        .arg(
            // For tests: when it is.
            Arg::new("now").long("now").hide(true),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let zone = matches.get_one::<String>("timezone");
    let zone = zone.map_or_else(|| Ok(Zone::utc()), |name| timezone::parse(name))?;
    let now = date(text("now")).unwrap_or_else(Timestamp::now);
    let to = Some(text("out")).filter(|name| *name != "-").map(PathBuf::from);
    // Before the work: the file is made later, and only if it is still not there.
    if let Some(to) = to.as_deref().filter(|to| to.exists()) {
        return Err(is_there(to));
    }
    let archive = Archive::open(Path::new(text("dir")))?;
    archive.must_be_finished()?;
    let read = Read::of(&archive, zone, now)?;
    for line in about::warnings(&read) {
        eprintln!("{line}");
    }
    let html = page(&read)?.html()?;
    match &to {
        Some(to) => {
            write_new(to, html.as_bytes())?;
            eprintln!("{}: {} kB", to.display(), html.len().div_ceil(1_000));
        }
        None => output::write(html.as_bytes())?,
    }
    if read.examined.faults.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Incomplete, read.examined.faults.join("\n"))
        .with_advice("the page says so; put back a copy of the files"))
}

/// Everything that the page tells.
struct Read<'a> {
    archive: &'a Archive,
    zone: Zone,
    now: Timestamp,
    examined: Examined,
    totals: Totals,
    problems: Problems,
    differences: Vec<Difference>,
}

impl<'a> Read<'a> {
    fn of(archive: &'a Archive, zone: Zone, now: Timestamp) -> Result<Self, Failure> {
        let examined = archive.examine(now)?;
        let (totals, problems) = totals::of(archive, &zone)?;
        let (differences, _) = ledger::check(archive)?;
        Ok(Self { archive, zone, now, examined, totals, problems, differences })
    }
}

fn page(read: &Read<'_>) -> Result<Page, Failure> {
    let mut page = about::page(read);
    page.sections = vec![
        about::completeness(read),
        money::balances(read)?,
        money::funds(read)?,
        trading::trades(read)?,
        trading::futures(read)?,
        trading::income(read)?,
        money::check(read),
        about::files(read),
    ];
    Ok(page)
}

/// An amount without zeros at its end.
fn plain(amount: Decimal) -> String {
    amount.normalize().to_string()
}

fn is_there(path: &Path) -> Failure {
    Failure::usage(format!("{} is there; it was not overwritten", path.display()))
        .with_advice("name another file with --out")
}

/// Writes a file that is the user's alone, unless there is one.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let broken = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => is_there(path),
        _ => Failure::machine(format!("{}: {error}", path.display())),
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(broken)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    // Half a page is none.
    written.map_err(broken).inspect_err(|_| drop(std::fs::remove_file(path)))
}
