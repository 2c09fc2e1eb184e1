//! Rebuilds the rows of a dataset from its stored responses, as an export writes them.
//!
//! Within one pagination the first version of a row counts, between paginations the newest; a snapshot has the rows
//! of its own responses. Needs about 50 bytes of memory per row, and twice that after more than one pagination.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;

use bitmart::Timestamp;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog;
use bitmart::rest::history::{Cursor, RowKey};
use serde_json::Value;

use super::ambiguous::WindowPages;
use super::archive::ArchiveInfo;
use super::cursor::{is_for_earlier_page, with_ids};
use super::history_rows::{self, Read};
use super::index::{Digest, digest};
use super::list_end::ListEnd;
use super::manifest::for_each_line_within;
use super::pages::{EARLIEST_MS, update_pending, with_snapshot_time};
use super::row_check::id_in_snapshot;
use super::row_versions::{Added, RowVersions};
use super::snapshot::{NO_LIST, SnapshotLines, count, entry, snapshot_lines};
use super::state::{MAX_DIGESTS, State};
use super::store::{StoredResponse, raw_path, versions_path};
use crate::failure::Failure;
use crate::secure_fs;

/// A rebuilt dataset.
pub(super) struct Rebuilt {
    pub(super) state: State,
    pub(super) rows_sha256: String,
    /// The replaced rows are the stored ones, in whatever order.
    pub(super) same_versions: bool,
}

/// Rebuilds a dataset, and writes its rows and its replaced rows to these two files.
pub(super) fn rebuild(
    folder: &Path,
    name: &str,
    old: &State,
    info: &ArchiveInfo,
    [rows_to, versions_to]: [&Path; 2],
) -> Result<Rebuilt, Failure> {
    let io = |error: std::io::Error| Failure::io(format!("{name}: {error}"));
    // The rows that later responses replace, and the responses that they came with.
    let mut replaced: HashMap<(Digest, u64), u64> = HashMap::new();
    if old.pagination > 0 && old.snapshot.is_none() {
        let mut versions = RowVersions::default();
        each_response(folder, name, old, |number, response| {
            if let Some(Ok(read)) = history_rows::read(&old.endpoint, &Bytes::from(response.body)) {
                for added in versions.add(&identities(&read, None), response.pagination, number) {
                    if let Added::Replaces(line, number) = added {
                        *replaced.entry((line, number)).or_default() += 1;
                    }
                }
            }
            Ok(())
        })?;
    }
    let mut builder = Rebuilder::new(old, info, replaced);
    secure_fs::write_with(rows_to, io, |rows| {
        secure_fs::write_with(versions_to, io, |versions| {
            each_response(folder, name, old, |number, response| {
                builder.response(number, &response, rows, versions).map_err(io)
            })
        })
    })?;
    let mut stored_sum = 0_u128;
    if old.versions > 0 {
        for_each_line_within(&versions_path(folder, name), old.version_bytes, |_, line| {
            stored_sum = stored_sum.wrapping_add(u128::from_le_bytes(digest(line)));
            Ok(())
        })?;
    }
    let same_versions = stored_sum == builder.versions_sum && old.versions == builder.versions;
    Ok(builder.finish(same_versions))
}

/// Passes the stored responses to `each`, with their numbers.
fn each_response(
    folder: &Path,
    name: &str,
    old: &State,
    mut each: impl FnMut(u64, StoredResponse) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut number = 0;
    for_each_line_within(&raw_path(folder, name), old.raw_bytes, |_, line| {
        number += 1;
        let response = serde_json::from_slice(line)
            .map_err(|error| Failure::io(format!("raw/{name}.ndjson: {error}")))?;
        each(number, response)
    })
}

/// The numbered ids and the digests of the rows of a response.
fn identities(read: &Read, taken: Option<i64>) -> Vec<(String, Digest)> {
    let of = |(key, line): &(RowKey, Vec<u8>)| (id_in_snapshot(taken, &key.id), digest(line));
    read.rows.iter().map(of).collect()
}

/// Reads the responses in order, and writes the rows as an export would have.
struct Rebuilder<'a> {
    /// The state of the archive as it is.
    old: &'a State,
    /// How many rows of this digest and response later ones replace.
    replaced: HashMap<(Digest, u64), u64>,
    /// The newest version of each row so far.
    known: RowVersions,
    /// The snapshot that is being read, by its time.
    taken: Option<i64>,
    /// The stored position of the pagination.
    cursor: Option<Cursor>,
    /// Ids of rows that will be received again: the pagination did not get past their response.
    again: Vec<String>,
    /// Ids of rows on earlier pages of the window in which the pagination stopped.
    on_earlier_pages: Vec<String>,
    window_pages: WindowPages,
    /// Digests of the rows that do not decode.
    faults: HashSet<Digest>,
    /// Digests of such rows in the previous and the present window, each with a number that tells equal rows apart.
    windows: [HashSet<(Digest, u64)>; 2],
    /// The last decoding error.
    last_error: Option<String>,
    /// Whether the pages of the snapshot are the whole list.
    end: ListEnd,
    /// Of the rows that were written.
    hash: ring::digest::Context,
    /// Number and bytes of the replaced rows that were written.
    versions: u64,
    version_bytes: u64,
    /// Sum of the replaced rows' digests, which does not depend on their order.
    versions_sum: u128,
    /// The state of the rebuilt dataset.
    state: State,
}

