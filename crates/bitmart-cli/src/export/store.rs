//! One dataset on disk: its rows, its responses and its state.
//!
//! Responses and rows are appended and synced first. Then the state, which contains how many bytes of them are valid,
//! is replaced atomically. After a crash the files are truncated to the valid bytes and the request is sent again from
//! the cursor: no row is missing or doubled.
//!
//! Of a history, a later run requests what is new and some of what is stored. `NAME.jsonl` contains the newest version
//! of each row, and `versions/NAME.jsonl` the replaced ones. A list without a past, such as balances, is requested as a
//! whole by each run: it is a series of snapshots, whose rows contain the time at which they were taken.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bitmart::rest::history::Cursor;

use super::manifest::for_each_line_within;
use super::state::{IDENTITY, MAX_DIGESTS, Previous, Rewrite, model, state_path};
pub(super) use super::state::{
    Snapshot, Span, State, StoredResponse, file_name_part, raw_path, read_state, rows_path,
    state_folder, versions_path,
};
use crate::failure::Failure;
use crate::secure_fs;

/// A response and its new rows.
#[derive(Debug)]
pub(super) struct NewRows<'a> {
    pub(super) response: &'a StoredResponse,
    /// The rows as lines of JSON.
    pub(super) lines: &'a [u8],
    /// Number of the lines.
    pub(super) rows: usize,
    /// Times of the first and the last row, in milliseconds.
    pub(super) span: Option<(i64, i64)>,
    /// Where the pagination continues.
    pub(super) cursor: Option<&'a Cursor>,
    /// Offset and length of the rows that these replace.
    pub(super) replaced: &'a [(u64, u64)],
}

