//! A journal of requests and their outcomes: a line before each request, and one after it.
//!
//! A line is synced before its request is sent, so a program that is killed at any moment leaves a record of
//! every request that may have taken effect. An incomplete line belongs to a request that was not sent.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bitmart::Timestamp;
use ring::digest;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::reconcile::Baseline;
use crate::secure_fs;
use crate::target::Target;

/// Requests in older journals were signed within this time in milliseconds: the wait for a rate limit, at most 30
/// seconds, and the default timeout.
const MAX_SIGNATURE_DELAY_MS: i64 = 60_000;
/// Maximum size of a journal in bytes.
const MAX_SIZE: u64 = 64 << 20;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
enum Line {
    /// The account of the journal.
    Account { place: String, key: String },
    /// A request that is about to be sent.
    Begin(Request),
    /// The outcome of a request.
    End { number: u64, outcome: String, detail: String },
}

/// A request, with the ids that identify it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) number: u64,
    pub(super) text: String,
    pub(super) endpoint: String,
    pub(super) parameters: Vec<(String, String)>,
    #[serde(default)]
    #[serde(rename = "before")]
    pub(super) baseline: Option<Baseline>,
    /// The latest time that its signature can carry, in milliseconds; `None` in older journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signed_by_ms: Option<i64>,
}

impl Request {
    /// The code of the currency, if it is a withdrawal.
    fn withdrawn(&self) -> Option<String> {
        let (_, code) = self.parameters.iter().find(|(name, _)| name == "currency")?;
        (self.endpoint == "account_withdraw").then(|| code.clone())
    }

    /// The latest time that its signature can carry.
    pub(super) fn signed_by(&self) -> Timestamp {
        let begun = self.baseline.as_ref().map_or(0, |baseline| baseline.at_ms);
        let bound = || begun.saturating_add(MAX_SIGNATURE_DELAY_MS);
        Timestamp::from_millis(self.signed_by_ms.unwrap_or_else(bound))
    }
}

fn line_of(line: &Line) -> Result<Vec<u8>, Failure> {
    let mut text =
        serde_json::to_vec(line).map_err(|error| Failure::io(format!("the journal: {error}")))?;
    text.push(b'\n');
    Ok(text)
}

/// The first bytes of the SHA-256 of the API key, to distinguish accounts.
fn key_hash(target: &Target) -> String {
    let key = target.credentials.as_ref().map_or("", |credentials| credentials.key());
    hex::encode(&digest::digest(&digest::SHA256, key.as_bytes()).as_ref()[..8])
}

/// An open and locked journal.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Number of the last request.
    last_number: u64,
    /// The request with an unknown outcome.
    pub(super) unresolved: Option<Request>,
    /// The codes of all withdrawals in it.
    pub(super) withdrawn: BTreeSet<String>,
}

