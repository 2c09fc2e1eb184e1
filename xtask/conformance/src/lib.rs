//! Checks recorded traffic against the models.
//!
//! A recording is a JSON file. `{"method","path","query"|"body","status","response"}` holds a REST
//! request and its answer, `{"ws":"spot"|"futures","frame"}` a pushed frame; other members are
//! ignored. Of each is checked that
//!
//! * the endpoint or channel is known,
//! * the parameters decode into the typed request and encode to the same members,
//! * the answer or frame decodes into the typed model, and encodes to the same members again.
//!
//! "The same" means: decimals compare by value, whether they are text or number; the exchange's
//! spellings of "no value" (see [`bitmart_types::wire`]) are one, and equal an absent member;
//! `true` and `false` equal 1 and 0. A member of the recording that the model drops is a
//! difference, unless the API description lists it with a reason. Members that are not recorded
//! (`null`) are not checked. Times compare as moments: one in another unit than described is reported
//! and no fault. A member under another name that the description lists is the same member.
//!
//! A recording may say what is lost: `"unreadable": ["response.data.fluctuation"]` names members that
//! become `None` and are counted, `"faults": ["response.data.symbols[1]"]` rows that do not decode. What
//! is listed must be lost, and nothing else may be. The spellings of "no value" need no mark.
//!
//! Envelopes may lack `message` and `trace`, as some published samples
//! do; a member around the data that the client does not read is a difference, too. An answer with an error code passes when it decodes as that error.

mod compare;
mod node;
mod rest;
mod time;
mod ws;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

/// One recording. Members are kept as text, so that numbers keep all digits.
#[derive(Deserialize)]
struct Recording<'a> {
    method: Option<String>,
    path: Option<String>,
    #[serde(borrow)]
    query: Option<&'a RawValue>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    status: Option<u16>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    ws: Option<String>,
    /// A frame that was pushed, or one that steers the connection.
    #[serde(borrow, alias = "control")]
    frame: Option<&'a RawValue>,
    /// Members that become `None`.
    #[serde(default)]
    unreadable: Vec<String>,
    /// Rows that become faults.
    #[serde(default)]
    faults: Vec<String>,
}

/// What a recording is expected to lose, as paths in it.
#[derive(Debug, Default)]
struct Expected {
    unreadable: Vec<String>,
    faults: Vec<String>,
}

impl Expected {
    /// What is listed and was not lost.
    fn missing(&self, lost: &[String]) -> Vec<Fault> {
        let kept = |paths: &[String], what: &str| -> Vec<Fault> {
            let kept = paths.iter().filter(|path| !lost.contains(path));
            kept.map(|path| Fault::new(path, what, "what decodes")).collect()
        };
        let mut missing = kept(&self.unreadable, "a member that cannot be read");
        missing.extend(kept(&self.faults, "a row that does not decode"));
        missing
    }
}

/// A time in another unit than described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherUnit {
    /// Where in the recording.
    pub path: String,
    /// The described unit.
    pub described: &'static str,
    /// The unit that came.
    pub found: &'static str,
}

/// A difference between a recording and the models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where in the recording: `response.data.records[0].fee`.
    pub path: String,
    /// What the recording holds, or what was expected of it.
    pub expected: String,
    /// What came out.
    pub got: String,
}

impl Fault {
    fn new(path: impl Into<String>, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self { path: path.into(), expected: expected.into(), got: got.into() }
    }
}

/// What became of one recording.
enum Verdict {
    Passed(Vec<OtherUnit>),
    Failed(Vec<Fault>),
    /// The endpoint or channel is not described.
    Unknown(Fault),
    /// Nothing in it can be checked.
    Skipped,
}

impl Verdict {
    fn of(faults: Vec<Fault>, units: Vec<OtherUnit>) -> Self {
        if faults.is_empty() { Self::Passed(units) } else { Self::Failed(faults) }
    }
}

/// The result of a run. `Display` prints a line per fault and a last line with the counts.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Recordings without a fault.
    pub passed: usize,
    /// Recordings with faults.
    pub failed: usize,
    /// Recordings in which nothing was checked.
    pub skipped: usize,
    /// Every fault, with its file.
    pub faults: Vec<(PathBuf, Fault)>,
    /// Times in another unit than described, of recordings without a fault.
    pub units: Vec<(PathBuf, OtherUnit)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (file, fault) in &self.faults {
            let Fault { path, expected, got } = fault;
            writeln!(f, "{}: {path}: expected {expected}, got {got}", file.display())?;
        }
        for (file, OtherUnit { path, described, found }) in &self.units {
            writeln!(f, "{}: {path}: {found}, described as {described}", file.display())?;
        }
        writeln!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Checks every `.json` file below `folders`, in order of their names. With `known_only`,
/// recordings of endpoints and channels that are not described are skipped instead of failed.
///
/// # Errors
/// When a folder cannot be read. A recording that cannot be read is a fault of the report.
pub fn check(folders: &[PathBuf], known_only: bool) -> Result<Report, String> {
    let mut report = Report::default();
    for folder in folders {
        let mut files = Vec::new();
        collect(folder, &mut files)?;
        files.sort();
        for file in files {
            let verdict = match std::fs::read_to_string(&file) {
                Ok(text) => judge(&text),
                Err(error) => {
                    Verdict::Failed(vec![Fault::new("$", "a readable file", error.to_string())])
                }
            };
            report.add(&file, verdict, known_only);
        }
    }
    Ok(report)
}

impl Report {
    fn add(&mut self, file: &Path, verdict: Verdict, known_only: bool) {
        let faults = match verdict {
            Verdict::Passed(units) => {
                self.passed += 1;
                self.units.extend(units.into_iter().map(|unit| (file.to_owned(), unit)));
                return;
            }
            Verdict::Unknown(_) if known_only => {
                self.skipped += 1;
                return;
            }
            Verdict::Skipped => {
                self.skipped += 1;
                return;
            }
            Verdict::Unknown(fault) => vec![fault],
            Verdict::Failed(faults) => faults,
        };
        self.failed += 1;
        self.faults.extend(faults.into_iter().map(|fault| (file.to_owned(), fault)));
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let explain = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(explain)? {
        let entry = entry.map_err(explain)?;
        let path = entry.path();
        // The kind of the entry itself, so that a link cannot lead in circles.
        if entry.file_type().map_err(explain)?.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

/// Checks the text of one recording.
fn judge(text: &str) -> Verdict {
    let mut recording: Recording<'_> = match serde_json::from_str(text) {
        Ok(recording) => recording,
        Err(error) => {
            return Verdict::Failed(vec![Fault::new("$", "a recording", error.to_string())]);
        }
    };
    let expected = Expected {
        unreadable: std::mem::take(&mut recording.unreadable),
        faults: std::mem::take(&mut recording.faults),
    };
    match (&recording.method, &recording.path, &recording.ws) {
        (Some(method), Some(path), None) => rest::judge(method, path, &recording, &expected),
        (None, None, Some(dialect)) => ws::judge(dialect, recording.frame, &expected),
        _ => Verdict::Failed(vec![Fault::new("$", "method and path, or ws", "neither or both")]),
    }
}