/// An open dataset. Methods save the state unless they say otherwise.
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
    /// Opens the dataset, and truncates its files to the valid bytes.
    pub(super) fn open(folder: &Path, name: &str, endpoint: &str) -> Result<Self, Failure> {
        // Names must not leave the folder.
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.%".contains(letter);
        if !name.chars().all(is_plain) || name.starts_with('.') {
            return Err(Failure::io(format!("{name:?} is no name for a file")));
        }
        let state_path = state_path(folder, name);
        let to_failure = |error: io::Error| Failure::io(format!("{name}: {error}"));
        let (rows_path, raw_path) = (rows_path(folder, name), raw_path(folder, name));
        let known: Option<State> = match std::fs::read(&state_path) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes).map_err(|error| {
                Failure::io(format!("{}: {error}", state_path.display()))
                    .with_advice("export into another folder")
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(to_failure(error)),
        };
        let is_new = known.is_none();
        let mut state = known.unwrap_or_else(|| State { identity: IDENTITY, ..State::default() });
        endpoint.clone_into(&mut state.endpoint);
        if is_new {
            state.model = model(endpoint);
        }
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
        secure_fs::create_dir(raw_path.parent().unwrap_or(folder)).map_err(to_failure)?;
        // Before any other file: files without a state do not belong to the archive.
        if is_new {
            save(&state_path, &state)?;
        }
        if state.rewrite.is_some() {
            finish_rewrite(&rows_path, &mut state).map_err(to_failure)?;
            save(&state_path, &state)?;
        }
        let rows = open(&rows_path, state.bytes).map_err(to_failure)?;
        let raw = open(&raw_path, state.raw_bytes).map_err(to_failure)?;
        let (Some(rows), Some(raw)) = (rows, raw) else {
            return Err(Failure::io(format!(
                "{name}: the file is shorter than it was, or missing; nothing was overwritten"
            ))
            .with_advice("the folder was changed: put back a copy, or export into another one"));
        };
        let folder = folder.to_owned();
        Ok(Self { rows, raw, folder, state_path, name: name.to_owned(), state })
    }

    /// Begins a run that requests these spans.
    pub(super) fn begin_run(&mut self, run: u32, spans: Vec<Span>) -> Result<(), Failure> {
        let state = &mut self.state;
        (state.run, state.todo, state.cursor, state.done) = (run, spans, None, false);
        state.pagination += 1;
        self.save()
    }

    /// Marks the span in progress as done. After the last one nothing is saved: [`finish`](Self::finish) does.
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
        state.pagination += 1;
        self.save()
    }

    /// Begins a snapshot after the existing ones. An unfinished one is discarded, since it belongs to another time: its
    /// rows and responses, but not its part of [`State::span`], which is only a hint for readers.
    pub(super) fn begin_snapshot(&mut self, run: u32, taken: i64) -> Result<(), Failure> {
        let state = &mut self.state;
        // Version 1 did not mark a list as done of which the exchange returns a part only.
        let is_finished = state.done || (state.snapshot.is_none() && state.lacks.is_some());
        let unfinished = if is_finished { None } else { Some(state.snapshot.unwrap_or_default()) };
        let is_discarded = unfinished.is_some();
        if !is_discarded {
            let newest = state.snapshot.unwrap_or_default();
            let byte_range = (newest.bytes, state.bytes);
            state.previous =
                Some(Previous { rows: byte_range, taken: newest.taken, lacks: state.lacking() });
        }
        let begin = unfinished.unwrap_or(Snapshot {
            taken,
            bytes: state.bytes,
            rows: state.rows,
            raw_bytes: state.raw_bytes,
            responses: state.responses,
        });
        (state.bytes, state.rows) = (begin.bytes, begin.rows);
        (state.raw_bytes, state.responses) = (begin.raw_bytes, begin.responses);
        state.snapshot = Some(Snapshot { taken, ..begin });
        (state.run, state.done, state.cursor) = (run, false, None);
        (state.rejected, state.denied, state.lacks) = (None, false, None);
        (state.unread, state.faulty, state.unreadable, state.cut) = (0, 0, 0, 0);
        (state.code, state.unproven, state.ambiguous) = (None, None, 0);
        state.ambiguous_rows.clear();
        state.gaps.clear();
        state.faults.clear();
        self.save()?;
        if !is_discarded {
            return Ok(());
        }
        let to_failure = |error: io::Error| Failure::io(format!("{}: {error}", self.name));
        for (file, bytes) in
            [(&mut self.rows, self.state.bytes), (&mut self.raw, self.state.raw_bytes)]
        {
            file.set_len(bytes).map_err(to_failure)?;
            file.seek(SeekFrom::End(0)).map_err(to_failure)?;
        }
        Ok(())
    }

    /// Appends a response and its rows.
    pub(super) fn append(&mut self, added: &NewRows<'_>) -> Result<(), Failure> {
        let to_failure = |error: io::Error| Failure::io(format!("{}: {error}", self.name));
        let mut response = serde_json::to_vec(added.response)
            .map_err(|error| Failure::io(format!("{}: {error}", self.name)))?;
        response.push(b'\n');
        self.raw.write_all(&response).map_err(to_failure)?;
        self.raw.sync_data().map_err(to_failure)?;
        if !added.lines.is_empty() {
            self.rows.write_all(added.lines).map_err(to_failure)?;
            self.rows.sync_data().map_err(to_failure)?;
        }
        let state = &mut self.state;
        state.bytes += added.lines.len() as u64;
        state.rows += added.rows as u64;
        state.replaced.extend_from_slice(added.replaced);
        state.raw_bytes += response.len() as u64;
        state.responses += 1;
        state.cursor = added.cursor.cloned();
        state.span = match (state.span, added.span) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (known, new) => new.or(known),
        };
        self.save()
    }

    /// Appends a response that does not decode: a newer program may decode it, even when the exchange is gone.
    pub(super) fn append_undecoded(
        &mut self,
        response: &StoredResponse,
        cursor: Option<&Cursor>,
        error: &str,
    ) -> Result<(), Failure> {
        self.state.unread += 1;
        self.state.lacks = Some(self.state.not_understood(error));
        self.append(&NewRows { response, lines: &[], rows: 0, span: None, cursor, replaced: &[] })
    }

    /// Counts rows of the next response that do not decode. They are stored in the response; saves nothing itself.
    pub(super) fn count_faulty_rows(&mut self, rows: usize, error: &str) {
        self.state.faulty += rows as u64;
        self.state.lacks = Some(self.state.not_understood(error));
    }

    /// Remembers the digest of an undecodable row, at most [`MAX_DIGESTS`] of them. Returns whether it is new.
    /// Saves nothing itself.
    pub(super) fn remember_fault(&mut self, digest: String) -> bool {
        let faults = &mut self.state.faults;
        if faults.len() >= MAX_DIGESTS { !faults.contains(&digest) } else { faults.insert(digest) }
    }

    /// Stores the position after a response without new rows.
    pub(super) fn save_cursor(&mut self, cursor: &Cursor) -> Result<(), Failure> {
        self.state.cursor = Some(cursor.clone());
        self.save()
    }

    /// Marks the dataset as done for this run.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.move_replaced_rows()?;
        let state = &mut self.state;
        (state.done, state.denied, state.rejected) = (true, false, None);
        state.code = None;
        if state.snapshot.is_some() {
            state.snapshots += 1;
            state.previous = None;
        }
        self.save()
    }

    /// Moves replaced rows to `versions`. The remaining rows are written to a new file, which replaces the old one
    /// atomically. The state that is saved just before contains the size of the new file, by which a later run knows
    /// which of the two it finds.
    pub(super) fn move_replaced_rows(&mut self) -> Result<(), Failure> {
        if self.state.replaced.is_empty() {
            return Ok(());
        }
        let path = rows_path(&self.folder, &self.name);
        let to_failure = |error: io::Error| Failure::io(format!("{}: {error}", self.name));
        let versions_path = versions_path(&self.folder, &self.name);
        secure_fs::create_dir(versions_path.parent().unwrap_or(&self.folder))
            .map_err(to_failure)?;
        let mut versions = open(&versions_path, self.state.version_bytes)
            .map_err(to_failure)?
            .ok_or_else(|| {
                Failure::io(format!("{}: the file is shorter than it was", versions_path.display()))
            })?;
        let new_path = path.with_extension("jsonl.new");
        let mut new = io::BufWriter::new(open_new(&new_path).map_err(to_failure)?);
        let mut rewrite = Rewrite { bytes: 0, version_bytes: self.state.version_bytes };
        let replaced: BTreeSet<u64> = self.state.replaced.iter().map(|(at, _)| *at).collect();
        for_each_line_within(&path, self.state.bytes, |at, line| {
            let written = if replaced.contains(&at) {
                rewrite.version_bytes += line.len() as u64;
                versions.write_all(line)
            } else {
                rewrite.bytes += line.len() as u64;
                new.write_all(line)
            };
            written.map_err(to_failure)
        })?;
        versions.sync_data().map_err(to_failure)?;
        let new = new.into_inner().map_err(|error| to_failure(error.into_error()))?;
        new.sync_data().map_err(to_failure)?;
        drop(new);
        self.state.rewrite = Some(rewrite);
        self.save()?;
        secure_fs::rename(&new_path, &path).map_err(to_failure)?;
        finish_rewrite(&path, &mut self.state).map_err(to_failure)?;
        self.save()?;
        self.rows = open(&path, self.state.bytes).map_err(to_failure)?.ok_or_else(|| {
            Failure::io(format!("{}: the file is shorter than it was", self.name))
        })?;
        Ok(())
    }

    /// Stores why the rest is missing; another run requests it again. `by_exchange` says whether the exchange rejected
    /// it, `code` with which code.
    pub(super) fn set_rejected(
        &mut self,
        reason: String,
        by_exchange: bool,
        code: Option<i64>,
    ) -> Result<(), Failure> {
        self.state.denied = by_exchange && self.state.responses == 0;
        self.state.code = code;
        self.state.rejected = Some(reason);
        self.save()
    }

    /// Sets why a snapshot may not be what the exchange has. Saves nothing itself.
    pub(super) fn set_unproven(&mut self, why: String) {
        self.state.unproven = Some(why);
    }

    pub(super) fn save(&self) -> Result<(), Failure> {
        save(&self.state_path, &self.state)
    }
}

