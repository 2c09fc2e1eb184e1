//! `manifest.json`: the datasets of an archive and the hashes of their files.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use bitmart::Timestamp;
use ring::digest;
use serde::{Deserialize, Serialize};

use super::archive::{ArchiveInfo, read_versioned};
use super::fetch::is_not_for_account;
use super::state::endpoint_id;
use super::store::{State, raw_path, read_state, rows_path, state_folder, versions_path};
use crate::failure::{Failure, chain};
use crate::secure_fs;

/// Data that no endpoint returns for a span of time.
const LEFT_OUT: &[&str] = &[
    "sub-accounts: the exchange gives the newest 100 transfers of each only, and no orders; export with a \
     key of the sub-account for the rest",
    "transfers into and out of isolated margin, and between spot and funding: the exchange has no list",
    "margin loans: of pairs where the account has something or had an order only; they are listed by pair",
    "futures orders: of contracts that the account traded or paid for only, unless --all-contracts; they are \
     listed by contract",
    "past funding rates: the exchange gives the newest 100 of a contract only",
    "rebates of affiliates: the sum of each customer and year only, in USDT, BTC and ETH",
];

/// Longest line that is read back. Responses are bounded when they are received.
const MAX_LINE: usize = 256 << 20;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(super) program: String,
    pub(super) export: ArchiveInfo,
    pub(super) datasets: Vec<Dataset>,
    /// Files that were written from the datasets.
    pub(super) derived: Vec<FileRecord>,
    pub(super) left_out: Vec<String>,
    /// Remarks for readers of the derived files.
    #[serde(default)]
    pub(super) notes: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Dataset {
    pub(super) name: String,
    /// Id of its endpoint.
    #[serde(deserialize_with = "endpoint_id")]
    pub(super) endpoint: String,
    pub(super) rows: u64,
    /// Times of the first and the last row.
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
    pub(super) file: FileRecord,
    /// Number of responses.
    #[serde(alias = "answers")]
    pub(super) responses: u64,
    pub(super) raw: FileRecord,
    pub(super) complete: bool,
    /// The exchange's message if it rejected the rest.
    #[serde(alias = "refused")]
    pub(super) rejected: Option<String>,
    /// The exchange's message if it rejected only a later run: everything that an earlier one requested is there.
    #[serde(default)]
    pub(super) rejected_later: Option<String>,
    /// What the rows lack although the exchange responded.
    #[serde(default)]
    pub(super) lacks: Option<String>,
    /// Time up to which a history was requested.
    #[serde(default)]
    pub(super) to: Option<String>,
    /// Number of snapshots, and when the newest was taken.
    #[serde(default)]
    pub(super) snapshots: u64,
    #[serde(default)]
    pub(super) taken: Option<String>,
    /// Rows that only a later run returned although their time had been requested before.
    #[serde(default)]
    pub(super) late: u64,
    /// Rows that later responses replaced, and the file that holds them.
    #[serde(default)]
    pub(super) replaced: u64,
    #[serde(default)]
    pub(super) versions: Option<FileRecord>,
}

