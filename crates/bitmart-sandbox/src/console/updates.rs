//! Updates of an open page: the rows and figures that are new since its last update.
//!
//! The script requests it a few times a second and says how far the page is. Each request ends at once: a browser
//! opens at most six connections to an address, so that six pages with a stream each would leave none for the next
//! page.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    form::Fields,
    overview,
    reply::{self, Reply},
    sockets::{SocketRow, find_socket},
    traffic::{Filter, ROWS},
};
use crate::{
    shared::Shared,
    traffic::{Ring, Traffic, Weighed},
};

/// Rows of an update that continues a list. If the filter shows more, only the newest ones are sent.
const MAX_ROWS: usize = 50;

/// How far a page is, and what it shows. The script repeats the figures of the latest update.
struct Position {
    filter: Filter,
    /// The number of the last record that was sent.
    after: u64,
    /// Whether this begins a list, which is sent even without rows: the page has another filter now.
    begins: bool,
    /// Records since the page was opened that no update contained, because too many came at once.
    skipped: u64,
    /// A hash of the list of WebSockets, or of the progress of the scenario, that the page shows; empty if the page has
    /// none yet.
    version: String,
}

/// Whether a request is for updates of the traffic, which is kept in memory only: it can be watched while nothing can
/// be stored, when it is needed most.
pub(super) fn are_of_traffic(path: &str, query: &Fields) -> bool {
    path == "/updates" && ["overview", "scenario"].iter().all(|name| query.get(name).is_none())
}

/// Responds with what is new, or with status 204 if nothing is.
pub(super) fn updates(shared: &Shared, query: &Fields) -> Reply {
    let number = |name: &str| query.get(name).and_then(|text| text.parse().ok()).unwrap_or(0);
    let position = Position {
        filter: Filter::of(query),
        after: number("after"),
        begins: query.get("begin").is_some(),
        skipped: number("skipped"),
        version: query.get("version").unwrap_or_default().to_owned(),
    };
    let Some(traffic) = shared.traffic.as_deref() else {
        return reply::text(StatusCode::NOT_FOUND, "nothing is recorded");
    };
    let update = match query.get("socket").map(str::parse::<u64>) {
        Some(Ok(number)) => position.frames(traffic, number),
        Some(Err(_)) => return reply::text(StatusCode::BAD_REQUEST, "no number of a WebSocket"),
        None if query.get("scenario").is_some() => position.scenario(shared),
        None if query.get("overview").is_some() => overview::update(shared),
        None => position.requests(traffic),
    };
    match update {
        Some(update) => reply::json(&update),
        None => reply::text(StatusCode::NO_CONTENT, ""),
    }
}

impl Position {
    fn requests(mut self, traffic: &Traffic) -> Option<Value> {
        let ring = traffic.requests();
        let new = self.new_records(&ring);
        let mut stats = json!({
            "total": ring.last().to_string(),
            "kept": ring.len().to_string(),
            "kept_kib": (ring.bytes() >> 10).to_string(),
            "dropped": ring.dropped().to_string(),
        });
        drop(ring);
        let logs = traffic.sockets();
        let sockets = json!(logs.iter().map(|log| SocketRow::new(log)).collect::<Vec<_>>());
        let sockets = self.changed(sockets);
        if new.is_none() && sockets.is_none() {
            return None;
        }
        let row = |filter: &Filter, number, record: &_| Some(json!(filter.row(number, record)?));
        let rows = self.rows(&new.unwrap_or_default(), row);
        stats["skipped"] = self.skipped_text();
        Some(json!({
            "last": self.after,
            "skipped": self.skipped,
            "version": self.version,
            "rows": rows,
            "stats": stats,
            "sockets": sockets,
        }))
    }

    fn frames(mut self, traffic: &Traffic, socket: u64) -> Option<Value> {
        let log = find_socket(traffic, socket)?;
        let record = log.record();
        let new = self.new_records(&record.frames)?;
        let mut stats = json!({
            "frames_in": record.frames_in.to_string(),
            "bytes_in": record.bytes_in.to_string(),
            "frames_out": record.frames_out.to_string(),
            "bytes_out": record.bytes_out.to_string(),
            "kept": record.frames.len().to_string(),
            "dropped": record.frames.dropped().to_string(),
        });
        drop(record);
        let row = |filter: &Filter, number, frame: &_| Some(json!(filter.frame(number, frame)?));
        let rows = self.rows(&new, row);
        stats["skipped"] = self.skipped_text();
        Some(json!({ "last": self.after, "skipped": self.skipped, "rows": rows, "stats": stats }))
    }

    fn scenario(mut self, shared: &Shared) -> Option<Value> {
        let progress = shared.player.progress.borrow().to_string();
        let progress = self.changed(json!(progress))?;
        Some(json!({ "version": self.version, "stats": { "scenario": progress } }))
    }

    /// The value, if it differs from what the page shows.
    fn changed(&mut self, value: Value) -> Option<Value> {
        let mut hasher = DefaultHasher::new();
        value.to_string().hash(&mut hasher);
        let version = format!("{:x}", hasher.finish());
        (std::mem::replace(&mut self.version, version) != self.version).then_some(value)
    }

    /// The records since the last update, newest first; `None` if there are none and the page has a list already.
    /// Without a filter they are at most as many as an update contains; the others are counted as skipped. Records are
    /// rendered later, without the lock.
    fn new_records<T: Weighed>(&mut self, ring: &Ring<T>) -> Option<Vec<(u64, Arc<T>)>> {
        let last = ring.last();
        if last == self.after && !self.begins {
            return None;
        }
        let max = if self.filter.is_empty() { self.max_rows() } else { usize::MAX };
        let new = ring.after(self.after).take(max);
        let new: Vec<_> = new.map(|(number, record)| (number, Arc::clone(record))).collect();
        if !self.begins {
            // A page may name a record that does not exist, because another sandbox has its address now.
            let missed = last.saturating_sub(self.after).saturating_sub(new.len() as u64);
            self.skipped = self.skipped.saturating_add(missed);
        }
        self.after = last;
        Some(new)
    }

    /// The rows of new records that the filter lets pass, as many as an update contains.
    fn rows<T>(
        &mut self,
        new: &[(u64, Arc<T>)],
        row: impl Fn(&Filter, u64, &T) -> Option<Value>,
    ) -> Vec<Value> {
        let rows = new.iter().filter_map(|(number, record)| row(&self.filter, *number, record));
        let mut rows: Vec<_> = rows.collect();
        if !self.begins {
            let too_many = rows.len().saturating_sub(self.max_rows()) as u64;
            self.skipped = self.skipped.saturating_add(too_many);
        }
        rows.truncate(self.max_rows());
        rows
    }

    fn max_rows(&self) -> usize {
        if self.begins { ROWS } else { MAX_ROWS }
    }

    fn skipped_text(&self) -> Value {
        match self.skipped {
            0 => json!(""),
            count => json!(format!(
                "{count} were too fast for this page; reload to see those that are kept."
            )),
        }
    }
}
