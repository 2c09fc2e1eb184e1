//! What could be shared: recordings without what is about the account, and what differs in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bitmart::rest::ErrorKind;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog::{EndpointEntry, RecodeError};
use bitmart::rest::drift::Drift;
use bitmart::rest::http::StatusCode;
use bitmart::rest::testing::{Recording, Redaction};
use bitmart::ws::Dialect;
use bitmart::ws::catalog::{self, Channel};

use crate::failure::{Failure, chain};
use crate::output::json::Json;
use crate::private;

/// The folder as it fills.
pub(super) struct Share {
    folder: PathBuf,
    redaction: Redaction,
    /// The API key, which is looked for in each file before it is written. Secret and memo are never
    /// in an answer.
    key: Option<String>,
    files: BTreeMap<String, usize>,
    endpoints: BTreeSet<&'static str>,
    channels: BTreeSet<&'static str>,
    not_asked: Vec<(String, String)>,
    differences: BTreeSet<(String, String)>,
    drift: Drift,
    withheld: usize,
}

impl Share {
    /// A new folder, or an empty one.
    pub(super) fn new(
        folder: &Path,
        redaction: Redaction,
        key: Option<String>,
    ) -> Result<Self, Failure> {
        let broken =
            |error: std::io::Error| Failure::machine(format!("{}: {error}", folder.display()));
        private::folder(folder).map_err(broken)?;
        if std::fs::read_dir(folder).map_err(broken)?.next().is_some() {
            return Err(Failure::usage(format!("{} is not empty", folder.display()))
                .with_advice("name a new folder with --out"));
        }
        Ok(Self {
            folder: folder.to_owned(),
            redaction,
            key,
            files: BTreeMap::new(),
            endpoints: BTreeSet::new(),
            channels: BTreeSet::new(),
            not_asked: Vec::new(),
            differences: BTreeSet::new(),
            drift: Drift::new(),
            withheld: 0,
        })
    }

    pub(super) fn not_asked(&mut self, what: &str, reason: &str) {
        self.not_asked.push((what.to_owned(), reason.to_owned()));
    }

    pub(super) fn differs(&mut self, what: &str, how: &str) {
        self.differences.insert((what.to_owned(), how.to_owned()));
    }

    /// Keeps a question with its answer. What differs is found in what is kept, so that it holds no
    /// more than that.
    pub(super) fn rest(
        &mut self,
        entry: &'static EndpointEntry,
        recording: Recording,
    ) -> Result<(), Failure> {
        let id = entry.metadata.id;
        let recording = self.redaction.recording(recording);
        let status = StatusCode::from_u16(recording.status).unwrap_or_default();
        let answer = recording.response.as_ref().map(Json::to_string).unwrap_or_default();
        let body = Bytes::from(answer);
        let recoded =
            self.drift.watch(&entry.metadata, &body, || entry.recode_response(status, &body));
        if let Err(error) = recoded {
            let is_refusal = matches!(&error, RecodeError::Response(error)
                if matches!(error.kind(), ErrorKind::Api(_)));
            if !is_refusal {
                self.differs(id, &chain(&error));
            }
        }
        if self.write(&format!("rest/{id}"), &recording.to_json())? {
            self.endpoints.insert(id);
        }
        Ok(())
    }

    /// Keeps a frame.
    pub(super) fn frame(&mut self, channel: &'static Channel, frame: &str) -> Result<(), Failure> {
        let (dialect, pattern) = (channel.dialect, channel.pattern);
        let side = match dialect {
            Dialect::Spot => "spot",
            Dialect::Futures => "futures",
        };
        let Ok(frame) = Json::read(frame) else {
            self.differs(pattern, "a frame that is no JSON is not kept");
            return Ok(());
        };
        let frame = self.redaction.frame(channel.private, &frame);
        match catalog::recode(dialect, &frame.to_string()) {
            Ok(Some(_)) => {}
            Ok(None) => self.differs(pattern, "a frame names another channel"),
            Err(error) => self.differs(pattern, &chain(&error)),
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

    /// Writes one file, unless the key is in it after all.
    fn write(&mut self, name: &str, file: &Json) -> Result<bool, Failure> {
        let text = file.pretty() + "\n";
        if self.key.as_ref().is_some_and(|key| text.contains(key.as_str())) {
            self.withheld += 1;
            self.differs(name, "an answer that shows the key is not kept");
            return Ok(false);
        }
        let number = self.files.entry(name.to_owned()).or_default();
        *number += 1;
        let path = self.folder.join(format!("{name}-{number}.json"));
        put(&path, &text)?;
        Ok(true)
    }

    /// Writes the lists and returns what there is to be said.
    pub(super) fn finish(self) -> Result<String, Failure> {
        let mut lines: Vec<String> =
            self.differences.iter().map(|(what, how)| format!("{what}: {how}\n")).collect();
        let drift = self.drift.report();
        lines.extend(drift.findings.iter().map(|found| {
            format!("{} `{}`: {}, {} times\n", found.endpoint, found.place, found.kind, found.count)
        }));
        if lines.is_empty() {
            lines.push("nothing\n".to_owned());
        }
        let asked: Vec<_> =
            self.not_asked.iter().map(|(what, why)| format!("{what}: {why}\n")).collect();
        let differences = lines.concat();
        put(&self.folder.join("differences.txt"), &differences)?;
        put(&self.folder.join("not-asked.txt"), &asked.concat())?;
        let files: usize = self.files.values().sum();
        let shown: Vec<_> = lines.iter().take(10).map(|line| format!("  {line}")).collect();
        let more = match lines.len().saturating_sub(shown.len()) {
            0 => String::new(),
            more => format!("  and {more} more\n"),
        };
        let withheld = match self.withheld {
            0 => String::new(),
            count => format!("{count} answers showed the key and were not kept\n"),
        };
        Ok(format!(
            "{files} recordings of {} endpoints and {} channels in {}\n{withheld}\
             {} were not asked: see not-asked.txt\n\
             what differs from the models (differences.txt):\n{}{more}\
             This is what would be shared, and all of it: nothing was sent anywhere. Ids, addresses, \
             names, traces and amounts are stand-ins of the same form, times are moved; symbols, \
             currencies, states and which endpoints answered are as they came. Read the files first; \
             then, if you want to help, attach the folder to an issue of this project.\n",
            self.endpoints.len(),
            self.channels.len(),
            self.folder.display(),
            self.not_asked.len(),
            shown.concat(),
        ))
    }
}

fn put(path: &Path, text: &str) -> Result<(), Failure> {
    private::write(path, text.as_bytes())
        .map_err(|error| Failure::machine(format!("{}: {error}", path.display())))
}
