//! `verify`, and the manifest that it goes by.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command};
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Terms;
use super::store::{State, rows_path};
use crate::failure::{Exit, Failure, chain};
use crate::{output, private};

/// What no endpoint tells for a span of time, or what this program does not ask for yet.
const LEFT_OUT: &[&str] = &[
    "balances: a snapshot of now, see `bitmart account wallet` and `bitmart futures assets`",
    "margin loans and repayments: by pair, see `bitmart margin borrow-records`",
    "transfers between sub-accounts: the exchange gives the newest only",
    "futures orders of contracts without a trade or a payment: they are told by contract only",
];

/// What an export holds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    program: String,
    export: Terms,
    datasets: Vec<Dataset>,
    left_out: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Dataset {
    name: String,
    rows: u64,
    bytes: u64,
    sha256: String,
    complete: bool,
    refused: Option<String>,
}

impl Manifest {
    /// Of all datasets in `folder`.
    pub(super) fn of(folder: &Path, export: Terms) -> Result<Self, Failure> {
        let mut datasets = Vec::new();
        for name in names(folder)? {
            let text = read(&folder.join(format!("{name}.state.json")))?;
            let state: State = serde_json::from_slice(&text)
                .map_err(|error| Failure::machine(format!("{name}: {error}")))?;
            let sha256 = sha256(&read(&rows_path(folder, &name))?);
            let State { rows, bytes, done: complete, refused, .. } = state;
            datasets.push(Dataset { name, rows, bytes, sha256, complete, refused });
        }
        let program = format!("bitmart {}", env!("CARGO_PKG_VERSION"));
        let left_out = LEFT_OUT.iter().map(|&text| text.to_owned()).collect();
        Ok(Self { program, export, datasets, left_out })
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Failure::machine(chain(&error)))?;
        private::write(&folder.join("manifest.json"), text.as_bytes())
            .map_err(|error| Failure::machine(format!("manifest.json: {error}")))
    }

    pub(super) fn is_complete(&self) -> bool {
        self.datasets.iter().all(|dataset| dataset.complete)
    }

    pub(super) fn summary(&self) -> String {
        let rows: u64 = self.datasets.iter().map(|dataset| dataset.rows).sum();
        let refused = self.datasets.iter().filter(|dataset| !dataset.complete).count();
        format!("{rows} rows in {} datasets, {refused} of them not complete", self.datasets.len())
    }
}

pub(crate) fn command() -> Command {
    Command::new("verify")
        .about("Reads an export again: hashes, counts, doubles, completeness")
        .arg(Arg::new("dir").required(true).value_name("DIR"))
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let folder = PathBuf::from(matches.get_one::<String>("dir").map_or("", String::as_str));
    let text = read(&folder.join("manifest.json"))?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| Failure::machine(format!("manifest.json: {error}")))?;
    let mut faults = Vec::new();
    let listed: BTreeSet<_> = manifest.datasets.iter().map(|one| one.name.clone()).collect();
    for name in names(&folder)?.difference(&listed) {
        faults.push(format!("{name}: is not in the manifest"));
    }
    for dataset in &manifest.datasets {
        check(&folder, dataset, &mut faults);
    }
    output::write(format!("{}\n", manifest.summary()).as_bytes())?;
    if faults.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Incomplete, faults.join("\n")))
}

fn check(folder: &Path, dataset: &Dataset, faults: &mut Vec<String>) {
    let mut fault = |text: String| faults.push(format!("{}: {text}", dataset.name));
    if let Some(reason) = &dataset.refused {
        fault(format!("the exchange refused: {reason}"));
    } else if !dataset.complete {
        fault("was interrupted".to_owned());
    }
    let bytes = match read(&rows_path(folder, &dataset.name)) {
        Ok(bytes) => bytes,
        Err(failure) => return fault(failure.to_string()),
    };
    if sha256(&bytes) != dataset.sha256 {
        fault("was changed: its hash is another".to_owned());
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut seen = BTreeSet::new();
    let mut rows = 0;
    for (index, line) in text.lines().enumerate() {
        rows += 1;
        if serde_json::from_str::<Value>(line).is_err() {
            fault(format!("line {} is no JSON", index + 1));
        }
        if !seen.insert(line) {
            fault(format!("line {} is there twice", index + 1));
        }
    }
    if rows != dataset.rows {
        fault(format!("has {rows} rows, not {}", dataset.rows));
    }
}

/// The datasets that lie in `folder`.
fn names(folder: &Path) -> Result<BTreeSet<String>, Failure> {
    let broken = |error: std::io::Error| Failure::machine(format!("{}: {error}", folder.display()));
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(broken)? {
        let file = entry.map_err(broken)?.file_name().to_string_lossy().into_owned();
        names.extend(file.strip_suffix(".state.json").map(str::to_owned));
    }
    Ok(names)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::machine(format!("{}: {error}", path.display())))
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}
