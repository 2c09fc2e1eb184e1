//! The output of `probe`: redacted recordings, and their differences from the models.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bitmart::rest::ErrorKind;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog::{EndpointEntry, RecodeError};
use bitmart::rest::drift::Drift;
use bitmart::rest::http::StatusCode;
use bitmart::rest::recording::{Recording, Redaction};
use bitmart::ws::Market;
use bitmart::ws::catalog::{self, Channel};

use crate::failure::{Failure, chain};
use crate::output::json::Json;
use crate::secure_fs;

/// The folder that is written.
pub(super) struct ResultFolder {
    folder: PathBuf,
    redaction: Redaction,
    /// The API key. A file that contains it is not written. Responses never contain secret and memo.
    key: Option<String>,
    /// Number of files by name.
    files: BTreeMap<String, usize>,
    endpoints: BTreeSet<&'static str>,
    channels: BTreeSet<&'static str>,
    skipped: Vec<(String, String)>,
    differences: BTreeSet<(String, String)>,
    drift: Drift,
    withheld: usize,
}

impl ResultFolder {
    /// Whether the folder is new or empty, so that [`new`](Self::new) accepts it. Changes nothing.
    pub(super) fn check(folder: &Path) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::io(format!("{}: {error}", folder.display()));
        let mut entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed)?,
        };
        if entries.next().is_some() {
            return Err(Failure::usage(format!("{} is not empty", folder.display()))
                .with_advice("name a new folder with --out"));
        }
        Ok(())
    }

    /// Creates the folder, which must be new or empty.
    pub(super) fn new(
        folder: &Path,
        redaction: Redaction,
        key: Option<String>,
    ) -> Result<Self, Failure> {
        secure_fs::create_dir(folder)
            .map_err(|error| Failure::io(format!("{}: {error}", folder.display())))?;
        Self::check(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            redaction,
            key,
            files: BTreeMap::new(),
            endpoints: BTreeSet::new(),
            channels: BTreeSet::new(),
            skipped: Vec::new(),
            differences: BTreeSet::new(),
            drift: Drift::new(),
            withheld: 0,
        })
    }

    pub(super) fn skip(&mut self, what: &str, reason: &str) {
        self.skipped.push((what.to_owned(), reason.to_owned()));
    }

    pub(super) fn add_difference(&mut self, what: &str, difference: &str) {
        self.differences.insert((what.to_owned(), difference.to_owned()));
    }

    /// Adds the text of an error that may contain values, without them.
    pub(super) fn add_error(&mut self, what: &str, text: &str) {
        self.add_difference(what, &without_values(text));
    }

    /// Skips something because of an error whose text may contain values, and stores it without them.
    pub(super) fn skip_after_error(&mut self, what: &str, text: &str) {
        self.skip(what, &without_values(text));
    }

    /// Stores a redacted request with its response. Differences are found in the redacted response, so they
    /// contain no account data.
    pub(super) fn add_call(
        &mut self,
        entry: &'static EndpointEntry,
        recording: Recording,
    ) -> Result<(), Failure> {
        let id = entry.metadata.id;
        let recording = self.redaction.recording(recording);
        let status = StatusCode::from_u16(recording.status).unwrap_or_default();
        let response = recording.response.as_ref().map(Json::to_string).unwrap_or_default();
        let body = Bytes::from(response);
        let recoded =
            self.drift.watch(&entry.metadata, &body, || entry.recode_response(status, &body));
        if let Err(error) = recoded {
            let is_rejection = matches!(&error, RecodeError::Response(error)
                if matches!(error.kind(), ErrorKind::Api(_)));
            if !is_rejection {
                self.add_difference(id, &chain(&error));
            }
        }
        if self.write(&format!("rest/{id}"), &recording.to_json())? {
            self.endpoints.insert(id);
        }
        Ok(())
    }

    /// Stores a redacted frame.
    pub(super) fn add_frame(
        &mut self,
        channel: &'static Channel,
        frame: &str,
    ) -> Result<(), Failure> {
        let (market, pattern) = (channel.market, channel.pattern);
        let side = match market {
            Market::Spot => "spot",
            Market::Futures => "futures",
        };
        let Ok(frame) = Json::parse(frame) else {
            self.add_difference(pattern, "a frame that is not JSON is not stored");
            return Ok(());
        };
        let frame = self.redaction.frame(channel.private, &frame);
        match catalog::recode(market, &frame.to_string()) {
            Ok(Some(_)) => {}
            Ok(None) => self.add_difference(pattern, "a frame names another channel"),
            Err(error) => self.add_difference(pattern, &chain(&error)),
        }
        let text = |text: &str| Json::Text(text.to_owned());
        let members = [("source", text("bitmart probe")), ("ws", text(side)), ("frame", frame)];
        let members = members.map(|(name, value)| (name.to_owned(), value));
        let name: String = pattern
            .split([':', '{'])
            .next()
            .unwrap_or_default()
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
            .collect();
        if self.write(&format!("ws/{}", name.trim_matches('_')), &Json::Object(members.into()))? {
            self.channels.insert(pattern);
        }
        Ok(())
    }

    /// Writes a file, unless it contains the key.
    fn write(&mut self, name: &str, file: &Json) -> Result<bool, Failure> {
        let text = file.pretty() + "\n";
        if self.key.as_ref().is_some_and(|key| text.contains(key.as_str())) {
            self.withheld += 1;
            self.add_difference(name, "a file that contains the key is not stored");
            return Ok(false);
        }
        let number = self.files.entry(name.to_owned()).or_default();
        *number += 1;
        let path = self.folder.join(format!("{name}-{number}.json"));
        write_file(&path, &text)?;
        Ok(true)
    }

    /// Writes the lists and returns a summary.
    pub(super) fn finish(self) -> Result<String, Failure> {
        let mut lines: Vec<String> = self
            .differences
            .iter()
            .map(|(what, difference)| format!("{what}: {difference}\n"))
            .collect();
        let drift = self.drift.report();
        lines.extend(drift.findings.iter().map(|found| {
            format!("{} `{}`: {}, {} times\n", found.endpoint, found.place, found.kind, found.count)
        }));
        if lines.is_empty() {
            lines.push("nothing\n".to_owned());
        }
        let skipped: Vec<_> =
            self.skipped.iter().map(|(what, why)| format!("{what}: {why}\n")).collect();
        let differences = lines.concat();
        write_file(&self.folder.join("differences.txt"), &differences)?;
        write_file(&self.folder.join("skipped.txt"), &skipped.concat())?;
        let files: usize = self.files.values().sum();
        let shown: Vec<_> = lines.iter().take(10).map(|line| format!("  {line}")).collect();
        let more = match lines.len().saturating_sub(shown.len()) {
            0 => String::new(),
            more => format!("  and {more} more\n"),
        };
        let withheld = match self.withheld {
            0 => String::new(),
            count => format!("{count} files contained the key and were not stored\n"),
        };
        Ok(format!(
            "{files} recordings of {} endpoints and {} channels in {}\n{withheld}\
             {} endpoints and channels were skipped: see skipped.txt\n\
             Differences from the models (differences.txt):\n{}{more}\
             Nothing was sent anywhere. Ids, addresses, names, traces and amounts are placeholders of the \
             same form, and times are moved; symbols, currencies, states and the list of responding \
             endpoints are unchanged. Read the files first; then, if you want to help, attach the folder \
             to an issue of this project.\n",
            self.endpoints.len(),
            self.channels.len(),
            self.folder.display(),
            self.skipped.len(),
            shown.concat(),
        ))
    }
}