fn save(path: &Path, state: &State) -> Result<(), Failure> {
    let to_failure =
        |error: &dyn std::error::Error| Failure::io(format!("{}: {error}", path.display()));
    let bytes = serde_json::to_vec(state).map_err(|error| to_failure(&error))?;
    secure_fs::write(path, &bytes).map_err(|error| to_failure(&error))
}

/// Ends a rewrite. If the new file of rows, which is smaller, has taken the place of the old one, the state gets its
/// sizes. Otherwise the state stays, and the replaced rows are moved again later. Saves nothing.
fn finish_rewrite(path: &Path, state: &mut State) -> io::Result<()> {
    let Some(rewrite) = state.rewrite.take() else { return Ok(()) };
    if std::fs::metadata(path)?.len() == rewrite.bytes {
        state.bytes = rewrite.bytes;
        state.version_bytes = rewrite.version_bytes;
        // Each offset is there once: the index knows only the row that took its place.
        state.rows -= state.replaced.len() as u64;
        state.versions += state.replaced.len() as u64;
        state.replaced.clear();
    }
    Ok(())
}

/// Creates an empty file that only the user can read.
fn open_new(path: &Path) -> io::Result<File> {
    secure_fs::options().create(true).truncate(true).open(path)
}

/// Opens a file, truncates it to its valid bytes and goes to its end. A file without valid bytes may be missing and is
/// created. `None` if it is shorter, or missing although it has valid bytes.
fn open(path: &Path, valid_bytes: u64) -> io::Result<Option<File>> {
    let mut options = secure_fs::options();
    let mut file = match options.create(valid_bytes == 0).truncate(false).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && valid_bytes > 0 => {
            return Ok(None);
        }
        opened => opened?,
    };
    if file.metadata()?.len() < valid_bytes {
        return Ok(None);
    }
    file.set_len(valid_bytes)?;
    file.seek(SeekFrom::End(0))?;
    Ok(Some(file))
}

#[cfg(test)]
mod tests;