impl Journal {
    /// Opens or creates the journal at `path`. A journal of another account is rejected.
    pub(super) fn open(path: &Path, target: &Target) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::io(format!("{}: {error}", path.display()));
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            secure_fs::create_dir(parent).map_err(failed)?;
        }
        let mut options = secure_fs::options();
        let file = options.read(true).create(true).truncate(false).open(path).map_err(failed)?;
        file.try_lock().map_err(|error| {
            let text = format!("{}: another wind-down is running: {error}", path.display());
            Failure::io(text)
        })?;
        let account =
            Line::Account { place: target.environment.name.clone(), key: key_hash(target) };
        let mut journal = Self {
            path: path.to_owned(),
            file,
            last_number: 0,
            unresolved: None,
            withdrawn: BTreeSet::new(),
        };
        if !journal.read(&account)? {
            journal.append(&account)?;
            secure_fs::sync_name(path).map_err(failed)?;
        }
        Ok(journal)
    }

    /// The default journal of an account.
    pub(super) fn default_path(target: &Target) -> Result<PathBuf, Failure> {
        let home = secure_fs::config_dir()
            .ok_or_else(|| Failure::usage("there is no home folder: add --journal"))?;
        let letters = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        let name: String = target.environment.name.chars().map(letters).collect();
        Ok(home.join("wind-down").join(format!("{name}-{}.jsonl", key_hash(target))))
    }

    /// Reads the journal and removes an incomplete last line. Returns false if the journal is empty.
    fn read(&mut self, account: &Line) -> Result<bool, Failure> {
        let path = self.path.clone();
        let failed = |error: io::Error| Failure::io(format!("{}: {error}", path.display()));
        let malformed = |line: usize| {
            let text = format!("{} is not a journal of wind-down: line {line}", path.display());
            Failure::usage(text).with_advice("name another file with --journal")
        };
        if self.file.metadata().map_err(failed)?.len() > MAX_SIZE {
            return Err(Failure::usage(format!("{} is over 64 MiB", path.display())));
        }
        let (mut complete, mut lines) = (0, 0);
        let mut reader = BufReader::new(&self.file);
        loop {
            let mut bytes = Vec::new();
            let length = reader.read_until(b'\n', &mut bytes).map_err(failed)?;
            if !bytes.ends_with(b"\n") {
                // A file without a complete line is ours only if it is the beginning of our first line.
                if lines == 0 && !line_of(account)?.starts_with(&bytes) {
                    return Err(malformed(1));
                }
                break;
            }
            lines += 1;
            let line: Line = serde_json::from_slice(&bytes).map_err(|_| malformed(lines))?;
            match line {
                Line::Account { .. } if lines == 1 && line == *account => {}
                Line::Account { .. } if lines == 1 => {
                    let text = format!("{} is the journal of another account", path.display());
                    return Err(
                        Failure::usage(text).with_advice("name another file with --journal")
                    );
                }
                _ if lines == 1 => return Err(malformed(lines)),
                Line::Begin(request) => {
                    self.last_number = self.last_number.max(request.number);
                    self.withdrawn.extend(request.withdrawn());
                    self.unresolved = Some(request);
                }
                Line::End { number, .. } => {
                    self.unresolved =
                        self.unresolved.take().filter(|request| request.number != number);
                }
                Line::Account { .. } => return Err(malformed(lines)),
            }
            complete += length as u64;
        }
        self.file.set_len(complete).map_err(failed)?;
        self.file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(lines > 0)
    }

    /// Records a request that is about to be sent, and assigns its number.
    pub(super) fn begin(&mut self, mut request: Request) -> Result<Request, Failure> {
        self.last_number += 1;
        request.number = self.last_number;
        self.append(&Line::Begin(request.clone()))?;
        self.withdrawn.extend(request.withdrawn());
        self.unresolved = Some(request.clone());
        Ok(request)
    }

    /// Records the outcome of a request.
    pub(super) fn end(&mut self, number: u64, outcome: &str, detail: &str) -> Result<(), Failure> {
        let (outcome, detail) = (outcome.to_owned(), detail.to_owned());
        self.append(&Line::End { number, outcome, detail })?;
        self.unresolved = None;
        Ok(())
    }

    fn append(&mut self, line: &Line) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::io(format!("{}: {error}", self.path.display()));
        let text = line_of(line)?;
        self.file.write_all(&text).and_then(|()| self.file.sync_all()).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn a_journal_says_when_a_request_was_signed_at_the_latest() {
        let request = |more: &str| -> Request {
            let text = format!(
                r#"{{"number":1,"text":"","endpoint":"account_withdraw","parameters":[],"before":{{"at_ms":5000}}{more}}}"#
            );
            serde_json::from_str(&text).expect("a request")
        };
        let signed_by = |more| request(more).signed_by().as_millis();
        assert_eq!(signed_by(r#","signed_by_ms":17000"#), 17_000);
        // Journals of earlier versions have only the time before the request.
        assert_eq!(signed_by(""), 65_000);
    }
}
