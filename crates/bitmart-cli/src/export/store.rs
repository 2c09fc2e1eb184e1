//! One dataset on disk: its rows, the answers that they came from, and how far they have come.
//!
//! Answers and rows are appended and synced first; then the state, which says how many bytes of them
//! count, is put in place in one step. Whatever happens in between, a program that goes on cuts both back
//! to what the state says and asks again from its cursor: nothing is missing and nothing comes twice.
//!
//! A list is asked for again in every run. Of a history `NAME.jsonl` holds the newest version of each row, and
//! `versions/NAME.jsonl` those that a later answer replaced; a list of the moment is a series of snapshots,
//! one behind the other, whose rows say when they were taken.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bitmart::rest::history::Cursor;

use super::manifest::for_lines_to;
pub(super) use super::state::{
    Answer, Snapshot, Span, State, part, raw_path, rows_path, state, states, versions_path,
};
use super::state::{FAULTS, Rewrite, state_path};
use crate::failure::Failure;
use crate::secure_fs;

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
    /// Begin and length of rows that these take the place of.
    pub(super) replaced: &'a [(u64, u64)],
}

#[derive(Debug)]
pub(super) struct Store {
    rows: File,
    raw: File,
    pub(super) folder: PathBuf,
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
        let (rows_path, raw_path) = (rows_path(folder, name), raw_path(folder, name));
        let known: Option<State> = match std::fs::read(&state_path) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes).map_err(|error| {
                Failure::machine(format!("{}: {error}", state_path.display()))
                    .with_advice("export into another folder")
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(broken(error)),
        };
        let is_new = known.is_none();
        let mut state = known.unwrap_or_default();
        endpoint.clone_into(&mut state.endpoint);
        let versions = versions_path(folder, name);
        for path in [&rows_path, &raw_path, &versions].into_iter().filter(|_| is_new) {
            if path.exists() {
                return Err(Failure::usage(format!(
                    "{} is there and is no part of this archive; nothing was overwritten",
                    path.display()
                ))
                .with_advice("move the file away, or name another folder"));
            }
        }
        secure_fs::create_dir(raw_path.parent().unwrap_or(folder)).map_err(broken)?;
        // First of all, so that files without a state are never the archive's own.
        if is_new {
            save(&state_path, &state)?;
        }
        if state.rewrite.is_some() {
            rewritten(&rows_path, &mut state).map_err(broken)?;
            save(&state_path, &state)?;
        }
        let rows = open(&rows_path, state.bytes).map_err(broken)?;
        let raw = open(&raw_path, state.raw_bytes).map_err(broken)?;
        let (Some(rows), Some(raw)) = (rows, raw) else {
            return Err(Failure::machine(format!(
                "{name}: the file is shorter than it was; nothing was overwritten"
            ))
            .with_advice("the folder was changed: put back a copy, or export into another one"));
        };
        let folder = folder.to_owned();
        Ok(Self { rows, raw, folder, state_path, name: name.to_owned(), state })
    }

    /// Begins with the spans of a run.
    pub(super) fn begin_run(&mut self, run: u32, spans: Vec<Span>) -> Result<(), Failure> {
        let state = &mut self.state;
        (state.run, state.todo, state.cursor, state.done) = (run, spans, None, false);
        state.walk += 1;
        self.save()
    }

    /// The span at hand is done.
    pub(super) fn finish_span(&mut self) -> Result<(), Failure> {
        let state = &mut self.state;
        if !state.todo.is_empty() {
            let span = state.todo.remove(0);
            state.to = Some(state.to.map_or(span.to, |to| to.max(span.to)));
        }
        if state.todo.is_empty() {
            return Ok(());
        }
        state.cursor = None;
        state.walk += 1;
        self.save()
    }

    /// Begins a snapshot behind those that are there. One that was not finished is taken away: it is of
    /// another moment.
    pub(super) fn begin_snapshot(&mut self, run: u32, taken: i64) -> Result<(), Failure> {
        let state = &mut self.state;
        // Version 1 left a list open that the exchange gives a part of only.
        let is_whole = state.done || (state.snapshot.is_none() && state.lacks.is_some());
        let unfinished = if is_whole { None } else { Some(state.snapshot.unwrap_or_default()) };
        let cut = unfinished.is_some();
        let begin = unfinished.unwrap_or(Snapshot {
            taken,
            bytes: state.bytes,
            rows: state.rows,
            raw_bytes: state.raw_bytes,
            answers: state.answers,
        });
        (state.bytes, state.rows) = (begin.bytes, begin.rows);
        (state.raw_bytes, state.answers) = (begin.raw_bytes, begin.answers);
        state.snapshot = Some(Snapshot { taken, ..begin });
        (state.run, state.done, state.cursor) = (run, false, None);
        (state.refused, state.denied, state.lacks) = (None, false, None);
        (state.unread, state.faulty) = (0, 0);
        state.faults.clear();
        self.save()?;
        if !cut {
            return Ok(());
        }
        let broken = |error: io::Error| Failure::machine(format!("{}: {error}", self.name));
        for (file, bytes) in
            [(&mut self.rows, self.state.bytes), (&mut self.raw, self.state.raw_bytes)]
        {
            file.set_len(bytes).map_err(broken)?;
            file.seek(SeekFrom::End(0)).map_err(broken)?;
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
        state.replaced.extend_from_slice(added.replaced);
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
        self.append(&Added { answer, lines: &[], rows: 0, span: None, cursor, replaced: &[] })
    }

    /// Notes that rows of the next answer are not understood. They are kept in it as they came.
    pub(super) fn note_faulty(&mut self, rows: usize, why: &str) {
        self.state.faulty += rows as u64;
        self.state.lacks = Some(self.state.not_understood(why));
    }

    /// Whether a row that is not understood has not come before, so far as that is remembered.
    pub(super) fn is_new_fault(&mut self, digest: String) -> bool {
        let faults = &mut self.state.faults;
        if faults.len() >= FAULTS { !faults.contains(&digest) } else { faults.insert(digest) }
    }

    /// Nothing of an answer is new: only the walk goes on.
    pub(super) fn go_on(&mut self, cursor: &Cursor) -> Result<(), Failure> {
        self.state.cursor = Some(cursor.clone());
        self.save()
    }

    /// Says that all is there.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.tidy()?;
        let state = &mut self.state;
        (state.done, state.denied, state.refused) = (true, false, None);
        if state.snapshot.is_some() {
            state.snapshots += 1;
        }
        self.save()
    }

    /// Moves replaced rows to `versions`. The rows are written anew beside the old ones and take their place
    /// in one step; a state in between tells which of the two is there.
    pub(super) fn tidy(&mut self) -> Result<(), Failure> {
        if self.state.replaced.is_empty() {
            return Ok(());
        }
        let path = rows_path(&self.folder, &self.name);
        let broken = |error: io::Error| Failure::machine(format!("{}: {error}", self.name));
        let versions_path = versions_path(&self.folder, &self.name);
        secure_fs::create_dir(versions_path.parent().unwrap_or(&self.folder)).map_err(broken)?;
        let mut versions =
            open(&versions_path, self.state.version_bytes).map_err(broken)?.ok_or_else(|| {
                Failure::machine(format!(
                    "{}: the file is shorter than it was",
                    versions_path.display()
                ))
            })?;
        let new_path = path.with_extension("jsonl.new");
        let mut new = io::BufWriter::new(open_new(&new_path).map_err(broken)?);
        let mut rewrite = Rewrite { bytes: 0, version_bytes: self.state.version_bytes };
        let replaced: BTreeSet<u64> = self.state.replaced.iter().map(|(at, _)| *at).collect();
        for_lines_to(&path, self.state.bytes, |at, line| {
            let written = if replaced.contains(&at) {
                rewrite.version_bytes += line.len() as u64;
                versions.write_all(line)
            } else {
                rewrite.bytes += line.len() as u64;
                new.write_all(line)
            };
            written.map_err(broken)
        })?;
        versions.sync_data().map_err(broken)?;
        let new = new.into_inner().map_err(|error| broken(error.into_error()))?;
        new.sync_data().map_err(broken)?;
        drop(new);
        self.state.rewrite = Some(rewrite);
        self.save()?;
        std::fs::rename(&new_path, &path).map_err(broken)?;
        rewritten(&path, &mut self.state).map_err(broken)?;
        self.save()?;
        self.rows = open(&path, self.state.bytes).map_err(broken)?.ok_or_else(|| {
            Failure::machine(format!("{}: the file is shorter than it was", self.name))
        })?;
        Ok(())
    }

    /// Says why the rest did not come: another run asks again. `by_exchange` when it is the exchange that
    /// says no.
    pub(super) fn refuse(&mut self, why: String, by_exchange: bool) -> Result<(), Failure> {
        self.state.denied = by_exchange && self.state.answers == 0;
        self.state.refused = Some(why);
        self.save()
    }

    /// Says what is not among the rows of a list of the moment.
    pub(super) fn lack(&mut self, what: String) {
        self.state.lacks = Some(what);
    }

    pub(super) fn save(&self) -> Result<(), Failure> {
        save(&self.state_path, &self.state)
    }
}

