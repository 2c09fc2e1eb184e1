//! How data is shown: in which form, which columns of it, and how its times are written.

use bitmart::Timestamp;
use clap::{Arg, ArgMatches};

use super::Format;
use super::rows::Rows;
use crate::failure::Failure;
use crate::timezone::{self, Zone};

/// The word for all columns, whatever fits.
const ALL: &str = "all";

/// What `--output`, `--columns`, `--time-format` and `--timezone` say.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) format: Format,
    columns: Columns,
    is_iso: bool,
    /// Where days begin, and where the times in a table are told.
    zone: Zone,
    /// Characters of a line of the terminal; nothing elsewhere.
    width: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Columns {
    /// Those that fit the terminal.
    Fitting,
    All,
    Named(Vec<String>),
}

impl View {
    /// The options of all commands.
    pub(crate) fn arguments() -> [Arg; 3] {
        [
            Arg::new("columns")
                .long("columns")
                .value_name("A,B,...|all")
                .value_delimiter(',')
                .help("Only these columns, in this order [default: on a terminal those that fit]"),
            Arg::new("time-format").long("time-format").value_name("iso|unix").ignore_case(true).help(
                "Documented times as 2024-01-31T12:00:00.000Z or as they came [default: iso in tables]",
            )
            .value_parser(["iso", "unix"])
            .hide_possible_values(true),
            Arg::new("timezone").long("timezone").value_name("ZONE").help(
                "Zone of the days that are given and of the times in tables, as Europe/Vienna; files \
                 stay UTC [default: UTC]",
            ),
        ]
    }

    /// Reads the options.
    pub(crate) fn new(format: Format, matches: &ArgMatches) -> Result<Self, Failure> {
        let names: Vec<String> = matches
            .get_many::<String>("columns")
            .unwrap_or_default()
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        let times = matches.get_one::<String>("time-format");
        let is_whole = matches!(format, Format::Json | Format::Raw);
        if is_whole && (matches.contains_id("columns") || times.is_some()) {
            return Err(Failure::usage(
                "-o json and -o raw show the data as it came: --columns and --time-format are for \
                 table, ndjson and csv",
            ));
        }
        let columns = match names.as_slice() {
            [] if matches.contains_id("columns") => {
                return Err(Failure::usage("--columns names no column"));
            }
            [] => Columns::Fitting,
            [name] if name.eq_ignore_ascii_case(ALL) => Columns::All,
            _ => Columns::Named(names),
        };
        let is_iso = match times {
            Some(times) => times.eq_ignore_ascii_case("iso"),
            None => format == Format::Table,
        };
        let zone = matches.get_one::<String>("timezone");
        let zone = zone.map_or_else(|| Ok(Zone::utc()), |name| timezone::parse(name))?;
        Ok(Self { format, columns, is_iso, zone, width: width() })
    }

    /// Everything in this form.
    pub(crate) fn whole(format: Format) -> Self {
        let is_iso = format == Format::Table;
        Self { format, columns: Columns::All, is_iso, zone: Zone::utc(), width: None }
    }

    /// Whether columns were named.
    pub(crate) fn is_chosen(&self) -> bool {
        matches!(self.columns, Columns::Named(_))
    }

    /// Characters of a line that the columns of a table have to fit into.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width.filter(|_| self.columns == Columns::Fitting)
    }

    /// A time as it is shown; `None` for as it came.
    pub(super) fn time(&self, time: Timestamp) -> Option<String> {
        let is_local = self.format == Format::Table && self.zone.name() != Zone::utc().name();
        let text = || if is_local { self.zone.local(time) } else { time.to_string() };
        self.is_iso.then(text)
    }

    /// The zone of days that a person gives.
    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Refuses names that are not among these.
    pub(crate) fn check(&self, known: &[&str]) -> Result<(), Failure> {
        let Columns::Named(names) = &self.columns else { return Ok(()) };
        let is_known = |name: &String| known.iter().any(|one| one.eq_ignore_ascii_case(name));
        match names.iter().find(|name| !is_known(name)) {
            Some(unknown) if !known.is_empty() => Err(Failure::usage(format!(
                "there is no column {unknown:?}; the columns are {}",
                known.join(", ")
            ))),
            _ => Ok(()),
        }
    }

    /// The columns that were named, in that order, of rows and of what the documents say of them.
    pub(crate) fn choose(&self, rows: Rows, documented: &[&str]) -> Result<Rows, Failure> {
        let Columns::Named(names) = &self.columns else { return Ok(rows) };
        let of_rows = rows.columns.iter().map(String::as_str);
        let beyond = of_rows.filter(|name| !documented.contains(name));
        let known: Vec<&str> = documented.iter().copied().chain(beyond).collect();
        self.check(&known)?;
        let spelled = names.iter().map(|name| {
            let known = known.iter().find(|known| known.eq_ignore_ascii_case(name));
            known.map_or(name.as_str(), |known| *known).to_owned()
        });
        let spelled = spelled.collect();
        Ok(rows.of_columns(spelled))
    }
}

/// The width of the terminal that standard output is.
#[cfg(unix)]
fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}

/// Not asked for on other systems.
#[cfg(not(unix))]
fn width() -> Option<usize> {
    None
}
