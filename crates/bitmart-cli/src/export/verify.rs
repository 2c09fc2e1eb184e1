//! `verify`: compares an export with its manifest and its stored responses.

use std::path::{Path, PathBuf};

use bitmart::Timestamp;
use clap::{Arg, ArgMatches, Command};

use super::archive::{self, ArchiveInfo};
use super::manifest::{Dataset, FileRecord, Manifest, names};
use super::store::{raw_path, read_state, rows_path};
use super::{Archive, lock, reread, row_check, source};
use crate::endpoint::parameters::date;
use crate::failure::{Exit, Failure};
use crate::ledger;
use crate::output;

/// Maximum number of faults of a dataset that are printed.
const MAX_FAULTS: usize = 10;

pub(crate) fn command() -> Command {
    Command::new("verify")
        .about("Checks an export: hashes, counts, duplicates, rows against responses, completeness")
        .after_help(
            "If the export has balances, it also prints how they differ from the sums of the movements. \
             A difference is no fault of the export: some movements are in no list.",
        )
        .arg(Arg::new("dir").required(true).value_name("DIR"))
        .arg(
            // For tests: the present time.
            Arg::new("now").long("now").hide(true),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let folder = PathBuf::from(matches.get_one::<String>("dir").map_or("", String::as_str));
    let now = matches.get_one::<String>("now").and_then(|text| date(text));
    let now = now.unwrap_or_else(Timestamp::now);
    let below = archive::archives_below(&folder)?;
    if below.is_empty() || ArchiveInfo::read(&folder)?.is_some() {
        return verify_archive(&folder, now);
    }
    // The archives of several profiles.
    let mut failed = None;
    for folder in below {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Err(failure) = verify_archive(&folder, now) {
            eprintln!("{name}: {failure}");
            failed = failed
                .or(Some(Failure::new(failure.exit, format!("{name} is not as it should be"))));
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Verifies one archive.
fn verify_archive(folder: &Path, now: Timestamp) -> Result<(), Failure> {
    if reread::is_unfinished(folder) {
        return Err(Failure::new(Exit::Incomplete, "`export --reread` was interrupted")
            .with_advice("the same again finishes it"));
    }
    let info = ArchiveInfo::read(folder)?.ok_or_else(|| {
        Failure::usage(format!("{} holds no archive: there is no export.json", folder.display()))
    })?;
    let _lock = lock::shared(folder)?;
    let (reach, behind) = archive::complete_until(folder, &info)?;
    let age = source::describe_span(info.from_ms, reach, now.as_millis());
    let mut text = format!("{}; {age}\n", source::describe(&info));
    let Findings { manifest, general, incomplete, damaged } = examine(folder, &info)?;
    let mut faults: Vec<String> = general.into_iter().chain(incomplete).chain(damaged).collect();
    text += &(manifest.summary() + "\n");
    for dataset in &manifest.datasets {
        if let Some(why) = &dataset.rejected_later {
            text += &format!("{}: the exchange rejected the newest run: {why}\n", dataset.name);
        }
    }
    for (name, end) in behind {
        text += &format!("{name}: covers only up to {}\n", Timestamp::from_millis(end));
    }
    for name in archive::foreign_files(folder)? {
        text += &format!("{name} is no part of the archive\n");
    }
    if info.finished {
        match Archive::open(folder).and_then(|archive| ledger::check(&archive)) {
            Ok((differences, problems)) => {
                for line in problems.lines() {
                    text += &format!("{line}\n");
                }
                for difference in &differences {
                    text += &difference.lines();
                }
            }
            Err(failure) => faults.push(failure.to_string()),
        }
    }
    output::write(text.as_bytes())?;
    if faults.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Incomplete, faults.join("\n")))
}

/// The faults of an archive.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) manifest: Manifest,
    /// Faults of the archive as a whole.
    pub(super) general: Vec<String>,
    /// Datasets that are not complete, with the reason.
    pub(super) incomplete: Vec<String>,
    /// Files that were changed or are missing.
    pub(super) damaged: Vec<String>,
}

/// Reads every file, and compares it with the manifest and the responses.
pub(super) fn examine(folder: &Path, info: &ArchiveInfo) -> Result<Findings, Failure> {
    let mut general = Vec::new();
    let manifest = manifest(folder, info, &mut general)?;
    for name in names(folder)? {
        if !manifest.datasets.iter().any(|dataset| dataset.name == name) {
            general.push(format!("{name}: is not in the manifest"));
        }
    }
    let (mut incomplete, mut damaged) = (Vec::new(), Vec::new());
    for dataset in &manifest.datasets {
        incomplete.extend(lacks(dataset).map(|why| format!("{}: {why}", dataset.name)));
        let mut faults = Vec::new();
        check(folder, dataset, info.finished, &mut faults);
        let not_shown = faults.len().saturating_sub(MAX_FAULTS);
        let shown = faults.iter().take(MAX_FAULTS);
        damaged.extend(shown.map(|fault| format!("{}: {fault}", dataset.name)));
        if not_shown > 0 {
            damaged.push(format!("{}: and {not_shown} more", dataset.name));
        }
    }
    for file in manifest.derived.iter().filter(|_| info.finished) {
        check_hash(folder, file, &mut damaged);
    }
    Ok(Findings { manifest, general, incomplete, damaged })
}

/// Returns why a dataset is not complete.
pub(super) fn lacks(dataset: &Dataset) -> Option<String> {
    match (&dataset.rejected, &dataset.lacks) {
        _ if dataset.complete => None,
        (Some(reason), _) => Some(format!("the exchange rejected it: {reason}")),
        (None, Some(what)) => Some(what.clone()),
        (None, None) => Some("was interrupted".to_owned()),
    }
}

/// The manifest of the archive. While a run is not finished, it is made from the states, and only the beginning of
/// files can be compared with the last manifest.
fn manifest(
    folder: &Path,
    info: &ArchiveInfo,
    faults: &mut Vec<String>,
) -> Result<Manifest, Failure> {
    if info.finished {
        return Manifest::read(folder);
    }
    faults.push(format!(
        "run {} is not at its end; the export command continues where it stopped",
        info.run
    ));
    let mut unfinished = Manifest::from_states(folder, info.clone())?;
    if folder.join("manifest.json").exists() {
        let before = Manifest::read(folder)?;
        for dataset in &mut unfinished.datasets {
            let old = before.datasets.iter().find(|old| old.name == dataset.name);
            // Where rows were moved since, the file was rewritten.
            if let Some(old) = old.filter(|old| old.complete && old.replaced == dataset.replaced) {
                (dataset.file, dataset.raw) = (old.file.clone(), old.raw.clone());
            }
        }
    }
    Ok(unfinished)
}

fn check(folder: &Path, dataset: &Dataset, finished: bool, faults: &mut Vec<String>) {
    for file in [&dataset.file, &dataset.raw].into_iter().chain(&dataset.versions) {
        if finished {
            check_hash(folder, file, faults);
        } else if !file.path.is_empty() {
            check_beginning(folder, file, faults);
        }
    }
    if let Err(failure) = compare(folder, dataset, faults) {
        faults.push(failure.to_string());
    }
}

fn compare(folder: &Path, dataset: &Dataset, faults: &mut Vec<String>) -> Result<(), Failure> {
    let state = read_state(folder, &dataset.name)?;
    for (path, bytes) in [
        (rows_path(folder, &dataset.name), state.bytes),
        (raw_path(folder, &dataset.name), state.raw_bytes),
    ] {
        if std::fs::metadata(&path).is_ok_and(|file| file.len() < bytes) {
            faults.push(format!("{} is shorter than it was", path.display()));
        }
    }
    let before = faults.len();
    row_check::check(folder, &dataset.name, &state, faults)?;
    if faults.len() > before && state.is_of_older_program() {
        faults.push(
            "an older program decoded the rows in another way; `bitmart export --reread` decodes them again"
                .to_owned(),
        );
    }
    Ok(())
}

/// Checks that a file still begins with its contents at the end of the last run.
fn check_beginning(folder: &Path, file: &FileRecord, faults: &mut Vec<String>) {
    match FileRecord::read_prefix(folder, &file.path, file.bytes) {
        Ok(now) if now == *file => {}
        Ok(_) => faults.push(format!("{} was changed: its begin is another", file.path)),
        Err(failure) => faults.push(failure.to_string()),
    }
}

fn check_hash(folder: &Path, file: &FileRecord, faults: &mut Vec<String>) {
    match FileRecord::read(folder, &file.path) {
        Ok(now) if now == *file => {}
        Ok(_) => faults.push(format!("{} was changed: its hash is another", file.path)),
        Err(failure) => faults.push(failure.to_string()),
    }
}
