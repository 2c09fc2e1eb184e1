//! Read access to an archive, for everything but an export: its source, how complete it is, and its rows.

use std::fs::File;
use std::path::{Path, PathBuf};

use bitmart::Timestamp;
use bitmart::rest::history::RowKey;
use serde_json::Value;

use super::archive::{self, ArchiveInfo};
use super::manifest::Manifest;
use super::sorted::{Source, for_each_sorted};
use super::store::{read_state, rows_path};
use super::{DAY_MS, history_rows, lock, reread, rows, source};
use crate::failure::{Exit, Failure};

/// Times below this are seconds and not milliseconds, in which they would be before 1973.
const SECONDS_BELOW: i64 = 100_000_000_000;

/// An archive in a folder, finished or not. It is never changed.
#[derive(Debug)]
pub(crate) struct Archive {
    folder: PathBuf,
    info: ArchiveInfo,
    manifest: Manifest,
    /// Time up to which every history was requested, in milliseconds.
    reach: i64,
    /// Keeps exports from changing it.
    _lock: Option<File>,
}

impl Archive {
    /// Opens the archive in `folder`, without reading its rows.
    ///
    /// # Errors
    /// If the folder holds no archive, one of a newer format, or a damaged one.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let info = ArchiveInfo::read(folder)?.ok_or_else(|| {
            let none = Failure::usage(format!(
                "{} holds no archive: there is no export.json",
                folder.display()
            ));
            match archive::archives_below(folder).unwrap_or_default().first() {
                Some(one) => {
                    none.with_advice(format!("name one of its folders: {}", one.display()))
                }
                None => none,
            }
        })?;
        let lock = lock::shared(folder)?;
        let manifest = if info.finished {
            Manifest::read(folder)?
        } else {
            Manifest::from_states(folder, info.clone())?
        };
        let (reach, _) = archive::complete_until(folder, &info)?;
        Ok(Self { folder: folder.to_owned(), info, manifest, reach, _lock: lock })
    }

    /// Rejects an archive whose run is not finished: its rows may still be replaced.
    ///
    /// # Errors
    /// If it is not finished.
    pub(crate) fn must_be_finished(&self) -> Result<(), Failure> {
        if reread::is_unfinished(&self.folder) {
            return Err(Failure::new(Exit::Incomplete, "`export --reread` was interrupted")
                .with_advice("the same again finishes it"));
        }
        if self.info.finished {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Incomplete,
            format!(
                "the archive in {} is not finished: run {} stopped before its end",
                self.folder.display(),
                self.info.run
            ),
        )
        .with_advice("the export command continues where it stopped"))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Source, host and account, as `verify` prints them.
    pub(crate) fn source(&self) -> String {
        source::describe(&self.info)
    }

    pub(crate) fn is_play_money(&self) -> bool {
        source::is_play_money(&self.info.source)
    }

    /// Begin and end of the requested span.
    pub(crate) fn span(&self) -> (Timestamp, Timestamp) {
        (Timestamp::from_millis(self.info.from_ms), Timestamp::from_millis(self.reach))
    }

    /// Whether the archive ends more than a day before `now`.
    pub(crate) fn is_stale(&self, now: Timestamp) -> bool {
        now.as_millis() - self.reach > DAY_MS
    }

    /// Names of all datasets.
    pub(crate) fn datasets(&self) -> impl Iterator<Item = &str> {
        self.manifest.datasets.iter().map(|dataset| dataset.name.as_str())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.datasets().any(|known| known == name)
    }

    /// The datasets that are not complete, each with why.
    pub(crate) fn incomplete(&self) -> Vec<(&str, &str)> {
        let lacking = self.manifest.datasets.iter().filter(|dataset| !dataset.complete);
        lacking
            .map(|dataset| {
                let why = dataset.rejected.as_deref().or(dataset.lacks.as_deref());
                (dataset.name.as_str(), why.unwrap_or("was interrupted"))
            })
            .collect()
    }

    /// The datasets of which the exchange rejected the newest run, each with the time until which it is complete.
    pub(crate) fn rejected_later(&self) -> Vec<(&str, Option<Timestamp>)> {
        let rejected = self.manifest.datasets.iter().filter(|one| one.rejected_later.is_some());
        rejected
            .map(|dataset| {
                let until = dataset.to.as_deref().or(dataset.taken.as_deref());
                (dataset.name.as_str(), until.and_then(|text| text.parse().ok()))
            })
            .collect()
    }

    /// The datasets whose file of rows has another length than when it was written.
    pub(crate) fn with_other_length(&self) -> Vec<&str> {
        let is_other = |name: &&str| {
            let path = rows_path(&self.folder, name);
            let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
            read_state(&self.folder, name).is_ok_and(|state| state.bytes != bytes)
        };
        self.datasets().filter(is_other).collect()
    }

    /// Data that no list of the exchange contains.
    pub(crate) fn left_out(&self) -> &[String] {
        &self.manifest.left_out
    }

    /// Passes the rows of the newest snapshot, or the newest version of each row of a history, to `each`, in file
    /// order. A dataset that is not in the archive has no rows.
    ///
    /// # Errors
    /// If a line is no row.
    pub(crate) fn newest(
        &self,
        name: &str,
        mut each: impl FnMut(&Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut done = Ok(());
        rows::newest(&self.folder, name, |row| {
            if done.is_ok() {
                done = each(&row);
            }
        })?;
        done
    }

    /// Passes the rows of all snapshots to `each`, oldest first.
    ///
    /// # Errors
    /// If a line is no row.
    pub(crate) fn snapshots(
        &self,
        name: &str,
        mut each: impl FnMut(&Value),
    ) -> Result<(), Failure> {
        rows::all(&self.folder, name, |row| each(&row))
    }

    /// Passes the rows of histories to `each`, ordered by time, then by the position of their dataset in `names`,
    /// then by id. Rows without a time come first. Needs 16 bytes of memory per row, and the ids of rows with
    /// equal times.
    ///
    /// # Errors
    /// If a line is no row, and what `each` returns.
    pub(crate) fn rows(
        &self,
        names: &[&str],
        mut each: impl FnMut(&str, &RowKey, &Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut files = Vec::new();
        for &name in names.iter().filter(|name| self.has(name)) {
            let path = rows_path(&self.folder, name);
            if path.exists() {
                let state = read_state(&self.folder, name)?;
                files.push((name, path, state.endpoint, state.bytes));
            }
        }
        let keys: Vec<_> = files
            .iter()
            .map(|(_, _, endpoint, _)| move |line: &[u8]| key(endpoint, line))
            .collect();
        let sources = files.iter().zip(&keys);
        let sources = sources
            .map(|((_, path, _, bytes), key)| Source { path, bytes: *bytes, key })
            .collect::<Vec<_>>();
        // Equal rows follow each other: they are numbered, so that each has its own id.
        let mut last: Option<(usize, RowKey)> = None;
        let mut number = 1;
        for_each_sorted(&sources, |source, line| {
            let (name, path, endpoint, _) = &files[source];
            let row: Value = serde_json::from_slice(line).map_err(|error| {
                Failure::io(format!("{}: a line is no row: {error}", path.display()))
            })?;
            let plain = key(endpoint, line);
            let is_equal =
                last.as_ref().is_some_and(|(file, last)| *file == source && *last == plain);
            number = if is_equal { number + 1 } else { 1 };
            let mut numbered = plain.clone();
            if is_equal {
                numbered.id = format!("{} ({number})", plain.id);
            }
            last = Some((source, plain));
            each(name, &numbered, &row)
        })
    }
}

/// Time and id of a row. An undocumented time unit is inferred from the size of the number.
fn key(endpoint: &str, line: &[u8]) -> RowKey {
    let key = history_rows::key(endpoint, line);
    let mut key = key.unwrap_or(RowKey { time: None, id: String::new() });
    let time = key.time.map(Timestamp::as_millis).filter(|time| *time > 0);
    let millis = |time| if time < SECONDS_BELOW { time * 1_000 } else { time };
    key.time = time.map(|time| Timestamp::from_millis(millis(time)));
    // Each kind has a dataset of its own.
    for kind in ["deposit ", "withdrawal "] {
        if let Some(id) = key.id.strip_prefix(kind) {
            key.id = id.to_owned();
        }
    }
    key
}

#[cfg(test)]
impl Archive {
    /// Creates a finished archive in `folder` of datasets, each with the id of its endpoint and its rows.
    pub(crate) fn with_rows(folder: &Path, datasets: &[(&str, &str, Vec<Value>)]) -> Self {
        use super::state::{State, state_folder, state_path};

        std::fs::create_dir_all(state_folder(folder)).expect("a folder");
        for (name, endpoint, rows) in datasets {
            let lines: Vec<_> =
                rows.iter().map(ToString::to_string).chain([String::new()]).collect();
            let text = lines.join("\n");
            let state = State {
                endpoint: (*endpoint).to_owned(),
                bytes: text.len() as u64,
                rows: rows.len() as u64,
                done: true,
                ..State::default()
            };
            std::fs::write(rows_path(folder, name), text).expect("rows");
            let state = serde_json::to_vec(&state).expect("JSON");
            std::fs::write(state_path(folder, name), state).expect("a state");
        }
        let info = serde_json::json!({
            "version": 2, "source": "live", "key": "", "from_ms": 0, "to_ms": 0, "finished": true,
        });
        let info: ArchiveInfo = serde_json::from_value(info).expect("info");
        let manifest = Manifest::from_states(folder, info.clone()).expect("states");
        Self { folder: folder.to_owned(), info, manifest, reach: 0, _lock: None }
    }
}
