//! The folder of an export: its account, how far it is complete, and files that do not belong to it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::DAY_MS;
use super::manifest::names as dataset_names;
use super::store::read_state;
use crate::failure::{Failure, chain};
use crate::secure_fs;

/// The format that this program writes. Version 1 had a single run; it is read and continued.
pub(super) const VERSION: u32 = 2;
const FILE: &str = "export.json";
/// Files that operating systems create.
const SYSTEM: [&str; 3] = ["lost+found", "Thumbs.db", "desktop.ini"];
/// Files of an archive besides those of its datasets.
const OWN: [&str; 8] =
    [FILE, "manifest.json", "lock", "state", "raw", "versions", "derived.json", "reread"];

/// Contents of `export.json`: the source of an archive and the span of its newest run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ArchiveInfo {
    pub(super) version: u32,
    /// Name of the environment that was exported.
    pub(super) source: String,
    /// Hosts of the environment. Empty in version 1.
    #[serde(default)]
    pub(super) host: String,
    /// SHA-256 of the API key, so that accounts are not mixed.
    pub(super) key: String,
    /// The masked API key. Empty in version 1.
    #[serde(default)]
    pub(super) account: String,
    pub(super) from_ms: i64,
    /// End of the newest run.
    pub(super) to_ms: i64,
    /// Number of the newest run.
    #[serde(default = "one")]
    pub(super) run: u32,
    /// Whether the newest run is finished.
    #[serde(default)]
    pub(super) finished: bool,
}

fn one() -> u32 {
    1
}

impl ArchiveInfo {
    /// Reads the file in `folder`; `None` if there is no archive.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, Failure> {
        let path = folder.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::io(format!("{}: {error}", path.display()))),
        };
        let mut info: Self = read_versioned(&path, &text, |value| &value["version"])?;
        let manifest = folder.join("manifest.json");
        if let Ok(text) = std::fs::read(&manifest) {
            read_versioned::<Value>(&manifest, &text, |value| &value["export"]["version"])?;
        }
        if info.version == 1 {
            // Version 1 wrote its manifest at the end of the run.
            info.finished = folder.join("manifest.json").exists();
        }
        Ok(Some(info))
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(FILE);
        let to_failure = |error: &dyn std::error::Error| {
            Failure::io(format!("{}: {}", path.display(), chain(error)))
        };
        let text = serde_json::to_string(self).map_err(|error| to_failure(&error))?;
        secure_fs::write(&path, text.as_bytes()).map_err(|error| to_failure(&error))
    }
}

/// Reads a file of an archive. Rejects one of a newer format.
pub(super) fn read_versioned<T: serde::de::DeserializeOwned>(
    path: &Path,
    text: &[u8],
    version: impl Fn(&Value) -> &Value,
) -> Result<T, Failure> {
    let to_failure = |error: serde_json::Error| {
        Failure::io(format!("{} is damaged: {error}; nothing was overwritten", path.display()))
            .with_advice("put back a copy, or export into another folder")
    };
    let value: Value = serde_json::from_slice(text).map_err(to_failure)?;
    let version = version(&value).as_u64().unwrap_or(1);
    if version > VERSION.into() {
        return Err(Failure::usage(format!(
            "{} was written by a newer version of this program (format {version}; this one knows up to \
             {VERSION}); nothing was overwritten",
            path.display()
        ))
        .with_advice("update the program"));
    }
    serde_json::from_value(value).map_err(to_failure)
}

/// Returns the archives directly below `folder`, by name, as `--profiles` creates them.
pub(super) fn archives_below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let below = file_names(folder)?.into_iter().map(|name| folder.join(name));
    Ok(below.filter(|path| path.join(FILE).exists()).collect())
}

