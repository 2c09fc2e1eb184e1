//! One dataset on disk: its rows, the answers that they came from, and how far they have come.
//!
//! Answers and rows are appended and synced first; then the state, which says how many bytes of them
//! count, is put in place in one step. Whatever happens in between, a program that goes on cuts both back
//! to what the state says and asks again from its cursor: nothing is missing and nothing comes twice.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bitmart::Timestamp;
use bitmart::rest::history::Cursor;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::private;

/// How far a dataset has come.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// Id of the endpoint that it comes from.
    pub(super) endpoint: String,
    /// Where the walk goes on; nothing at its begin.
    pub(super) cursor: Option<Cursor>,
    /// Bytes of the rows that count.
    pub(super) bytes: u64,
    pub(super) rows: u64,
    /// Bytes of the answers that count.
    pub(super) raw_bytes: u64,
    pub(super) answers: u64,
    /// Times of the first and the last row, in milliseconds.
    pub(super) span: Option<(i64, i64)>,
    pub(super) done: bool,
    /// Why the exchange did not give the rest.
    pub(super) refused: Option<String>,
    /// The exchange denied the list before it gave anything.
    #[serde(default)]
    pub(super) denied: bool,
    /// What is not among the rows although the exchange answered.
    #[serde(default)]
    pub(super) lacks: Option<String>,
    /// Answers that were not understood.
    #[serde(default)]
    pub(super) unread: u64,
    /// Rows that were not understood, in answers that otherwise were.
    #[serde(default)]
    pub(super) faulty: u64,
}

impl State {
    /// How much was not understood, and why the last of it.
    pub(super) fn not_understood(&self, why: &str) -> String {
        let counts = [(self.unread, "answers"), (self.faulty, "rows")];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts.map(|(count, what)| format!("{count} {what}")).collect();
        let counts = counts.join(" and ");
        format!("{counts} are not understood and kept as they came; the last: {why}")
    }
}

/// An answer as it came, with what was asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    /// When it came, in milliseconds.
    pub(super) at: i64,
    pub(super) asked: serde_json::Value,
    /// The body, character by character.
    pub(super) body: String,
}

impl Answer {
    /// An answer that has just come. The exchange writes UTF-8; anything else is marked in its place.
    pub(super) fn new(asked: serde_json::Value, body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body).into_owned();
        Self { at: Timestamp::now().as_millis(), asked, body }
    }
}

/// What one answer adds.
#[derive(Debug)]
pub(super) struct Added<'a> {
    pub(super) answer: &'a Answer,
    /// Lines of JSON.
    pub(super) lines: &'a [u8],
    pub(super) rows: usize,
    /// Times of the first and the last row.
    pub(super) span: Option<(i64, i64)>,
    /// Where the walk then stands.
    pub(super) cursor: Option<&'a Cursor>,
}

#[derive(Debug)]
pub(super) struct Store {
    rows: File,
    raw: File,
    state_path: PathBuf,
    pub(super) name: String,
    pub(super) state: State,
}

impl Store {
    /// Opens the dataset, and takes away what no state tells of.
    pub(super) fn open(folder: &Path, name: &str, endpoint: &str) -> Result<Self, Failure> {
        // What names come from, they stay within the folder.
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.%".contains(letter);
        if !name.chars().all(plain) || name.starts_with('.') {
            return Err(Failure::machine(format!("{name:?} is no name for a file")));
        }
        let state_path = state_path(folder, name);
        let broken = |error: io::Error| Failure::machine(format!("{name}: {error}"));
        let mut state: State = match std::fs::read(&state_path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Failure::machine(format!("{}: {error}", state_path.display()))
                    .with_advice("export into another folder")
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(broken(error)),
        };
        endpoint.clone_into(&mut state.endpoint);
        let raw_path = raw_path(folder, name);
        private::folder(raw_path.parent().unwrap_or(folder)).map_err(broken)?;
        let rows = open(&rows_path(folder, name), state.bytes).map_err(broken)?;
        let raw = open(&raw_path, state.raw_bytes).map_err(broken)?;
        let (Some(rows), Some(raw)) = (rows, raw) else {
            return Err(Failure::machine(format!("{name}: something is missing at its end"))
                .with_advice("the folder was changed; export into another one"));
        };
        Ok(Self { rows, raw, state_path, name: name.to_owned(), state })
    }

    /// Forgets what is there, which is of another moment.
    pub(super) fn restart(&mut self) -> Result<(), Failure> {
        let endpoint = std::mem::take(&mut self.state.endpoint);
        self.state = State { endpoint, ..State::default() };
        self.save()?;
        let broken = |error: io::Error| Failure::machine(format!("{}: {error}", self.name));
        for file in [&mut self.rows, &mut self.raw] {
            file.set_len(0).and_then(|()| file.rewind()).map_err(broken)?;
        }
        Ok(())
    }