fn save(path: &Path, state: &State) -> Result<(), Failure> {
    let broken =
        |error: &dyn std::error::Error| Failure::machine(format!("{}: {error}", path.display()));
    let bytes = serde_json::to_vec(state).map_err(|error| broken(&error))?;
    secure_fs::write(path, &bytes).map_err(|error| broken(&error))
}

/// Takes over what the rows became, if they took the place of the old ones: they are fewer. Otherwise they
/// still have to.
fn rewritten(path: &Path, state: &mut State) -> io::Result<()> {
    let Some(rewrite) = state.rewrite.take() else { return Ok(()) };
    if std::fs::metadata(path)?.len() == rewrite.bytes {
        state.bytes = rewrite.bytes;
        state.version_bytes = rewrite.version_bytes;
        state.rows -= state.replaced.len() as u64;
        state.versions += state.replaced.len() as u64;
        state.replaced.clear();
    }
    Ok(())
}

/// A file of one's own, empty.
fn open_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
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

#[cfg(test)]
mod tests {
    use super::{Added, Answer, Rewrite, Store, part, raw_path, rows_path, versions_path};

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
        let answer = Answer::new(serde_json::Value::Null, b"{\n}");
        let lines = b"{\"id\":1}\n";
        let added = Added {
            answer: &answer,
            lines,
            rows: 1,
            span: Some((3, 4)),
            cursor: None,
            replaced: &[],
        };
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

