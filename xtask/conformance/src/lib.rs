//! Checks recorded traffic against the models.
//!
//! A recording is a JSON file: `{"method","path","query"|"body","status","response"}` for a REST request and its
//! response, `{"ws":"spot"|"futures","frame"}` for a WebSocket frame. Other members are ignored. It passes if
//!
//! * the endpoint or channel is known,
//! * the parameters decode into the typed request, which encodes to the same members,
//! * the response or frame decodes into the typed model, which encodes to the same members.
//!
//! "The same" means:
//!
//! * Decimals compare by value, whether they are text or number; `true` and `false` equal 1 and 0.
//! * Times compare by value. A time in a unit that differs from the description is reported, and is no difference.
//! * The exchange's spellings of "no value" (see [`bitmart_types::codec`]) are equal, and equal an absent member.
//! * A member that the model drops is a difference, unless the API description lists it with a reason.
//! * An alias that the description lists is the same member.
//! * `null` for parameters or response means that they were not recorded.
//!
//! A recording declares what gets lost: `"unreadable": ["response.data.fluctuation"]` are members that become `None`
//! and are reported as drift, `"faults": ["response.data.symbols[1]"]` are rows that do not decode. All of these
//! must be lost, and nothing else.
//!
//! Envelopes may lack `message` and `trace`, as some published samples do. A member of the envelope that the client
//! does not read is a difference. A response with an error code passes if it decodes as that error.

mod compare;
mod node;
mod rest;
mod time;
mod ws;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

/// One recording. Members stay text, so that numbers keep all digits.
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
    /// A data frame, or a control frame such as an acknowledgement.
    #[serde(borrow, alias = "control")]
    frame: Option<&'a RawValue>,
    /// Members that become `None`.
    #[serde(default)]
    unreadable: Vec<String>,
    /// Rows that do not decode.
    #[serde(default)]
    faults: Vec<String>,
}

/// The losses that a recording declares, as paths in it.
#[derive(Debug, Default)]
struct Expected {
    unreadable: Vec<String>,
    faults: Vec<String>,
}

impl Expected {
    /// Declared losses that did not occur.
    fn not_lost(&self, lost: &[String]) -> Vec<Difference> {
        let kept = |paths: &[String], what: &str| -> Vec<Difference> {
            let kept = paths.iter().filter(|path| !lost.contains(path));
            kept.map(|path| Difference::new(path, what, "what decodes")).collect()
        };
        let mut missing = kept(&self.unreadable, "a member that cannot be read");
        missing.extend(kept(&self.faults, "a row that does not decode"));
        missing
    }
}

/// A time in a unit that differs from the description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherUnit {
    /// Path in the recording.
    pub path: String,
    /// The described unit.
    pub described: &'static str,
    /// The recorded unit.
    pub found: &'static str,
}

/// A difference between a recording and the models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Path in the recording: `response.data.records[0].fee`.
    pub path: String,
    /// The recorded value, or what was expected in its place.
    pub expected: String,
    /// What the model wrote.
    pub got: String,
}

impl Difference {
    fn new(path: impl Into<String>, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self { path: path.into(), expected: expected.into(), got: got.into() }
    }
}

/// The result for one recording.
enum Outcome {
    Passed(Vec<OtherUnit>),
    Failed(Vec<Difference>),
    /// The endpoint or channel is not described.
    Unknown(Difference),
    /// Nothing in it can be checked.
    Skipped,
}

impl Outcome {
    fn new(differences: Vec<Difference>, units: Vec<OtherUnit>) -> Self {
        if differences.is_empty() { Self::Passed(units) } else { Self::Failed(differences) }
    }
}

/// The result of a run. `Display` prints a line per difference, and the counts in the last line.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Recordings without a difference.
    pub passed: usize,
    /// Recordings with differences.
    pub failed: usize,
    /// Recordings without anything to check.
    pub skipped: usize,
    /// Every difference, with its file.
    pub differences: Vec<(PathBuf, Difference)>,
    /// Times in a unit that differs from the description, of recordings that passed.
    pub units: Vec<(PathBuf, OtherUnit)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (file, difference) in &self.differences {
            let Difference { path, expected, got } = difference;
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
/// When a folder cannot be read. A recording that cannot be read counts as failed.
pub fn check(folders: &[PathBuf], known_only: bool) -> Result<Report, String> {
    let mut report = Report::default();
    for folder in folders {
        let mut files = Vec::new();
        collect(folder, &mut files)?;
        files.sort();
        for file in files {
            let outcome = match std::fs::read_to_string(&file) {
                Ok(text) => check_recording(&text),
                Err(error) => Outcome::Failed(vec![Difference::new(
                    "$",
                    "a readable file",
                    error.to_string(),
                )]),
            };
            report.add(&file, outcome, known_only);
        }
    }
    Ok(report)
}

impl Report {
    fn add(&mut self, file: &Path, outcome: Outcome, known_only: bool) {
        let differences = match outcome {
            Outcome::Passed(units) => {
                self.passed += 1;
                self.units.extend(units.into_iter().map(|unit| (file.to_owned(), unit)));
                return;
            }
            Outcome::Unknown(_) if known_only => {
                self.skipped += 1;
                return;
            }
            Outcome::Skipped => {
                self.skipped += 1;
                return;
            }
            Outcome::Unknown(difference) => vec![difference],
            Outcome::Failed(differences) => differences,
        };
        self.failed += 1;
        self.differences.extend(differences.into_iter().map(|one| (file.to_owned(), one)));
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let explain = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(explain)? {
        let entry = entry.map_err(explain)?;
        let path = entry.path();
        // `file_type` does not follow links, which may form a cycle.
        if entry.file_type().map_err(explain)?.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

/// Checks the text of one recording.
fn check_recording(text: &str) -> Outcome {
    let mut recording: Recording<'_> = match serde_json::from_str(text) {
        Ok(recording) => recording,
        Err(error) => {
            return Outcome::Failed(vec![Difference::new("$", "a recording", error.to_string())]);
        }
    };
    let expected = Expected {
        unreadable: std::mem::take(&mut recording.unreadable),
        faults: std::mem::take(&mut recording.faults),
    };
    match (&recording.method, &recording.path, &recording.ws) {
        (Some(method), Some(path), None) => rest::check(method, path, &recording, &expected),
        (None, None, Some(market)) => ws::check(market, recording.frame, &expected),
        _ => {
            Outcome::Failed(vec![Difference::new("$", "method and path, or ws", "neither or both")])
        }
    }
}
