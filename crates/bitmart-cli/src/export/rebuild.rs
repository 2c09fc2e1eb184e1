//! The rows that the responses of a dataset give, as an export makes them.
//!
//! Of one walk the first response counts that has a row, of several walks the newest; a snapshot has what its own
//! responses have. In memory are about 50 bytes for each row, and twice that where there was more than one walk.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;

use bitmart::Timestamp;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::history::{Cursor, RowKey};
use ring::digest;
use serde_json::Value;

use super::archive::Terms;
use super::histories::{self, Read};
use super::manifest::for_lines_to;
use super::once::{NO_LIST, count, entry, snapshot_lines};
use super::state::{FAULTS, State};
use super::store::{Answer, raw_path, versions_path};
use super::walk::{EARLIEST, dated, note_pending};
use crate::failure::Failure;
use crate::secure_fs;

/// What was made.
pub(super) struct Made {
    pub(super) state: State,
    /// Of the rows.
    pub(super) rows_sha256: String,
    /// The replaced rows are those that were there, in whatever order.
    pub(super) same_versions: bool,
}

/// What tells texts apart, in few bytes.
type Print = [u8; 16];

fn print(bytes: &[u8]) -> Print {
    let mut print = [0; 16];
    print.copy_from_slice(&digest::digest(&digest::SHA256, bytes).as_ref()[..16]);
    print
}

/// Writes rows and replaced rows into the files `to`.
pub(super) fn rebuild(
    folder: &Path,
    name: &str,
    old: &State,
    terms: &Terms,
    to: [&Path; 2],
) -> Result<Made, Failure> {
    let io = |error: std::io::Error| Failure::machine(format!("{name}: {error}"));
    // Which response has the newest version of each row.
    let mut newest = Walks::default();
    if old.walk > 0 && old.snapshot.is_none() {
        each(folder, name, old, |number, answer| {
            if let Some(Ok(read)) = histories::read(&old.endpoint, &Bytes::from(answer.body)) {
                for (key, line) in read.rows {
                    newest.is_new(&key.id, &line, answer.walk, number);
                }
            }
            Ok(())
        })?;
    }
    let mut reader = Reader::new(old, terms, &newest);
    secure_fs::write_with(to[0], io, |rows| {
        secure_fs::write_with(to[1], io, |versions| {
            each(folder, name, old, |number, answer| {
                reader.answer(number, &answer, rows, versions).map_err(io)
            })
        })
    })?;
    let mut sum = 0_u128;
    if old.versions > 0 {
        for_lines_to(&versions_path(folder, name), old.version_bytes, |_, line| {
            sum = sum.wrapping_add(u128::from_le_bytes(print(line)));
            Ok(())
        })?;
    }
    let same_versions = sum == reader.versions_sum && old.versions == reader.versions;
    Ok(reader.made(same_versions))
}

/// Gives the responses that count, with their numbers.
fn each(
    folder: &Path,
    name: &str,
    old: &State,
    mut each: impl FnMut(u64, Answer) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut number = 0;
    for_lines_to(&raw_path(folder, name), old.raw_bytes, |_, line| {
        number += 1;
        let answer = serde_json::from_slice(line)
            .map_err(|error| Failure::machine(format!("raw/{name}.ndjson: {error}")))?;
        each(number, answer)
    })
}

/// The rows of a history as walk after walk tells them.
#[derive(Default)]
struct Walks(HashMap<Print, (Print, u32, u64)>);

impl Walks {
    /// Whether a response has a row, or a version of one, that is to be kept. Windows of a walk overlap: what
    /// comes twice is kept as it came first.
    fn is_new(&mut self, id: &str, line: &[u8], walk: u32, number: u64) -> bool {
        let line = print(line);
        match self.0.get_mut(&print(id.as_bytes())) {
            None => drop(self.0.insert(print(id.as_bytes()), (line, walk, number))),
            Some((_, known, _)) if *known == walk => return false,
            Some((version, known, _)) if *version == line => {
                *known = walk;
                return false;
            }
            Some(known) => *known = (line, walk, number),
        }
        true
    }

    /// Whether the version of the row in this response is the newest.
    fn is_newest(&self, id: &str, number: u64) -> bool {
        self.0.get(&print(id.as_bytes())).is_none_or(|(_, _, newest)| *newest == number)
    }
}