impl<'a> Rebuilder<'a> {
    fn new(old: &'a State, info: &ArchiveInfo, replaced: HashMap<(Digest, u64), u64>) -> Self {
        let at = Timestamp::from_millis;
        let (from, to) =
            old.todo.first().map_or((info.from_ms, info.to_ms), |span| (span.from, span.to));
        let begin = || history_rows::begin(&old.endpoint, at(from), at(to));
        let mut state = old.clone();
        (state.rows, state.bytes, state.span) = (0, 0, None);
        (state.unread, state.faulty, state.unreadable, state.cut) = (0, 0, 0, 0);
        state.ambiguous = state.ambiguous_rows.len() as u64;
        // The rows say which are pending; older programs wrote other ids.
        state.pending.clear();
        Self {
            old,
            replaced,
            known: RowVersions::default(),
            taken: None,
            cursor: old.cursor.clone().or_else(begin),
            again: Vec::new(),
            on_earlier_pages: Vec::new(),
            window_pages: WindowPages::default(),
            faults: HashSet::new(),
            windows: [HashSet::new(), HashSet::new()],
            last_error: None,
            end: ListEnd::default(),
            hash: ring::digest::Context::new(&ring::digest::SHA256),
            versions: 0,
            version_bytes: 0,
            versions_sum: 0,
            state,
        }
    }

    fn response(
        &mut self,
        number: u64,
        response: &StoredResponse,
        rows: &mut impl Write,
        versions: &mut impl Write,
    ) -> std::io::Result<()> {
        if response.taken != self.taken {
            self.begin_snapshot(response.taken);
        }
        if response.body.is_empty() {
            // The exchange reports an empty window as an error.
            return Ok(());
        }
        let body = Bytes::from(response.body.clone());
        match history_rows::read(&self.old.endpoint, &body) {
            Some(Ok(read)) => self.history(number, response, read, rows, versions),
            Some(Err(error)) => {
                self.undecodable(error);
                Ok(())
            }
            None => self.list(response, &body, rows),
        }
    }

    /// Begins a snapshot. Decoding errors are counted for the newest only.
    fn begin_snapshot(&mut self, taken: Option<i64>) {
        if let Some(previous) = &mut self.state.previous {
            let time = Some(previous.taken);
            if self.taken == time {
                previous.rows.1 = self.state.bytes;
            }
            if taken == time {
                previous.rows.0 = self.state.bytes;
            }
        }
        (self.taken, self.end) = (taken, ListEnd::default());
        (self.state.unread, self.state.faulty, self.last_error) = (0, 0, None);
        (self.state.unreadable, self.state.cut, self.state.ambiguous) = (0, 0, 0);
        self.state.ambiguous_rows.clear();
        self.faults.clear();
        if let Some(snapshot) = self.state.snapshot.as_mut().filter(|one| Some(one.taken) == taken)
        {
            (snapshot.bytes, snapshot.rows) = (self.state.bytes, self.state.rows);
        }
    }

    fn undecodable(&mut self, error: String) {
        self.state.unread += 1;
        self.last_error = Some(error);
    }

    fn history(
        &mut self,
        number: u64,
        response: &StoredResponse,
        mut read: Read,
        out: &mut impl Write,
        versions: &mut impl Write,
    ) -> std::io::Result<()> {
        self.note_repeated(response, &read);
        for id in self.window_pages.add(response, &read) {
            self.state.add_ambiguous(&id);
        }
        self.count_faults(response, std::mem::take(&mut read.faults));
        self.state.unreadable += read.unreadable as u64;
        self.state.cut += read.truncated_decimals as u64;
        let added = self.known.add(&identities(&read, response.taken), response.pagination, number);
        let mut rows: Vec<_> = read.rows.into_iter().zip(added).collect();
        rows.sort_by(|((left, _), _), ((right, _), _)| left.cmp(right));
        for ((key, line), added) in rows {
            if added == Added::Again {
                continue;
            }
            let hash = digest(&line);
            if let Some(left) = self.replaced.get_mut(&(hash, number)).filter(|left| **left > 0) {
                *left -= 1;
                self.versions += 1;
                self.version_bytes += line.len() as u64;
                self.versions_sum = self.versions_sum.wrapping_add(u128::from_le_bytes(hash));
                versions.write_all(&line)?;
                continue;
            }
            update_pending(&mut self.state, &key, &line);
            let time = key.time.map(Timestamp::as_millis).filter(|time| *time > EARLIEST_MS);
            self.write(time, &with_snapshot_time(line, response.taken), out)?;
        }
        Ok(())
    }

