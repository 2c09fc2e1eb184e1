//! What an export holds, in a file of its own.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use bitmart::Timestamp;
use ring::digest;
use serde::{Deserialize, Serialize};

use super::archive::{Terms, read_versioned};
use super::store::{State, raw_path, rows_path, state, states, versions_path};
use super::walk::is_optional;
use crate::failure::{Failure, chain};
use crate::secure_fs;

/// What no endpoint tells for a span of time.
const LEFT_OUT: &[&str] = &[
    "sub-accounts: the exchange gives the newest 100 transfers of each only, and no orders; export with a \
     key of the sub-account for the rest",
    "transfers into and out of isolated margin, and between spot and funding: the exchange has no list",
    "margin loans: of pairs where the account has something or had an order only; they are told by pair",
    "futures orders: of contracts that the account traded or paid for only, unless --all-contracts; they are \
     told by contract",
    "past funding rates: the exchange gives the newest 100 of a contract only",
    "rebates of affiliates: the sum of each customer and year only, in USDT, BTC and ETH",
];

/// Longest line that is read back: an answer is bounded when it comes.
const LINE: usize = 256 << 20;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(super) program: String,
    pub(super) export: Terms,
    pub(super) datasets: Vec<Dataset>,
    /// Files that were made from the datasets.
    pub(super) derived: Vec<Kept>,
    pub(super) left_out: Vec<String>,
    /// What a reader of the derived files must know.
    #[serde(default)]
    pub(super) notes: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Dataset {
    pub(super) name: String,
    /// Id of the endpoint that it comes from.
    pub(super) endpoint: String,
    pub(super) rows: u64,
    /// Times of the first and the last row.
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
    pub(super) file: Kept,
    pub(super) answers: u64,
    pub(super) raw: Kept,
    pub(super) complete: bool,
    /// What the exchange said instead.
    pub(super) refused: Option<String>,
    /// What is not among the rows although the exchange answered.
    #[serde(default)]
    pub(super) lacks: Option<String>,
    /// Up to when a history was asked for.
    #[serde(default)]
    pub(super) to: Option<String>,
    /// Snapshots of a list of the moment, and when the newest was taken.
    #[serde(default)]
    pub(super) snapshots: u64,
    #[serde(default)]
    pub(super) taken: Option<String>,
    /// Rows that came in a later run although their time had been asked for.
    #[serde(default)]
    pub(super) late: u64,
    /// Rows that later answers replaced, and where they are.
    #[serde(default)]
    pub(super) replaced: u64,
    #[serde(default)]
    pub(super) versions: Option<Kept>,
}

/// A file as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Manifest {
    /// Of all datasets in `folder`.
    pub(super) fn of(folder: &Path, export: Terms, derived: &[String]) -> Result<Self, Failure> {
        let mut datasets = Vec::new();
        for name in names(folder)? {
            let state = state(folder, &name)?;
            datasets.push(Dataset::of(folder, name, state)?);
        }
        Ok(Self {
            program: format!("bitmart {}", env!("CARGO_PKG_VERSION")),
            export,
            datasets,
            derived: derived.iter().map(|path| Kept::of(folder, path)).collect::<Result<_, _>>()?,
            left_out: LEFT_OUT.iter().map(|&text| text.to_owned()).collect(),
            notes: Vec::new(),
        })
    }

    /// What the states tell of an archive whose run is not at its end.
    pub(super) fn told(folder: &Path, export: Terms) -> Result<Self, Failure> {
        let of = |name: String| Ok(Dataset::told(name.clone(), state(folder, &name)?));
        let datasets = names(folder)?.into_iter().map(of).collect::<Result<_, Failure>>()?;
        Ok(Self {
            program: String::new(),
            export,
            datasets,
            derived: Vec::new(),
            left_out: Vec::new(),
            notes: Vec::new(),
        })
    }

    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("manifest.json");
        let broken = |error: &dyn std::error::Error| {
            Failure::machine(format!("{}: {error}", path.display()))
        };
        let text = std::fs::read(&path).map_err(|error| broken(&error))?;
        read_versioned(&path, &text, |value| &value["export"]["version"])
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Failure::machine(chain(&error)))?;
        secure_fs::write(&folder.join("manifest.json"), text.as_bytes())
            .map_err(|error| Failure::machine(format!("manifest.json: {error}")))
    }

    /// The address that the history comes from.
    pub(super) fn source(&self) -> &str {
        &self.export.source
    }

    pub(super) fn is_complete(&self) -> bool {
        self.datasets.iter().all(|dataset| dataset.complete)
    }

    pub(super) fn summary(&self) -> String {
        let rows: u64 = self.datasets.iter().map(|dataset| dataset.rows).sum();
        let missing = self.datasets.iter().filter(|dataset| !dataset.complete).count();
        let optional = |one: &&Dataset| one.complete && one.refused.is_some();
        let optional = self.datasets.iter().filter(optional).count();
        let mut text = format!(
            "{rows} rows in {} datasets, {missing} of them not complete",
            self.datasets.len()
        );
        if optional > 0 {
            text += &format!("; {optional} more are not for this account, see manifest.json");
        }
        let sum = |of: fn(&Dataset) -> u64| self.datasets.iter().map(of).sum::<u64>();
        for (count, what) in [
            (sum(|one| one.late), "rows arrived late"),
            (sum(|one| one.replaced), "rows replaced by newer versions, see versions/"),
        ] {
            if count > 0 {
                text += &format!("; {count} {what}");
            }
        }
        text
    }
}

