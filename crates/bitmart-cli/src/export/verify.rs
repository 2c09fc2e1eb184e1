//! `verify`: an export is read again and held against its manifest and its answers.

use std::path::{Path, PathBuf};

use bitmart::Timestamp;
use clap::{Arg, ArgMatches, Command};

use super::archive::{self, Terms};
use super::manifest::{Dataset, Kept, Manifest, names};
use super::store::{raw_path, rows_path, state};
use super::{Archive, compare, reread, source};
use crate::endpoint::parameters::date;
use crate::failure::{Exit, Failure};
use crate::ledger;
use crate::output;

/// Most faults that are told of one dataset.
const FAULTS: usize = 10;

pub(crate) fn command() -> Command {
    Command::new("verify")
        .about("Reads an export again: hashes, counts, doubles, rows against answers, completeness")
        .after_help(
            "Where the export has balances and everything since the beginning, it also tells how they \
             differ from the sum of the movements. That is no fault: some movements have no list.",
        )
        .arg(Arg::new("dir").required(true).value_name("DIR"))
        .arg(
            // For tests: when it is.
            Arg::new("now").long("now").hide(true),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let folder = PathBuf::from(matches.get_one::<String>("dir").map_or("", String::as_str));
    let now = matches.get_one::<String>("now").and_then(|text| date(text));
    let now = now.unwrap_or_else(Timestamp::now);
    let below = archive::below(&folder)?;
    if below.is_empty() || Terms::read(&folder)?.is_some() {
        return one(&folder, now);
    }
    // The archives of several profiles.
    let mut failed = None;
    for folder in below {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Err(failure) = one(&folder, now) {
            eprintln!("{name}: {failure}");
            failed = failed
                .or(Some(Failure::new(failure.exit, format!("{name} is not as it should be"))));
        }
    }
    failed.map_or(Ok(()), Err)
}

/// One archive.
fn one(folder: &Path, now: Timestamp) -> Result<(), Failure> {
    if reread::is_unfinished(folder) {
        return Err(Failure::new(Exit::Incomplete, "`export --reread` was interrupted")
            .with_advice("the same again finishes it"));
    }
    let terms = Terms::read(folder)?.ok_or_else(|| {
        Failure::usage(format!("{} holds no archive: there is no export.json", folder.display()))
    })?;
    let (reach, behind) = archive::reach(folder, &terms)?;
    let age = source::age(terms.from_ms, reach, now.as_millis());
    let mut text = format!("{}; {age}\n", source::of(&terms));
    let Found { manifest, other, lacking, damage } = examine(folder, &terms)?;
    let mut faults: Vec<String> = other.into_iter().chain(lacking).chain(damage).collect();
    text += &(manifest.summary() + "\n");
    for (name, end) in behind {
        text += &format!("{name}: covers only up to {}\n", Timestamp::from_millis(end));
    }
    for name in archive::foreign(folder)? {
        text += &format!("{name} is no part of the archive\n");
    }
    if terms.finished {
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

/// What holding an archive against its manifest and its responses found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) manifest: Manifest,
    /// Of the whole archive.
    pub(super) other: Vec<String>,
    /// Lists that are not complete, and why.
    pub(super) lacking: Vec<String>,
    /// Files that are not as they were written.
    pub(super) damage: Vec<String>,
}

/// Reads every file.
pub(super) fn examine(folder: &Path, terms: &Terms) -> Result<Found, Failure> {
    let mut other = Vec::new();
    let manifest = manifest(folder, terms, &mut other)?;
    for name in names(folder)? {
        if !manifest.datasets.iter().any(|dataset| dataset.name == name) {
            other.push(format!("{name}: is not in the manifest"));
        }
    }
    let (mut lacking, mut damage) = (Vec::new(), Vec::new());
    for dataset in &manifest.datasets {
        lacking.extend(lacks(dataset).map(|why| format!("{}: {why}", dataset.name)));
        let mut found = Vec::new();
        check(folder, dataset, terms.finished, &mut found);
        let more = found.len().saturating_sub(FAULTS);
        damage.extend(found.iter().take(FAULTS).map(|fault| format!("{}: {fault}", dataset.name)));
        if more > 0 {
            damage.push(format!("{}: and {more} more", dataset.name));
        }
    }
    for file in manifest.derived.iter().filter(|_| terms.finished) {
        unchanged(folder, file, &mut damage);
    }
    Ok(Found { manifest, other, lacking, damage })
}

/// Why a dataset is not complete.
pub(super) fn lacks(dataset: &Dataset) -> Option<String> {
    match (&dataset.refused, &dataset.lacks) {
        _ if dataset.complete => None,
        (Some(reason), _) => Some(format!("the exchange refused: {reason}")),
        (None, Some(what)) => Some(what.clone()),
        (None, None) => Some("was interrupted".to_owned()),
    }
}

/// What the archive holds. While a run is not at its end, its states tell, and only what stood there before can be
/// held against the manifest.
fn manifest(folder: &Path, terms: &Terms, faults: &mut Vec<String>) -> Result<Manifest, Failure> {
    if terms.finished {
        return Manifest::read(folder);
    }
    faults.push(format!(
        "run {} is not at its end; the export command goes on where it stopped",
        terms.run
    ));
    let mut unfinished = Manifest::told(folder, terms.clone())?;
    if folder.join("manifest.json").exists() {
        let before = Manifest::read(folder)?;
        for dataset in &mut unfinished.datasets {
            let old = before.datasets.iter().find(|old| old.name == dataset.name);
            // Where rows were moved since, the file is another.
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
            unchanged(folder, file, faults);
        } else if !file.path.is_empty() {
            begins_unchanged(folder, file, faults);
        }
    }
    if let Err(failure) = compare(folder, dataset, faults) {
        faults.push(failure.to_string());
    }
}

fn compare(folder: &Path, dataset: &Dataset, faults: &mut Vec<String>) -> Result<(), Failure> {
    let state = state(folder, &dataset.name)?;
    for (path, bytes) in [
        (rows_path(folder, &dataset.name), state.bytes),
        (raw_path(folder, &dataset.name), state.raw_bytes),
    ] {
        if std::fs::metadata(&path).is_ok_and(|file| file.len() < bytes) {
            faults.push(format!("{} is shorter than it was", path.display()));
        }
    }
    compare::check(folder, &dataset.name, &state, faults)
}

/// What stood in a file at the end of the run before still has to.
fn begins_unchanged(folder: &Path, file: &Kept, faults: &mut Vec<String>) {
    match Kept::of_begin(folder, &file.path, file.bytes) {
        Ok(now) if now == *file => {}
        Ok(_) => faults.push(format!("{} was changed: its begin is another", file.path)),
        Err(failure) => faults.push(failure.to_string()),
    }
}

fn unchanged(folder: &Path, file: &Kept, faults: &mut Vec<String>) {
    match Kept::of(folder, &file.path) {
        Ok(now) if now == *file => {}
        Ok(_) => faults.push(format!("{} was changed: its hash is another", file.path)),
        Err(failure) => faults.push(failure.to_string()),
    }
}
