//! An archive that is read, by whatever is not an export: what it is of, how complete it is, and its rows.

use std::path::{Path, PathBuf};

use bitmart::Timestamp;
use bitmart::rest::history::RowKey;
use serde_json::Value;

use super::archive::{self, Terms};
use super::manifest::Manifest;
use super::order::{Source, in_order};
use super::store::{rows_path, state};
use super::{DAY_MS, histories, read, reread, source};
use crate::failure::{Exit, Failure};

/// Times below this are of seconds and not of milliseconds: as milliseconds it is the year 1973.
const SECONDS_BELOW: i64 = 100_000_000_000;

/// A finished or unfinished archive in a folder. Nothing in it is changed.
#[derive(Debug)]
pub(crate) struct Archive {
    folder: PathBuf,
    terms: Terms,
    manifest: Manifest,
    /// End of the list that is furthest behind, in milliseconds.
    reach: i64,
}

impl Archive {
    /// Reads what the archive is of. Its rows are read when they are wanted.
    ///
    /// # Errors
    /// When the folder holds no archive, one that a newer program wrote, or a damaged one.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let terms = Terms::read(folder)?.ok_or_else(|| {
            let none = Failure::usage(format!(
                "{} holds no archive: there is no export.json",
                folder.display()
            ));
            match archive::below(folder).unwrap_or_default().first() {
                Some(one) => {
                    none.with_advice(format!("name one of its folders: {}", one.display()))
                }
                None => none,
            }
        })?;
        let manifest = if terms.finished {
            Manifest::read(folder)?
        } else {
            Manifest::told(folder, terms.clone())?
        };
        let (reach, _) = archive::reach(folder, &terms)?;
        Ok(Self { folder: folder.to_owned(), terms, manifest, reach })
    }

    /// Refuses an archive whose run is not at its end: its rows may still be replaced.
    ///
    /// # Errors
    /// When it is not finished.
    pub(crate) fn must_be_finished(&self) -> Result<(), Failure> {
        if reread::is_unfinished(&self.folder) {
            return Err(Failure::new(Exit::Incomplete, "`export --reread` was interrupted")
                .with_advice("the same again finishes it"));
        }
        if self.terms.finished {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Incomplete,
            format!(
                "the archive in {} is not finished: run {} stopped before its end",
                self.folder.display(),
                self.terms.run
            ),
        )
        .with_advice("the export command goes on where it stopped"))
    }

    #[allow(dead_code, reason = "for whoever shows an archive")]
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Source, host and account, as `verify` tells them.
    pub(crate) fn source(&self) -> String {
        source::of(&self.terms)
    }

    pub(crate) fn is_play_money(&self) -> bool {
        source::is_play_money(&self.terms.source)
    }

    /// Where what was requested begins and where it ends.
    pub(crate) fn span(&self) -> (Timestamp, Timestamp) {
        (Timestamp::from_millis(self.terms.from_ms), Timestamp::from_millis(self.reach))
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
                let why = dataset.refused.as_deref().or(dataset.lacks.as_deref());
                (dataset.name.as_str(), why.unwrap_or("was interrupted"))
            })
            .collect()
    }

    #[allow(dead_code, reason = "for whoever shows an archive")]
    /// What no list of the exchange tells.
    pub(crate) fn left_out(&self) -> &[String] {
        &self.manifest.left_out
    }

    #[allow(dead_code, reason = "for whoever shows an archive")]
    /// When the newest snapshot of a list of the moment was taken.
    pub(crate) fn taken(&self, name: &str) -> Option<Timestamp> {
        let state = state(&self.folder, name).ok()?;
        Some(Timestamp::from_millis(state.snapshot?.taken))
    }

    /// The rows of a list of the moment as they were last; of a history the newest version of each. In
    /// the order of the file. None of a dataset that is not there.
    ///
    /// # Errors
    /// When a line is no row.
    pub(crate) fn newest(
        &self,
        name: &str,
        mut each: impl FnMut(&Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut done = Ok(());
        read::newest(&self.folder, name, |row| {
            if done.is_ok() {
                done = each(&row);
            }
        })?;
        done
    }

    /// The rows of all snapshots of a list of the moment, oldest first.
    ///
    /// # Errors
    /// When a line is no row.
    pub(crate) fn snapshots(
        &self,
        name: &str,
        mut each: impl FnMut(&Value),
    ) -> Result<(), Failure> {
        read::all(&self.folder, name, |row| each(&row))
    }

    /// The rows of histories in the order of their times, and those of one instant by the place of their
    /// dataset among `names` and by their ids: datasets that are not there have none. Rows without a time
    /// come first. Holds 16 bytes for each row, and the ids of one instant.
    ///
    /// # Errors
    /// When a line is no row, and what `each` returns.
    pub(crate) fn rows(
        &self,
        names: &[&str],
        mut each: impl FnMut(&str, &RowKey, &Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut there = Vec::new();
        for &name in names.iter().filter(|name| self.has(name)) {
            let path = rows_path(&self.folder, name);
            if path.exists() {
                there.push((name, path, state(&self.folder, name)?.endpoint));
            }
        }
        let keys: Vec<_> =
            there.iter().map(|(_, _, endpoint)| move |line: &[u8]| key(endpoint, line)).collect();
        let sources = there.iter().zip(&keys);
        let sources: Vec<_> = sources.map(|((_, path, _), key)| Source { path, key }).collect();
        in_order(&sources, |source, line| {
            let (name, path, endpoint) = &there[source];
            let row: Value = serde_json::from_slice(line).map_err(|error| {
                Failure::machine(format!("{}: a line is no row: {error}", path.display()))
            })?;
            each(name, &key(endpoint, line), &row)
        })
    }
}

/// Time and id of a row. Where nobody documents the unit of a time, its size tells.
fn key(endpoint: &str, line: &[u8]) -> RowKey {
    let key = histories::key(endpoint, line);
    let mut key = key.unwrap_or(RowKey { time: None, id: String::new() });
    let time = key.time.map(Timestamp::as_millis).filter(|time| *time > 0);
    let millis = |time| if time < SECONDS_BELOW { time * 1_000 } else { time };
    key.time = time.map(|time| Timestamp::from_millis(millis(time)));
    // `deposit 7`: only what is all digits is ordered as a number.
    if let Some((_, number)) = key.id.rsplit_once(' ')
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        key.id = number.to_owned();
    }
    key
}

#[cfg(test)]
impl Archive {
    /// A finished archive in `folder` of datasets, each with the id of its endpoint and its rows.
    pub(crate) fn of_rows(folder: &Path, datasets: &[(&str, &str, Vec<Value>)]) -> Self {
        use super::state::{State, state_path, states};

        std::fs::create_dir_all(states(folder)).expect("a folder");
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
        let terms = serde_json::json!({
            "version": 2, "source": "live", "key": "", "from_ms": 0, "to_ms": 0, "finished": true,
        });
        let terms: Terms = serde_json::from_value(terms).expect("terms");
        let manifest = Manifest::told(folder, terms.clone()).expect("states");
        Self { folder: folder.to_owned(), terms, manifest, reach: 0 }
    }
}
