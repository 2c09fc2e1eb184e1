//! The options of the command line for output.

use clap::{Arg, ArgMatches};

use super::rows::Rows;
use super::{Format, TimeFormat};
use crate::failure::Failure;
use crate::timezone::Zone;

/// The value of `--columns` that selects every column.
const ALL: &str = "all";

/// How rows are written: format, columns and times. Commands and `watch` share it.
#[derive(Clone, Debug)]
pub(crate) struct OutputOptions {
    pub(crate) format: Format,
    columns: Columns,
    pub(crate) times: TimeFormat,
    /// Width of the terminal in characters; `None` if standard output is not a terminal.
    width: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Columns {
    /// Those that fit the terminal.
    Fitting,
    All,
    Named(Vec<String>),
}

impl OutputOptions {
    /// The options `--output`, `--columns`, `--time-format` and `--timezone`.
    pub(crate) fn arguments() -> [Arg; 4] {
        [
            Arg::new("output")
                .long("output")
                .short('o')
                .value_parser(Format::OUTPUT_NAMES)
                .ignore_case(true)
                .hide_possible_values(true)
                .value_name("table|json|ndjson|csv|raw")
                .help("Output format [default: table on a terminal, ndjson elsewhere]"),
            Arg::new("columns")
                .long("columns")
                .value_name("A,B,...|all")
                .value_delimiter(',')
                .help("Only these columns, in this order [default: on a terminal those that fit]"),
            Arg::new("time-format")
                .long("time-format")
                .value_name("iso|unix")
                .value_parser(["iso", "unix"])
                .ignore_case(true)
                .hide_possible_values(true)
                .help(
                    "Documented times as 2024-01-31T12:00:00.000Z or as received [default: iso in \
                     tables, unix elsewhere]",
                ),
            Arg::new("timezone").long("timezone").value_name("ZONE").help(
                "Time zone of dates on the command line and of times in tables, such as \
                 Europe/Vienna; other formats stay UTC [default: UTC]",
            ),
        ]
    }

    /// Reads the options.
    pub(crate) fn from_matches(matches: &ArgMatches) -> Result<Self, Failure> {
        let format = matches.get_one::<String>("output");
        let format =
            format.and_then(|name| Format::from_name(name)).unwrap_or_else(Format::automatic);
        let is_selection = matches.contains_id("columns") || matches.contains_id("time-format");
        if format.is_unchanged() && is_selection {
            return Err(Failure::usage(
                "-o json and -o raw write the data as received: --columns and --time-format are for \
                 table, ndjson and csv",
            ));
        }
        let names: Vec<String> = matches
            .get_many::<String>("columns")
            .unwrap_or_default()
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        let columns = match names.as_slice() {
            [] if matches.contains_id("columns") => {
                return Err(Failure::usage("--columns names no column"));
            }
            [] => Columns::Fitting,
            [name] if name.eq_ignore_ascii_case(ALL) => Columns::All,
            _ => Columns::Named(names),
        };
        let times = TimeFormat::from_options(format, matches)?;
        Ok(Self { format, columns, times, width: terminal_width() })
    }

    /// All columns, with the default times of the format.
    pub(crate) fn all_columns(format: Format) -> Self {
        let times = TimeFormat::new(format, Zone::utc());
        Self { format, columns: Columns::All, times, width: None }
    }

    /// Whether `--columns` names columns.
    pub(crate) fn names_columns(&self) -> bool {
        matches!(self.columns, Columns::Named(_))
    }

    /// The width that the columns of a table have to fit, in characters.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width.filter(|_| self.columns == Columns::Fitting)
    }

    /// Rejects names in `--columns` that are not among `known`.
    pub(crate) fn check_columns(&self, known: &[&str]) -> Result<(), Failure> {
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

    /// Reduces rows to the columns of `--columns`, in that order. A documented column may be selected even
    /// if no row has it.
    pub(crate) fn select(&self, rows: Rows, documented: &[&str]) -> Result<Rows, Failure> {
        let Columns::Named(names) = &self.columns else { return Ok(rows) };
        let of_rows = rows.columns.iter().map(String::as_str);
        let undocumented = of_rows.filter(|name| !documented.contains(name));
        let known: Vec<&str> = documented.iter().copied().chain(undocumented).collect();
        self.check_columns(&known)?;
        let spelled = names.iter().map(|name| {
            let known = known.iter().find(|known| known.eq_ignore_ascii_case(name));
            known.map_or(name.as_str(), |known| *known).to_owned()
        });
        let spelled = spelled.collect();
        Ok(rows.with_only(spelled))
    }
}

#[cfg(unix)]
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}

/// Other systems do not limit tables to the terminal.
#[cfg(not(unix))]
fn terminal_width() -> Option<usize> {
    None
}