struct Reader<'a> {
    old: &'a State,
    newest: &'a Walks,
    walks: Walks,
    /// The snapshot that is read.
    taken: Option<i64>,
    /// Where the walk stands.
    cursor: Option<Cursor>,
    /// Ids of rows that the walk will meet again: it did not get past the response.
    again: Vec<String>,
    /// What tells the rows that are not understood apart.
    faults: HashSet<Print>,
    /// The same of the window before and of this one, with how many of their like came before them.
    window: [HashSet<(Print, u64)>; 2],
    why: Option<String>,
    /// The last response had as many rows as were asked for.
    is_full: bool,
    hash: digest::Context,
    versions: u64,
    version_bytes: u64,
    /// Sum of what tells the replaced rows apart: their order does not matter.
    versions_sum: u128,
    state: State,
}

impl<'a> Reader<'a> {
    fn new(old: &'a State, terms: &Terms, newest: &'a Walks) -> Self {
        let at = Timestamp::from_millis;
        let (from, to) =
            old.todo.first().map_or((terms.from_ms, terms.to_ms), |span| (span.from, span.to));
        let begin = || histories::begin(&old.endpoint, at(from), at(to));
        let mut state = old.clone();
        (state.rows, state.bytes, state.span) = (0, 0, None);
        (state.unread, state.faulty) = (0, 0);
        Self {
            old,
            newest,
            walks: Walks::default(),
            taken: None,
            cursor: old.cursor.clone().or_else(begin),
            again: Vec::new(),
            faults: HashSet::new(),
            window: [HashSet::new(), HashSet::new()],
            why: None,
            is_full: false,
            hash: digest::Context::new(&digest::SHA256),
            versions: 0,
            version_bytes: 0,
            versions_sum: 0,
            state,
        }
    }

    fn answer(
        &mut self,
        number: u64,
        answer: &Answer,
        rows: &mut impl Write,
        versions: &mut impl Write,
    ) -> std::io::Result<()> {
        if answer.taken != self.taken {
            self.begin_snapshot(answer.taken);
        }
        if answer.body.is_empty() {
            // An empty window that the exchange answers with an error.
            return Ok(());
        }
        let body = Bytes::from(answer.body.clone());
        match histories::read(&self.old.endpoint, &body) {
            Some(Ok(read)) => self.history(number, answer, read, rows, versions),
            Some(Err(why)) => {
                self.unread(why);
                Ok(())
            }
            None => self.list(answer, &body, rows),
        }
    }

    /// What was not understood is told of the newest snapshot.
    fn begin_snapshot(&mut self, taken: Option<i64>) {
        self.taken = taken;
        (self.state.unread, self.state.faulty, self.why) = (0, 0, None);
        self.faults.clear();
        if let Some(snapshot) = self.state.snapshot.as_mut().filter(|one| Some(one.taken) == taken)
        {
            (snapshot.bytes, snapshot.rows) = (self.state.bytes, self.state.rows);
        }
    }

    fn unread(&mut self, why: String) {
        self.state.unread += 1;
        self.why = Some(why);
    }

    fn history(
        &mut self,
        number: u64,
        answer: &Answer,
        read: Read,
        out: &mut impl Write,
        versions: &mut impl Write,
    ) -> std::io::Result<()> {
        self.meet_again(answer, &read);
        self.note_faults(answer, read.faults);
        let mut rows: Vec<(RowKey, Vec<u8>)> = read.rows;
        rows.sort_by(|left, right| left.0.cmp(&right.0));
        for (key, line) in rows {
            let id =
                answer.taken.map_or_else(|| key.id.clone(), |taken| format!("{taken} {}", key.id));
            if !self.walks.is_new(&id, &line, answer.walk, number) {
                continue;
            }
            if !self.newest.is_newest(&id, number) {
                self.versions += 1;
                self.version_bytes += line.len() as u64;
                self.versions_sum =
                    self.versions_sum.wrapping_add(u128::from_le_bytes(print(&line)));
                versions.write_all(&line)?;
                continue;
            }
            note_pending(&mut self.state, &key, &line);
            let time = key.time.map(Timestamp::as_millis).filter(|time| *time > EARLIEST);
            self.write(time, &dated(line, answer.taken), out)?;
        }
        Ok(())
    }