    #[test]
    fn moving_replaced_rows_away_may_be_interrupted_anywhere() {
        let answer = Answer::new(serde_json::Value::Null, b"{}");
        // Before the rows take the place of the old ones, and behind that.
        for renamed in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let folder = folder.path();
            let mut store = Store::open(folder, "orders", "spot_order_history").expect("it opens");
            for (lines, replaced) in [
                (&b"{\"id\":1}\n{\"id\":2}\n"[..], &[][..]),
                (&b"{\"id\":\"one\"}\n"[..], &[(0, 9)]),
            ] {
                let rows = lines.split(|letter| *letter == b'\n').count() - 1;
                let added =
                    Added { answer: &answer, lines, rows, span: None, cursor: None, replaced };
                store.append(&added).expect("it is kept");
            }
            store.state.rewrite = Some(Rewrite { bytes: 22, version_bytes: 9 });
            store.save().expect("written");
            drop(store);
            let new = b"{\"id\":2}\n{\"id\":\"one\"}\n";
            if renamed {
                std::fs::create_dir(folder.join("versions")).expect("a folder");
                std::fs::write(versions_path(folder, "orders"), b"{\"id\":1}\n").expect("written");
                std::fs::write(rows_path(folder, "orders"), new).expect("written");
            }
            let mut store = Store::open(folder, "orders", "spot_order_history").expect("it opens");
            assert_eq!(store.state.replaced.is_empty(), renamed);
            store.finish().expect("it ends");
            drop(store);
            assert_eq!(std::fs::read(rows_path(folder, "orders")).expect("rows"), new);
            let versions = std::fs::read(versions_path(folder, "orders")).expect("versions");
            assert_eq!(versions, b"{\"id\":1}\n");
            let state = super::state(folder, "orders").expect("a state");
            assert_eq!(
                (state.rows, state.versions, state.bytes, state.version_bytes),
                (2, 1, 22, 9)
            );
        }
    }
}