/// Size and hash of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileRecord {
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Manifest {
    /// Reads all datasets in `folder` and hashes their files.
    pub(super) fn collect(
        folder: &Path,
        export: ArchiveInfo,
        derived: &[String],
    ) -> Result<Self, Failure> {
        let mut datasets = Vec::new();
        for name in names(folder)? {
            let state = read_state(folder, &name)?;
            datasets.push(Dataset::read(folder, name, state)?);
        }
        Ok(Self {
            program: format!("bitmart {}", env!("CARGO_PKG_VERSION")),
            export,
            datasets,
            derived: derived
                .iter()
                .map(|path| FileRecord::read(folder, path))
                .collect::<Result<_, _>>()?,
            left_out: LEFT_OUT.iter().map(|&text| text.to_owned()).collect(),
            notes: Vec::new(),
        })
    }

    /// Describes an archive whose run is not finished, by the states of its datasets.
    pub(super) fn from_states(folder: &Path, export: ArchiveInfo) -> Result<Self, Failure> {
        let of = |name: String| Ok(Dataset::from_state(name.clone(), read_state(folder, &name)?));
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
        let to_failure =
            |error: &dyn std::error::Error| Failure::io(format!("{}: {error}", path.display()));
        let text = std::fs::read(&path).map_err(|error| to_failure(&error))?;
        read_versioned(&path, &text, |value| &value["export"]["version"])
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Failure::io(chain(&error)))?;
        secure_fs::write(&folder.join("manifest.json"), text.as_bytes())
            .map_err(|error| Failure::io(format!("manifest.json: {error}")))
    }

    /// Name of the environment that was exported.
    pub(super) fn source(&self) -> &str {
        &self.export.source
    }

    pub(super) fn is_complete(&self) -> bool {
        self.datasets.iter().all(|dataset| dataset.complete)
    }

    /// Whether it is complete up to the end of the newest run.
    pub(super) fn is_current(&self) -> bool {
        self.is_complete() && self.datasets.iter().all(|dataset| dataset.rejected_later.is_none())
    }

    pub(super) fn summary(&self) -> String {
        let rows: u64 = self.datasets.iter().map(|dataset| dataset.rows).sum();
        let missing = self.datasets.iter().filter(|dataset| !dataset.complete).count();
        let is_not_for_account = |one: &&Dataset| one.complete && one.rejected.is_some();
        let not_for_account = self.datasets.iter().filter(is_not_for_account).count();
        let mut text = format!(
            "{rows} rows in {} datasets, {missing} of them not complete",
            self.datasets.len()
        );
        let later = self.datasets.iter().filter(|one| one.rejected_later.is_some()).count();
        if later > 0 {
            text += &format!("; {later} were rejected by the exchange in the newest run");
        }
        if not_for_account > 0 {
            text +=
                &format!("; {not_for_account} more are not for this account, see manifest.json");
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
    /// Describes a dataset by its state, and hashes its files.
    fn read(folder: &Path, name: String, state: State) -> Result<Self, Failure> {
        // What was appended before a crash and is not counted is no part of the dataset.
        let of_dataset =
            |path: &Path, bytes| FileRecord::read_prefix(folder, &relative(folder, path), bytes);
        let file = of_dataset(&rows_path(folder, &name), state.bytes)?;
        let raw = of_dataset(&raw_path(folder, &name), state.raw_bytes)?;
        let versions = if state.versions > 0 {
            Some(of_dataset(&versions_path(folder, &name), state.version_bytes)?)
        } else {
            None
        };
        Ok(Self { file, raw, versions, ..Self::from_state(name, state) })
    }

    /// Describes a dataset by its state, without its files.
    pub(super) fn from_state(name: String, state: State) -> Self {
        let time = |millis: i64| Timestamp::from_millis(millis).to_string();
        let not_hashed = || FileRecord { path: String::new(), bytes: 0, sha256: String::new() };
        let earlier = state.completed_earlier();
        let is_read_to_end = state.done || earlier.is_some() || is_not_for_account(&name, &state);
        let (rejected, rejected_later) = match earlier {
            Some(_) => (None, state.rejected.clone()),
            None => (state.rejected.clone(), None),
        };
        let taken = match &state.previous {
            Some(previous) if earlier.is_some() => Some(previous.taken),
            _ => state.snapshot.map(|snapshot| snapshot.taken),
        };
        let lacks = earlier.map_or_else(|| state.lacking(), |(_, lacks)| lacks);
        Self {
            name,
            rows: state.rows,
            first: state.span.map(|(first, _)| time(first)),
            last: state.span.map(|(_, last)| time(last)),
            file: not_hashed(),
            responses: state.responses,
            raw: not_hashed(),
            complete: is_read_to_end && lacks.is_none(),
            endpoint: state.endpoint,
            rejected,
            rejected_later,
            lacks,
            to: state.to.map(time),
            snapshots: state.snapshots,
            taken: taken.map(time),
            late: state.late,
            replaced: state.versions,
            versions: None,
        }
    }
}

impl FileRecord {
    /// Hashes a file; `path` is relative to `folder`.
    pub(super) fn read(folder: &Path, path: &str) -> Result<Self, Failure> {
        Self::read_prefix(folder, path, u64::MAX)
    }

    /// Hashes the first bytes of a file, which may have grown.
    pub(super) fn read_prefix(folder: &Path, path: &str, bytes: u64) -> Result<Self, Failure> {
        let mut hash = digest::Context::new(&digest::SHA256);
        let most = bytes;
        let mut bytes = 0;
        for_each_line_within(&folder.join(path), most, |_, line| {
            hash.update(line);
            bytes += line.len() as u64;
            Ok(())
        })?;
        Ok(Self { path: path.to_owned(), bytes, sha256: hex::encode(hash.finish()) })
    }
}

/// Reads the first `bytes` of a file line by line, with the line breaks and the byte where each begins.
pub(super) fn for_each_line_within(
    path: &Path,
    bytes: u64,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let to_failure = |error: std::io::Error| Failure::io(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(to_failure)?;
    let mut file = BufReader::new(std::io::Read::take(file, bytes));
    let (mut at, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let mut part = std::io::Read::take(&mut file, MAX_LINE as u64);
        if part.read_until(b'\n', &mut line).map_err(to_failure)? == 0 {
            return Ok(());
        }
        each(at, &line)?;
        at += line.len() as u64;
    }
}

fn relative(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Returns the names of the datasets in `folder`.
pub(super) fn names(folder: &Path) -> Result<BTreeSet<String>, Failure> {
    let states = state_folder(folder);
    let to_failure = |error: std::io::Error| Failure::io(format!("{}: {error}", states.display()));
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(&states).map_err(to_failure)? {
        let file = entry.map_err(to_failure)?.file_name().to_string_lossy().into_owned();
        names.extend(file.strip_suffix(".json").map(str::to_owned));
    }
    Ok(names)
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}