    /// Counts the rows that are not understood, as a walk does: within a page each, of neighbouring windows each
    /// once, and what a later walk shows again not at all.
    fn note_faults(&mut self, answer: &Answer, faults: Vec<(String, String)>) {
        let page = answer.asked.get("page").and_then(Value::as_u64).unwrap_or(1);
        if page <= 1 {
            let [before, now] = &mut self.window;
            *before = std::mem::take(now);
        }
        let mut like: HashMap<Print, u64> = HashMap::new();
        for (raw, why) in faults {
            let raw = print(raw.as_bytes());
            let number = like.entry(raw).and_modify(|number| *number += 1).or_default();
            let [before, now] = &mut self.window;
            let is_new = now.insert((raw, *number)) && !before.contains(&(raw, *number));
            // So many are told apart, as in a state.
            let is_known = self.faults.contains(&raw);
            if self.faults.len() < FAULTS {
                self.faults.insert(raw);
            }
            if is_new && (answer.walk == 0 || !is_known) {
                self.state.faulty += 1;
                self.why = Some(why);
            }
        }
    }

    /// A walk that did not get past a response asks for it once more.
    fn meet_again(&mut self, answer: &Answer, read: &Read) {
        let to = answer.asked.get("to").and_then(Value::as_i64);
        if let (Some(cursor), Some(to)) = (&self.cursor, to)
            && self.old.unread > 0
            && to > cursor.next.as_millis()
        {
            self.again.extend(read.rows.iter().map(|(key, _)| key.id.clone()));
        }
    }

    fn list(&mut self, answer: &Answer, body: &Bytes, out: &mut impl Write) -> std::io::Result<()> {
        let lines = entry(&self.old.endpoint)
            .map_err(|failure| failure.to_string())
            .and_then(|entry| snapshot_lines(entry, body));
        let (lines, faults) = match lines {
            // The one row may stand for a response without a list.
            Ok((lines, _)) if self.old.unread > 0 && !lines.is_empty() && count(body).is_none() => {
                self.unread(NO_LIST.to_owned());
                return Ok(());
            }
            Ok(lines) => lines,
            Err(why) => {
                self.unread(why);
                return Ok(());
            }
        };
        let most =
            ["limit", "N", "size", "sizePage"].iter().find_map(|name| answer.asked.get(name));
        let most = most.and_then(Value::as_u64);
        self.is_full = most.is_some_and(|most| (lines.len() + faults.len()) as u64 >= most);
        self.state.faulty += faults.len() as u64;
        self.why = faults.last().cloned().or(self.why.take());
        for line in lines {
            self.write(Some(answer.at), &dated(line, answer.taken), out)?;
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

    fn made(mut self, same_versions: bool) -> Made {
        let old = self.old;
        if old.snapshot.is_some_and(|snapshot| Some(snapshot.taken) != self.taken) {
            // The newest snapshot has no response yet.
            self.begin_snapshot(old.snapshot.map(|snapshot| snapshot.taken));
        }
        let mut state = self.state;
        if !old.done && !self.again.is_empty() {
            let knowing = self.cursor.and_then(|cursor| knowing(&cursor, self.again));
            state.cursor = knowing.or(state.cursor);
        }
        if !same_versions {
            (state.versions, state.version_bytes) = (self.versions, self.version_bytes);
        }
        // Those that were still among the rows are not any more.
        state.replaced.clear();
        if let Some(why) = self.why {
            state.lacks = Some(state.not_understood(&why));
        } else if old.unread + old.faulty > 0 {
            state.lacks = None;
        }
        // A list of the moment ends at a response that is not understood: now that it is, there may be another
        // page.
        let is_list = histories::read(&old.endpoint, &Bytes::new()).is_none();
        if is_list && old.unread > 0 && state.unread == 0 && old.refused.is_none() {
            state.done = true;
            if self.is_full && state.lacks.is_none() {
                state.lacks = Some(
                    "a full page was not understood when it came; there may be more".to_owned(),
                );
            }
        }
        Made { state, rows_sha256: hex::encode(self.hash.finish()), same_versions }
    }
}

/// A cursor at the same place, for which these rows are not new.
fn knowing(cursor: &Cursor, ids: Vec<String>) -> Option<Cursor> {
    let mut cursor = serde_json::to_value(cursor).ok()?;
    let seen = cursor.get_mut("seen")?.as_array_mut()?;
    seen.extend(ids.into_iter().map(Value::from));
    serde_json::from_value(cursor).ok()
}
