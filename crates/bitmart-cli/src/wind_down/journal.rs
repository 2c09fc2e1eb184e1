//! What was sent and what became of it, on disk: a line before each request, and one after.
//!
//! A line is synced before the request leaves, so that a program that dies at any moment leaves behind all
//! that may have happened. A line that was not finished is of a request that was not sent.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use ring::digest;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::outcome::Before;
use crate::private;
use crate::target::Target;

/// Longest file that is read, in bytes: thousands of steps.
const LARGEST: u64 = 64 << 20;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
enum Line {
    /// Whose journal it is.
    Account { place: String, key: String },
    /// A request is about to be sent.
    Begin(Request),
    /// What became of it.
    End { number: u64, outcome: String, detail: String },
}

/// A request as it was sent, with the ids that it can be known by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) number: u64,
    pub(super) text: String,
    pub(super) endpoint: String,
    pub(super) parameters: Vec<(String, String)>,
    #[serde(default)]
    pub(super) before: Option<Before>,
}

/// The start of the SHA-256 of the API key, so that two accounts do not mix.
fn owner(target: &Target) -> String {
    let key = target.credentials.as_ref().map_or("", |credentials| credentials.key());
    hex::encode(&digest::digest(&digest::SHA256, key.as_bytes()).as_ref()[..8])
}

/// An open journal. Nobody else has it open.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    last: u64,
    /// A request of which no outcome is known.
    pub(super) open: Option<Request>,
}

impl Journal {
    /// Opens the journal at `path`, which must be of this account, or begins one.
    pub(super) fn open(path: &Path, target: &Target) -> Result<Self, Failure> {
        let broken = |error: io::Error| Failure::machine(format!("{}: {error}", path.display()));
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            private::folder(parent).map_err(broken)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(broken)?;
        file.try_lock().map_err(|error| {
            let text = format!("{}: another wind-down is at work: {error}", path.display());
            Failure::machine(text)
        })?;
        let account = Line::Account { place: target.environment.name.clone(), key: owner(target) };
        let mut this = Self { path: path.to_owned(), file, last: 0, open: None };
        if !this.read(&account)? {
            this.append(&account)?;
        }
        Ok(this)
    }

    /// The file of an account that names no other.
    pub(super) fn usual(target: &Target) -> Result<PathBuf, Failure> {
        let home = private::home()
            .ok_or_else(|| Failure::usage("there is no home folder: name a --journal"))?;
        let letters = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        let name: String = target.environment.name.chars().map(letters).collect();
        Ok(home.join("wind-down").join(format!("{name}-{}.jsonl", owner(target))))
    }

    /// Reads what is there; false when that is nothing. What was not finished is cut off.
    fn read(&mut self, account: &Line) -> Result<bool, Failure> {
        let path = self.path.clone();
        let broken = |error: io::Error| Failure::machine(format!("{}: {error}", path.display()));
        let no_journal = |line: usize| {
            let text = format!("{} is no journal of a wind-down: line {line}", path.display());
            Failure::usage(text).with_advice("name another file with --journal")
        };
        if self.file.metadata().map_err(broken)?.len() > LARGEST {
            return Err(Failure::usage(format!("{} is over 64 MiB", path.display())));
        }
        let (mut whole, mut lines) = (0, 0);
        let mut reader = BufReader::new(&self.file);
        loop {
            let mut bytes = Vec::new();
            let length = reader.read_until(b'\n', &mut bytes).map_err(broken)?;
            if !bytes.ends_with(b"\n") {
                break;
            }
            lines += 1;
            let line: Line = serde_json::from_slice(&bytes).map_err(|_| no_journal(lines))?;
            match line {
                Line::Account { .. } if lines == 1 && line == *account => {}
                Line::Account { .. } if lines == 1 => {
                    let text = format!("{} is the journal of another account", path.display());
                    return Err(
                        Failure::usage(text).with_advice("name another file with --journal")
                    );
                }
                _ if lines == 1 => return Err(no_journal(lines)),
                Line::Begin(request) => {
                    self.last = self.last.max(request.number);
                    self.open = Some(request);
                }
                Line::End { number, .. } => {
                    self.open = self.open.take().filter(|request| request.number != number);
                }
                Line::Account { .. } => return Err(no_journal(lines)),
            }
            whole += length as u64;
        }
        self.file.set_len(whole).map_err(broken)?;
        self.file.seek(SeekFrom::End(0)).map_err(broken)?;
        Ok(lines > 0)
    }

    /// Writes down a request that is about to be sent; gives it a number.
    pub(super) fn begin(&mut self, mut request: Request) -> Result<Request, Failure> {
        self.last += 1;
        request.number = self.last;
        self.append(&Line::Begin(request.clone()))?;
        self.open = Some(request.clone());
        Ok(request)
    }

    /// Writes down what became of it.
    pub(super) fn end(&mut self, number: u64, outcome: &str, detail: &str) -> Result<(), Failure> {
        let (outcome, detail) = (outcome.to_owned(), detail.to_owned());
        self.append(&Line::End { number, outcome, detail })?;
        self.open = None;
        Ok(())
    }

    fn append(&mut self, line: &Line) -> Result<(), Failure> {
        let broken =
            |error: io::Error| Failure::machine(format!("{}: {error}", self.path.display()));
        let mut text = serde_json::to_vec(line)
            .map_err(|error| Failure::machine(format!("the journal: {error}")))?;
        text.push(b'\n');
        self.file.write_all(&text).and_then(|()| self.file.sync_all()).map_err(broken)
    }
}
