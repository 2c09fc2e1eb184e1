//! `export --reread`: decodes the stored responses of an archive again.
//!
//! A newer program may decode responses that an older one could not. All new files are written beside the old ones,
//! then a commit file, then they replace the old ones. A run that dies before the commit file leaves the old archive;
//! one that dies after it is finished by the next run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::archive::ArchiveInfo;
use super::manifest::{FileRecord, Manifest, names};
use super::rebuild::{Rebuilt, rebuild};
use super::run::{lock, write_results};
use super::store::{State, raw_path, read_state, rows_path, state_folder, versions_path};
use crate::failure::{Exit, Failure, chain};
use crate::secure_fs;

/// Folder of the new files.
const NEW: &str = "reread";
/// File that makes the new files valid.
const COMMIT: &str = "commit";

pub(super) fn run(folder: &Path, stop_after: Option<u64>) -> Result<(), Failure> {
    let mut steps = Steps(stop_after);
    let info = ArchiveInfo::read(folder)?.ok_or_else(|| {
        Failure::usage(format!("{} holds no archive: there is no export.json", folder.display()))
    })?;
    let _lock = lock(folder)?;
    finish(folder, &mut steps)?;
    let mut problems = Vec::new();
    let mut changed = 0;
    for name in names(folder)? {
        let outcome = reread(folder, &name, &info)?;
        steps.done();
        match outcome {
            Outcome::Unchanged => {}
            Outcome::Rebuilt(text) => {
                changed += 1;
                eprintln!("{name}: {text}");
            }
            Outcome::FileRecord(reason) => problems.push(format!("{name}: {reason}")),
        }
    }
    if changed == 0 {
        eprintln!("nothing is gained: the rows are what the responses hold");
    } else {
        secure_fs::write(&folder.join(NEW).join(COMMIT), b"")
            .map_err(|error| broken(folder, &error))?;
        steps.done();
    }
    finish(folder, &mut steps)?;
    if !problems.is_empty() {
        return Err(Failure::new(Exit::Incomplete, problems.join("\n")));
    }
    if !info.finished {
        eprintln!(
            "run {} is not at its end; the export command continues where it stopped",
            info.run
        );
        return Ok(());
    }
    let manifest = write_results(folder, &info, &formats(&Manifest::read(folder)?))?;
    eprintln!("{}", manifest.summary());
    if manifest.is_complete() {
        return Ok(());
    }
    Err(Failure::new(Exit::Incomplete, "the archive lacks something; see manifest.json"))
}

/// Counts changes of the disk. For tests: the process aborts after so many, as by kill -9.
pub(super) struct Steps(pub(super) Option<u64>);

impl Steps {
    fn done(&mut self) {
        if let Some(left) = &mut self.0 {
            *left = left.saturating_sub(1);
            if *left == 0 {
                std::process::abort();
            }
        }
    }
}

/// Whether committed files have not all replaced the old ones.
pub(super) fn is_unfinished(folder: &Path) -> bool {
    folder.join(NEW).join(COMMIT).exists()
}

/// Replaces the old files if the new ones are committed, else removes the new ones.
pub(super) fn finish(folder: &Path, steps: &mut Steps) -> Result<(), Failure> {
    let new = folder.join(NEW);
    if !new.exists() {
        return Ok(());
    }
    let io = |error: std::io::Error| broken(&new, &error);
    if is_unfinished(folder) {
        let places = [
            (new.join("versions"), folder.join("versions")),
            (new.join("rows"), folder.to_owned()),
            (new.join("state"), state_folder(folder)),
        ];
        for (from, to) in places {
            let Ok(entries) = fs::read_dir(&from) else { continue };
            secure_fs::create_dir(&to).map_err(io)?;
            for entry in entries {
                let entry = entry.map_err(io)?;
                fs::rename(entry.path(), to.join(entry.file_name())).map_err(io)?;
                steps.done();
            }
        }
        fs::remove_file(new.join(COMMIT)).map_err(io)?;
    }
    fs::remove_dir_all(&new).map_err(io)
}

/// The formats of the files that were written from the rows.
fn formats(manifest: &Manifest) -> BTreeSet<String> {
    let extension = |path: &str| Some(path.rsplit_once('.')?.1.to_owned());
    let made = manifest.derived.iter().filter(|file| {
        let name = file.path.rsplit_once('.').map_or("", |(name, _)| name);
        manifest.datasets.iter().any(|dataset| dataset.name == name)
    });
    made.filter_map(|file| extension(&file.path)).collect()
}

/// What decoding a dataset again led to.
enum Outcome {
    Unchanged,
    /// New files were written; the text says what they add.
    Rebuilt(String),
    /// The old files are kept, for this reason.
    FileRecord(String),
}

fn reread(folder: &Path, name: &str, info: &ArchiveInfo) -> Result<Outcome, Failure> {
    let old = read_state(folder, name)?;
    let rows = rows_path(folder, name);
    // Nothing was received yet.
    if !raw_path(folder, name).exists() || !rows.exists() {
        return Ok(Outcome::Unchanged);
    }
    let new_rows = new_path(folder, &rows, "rows");
    let versions = versions_path(folder, name);
    let new_versions = new_path(folder, &versions, "versions");
    let Rebuilt { state, rows_sha256, same_versions } =
        rebuild(folder, name, &old, info, [&new_rows, &new_versions])?;
    let remove = |path: &Path| fs::remove_file(path).map_err(|error| broken(path, &error));
    let is_same =
        FileRecord::read_prefix(folder, &relative(folder, &rows), old.bytes)?.sha256 == rows_sha256;
    let is_less = state.rows < old.rows;
    if is_same || is_less {
        remove(&new_rows)?;
    }
    if same_versions || is_less {
        remove(&new_versions)?;
    }
    if is_less {
        return Ok(Outcome::FileRecord(format!(
            "the responses give {} rows, and there are {}: they stay",
            state.rows, old.rows
        )));
    }
    let counts = |state: &State| (state.unread, state.faulty, state.done, state.lacks.is_some());
    if is_same && same_versions && counts(&state) == counts(&old) {
        return Ok(Outcome::Unchanged);
    }
    let bytes = serde_json::to_vec(&state).map_err(|error| Failure::io(chain(&error)))?;
    let path = folder.join(NEW).join("state").join(format!("{name}.json"));
    secure_fs::write(&path, &bytes).map_err(|error| broken(&path, &error))?;
    let gained = state.rows - old.rows;
    let rest = match (&state.lacks, state.unread + state.faulty) {
        (Some(lacks), 1..) => format!("; still {lacks}"),
        _ => String::new(),
    };
    Ok(Outcome::Rebuilt(match gained {
        0 => format!("the rows are written anew{rest}"),
        gained => format!("{gained} rows are gained, {} in all{rest}", state.rows),
    }))
}

/// Path of a new file before it replaces the old one.
fn new_path(folder: &Path, path: &Path, kind: &str) -> PathBuf {
    folder.join(NEW).join(kind).join(path.file_name().unwrap_or_default())
}

fn relative(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned()
}

fn broken(path: &Path, error: &std::io::Error) -> Failure {
    Failure::io(format!("{}: {error}", path.display()))
}
