//! `export --reread`: decodes the stored responses of an archive again.
//!
//! A newer program may decode responses that an older one could not. All new files are written beside the old ones,
//! then a commit file, then they replace the old ones. A run that dies before the commit file leaves the old archive;
//! one that dies after it is finished by the next run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bitmart::Timestamp;

use super::archive::ArchiveInfo;
use super::lock;
use super::manifest::{FileRecord, Manifest, names};
use super::rebuild::{Rebuilt, rebuild};
use super::run::write_results;
use super::state::{IDENTITY, model};
use super::store::{Span, State, raw_path, read_state, rows_path, state_folder, versions_path};
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
    let _lock = lock::exclusive(folder)?;
    finish(folder, &mut steps)?;
    let (changed, problems) = reread_all(folder, &info, &mut steps)?;
    if changed == 0 {
        eprintln!("nothing is gained: the rows are what the responses hold");
    }
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

/// Decodes the responses of an archive of an older program again, which decoded rows in another way, or told them apart
/// by ids that are not unique: rows that it took for one become several. Does nothing for a newer archive.
pub(super) fn upgrade(folder: &Path, info: &ArchiveInfo) -> Result<(), Failure> {
    let is_older =
        |name: &String| read_state(folder, name).is_ok_and(|state| state.is_of_older_program());
    if !names(folder)?.iter().any(is_older) {
        return Ok(());
    }
    eprintln!("an older program wrote this archive: its responses are read again");
    let (_, problems) = reread_all(folder, info, &mut Steps(None))?;
    for problem in problems {
        eprintln!("{problem}");
    }
    Ok(())
}

/// Decodes the responses of every dataset again. Returns how many datasets have other rows now, and which stay as they
/// are and why.
fn reread_all(
    folder: &Path,
    info: &ArchiveInfo,
    steps: &mut Steps,
) -> Result<(usize, Vec<String>), Failure> {
    let (mut changed, mut problems) = (0, Vec::new());
    for name in names(folder)? {
        let outcome = reread(folder, &name, info)?;
        steps.done();
        match outcome {
            Outcome::Unchanged => {}
            Outcome::Rebuilt(text) => {
                changed += 1;
                eprintln!("{name}: {text}");
            }
            Outcome::Kept(reason) => problems.push(format!("{name}: {reason}")),
        }
    }
    if folder.join(NEW).join("state").exists() {
        secure_fs::write(&folder.join(NEW).join(COMMIT), b"")
            .map_err(|error| to_failure(folder, &error))?;
        steps.done();
    }
    finish(folder, steps)?;
    Ok((changed, problems))
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
    let io = |error: std::io::Error| to_failure(&new, &error);
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
                secure_fs::rename(&entry.path(), &to.join(entry.file_name())).map_err(io)?;
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

/// The result of decoding a dataset again.
enum Outcome {
    Unchanged,
    /// New files were written; the text says what they add.
    Rebuilt(String),
    /// The old files are kept, for this reason.
    Kept(String),
}

/// Decodes the responses of one dataset again.
fn reread(folder: &Path, name: &str, info: &ArchiveInfo) -> Result<Outcome, Failure> {
    let old = read_state(folder, name)?;
    let is_older = old.is_of_older_program();
    let rows = rows_path(folder, name);
    // Nothing was received yet.
    if !raw_path(folder, name).exists() || !rows.exists() {
        if is_older {
            write_state(folder, name, old)?;
        }
        return Ok(Outcome::Unchanged);
    }
    let new_rows = new_path(folder, &rows, "rows");
    let versions = versions_path(folder, name);
    let new_versions = new_path(folder, &versions, "versions");
    let Rebuilt { state, rows_sha256, same_versions } =
        rebuild(folder, name, &old, info, [&new_rows, &new_versions])?;
    let remove = |path: &Path| fs::remove_file(path).map_err(|error| to_failure(path, &error));
    let is_same =
        FileRecord::read_prefix(folder, &relative(folder, &rows), old.bytes)?.sha256 == rows_sha256;
    // An older program took different rows for versions of one.
    let with_versions = |state: &State| state.rows + state.versions;
    let is_less = with_versions(&state) < with_versions(&old);
    if is_same || is_less {
        remove(&new_rows)?;
    }
    if same_versions || is_less {
        remove(&new_versions)?;
    }
    if is_less {
        let why = format!(
            "the responses give {} rows, and there are {}: they stay",
            state.rows, old.rows
        );
        if is_older {
            // The older program may not have counted what its rows lack.
            let kept = State {
                unreadable: old.unreadable.max(state.unreadable),
                cut: old.cut.max(state.cut),
                ambiguous: old.ambiguous.max(state.ambiguous),
                ambiguous_rows: state.ambiguous_rows,
                ..old
            };
            write_state(folder, name, kept)?;
        }
        return Ok(Outcome::Kept(why));
    }
    let counts = |state: &State| {
        let faults = (state.unread, state.faulty, state.unreadable, state.cut, state.ambiguous);
        (faults, state.done, state.lacks.is_some())
    };
    let is_unchanged = is_same && same_versions && counts(&state) == counts(&old);
    let rest = match (&state.lacks, state.unread + state.faulty) {
        (Some(lacks), 1..) => format!("; still {lacks}"),
        _ => String::new(),
    };
    let (gained, rows_now) = (state.rows.saturating_sub(old.rows), state.rows);
    if !is_unchanged || is_older {
        write_state(folder, name, state)?;
    }
    Ok(match gained {
        _ if is_unchanged => Outcome::Unchanged,
        0 => Outcome::Rebuilt(format!("the rows are written anew{rest}")),
        gained => Outcome::Rebuilt(format!("{gained} rows are gained, {rows_now} in all{rest}")),
    })
}

/// Writes the new state. A position of an older program names the rows that it has seen by their old ids: the span is
/// requested again from there, and its rows are compared with the stored ones.
fn write_state(folder: &Path, name: &str, mut state: State) -> Result<(), Failure> {
    if state.identity < IDENTITY
        && !state.done
        && let Some(cursor) = state.cursor.take()
        && state.snapshot.is_none()
    {
        let (from, end) = (cursor.next.as_millis(), cursor.end.as_millis());
        if let Some(span) = state.todo.first_mut() {
            span.from = span.from.max(from);
        } else {
            // Version 1 accepted an end in the future.
            let to = end.min(Timestamp::now().as_millis());
            state.todo = vec![Span { from, to, again: false }];
        }
        state.pagination += 1;
    }
    (state.identity, state.model) = (IDENTITY, model(&state.endpoint));
    let bytes = serde_json::to_vec(&state).map_err(|error| Failure::io(chain(&error)))?;
    let path = folder.join(NEW).join("state").join(format!("{name}.json"));
    secure_fs::write(&path, &bytes).map_err(|error| to_failure(&path, &error))
}

/// Path of a new file before it replaces the old one.
fn new_path(folder: &Path, path: &Path, kind: &str) -> PathBuf {
    folder.join(NEW).join(kind).join(path.file_name().unwrap_or_default())
}

fn relative(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned()
}

fn to_failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::io(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