/// Rejects a folder that is no archive and holds other files.
pub(super) fn reject_foreign_folder(folder: &Path) -> Result<(), Failure> {
    // Left by a program that was killed before it wrote `export.json`.
    let begun = |name: &str| name == "lock" || (name == "state" && is_empty(&folder.join(name)));
    match file_names(folder)?.into_iter().find(|name| !begun(name)) {
        None => Ok(()),
        Some(name) => Err(Failure::usage(format!(
            "{} holds other files, such as {name}, and no archive; nothing was written",
            folder.display()
        ))
        .with_advice("name a folder that is new or empty")),
    }
}

/// Returns the files in an archive's folder that do not belong to it.
pub(super) fn foreign_files(folder: &Path) -> Result<Vec<String>, Failure> {
    let (derived, datasets) = (claimed(folder), dataset_names(folder)?);
    let is_own = |name: &String| {
        let is_dataset = name.strip_suffix(".jsonl").is_some_and(|name| datasets.contains(name));
        is_dataset || OWN.contains(&name.as_str()) || derived.contains(name)
    };
    Ok(file_names(folder)?.into_iter().filter(|name| !is_own(name)).collect())
}

/// Returns the time up to which every history was requested, and the histories that end more than a day before
/// the run. Histories that the exchange rejected do not count.
pub(super) fn complete_until(
    folder: &Path,
    info: &ArchiveInfo,
) -> Result<(i64, Vec<(String, i64)>), Failure> {
    let mut ends = Vec::new();
    for name in dataset_names(folder)? {
        let state = read_state(folder, &name)?;
        // Snapshots have no end, and a rejected history has none yet.
        if state.snapshot.is_some() || (state.cursor.is_none() && state.to.is_none()) {
            continue;
        }
        let cursor = state.cursor.map_or(info.from_ms, |cursor| cursor.next.as_millis());
        ends.push((name, state.to.unwrap_or(cursor)));
    }
    let first = ends.iter().map(|(_, end)| *end).min().unwrap_or(info.to_ms).min(info.to_ms);
    ends.retain(|(_, end)| end + DAY_MS < info.to_ms);
    Ok((first, ends))
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Names of the files and folders in a folder, except those that the program or the system creates for a while.
fn file_names(folder: &Path) -> Result<Vec<String>, Failure> {
    let to_failure = |error: io::Error| Failure::io(format!("{}: {error}", folder.display()));
    let mut names = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        Err(error) => return Err(to_failure(error)),
    };
    for entry in entries {
        let name = entry.map_err(to_failure)?.file_name().to_string_lossy().into_owned();
        // Files that are still being written end in `.new`.
        let is_ignored =
            name.starts_with('.') || Path::new(&name).extension().is_some_and(|end| end == "new");
        if !is_ignored && !SYSTEM.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Names of the derived files that the archive has written: only those may be overwritten.
fn claimed(folder: &Path) -> BTreeSet<String> {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap_or_default();
    if let Ok(names) = serde_json::from_slice(&read("derived.json")) {
        return names;
    }
    // Older programs wrote no `derived.json`.
    let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap_or_default();
    let derived = manifest["derived"].as_array().into_iter().flatten();
    derived.filter_map(|file| file["path"].as_str().map(str::to_owned)).collect()
}

/// Records `name` as a file of the archive, before it is written.
///
/// # Errors
/// If a file of that name exists that the archive did not write.
pub(super) fn claim(folder: &Path, name: &str) -> Result<(), Failure> {
    let mut names = claimed(folder);
    if names.contains(name) {
        return Ok(());
    }
    if folder.join(name).exists() {
        return Err(Failure::usage(format!(
            "{} is there and is no part of this archive; it was not overwritten",
            folder.join(name).display()
        ))
        .with_advice("move the file away; the same command continues"));
    }
    names.insert(name.to_owned());
    let to_failure = |error: &dyn std::error::Error| Failure::io(format!("derived.json: {error}"));
    let text = serde_json::to_vec(&names).map_err(|error| to_failure(&error))?;
    secure_fs::write(&folder.join("derived.json"), &text).map_err(|error| to_failure(&error))
}
