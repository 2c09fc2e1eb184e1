//! `verify`: an export is read again and held against its manifest and its answers.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use bitmart::rest::bytes::Bytes;
use clap::{Arg, ArgMatches, Command};
use serde_json::Value;

use super::manifest::{Dataset, Kept, Manifest, for_lines, names, sha256};
use super::store::{Answer, raw_path, rows_path};
use super::walk::{entry, snapshot_lines};
use super::{balance, histories, reread};
use crate::failure::{Exit, Failure};
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
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let folder = PathBuf::from(matches.get_one::<String>("dir").map_or("", String::as_str));
    if reread::is_unfinished(&folder) {
        return Err(Failure::new(Exit::Incomplete, "`export --reread` was interrupted")
            .with_advice("the same again finishes it"));
    }
    let manifest = Manifest::read(&folder)?;
    let mut faults = Vec::new();
    for name in names(&folder)? {
        if !manifest.datasets.iter().any(|dataset| dataset.name == name) {
            faults.push(format!("{name}: is not in the manifest"));
        }
    }
    for dataset in &manifest.datasets {
        let mut found = Vec::new();
        check(&folder, dataset, &mut found);
        let more = found.len().saturating_sub(FAULTS);
        faults.extend(found.iter().take(FAULTS).map(|fault| format!("{}: {fault}", dataset.name)));
        if more > 0 {
            faults.push(format!("{}: and {more} more", dataset.name));
        }
    }
    for file in &manifest.derived {
        unchanged(&folder, file, &mut faults);
    }
    let mut text = manifest.summary() + "\n";
    for line in balance::differences(&folder) {
        text += &line;
        text.push('\n');
    }
    output::write(text.as_bytes())?;
    if faults.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Incomplete, faults.join("\n")))
}

fn check(folder: &Path, dataset: &Dataset, faults: &mut Vec<String>) {
    match (&dataset.refused, &dataset.lacks) {
        _ if dataset.complete => {}
        (Some(reason), _) => faults.push(format!("the exchange refused: {reason}")),
        (None, Some(what)) => faults.push(what.clone()),
        (None, None) => faults.push("was interrupted".to_owned()),
    }
    unchanged(folder, &dataset.file, faults);
    unchanged(folder, &dataset.raw, faults);
    if let Err(failure) = compare(folder, dataset, faults) {
        faults.push(failure.to_string());
    }
}

fn unchanged(folder: &Path, file: &Kept, faults: &mut Vec<String>) {
    match Kept::of(folder, &file.path) {
        Ok(now) if now == *file => {}
        Ok(_) => faults.push(format!("{} was changed: its hash is another", file.path)),
        Err(failure) => faults.push(failure.to_string()),
    }
}

/// The rows must be those of the answers, each once.
fn compare(folder: &Path, dataset: &Dataset, faults: &mut Vec<String>) -> Result<(), Failure> {
    // What tells the rows apart, and how often each hash must come: both files may be larger than the
    // memory.
    let mut seen = HashSet::new();
    let mut missing: HashMap<String, u64> = HashMap::new();
    let mut answers = 0;
    for_lines(&raw_path(folder, &dataset.name), |line| {
        answers += 1;
        match rows_of(&dataset.endpoint, answers, line) {
            Ok(rows) => {
                for (id, row) in rows {
                    // Windows overlap: what came twice was kept as it came first.
                    if seen.insert(id) {
                        *missing.entry(sha256(&row)).or_default() += 1;
                    }
                }
            }
            Err(why) => faults.push(format!("answer {answers} is not understood: {why}")),
        }
        Ok(())
    })?;
    let known = seen.len();
    let mut rows = 0;
    for_lines(&rows_path(folder, &dataset.name), |line| {
        rows += 1;
        if serde_json::from_slice::<Value>(line).is_err() {
            faults.push(format!("line {rows} is no JSON"));
        } else {
            match missing.get_mut(&sha256(line)) {
                Some(left) if *left > 0 => *left -= 1,
                _ => faults.push(format!("line {rows} is there twice, or in no answer")),
            }
        }
        Ok(())
    })?;
    let missing: u64 = missing.into_values().sum();
    if missing > 0 {
        faults.push(format!("{missing} of {known} rows of the answers are missing"));
    }
    for (what, now, then) in [("rows", rows, dataset.rows), ("answers", answers, dataset.answers)] {
        if now != then {
            faults.push(format!("has {now} {what}, not {then}"));
        }
    }
    Ok(())
}

/// The rows of a stored answer, and what tells each from others.
fn rows_of(endpoint: &str, number: u64, line: &[u8]) -> Result<Vec<histories::Row>, String> {
    let answer: Answer = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if answer.body.is_empty() {
        // An empty window that the exchange answers with an error.
        return Ok(Vec::new());
    }
    let body = Bytes::from(answer.body);
    if let Some(rows) = histories::rows(endpoint, &body) {
        return rows;
    }
    let entry = entry(endpoint).map_err(|failure| failure.to_string())?;
    let (rows, _) = snapshot_lines(entry, &body)?;
    let rows = rows.into_iter().enumerate();
    Ok(rows.map(|(at, row)| (format!("{number}:{at}"), row)).collect())
}