    /// Counts the rows that do not decode, as an export does: each within a page, once in neighboring windows, and
    /// not again in a later pagination.
    fn count_faults(&mut self, response: &StoredResponse, faults: Vec<(String, String)>) {
        let page = response.request.get("page").and_then(Value::as_u64).unwrap_or(1);
        if page <= 1 {
            let [before, now] = &mut self.windows;
            *before = std::mem::take(now);
        }
        let mut equal: HashMap<Digest, u64> = HashMap::new();
        for (raw, error) in faults {
            let raw = digest(raw.as_bytes());
            let number = equal.entry(raw).and_modify(|number| *number += 1).or_default();
            let [before, now] = &mut self.windows;
            let is_new = now.insert((raw, *number)) && !before.contains(&(raw, *number));
            let is_known = self.faults.contains(&raw);
            if self.faults.len() < MAX_DIGESTS {
                self.faults.insert(raw);
            }
            if is_new && (response.pagination == 0 || !is_known) {
                self.state.faulty += 1;
                self.last_error = Some(error);
            }
        }
    }

    /// Notes the rows of a response that will be requested again, because the pagination did not get past it.
    fn note_repeated(&mut self, response: &StoredResponse, read: &Read) {
        let Some(cursor) = &self.cursor else { return };
        let to = response.request.get("to").and_then(Value::as_i64);
        if self.old.unread == 0 || to.is_none_or(|to| to <= cursor.next.as_millis()) {
            return;
        }
        let ids = read.rows.iter().map(|(key, _)| key.id.clone());
        let unit = history_rows::time_unit(&self.old.endpoint).unwrap_or_default();
        let is_earlier = is_for_earlier_page(cursor, &response.request, unit);
        if is_earlier && response.pagination == self.old.pagination {
            self.on_earlier_pages.extend(ids);
        } else {
            self.again.extend(ids);
        }
    }

    fn list(
        &mut self,
        response: &StoredResponse,
        body: &Bytes,
        out: &mut impl Write,
    ) -> std::io::Result<()> {
        let lines = entry(&self.old.endpoint)
            .map_err(|failure| failure.to_string())
            .and_then(|entry| snapshot_lines(entry, body));
        let SnapshotLines { lines, faults, losses } = match lines {
            // A response without a list is read as a single row.
            Ok(read) if self.old.unread > 0 && !read.lines.is_empty() && count(body).is_none() => {
                self.undecodable(NO_LIST.to_owned());
                return Ok(());
            }
            Ok(read) => read,
            Err(error) => {
                self.undecodable(error);
                return Ok(());
            }
        };
        let paging = catalog::find(&self.old.endpoint).and_then(|entry| entry.paging);
        let most = paging.and_then(|paging| response.request.get(paging.size)?.as_u64());
        let number = paging.and_then(|paging| response.request.get(paging.page?));
        self.end.add(lines.len() + faults.len(), most, number.and(history_rows::total(body)));
        self.state.faulty += faults.len() as u64;
        self.state.unreadable += losses.unreadable as u64;
        self.state.cut += losses.truncated_decimals as u64;
        self.last_error = faults.last().cloned().or(self.last_error.take());
        for line in lines {
            self.write(Some(response.at), &with_snapshot_time(line, response.taken), out)?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        time: Option<i64>,
        line: &[u8],
        out: &mut impl Write,
    ) -> std::io::Result<()> {
        out.write_all(line)?;
        self.hash.update(line);
        let state = &mut self.state;
        state.rows += 1;
        state.bytes += line.len() as u64;
        state.span = match (state.span, time) {
            (Some((first, last)), Some(time)) => Some((first.min(time), last.max(time))),
            (known, time) => time.map(|time| (time, time)).or(known),
        };
        Ok(())
    }

    fn finish(mut self, same_versions: bool) -> Rebuilt {
        let old = self.old;
        if old.snapshot.is_some_and(|snapshot| Some(snapshot.taken) != self.taken) {
            // The newest snapshot has no response yet.
            self.begin_snapshot(old.snapshot.map(|snapshot| snapshot.taken));
        }
        let mut state = self.state;
        let more = [("seen", self.again), ("current", self.on_earlier_pages)];
        if !old.done && more.iter().any(|(_, ids)| !ids.is_empty()) {
            let cursor = self.cursor.and_then(|cursor| with_ids(&cursor, more));
            state.cursor = cursor.or(state.cursor);
        }
        if old.snapshot.is_none() {
            // Not all responses of a span that was requested again are stored.
            state.ambiguous = state.ambiguous.max(old.ambiguous);
        }
        if !same_versions {
            (state.versions, state.version_bytes) = (self.versions, self.version_bytes);
        }
        // The rebuilt rows contain no replaced ones.
        state.replaced.clear();
        state.rewrite = None;
        if let Some(error) = self.last_error {
            state.lacks = Some(state.not_understood(&error));
        } else if old.unread + old.faulty > 0 {
            state.lacks = None;
        }
        // A snapshot ends at a response that does not decode: there may have been another page.
        if !history_rows::is_history(&old.endpoint)
            && old.unread > 0
            && state.unread == 0
            && old.rejected.is_none()
        {
            state.done = true;
            state.unproven = state.unproven.or_else(|| self.end.after_unread_page());
        }
        Rebuilt { state, rows_sha256: hex::encode(self.hash.finish()), same_versions }
    }
}
