//! The inspection of an archive for a report: its source, what is incomplete, and whether its files are unchanged. It
//! finds what `verify` finds, which prints it instead.

use bitmart::Timestamp;

use super::archive::{self, ArchiveInfo};
use super::manifest::{Dataset, FileRecord};
use super::snapshot::entry;
use super::{Archive, source, verify};
use crate::failure::Failure;

/// The result of comparing an archive with its manifest and its responses.
#[derive(Debug)]
pub(crate) struct Inspection {
    /// The program that wrote the archive.
    pub(crate) program: String,
    /// Name of the environment, and its hosts in parentheses if they are known.
    pub(crate) source: String,
    /// The masked API key, by which the account is known; empty in archives of version 1.
    pub(crate) account: String,
    /// Number of the newest run.
    pub(crate) run: u32,
    pub(crate) datasets: Vec<DatasetInspection>,
    /// Files that were changed or are missing, and faults of the archive as a whole.
    pub(crate) faults: Vec<String>,
    /// Histories that end more than a day before the end of the archive, each with its end.
    pub(crate) behind: Vec<(String, Timestamp)>,
    /// Files in the folder that do not belong to the archive.
    pub(crate) foreign: Vec<String>,
    /// Remarks for readers of the files.
    pub(crate) notes: Vec<String>,
    /// SHA-256 of `manifest.json`, which contains those of all other files.
    pub(crate) manifest_sha256: String,
    /// Span and age as text, whether the archive is [stale](Archive::is_stale), and the time until the exchange closes.
    pub(crate) span_and_age: String,
}

/// A dataset as the manifest describes it.
#[derive(Debug)]
pub(crate) struct DatasetInspection {
    /// Path of its rows in the archive.
    pub(crate) file: String,
    /// Title of its endpoint; empty if this version does not know it.
    pub(crate) title: String,
    pub(crate) rows: u64,
    /// Times of its first and last row; empty without one.
    pub(crate) first: String,
    pub(crate) last: String,
    /// Why the dataset is not complete.
    pub(crate) lacks: Option<String>,
    /// The exchange's message where a list is not available to this account.
    pub(crate) not_for_account: Option<String>,
    /// The exchange's message if it rejected only the newest run.
    pub(crate) rejected_later: Option<String>,
    /// Number of rows that only a later run returned although their time had been requested before.
    pub(crate) late: u64,
    /// Number of rows that were replaced by newer versions.
    pub(crate) replaced: u64,
    pub(crate) sha256: String,
}

impl Archive {
    /// Reads every file of the archive, and compares it with the manifest and the responses.
    ///
    /// # Errors
    /// If the manifest or the state of a dataset cannot be read. Faults of other files are part of the result.
    pub(crate) fn inspect(&self, now: Timestamp) -> Result<Inspection, Failure> {
        let folder = self.folder();
        let info = ArchiveInfo::read(folder)?
            .ok_or_else(|| Failure::io(format!("{}: it is gone", folder.display())))?;
        let (complete_until, behind) = archive::complete_until(folder, &info)?;
        let findings = verify::examine(folder, &info)?;
        let manifest = findings.manifest;
        let faults = findings.general.into_iter().chain(findings.damaged).collect();
        let host = if info.host.is_empty() { String::new() } else { format!(" ({})", info.host) };
        Ok(Inspection {
            program: manifest.program.clone(),
            source: format!("{}{host}", info.source),
            account: info.account.clone(),
            run: info.run,
            datasets: manifest.datasets.iter().map(DatasetInspection::new).collect(),
            faults,
            behind: behind
                .into_iter()
                .map(|(name, end)| (name, Timestamp::from_millis(end)))
                .collect(),
            foreign: archive::foreign_files(folder)?,
            notes: manifest.notes.clone(),
            manifest_sha256: FileRecord::read(folder, "manifest.json")?.sha256,
            span_and_age: source::describe_span(info.from_ms, complete_until, now.as_millis()),
        })
    }
}

impl DatasetInspection {
    fn new(dataset: &Dataset) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let title = entry(&dataset.endpoint).map(|entry| entry.title.to_owned());
        Self {
            file: dataset.file.path.clone(),
            title: title.unwrap_or_default(),
            rows: dataset.rows,
            first: text(&dataset.first),
            last: text(&dataset.last),
            lacks: verify::lacks(dataset),
            // Complete although it was rejected: the exchange says that this account has no such list.
            not_for_account: dataset.rejected.clone().filter(|_| dataset.complete),
            rejected_later: dataset.rejected_later.clone(),
            late: dataset.late,
            replaced: dataset.replaced,
            sha256: dataset.file.sha256.clone(),
        }
    }
}