    /// Keeps what an answer adds.
    pub(super) fn append(&mut self, added: &Added<'_>) -> Result<(), Failure> {
        let broken = |error: io::Error| Failure::machine(format!("{}: {error}", self.name));
        let mut answer = serde_json::to_vec(added.answer)
            .map_err(|error| Failure::machine(format!("{}: {error}", self.name)))?;
        answer.push(b'\n');
        self.raw.write_all(&answer).map_err(broken)?;
        self.raw.sync_data().map_err(broken)?;
        if !added.lines.is_empty() {
            self.rows.write_all(added.lines).map_err(broken)?;
            self.rows.sync_data().map_err(broken)?;
        }
        let state = &mut self.state;
        state.bytes += added.lines.len() as u64;
        state.rows += added.rows as u64;
        state.raw_bytes += answer.len() as u64;
        state.answers += 1;
        state.cursor = added.cursor.cloned();
        state.span = match (state.span, added.span) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (known, new) => new.or(known),
        };
        self.save()
    }

    /// Keeps an answer whose rows the model does not fit: the exchange will be gone before the model is
    /// mended.
    pub(super) fn append_unread(
        &mut self,
        answer: &Answer,
        cursor: Option<&Cursor>,
        why: &str,
    ) -> Result<(), Failure> {
        self.state.unread += 1;
        self.state.lacks = Some(self.state.not_understood(why));
        self.append(&Added { answer, lines: &[], rows: 0, span: None, cursor })
    }

    /// Notes that rows of the next answer are not understood. They are kept in it as they came.
    pub(super) fn note_faulty(&mut self, rows: usize, why: &str) {
        self.state.faulty += rows as u64;
        self.state.lacks = Some(self.state.not_understood(why));
    }

    /// Says that all is there.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        (self.state.done, self.state.denied, self.state.refused) = (true, false, None);
        self.save()
    }

    /// Says why the rest did not come: another run asks again. `by_exchange` when it is the exchange that
    /// says no.
    pub(super) fn refuse(&mut self, why: String, by_exchange: bool) -> Result<(), Failure> {
        self.state.denied = by_exchange && self.state.answers == 0;
        self.state.refused = Some(why);
        self.save()
    }

    /// Says what is not among the rows of a list of the moment: another run asks for it anew.
    pub(super) fn lack(&mut self, what: String) -> Result<(), Failure> {
        self.state.lacks = Some(what);
        self.save()
    }

    fn save(&self) -> Result<(), Failure> {
        let broken = |error: &dyn std::error::Error| {
            Failure::machine(format!("{}: {error}", self.state_path.display()))
        };
        let bytes = serde_json::to_vec(&self.state).map_err(|error| broken(&error))?;
        private::write(&self.state_path, &bytes).map_err(|error| broken(&error))
    }
}

/// Opens a file at its end and cuts it to `bytes`; `None` when it is shorter.
fn open(path: &Path, bytes: u64) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    if file.metadata()?.len() < bytes {
        return Ok(None);
    }
    file.set_len(bytes)?;
    file.seek(SeekFrom::End(0))?;
    Ok(Some(file))
}

/// A symbol as a part of a name: letters that files cannot have are written as their bytes.
pub(super) fn part(symbol: &str) -> String {
    let letter = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'-' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    symbol.bytes().map(letter).collect()
}

/// Where the rows of a dataset lie.
pub(super) fn rows_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.jsonl"))
}

/// Where the answers of a dataset lie.
pub(super) fn raw_path(folder: &Path, name: &str) -> PathBuf {
    folder.join("raw").join(format!("{name}.ndjson"))
}

/// Where the states lie.
pub(super) fn states(folder: &Path) -> PathBuf {
    folder.join("state")
}

fn state_path(folder: &Path, name: &str) -> PathBuf {
    states(folder).join(format!("{name}.json"))
}

/// The state of a dataset.
pub(super) fn state(folder: &Path, name: &str) -> Result<State, Failure> {
    let path = state_path(folder, name);
    let broken =
        |error: &dyn std::error::Error| Failure::machine(format!("{}: {error}", path.display()));
    let text = std::fs::read(&path).map_err(|error| broken(&error))?;
    serde_json::from_slice(&text).map_err(|error| broken(&error))
}

#[cfg(test)]
mod tests {
    use super::{Added, Answer, Store, part, raw_path, rows_path};

    #[test]
    fn any_symbol_makes_a_name_for_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        for (symbol, wanted) in
            [("BTC_USDT", "BTC_USDT"), ("../x", "%2E%2E%2Fx"), ("币_USDT", "%E5%B8%81_USDT")]
        {
            assert_eq!(part(symbol), wanted);
            let name = format!("margin-loans-{wanted}");
            assert!(Store::open(folder.path(), &name, "margin_borrow_records").is_ok());
        }
        assert!(Store::open(folder.path(), "../x", "margin_borrow_records").is_err());
    }

    #[test]
    fn what_no_state_tells_of_is_taken_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let mut store = Store::open(folder, "orders", "spot_order_history").expect("it opens");
        let answer = Answer { at: 7, asked: serde_json::Value::Null, body: "{\n}".to_owned() };
        let lines = b"{\"id\":1}\n";
        let added = Added { answer: &answer, lines, rows: 1, span: Some((3, 4)), cursor: None };
        store.append(&added).expect("it is kept");
        drop(store);
        // As if the program had been killed between the rows of a page and its state.
        let paths = [rows_path(folder, "orders"), raw_path(folder, "orders")];
        let kept: Vec<_> = paths.iter().map(|path| std::fs::read(path).expect("a file")).collect();
        for (path, kept) in paths.iter().zip(&kept) {
            std::fs::write(path, [kept, &b"{\"id\":2}\n{\"id"[..]].concat()).expect("written");
        }
        let store = Store::open(folder, "orders", "spot_order_history").expect("it opens again");
        for (path, kept) in paths.iter().zip(&kept) {
            assert_eq!(&std::fs::read(path).expect("a file"), kept);
        }
        assert_eq!((store.state.rows, store.state.bytes, store.state.span), (1, 9, Some((3, 4))));
        // What the state tells of must be there.
        std::fs::write(&paths[1], b"{").expect("written");
        assert!(Store::open(folder, "orders", "spot_order_history").is_err());
    }
}
