//! What may be said of an archive: what it is of, what it lacks, and whether its files are as they
//! were written.

use bitmart::Timestamp;

use super::archive::{self, Terms};
use super::manifest::{Dataset, Kept};
use super::walk::entry;
use super::{Archive, source, verify};
use crate::failure::Failure;

/// An archive that was held against its manifest and its responses, as `verify` does it.
#[derive(Debug)]
pub(crate) struct Examined {
    /// The program that wrote it.
    pub(crate) program: String,
    /// Name of the environment, and its hosts.
    pub(crate) source: String,
    /// The key with most of it hidden.
    pub(crate) account: String,
    pub(crate) run: u32,
    pub(crate) lists: Vec<Listed>,
    /// What is not as it was written.
    pub(crate) faults: Vec<String>,
    /// Lists that end more than a day before the others, and where.
    pub(crate) behind: Vec<(String, Timestamp)>,
    /// Files that are no part of it.
    pub(crate) foreign: Vec<String>,
    /// What a reader of the files must know.
    pub(crate) notes: Vec<String>,
    /// Of `manifest.json`, which has those of all other files.
    pub(crate) manifest_sha256: String,
    /// Span and age in words, and whether it is stale.
    pub(crate) age: String,
}

/// A dataset as the manifest tells it.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) file: String,
    /// What it is, in words.
    pub(crate) title: String,
    pub(crate) rows: u64,
    pub(crate) first: String,
    pub(crate) last: String,
    /// Why it is not complete.
    pub(crate) lacks: Option<String>,
    /// What the exchange said of a list that is not for every account.
    pub(crate) not_for_account: Option<String>,
    pub(crate) late: u64,
    pub(crate) replaced: u64,
    pub(crate) sha256: String,
}

impl Archive {
    /// Reads every file of the archive.
    ///
    /// # Errors
    /// When its manifest cannot be read.
    pub(crate) fn examine(&self, now: Timestamp) -> Result<Examined, Failure> {
        let folder = self.folder();
        let terms = Terms::read(folder)?
            .ok_or_else(|| Failure::machine(format!("{}: it is gone", folder.display())))?;
        let (reach, behind) = archive::reach(folder, &terms)?;
        let found = verify::examine(folder, &terms)?;
        let manifest = found.manifest;
        let faults = found.other.into_iter().chain(found.damage).collect();
        let host = if terms.host.is_empty() { String::new() } else { format!(" ({})", terms.host) };
        Ok(Examined {
            program: manifest.program.clone(),
            source: format!("{}{host}", terms.source),
            account: terms.account.clone(),
            run: terms.run,
            lists: manifest.datasets.iter().map(Listed::of).collect(),
            faults,
            behind: behind
                .into_iter()
                .map(|(name, end)| (name, Timestamp::from_millis(end)))
                .collect(),
            foreign: archive::foreign(folder)?,
            notes: manifest.notes.clone(),
            manifest_sha256: Kept::of(folder, "manifest.json")?.sha256,
            age: source::age(terms.from_ms, reach, now.as_millis()),
        })
    }
}

impl Listed {
    fn of(dataset: &Dataset) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let title = entry(&dataset.endpoint).map(|entry| entry.title.to_owned());
        Self {
            file: dataset.file.path.clone(),
            title: title.unwrap_or_default(),
            rows: dataset.rows,
            first: text(&dataset.first),
            last: text(&dataset.last),
            lacks: verify::lacks(dataset),
            not_for_account: dataset.refused.clone().filter(|_| dataset.complete),
            late: dataset.late,
            replaced: dataset.replaced,
            sha256: dataset.file.sha256.clone(),
        }
    }
}