/// The text with `…` in place of every word that is not made of letters, such as amounts, ids and addresses. A
/// placeholder of the same form would be taken for a real value. Punctuation and quotes around a word do not count.
fn without_values(text: &str) -> String {
    let shown = |word: &str| {
        let inner = word.trim_matches(|letter: char| ",.:;!?()'\"`[]-".contains(letter));
        let is_word = |byte: u8| byte.is_ascii_alphabetic() || b"-'".contains(&byte);
        if inner.bytes().all(is_word) { word.to_owned() } else { "…".to_owned() }
    };
    text.split_whitespace().map(shown).collect::<Vec<_>>().join(" ")
}

fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    secure_fs::write(path, text.as_bytes())
        .map_err(|error| Failure::io(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_listed_without_values() {
        let place = tempfile::tempdir().expect("no temporary folder");
        let mut results =
            ResultFolder::new(place.path(), Redaction::new(b"a secret"), None).expect("no folder");
        results.add_error("spot/user/order", "topic rejected: order 1223181 of peter@example.com");
        results
            .skip_after_error("futures/order", "host 10.1.2.3:443 could not connect: \"abc123\"");
        results.add_error("spot/ticker", "missing field `price`, invalid type: string `5e3`");
        results.finish().expect("not written");
        let text = |name: &str| std::fs::read_to_string(place.path().join(name)).expect("no file");
        assert_eq!(
            text("differences.txt"),
            "spot/ticker: missing field `price`, invalid type: string …\n\
             spot/user/order: topic rejected: order … of …\n"
        );
        assert_eq!(text("skipped.txt"), "futures/order: host … could not connect: …\n");
    }

    #[test]
    fn a_folder_is_checked_without_creating_it() {
        let place = tempfile::tempdir().expect("no temporary folder");
        let new = place.path().join("new");
        ResultFolder::check(&new).expect("a new folder is rejected");
        assert!(!new.exists(), "the check creates the folder");
        std::fs::create_dir(&new).expect("no folder");
        ResultFolder::check(&new).expect("an empty folder is rejected");
        assert!(ResultFolder::check(place.path()).is_err(), "it is not empty");
    }
}
