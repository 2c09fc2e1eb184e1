//! `export --reread`: the rows of an archive are made anew from the responses that are kept in it.
//!
//! A program that was updated may understand what it did not when the responses came. All new files are
//! written beside the old ones first; then one file says that they count; then they take their places.
//! A run that dies before that file is there leaves the old archive, one that dies behind it is finished by
//! the next.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::archive::Terms;
use super::manifest::{Kept, Manifest, names};
use super::rebuild::{Made, rebuild};
use super::run::{conclude, lock};
use super::store::{State, raw_path, rows_path, state, states, versions_path};
use crate::failure::{Exit, Failure, chain};
use crate::secure_fs;

/// Folder of the new files.
const NEW: &str = "reread";
/// Says that they count.
const COMMIT: &str = "commit";

pub(super) fn run(folder: &Path, stop_after: Option<u64>) -> Result<(), Failure> {
    let mut steps = Steps(stop_after);
    let terms = Terms::read(folder)?.ok_or_else(|| {
        Failure::usage(format!("{} holds no archive: there is no export.json", folder.display()))
    })?;
    let _lock = lock(folder)?;
    finish(folder, &mut steps)?;
    let mut problems = Vec::new();
    let mut gained = 0;
    for name in names(folder)? {
        let change = reread(folder, &name, &terms)?;
        steps.done();
        match change {
            Change::None => {}
            Change::Made(words) => {
                gained += 1;
                eprintln!("{name}: {words}");
            }
            Change::Refused(words) => problems.push(format!("{name}: {words}")),
        }
    }
    if gained == 0 {
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
    if !terms.finished {
        eprintln!(
            "run {} is not at its end; the export command goes on where it stopped",
            terms.run
        );
        return Ok(());
    }
    let manifest = conclude(folder, &terms, &formats(&Manifest::read(folder)?))?;
    eprintln!("{}", manifest.summary());
    if manifest.is_complete() {
        return Ok(());
    }
    Err(Failure::new(Exit::Incomplete, "the archive lacks something; see manifest.json"))
}

/// Counts what changes the disk. For tests: the process dies after so many, as by kill -9.
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

/// Whether new files wait to take their places.
pub(super) fn is_unfinished(folder: &Path) -> bool {
    folder.join(NEW).join(COMMIT).exists()
}

/// Puts the new files in place if they count, else takes them away.
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
            (new.join("state"), states(folder)),
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

/// The formats of the files that were made of the rows.
fn formats(manifest: &Manifest) -> BTreeSet<String> {
    let extension = |path: &str| Some(path.rsplit_once('.')?.1.to_owned());
    let made = manifest.derived.iter().filter(|file| {
        let name = file.path.rsplit_once('.').map_or("", |(name, _)| name);
        manifest.datasets.iter().any(|dataset| dataset.name == name)
    });
    made.filter_map(|file| extension(&file.path)).collect()
}

/// What became of a dataset.
enum Change {
    /// It is what it was.
    None,
    /// New files wait, which hold this more.
    Made(String),
    /// It stays what it was, and why.
    Refused(String),
}

fn reread(folder: &Path, name: &str, terms: &Terms) -> Result<Change, Failure> {
    let old = state(folder, name)?;
    let rows = rows_path(folder, name);
    // Nothing came yet.
    if !raw_path(folder, name).exists() || !rows.exists() {
        return Ok(Change::None);
    }
    let new_rows = new_path(folder, &rows, "rows");
    let versions = versions_path(folder, name);
    let new_versions = new_path(folder, &versions, "versions");
    let Made { state, rows_sha256, same_versions } =
        rebuild(folder, name, &old, terms, [&new_rows, &new_versions])?;
    let remove = |path: &Path| fs::remove_file(path).map_err(|error| broken(path, &error));
    let is_same =
        Kept::of_begin(folder, &relative(folder, &rows), old.bytes)?.sha256 == rows_sha256;
    let is_less = state.rows < old.rows;
    if is_same || is_less {
        remove(&new_rows)?;
    }
    if same_versions || is_less {
        remove(&new_versions)?;
    }
    if is_less {
        return Ok(Change::Refused(format!(
            "the responses give {} rows, and there are {}: they stay",
            state.rows, old.rows
        )));
    }
    let counts = |state: &State| (state.unread, state.faulty, state.done, state.lacks.is_some());
    if is_same && same_versions && counts(&state) == counts(&old) {
        return Ok(Change::None);
    }
    let bytes = serde_json::to_vec(&state).map_err(|error| Failure::machine(chain(&error)))?;
    let path = folder.join(NEW).join("state").join(format!("{name}.json"));
    secure_fs::write(&path, &bytes).map_err(|error| broken(&path, &error))?;
    let gained = state.rows - old.rows;
    let rest = match (&state.lacks, state.unread + state.faulty) {
        (Some(lacks), 1..) => format!("; still {lacks}"),
        _ => String::new(),
    };
    Ok(Change::Made(match gained {
        0 => format!("the rows are written anew{rest}"),
        gained => format!("{gained} rows are gained, {} in all{rest}", state.rows),
    }))
}

/// Where the new form of a file waits.
fn new_path(folder: &Path, path: &Path, kind: &str) -> PathBuf {
    folder.join(NEW).join(kind).join(path.file_name().unwrap_or_default())
}

fn relative(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned()
}

fn broken(path: &Path, error: &std::io::Error) -> Failure {
    Failure::machine(format!("{}: {error}", path.display()))
}
