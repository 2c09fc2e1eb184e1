//! `export --reread`: the rows of an archive are made anew from the responses that are kept in it.
//!
//! A program that was updated may understand what it did not when the responses came. All new files are
//! written beside the old ones first; then one file says that they count; then they take their places.
//! A run that dies before that file is there leaves the old archive, one that dies behind it is finished by
//! the next.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use bitmart::Timestamp;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::history::{Cursor, RowKey};
use ring::digest;

use super::manifest::{Kept, Manifest, for_lines, names};
use super::store::{Answer, State, raw_path, rows_path, state, states};
use super::walk::{EARLIEST, NO_LIST, count, entry, snapshot_lines};
use super::{Terms, conclude, histories, lock, told};
use crate::failure::{Exit, Failure, chain};
use crate::private;

/// Folder of the new files.
const NEW: &str = "reread";
/// Says that they count.
const COMMIT: &str = "commit";

pub(super) fn run(folder: &Path, stop_after: Option<u64>) -> Result<(), Failure> {
    let mut steps = Steps(stop_after);
    let path = folder.join("export.json");
    let terms =
        fs::read(&path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    let terms: Terms = serde_json::from_slice(&terms)
        .map_err(|error| Failure::machine(format!("{}: {error}", path.display())))?;
    let _lock = lock(folder)?;
    finish(folder, &mut steps)?;
    let mut problems = Vec::new();
    let mut gained = 0;
    for name in names(folder)? {
        let change = reread(folder, &name, &terms)?;
        steps.done();
        match change {
            Change::None => {}
            Change::Made(words) => {
                gained += 1;
                eprintln!("{name}: {words}");
            }
            Change::Refused(words) => problems.push(format!("{name}: {words}")),
        }
    }
    if gained == 0 {
        eprintln!("nothing is gained: the rows are what the responses hold");
    } else {
        private::write(&folder.join(NEW).join(COMMIT), b"")
            .map_err(|error| broken(folder, &error))?;
        steps.done();
    }
    finish(folder, &mut steps)?;
    let formats = match Manifest::read(folder) {
        Ok(manifest) => formats(&manifest),
        // The export was interrupted before there was one.
        Err(_) => BTreeSet::new(),
    };
    let manifest = conclude(folder, terms, &formats)?;
    if problems.is_empty() {
        return told(&manifest);
    }
    Err(Failure::new(Exit::Incomplete, problems.join("\n")))
}

/// Counts what changes the disk. For tests: the process dies after so many, as by kill -9.
pub(super) struct Steps(pub(super) Option<u64>);

impl Steps {
    fn done(&mut self) {
        if let Some(left) = &mut self.0 {
            *left = left.saturating_sub(1);
            if *left == 0 {
                std::process::abort();
            }
        }
    }
}

/// Whether new files wait to take their places.
pub(super) fn is_unfinished(folder: &Path) -> bool {
    folder.join(NEW).join(COMMIT).exists()
}

/// Puts the new files in place if they count, else takes them away.
pub(super) fn finish(folder: &Path, steps: &mut Steps) -> Result<(), Failure> {
    let new = folder.join(NEW);
    if !new.exists() {
        return Ok(());
    }
    let io = |error: std::io::Error| broken(&new, &error);
    if is_unfinished(folder) {
        for (from, to) in
            [(new.join("rows"), folder.to_owned()), (new.join("state"), states(folder))]
        {
            let Ok(entries) = fs::read_dir(&from) else { continue };
            for entry in entries {
                let entry = entry.map_err(io)?;
                fs::rename(entry.path(), to.join(entry.file_name())).map_err(io)?;
                steps.done();
            }
        }
        fs::remove_file(new.join(COMMIT)).map_err(io)?;
    }
    fs::remove_dir_all(&new).map_err(io)
}

/// The formats of the files that were made of the rows.
fn formats(manifest: &Manifest) -> BTreeSet<String> {
    let extension = |path: &str| Some(path.rsplit_once('.')?.1.to_owned());
    let made = manifest.derived.iter().filter(|file| {
        let name = file.path.rsplit_once('.').map_or("", |(name, _)| name);
        manifest.datasets.iter().any(|dataset| dataset.name == name)
    });
    made.filter_map(|file| extension(&file.path)).collect()
}

/// What became of a dataset.
enum Change {
    /// It is what it was.
    None,
    /// New files wait, which hold this more.
    Made(String),
    /// It stays what it was, and why.
    Refused(String),
}

fn reread(folder: &Path, name: &str, terms: &Terms) -> Result<Change, Failure> {
    let old = state(folder, name)?;
    let new_rows = new_path(folder, &rows_path(folder, name), "rows");
    let io = |error: std::io::Error| broken(&new_rows, &error);
    let mut made = None;
    private::write_with(&new_rows, io, |out| {
        made = Some(rows(folder, name, &old, terms, out)?);
        Ok(())
    })?;
    let Some(made) = made else { return Ok(Change::None) };
    let is_same =
        Kept::of(folder, &relative(folder, &rows_path(folder, name)))?.sha256 == made.sha256;
    let state = made.state;
    if is_same || state.rows < old.rows {
        fs::remove_file(&new_rows).map_err(io)?;
    }
    if state.rows < old.rows {
        return Ok(Change::Refused(format!(
            "the responses give {} rows, and there are {}: they stay",
            state.rows, old.rows
        )));
    }
    if is_same && (state.unread, state.faulty, state.done) == (old.unread, old.faulty, old.done) {
        return Ok(Change::None);
    }
    let bytes = serde_json::to_vec(&state).map_err(|error| Failure::machine(chain(&error)))?;
    let path = folder.join(NEW).join("state").join(format!("{name}.json"));
    private::write(&path, &bytes).map_err(|error| broken(&path, &error))?;
    let gained = state.rows - old.rows;
    let rest = match (&state.lacks, state.unread + state.faulty) {
        (Some(lacks), 1..) => format!("; still {lacks}"),
        _ => String::new(),
    };
    Ok(Change::Made(match gained {
        0 => format!("the rows are written anew{rest}"),
        gained => format!("{gained} rows are gained, {} in all{rest}", state.rows),
    }))
}

/// Where the new form of a file waits.
fn new_path(folder: &Path, path: &Path, kind: &str) -> PathBuf {
    folder.join(NEW).join(kind).join(path.file_name().unwrap_or_default())
}

fn relative(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned()
}

fn broken(path: &Path, error: &std::io::Error) -> Failure {
    Failure::machine(format!("{}: {error}", path.display()))
}

/// What the responses of a dataset give.
struct Made {
    state: State,
    sha256: String,
}

/// Writes the rows that the responses give, as an export does: those of each response in order, and what
/// came before not again. 16 bytes for each row are in memory.
fn rows(
    folder: &Path,
    name: &str,
    old: &State,
    terms: &Terms,
    out: &mut BufWriter<fs::File>,
) -> Result<Made, Failure> {
    let at = Timestamp::from_millis;
    let begin = || histories::begin(&old.endpoint, at(terms.from_ms), at(terms.to_ms));
    let mut reader = Reader {
        old,
        cursor: old.cursor.clone().or_else(begin),
        again: Vec::new(),
        seen: HashSet::new(),
        faults: [HashSet::new(), HashSet::new()],
        rows: 0,
        bytes: 0,
        unread: 0,
        faulty: 0,
        span: None,
        why: None,
        hash: digest::Context::new(&digest::SHA256),
        is_full: false,
    };
    let mut raw = 0;
    for_lines(&raw_path(folder, name), |line| {
        raw += line.len() as u64;
        // What no state tells of does not count.
        if raw <= old.raw_bytes {
            let answer: Answer = serde_json::from_slice(line)
                .map_err(|error| Failure::machine(format!("raw/{name}.ndjson: {error}")))?;
            reader.answer(answer, out).map_err(|error| broken(folder, &error))?;
        }
        Ok(())
    })?;
    Ok(reader.made())
}

struct Reader<'a> {
    old: &'a State,
    /// Where the walk stands.
    cursor: Option<Cursor>,
    /// Ids of rows that the walk will meet again: it did not get past the response.
    again: Vec<String>,
    /// What tells the rows so far from others.
    seen: HashSet<[u8; 16]>,
    /// The same of rows that are not understood, of the window before and of this one.
    faults: [HashSet<String>; 2],
    rows: u64,
    bytes: u64,
    unread: u64,
    faulty: u64,
    span: Option<(i64, i64)>,
    why: Option<String>,
    hash: digest::Context,
    /// The last response had as many rows as were asked for.
    is_full: bool,
}