impl Dataset {
    /// What lies in `folder`.
    fn of(folder: &Path, name: String, state: State) -> Result<Self, Failure> {
        let kept = |path: &Path| Kept::of(folder, &relative(folder, path));
        let versions = versions_path(folder, &name);
        let (file, raw) = (kept(&rows_path(folder, &name))?, kept(&raw_path(folder, &name))?);
        let versions = if state.versions > 0 { Some(kept(&versions)?) } else { None };
        Ok(Self { file, raw, versions, ..Self::told(name, state) })
    }

    /// What the state tells, without the files.
    pub(super) fn told(name: String, state: State) -> Self {
        let time = |millis: i64| Timestamp::from_millis(millis).to_string();
        let none = || Kept { path: String::new(), bytes: 0, sha256: String::new() };
        // Not every account has what some lists are about.
        let is_all = state.done || (state.denied && is_optional(&name, &state.endpoint));
        Self {
            name,
            rows: state.rows,
            first: state.span.map(|(first, _)| time(first)),
            last: state.span.map(|(_, last)| time(last)),
            file: none(),
            answers: state.answers,
            raw: none(),
            complete: is_all && state.lacks.is_none(),
            endpoint: state.endpoint,
            refused: state.refused,
            lacks: state.lacks,
            to: state.to.map(time),
            snapshots: state.snapshots,
            taken: state.snapshot.map(|snapshot| time(snapshot.taken)),
            late: state.late,
            replaced: state.versions,
            versions: None,
        }
    }
}

impl Kept {
    /// A file as it is; `path` is below `folder`.
    pub(super) fn of(folder: &Path, path: &str) -> Result<Self, Failure> {
        Self::of_begin(folder, path, u64::MAX)
    }

    /// The first bytes of a file, which may have grown.
    pub(super) fn of_begin(folder: &Path, path: &str, bytes: u64) -> Result<Self, Failure> {
        let mut hash = digest::Context::new(&digest::SHA256);
        let most = bytes;
        let mut bytes = 0;
        for_lines_to(&folder.join(path), most, |_, line| {
            hash.update(line);
            bytes += line.len() as u64;
            Ok(())
        })?;
        Ok(Self { path: path.to_owned(), bytes, sha256: hex::encode(hash.finish()) })
    }
}

/// Reads a file line by line, with the line breaks.
pub(super) fn for_lines(
    path: &Path,
    mut each: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for_lines_to(path, u64::MAX, |_, line| each(line))
}

/// Reads the first `bytes` of a file line by line, with the line breaks and the byte where each begins.
pub(super) fn for_lines_to(
    path: &Path,
    bytes: u64,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let broken = |error: std::io::Error| Failure::machine(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(broken)?;
    let mut file = BufReader::new(std::io::Read::take(file, bytes));
    let (mut at, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let mut part = std::io::Read::take(&mut file, LINE as u64);
        if part.read_until(b'\n', &mut line).map_err(broken)? == 0 {
            return Ok(());
        }
        each(at, &line)?;
        at += line.len() as u64;
    }
}

fn relative(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// The datasets that lie in `folder`.
pub(super) fn names(folder: &Path) -> Result<BTreeSet<String>, Failure> {
    let states = states(folder);
    let broken = |error: std::io::Error| Failure::machine(format!("{}: {error}", states.display()));
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(&states).map_err(broken)? {
        let file = entry.map_err(broken)?.file_name().to_string_lossy().into_owned();
        names.extend(file.strip_suffix(".json").map(str::to_owned));
    }
    Ok(names)
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}