impl Reader<'_> {
    fn answer(&mut self, answer: Answer, out: &mut impl Write) -> std::io::Result<()> {
        let page = answer.asked.get("page").and_then(serde_json::Value::as_u64).unwrap_or(1);
        if page <= 1 {
            let [before, now] = &mut self.faults;
            *before = std::mem::take(now);
        }
        if answer.body.is_empty() {
            // An empty window that the exchange answers with an error.
            return Ok(());
        }
        let body = Bytes::from(answer.body);
        match histories::read(&self.old.endpoint, &body) {
            Some(Ok(read)) => self.history(read, &answer.asked, out),
            Some(Err(why)) => {
                self.unread(why);
                Ok(())
            }
            None => self.list(&answer.asked, answer.at, &body, out),
        }
    }

    fn unread(&mut self, why: String) {
        self.unread += 1;
        self.why = Some(why);
    }

    fn history(
        &mut self,
        read: histories::Read,
        asked: &serde_json::Value,
        out: &mut impl Write,
    ) -> std::io::Result<()> {
        let to = asked.get("to").and_then(serde_json::Value::as_i64);
        if let (Some(cursor), Some(to)) = (&self.cursor, to)
            && self.old.unread > 0
            && to > cursor.next.as_millis()
        {
            self.again.extend(read.rows.iter().map(|(key, _)| key.id.clone()));
        }
        for (id, why) in read.faults {
            let [before, now] = &mut self.faults;
            if !before.contains(&id) && now.insert(id) {
                self.faulty += 1;
                self.why = Some(why);
            }
        }
        let mut rows: Vec<(RowKey, Vec<u8>)> = read.rows;
        rows.retain(|(key, _)| self.seen.insert(fingerprint(&key.id)));
        rows.sort_by(|left, right| left.0.cmp(&right.0));
        for (key, line) in rows {
            let time = key.time.map(Timestamp::as_millis).filter(|time| *time > EARLIEST);
            self.write(time, &line, out)?;
        }
        Ok(())
    }

    fn list(
        &mut self,
        asked: &serde_json::Value,
        at: i64,
        body: &Bytes,
        out: &mut impl Write,
    ) -> std::io::Result<()> {
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
        let most = ["limit", "N", "size", "sizePage"].iter().find_map(|name| asked.get(name));
        let most = most.and_then(serde_json::Value::as_u64);
        self.is_full = most.is_some_and(|most| (lines.len() + faults.len()) as u64 >= most);
        self.faulty += faults.len() as u64;
        self.why = faults.last().cloned().or(self.why.take());
        for line in lines {
            self.write(Some(at), &line, out)?;
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
        self.rows += 1;
        self.bytes += line.len() as u64;
        self.span = match (self.span, time) {
            (Some((first, last)), Some(time)) => Some((first.min(time), last.max(time))),
            (known, time) => time.map(|time| (time, time)).or(known),
        };
        Ok(())
    }

    fn made(self) -> Made {
        let old = self.old;
        let is_list = histories::read(&old.endpoint, &Bytes::new()).is_none();
        let mut cursor = old.cursor.clone();
        if !old.done && !self.again.is_empty() {
            cursor = self.cursor.and_then(|cursor| knowing(&cursor, self.again)).or(cursor);
        }
        let mut state = State {
            cursor,
            rows: self.rows,
            bytes: self.bytes,
            unread: self.unread,
            faulty: self.faulty,
            span: self.span,
            ..old.clone()
        };
        if let Some(why) = self.why {
            state.lacks = Some(state.not_understood(&why));
        } else if old.unread + old.faulty > 0 {
            state.lacks = None;
        }
        // A list of the moment ends at a response that is not understood. Now that it is, it is whole unless
        // there may be another page.
        let ended = is_list && old.unread > 0 && state.unread == 0 && old.refused.is_none();
        state.done |= ended && !self.is_full;
        Made { state, sha256: hex::encode(self.hash.finish()) }
    }
}

/// A cursor at the same place, for which these rows are not new.
fn knowing(cursor: &Cursor, ids: Vec<String>) -> Option<Cursor> {
    let mut cursor = serde_json::to_value(cursor).ok()?;
    let seen = cursor.get_mut("seen")?.as_array_mut()?;
    seen.extend(ids.into_iter().map(serde_json::Value::from));
    serde_json::from_value(cursor).ok()
}

/// What tells a row from others, in few bytes.
fn fingerprint(id: &str) -> [u8; 16] {
    let hash = digest::digest(&digest::SHA256, id.as_bytes());
    let mut print = [0; 16];
    print.copy_from_slice(&hash.as_ref()[..16]);
    print
}
