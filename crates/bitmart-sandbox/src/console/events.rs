//! Live updates as server-sent events, several times a second at most.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{HeaderMap, StatusCode, body::Frame};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    form::Fields,
    overview,
    reply::{self, Reply},
    sockets::{SocketRow, find_socket},
    traffic::{Filter, ROWS},
};
use crate::{
    shared::Shared,
    shutdown::stopped,
    traffic::{Ring, Weighed},
};

/// Shortest time between two batches.
const INTERVAL: Duration = Duration::from_millis(250);
/// Rows of a batch that the filter lets pass. If there are more, only the newest ones are sent.
const MAX_ROWS: usize = 50;
/// Time without a batch after which a comment is sent, so that a browser that is gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// What a stream reports.
enum Topic {
    Requests,
    Frames(u64),
    Overview,
    Scenario,
}

struct Listener {
    shared: Arc<Shared>,
    topic: Topic,
    filter: Filter,
    /// Whether the next batch begins a list, so that it is sent at once, even without rows.
    is_first: bool,
    /// The number of the last record that was sent.
    last: u64,
    skipped: u64,
    sent: Instant,
    /// What was sent last of the WebSockets or the scenario.
    other: Value,
}

/// The updates of a page. They end with the sandbox. A list begins after record `after`; a browser that connects again
/// says which was the last one.
pub(super) fn stream(shared: &Arc<Shared>, headers: &HeaderMap, query: &Fields) -> Reply {
    let topic = match query.get("socket").map(str::parse::<u64>) {
        Some(Ok(number)) => Topic::Frames(number),
        Some(Err(_)) => return reply::text(StatusCode::BAD_REQUEST, "no number of a WebSocket"),
        None if query.get("scenario").is_some() => Topic::Scenario,
        None if query.get("overview").is_some() => Topic::Overview,
        None => Topic::Requests,
    };
    let sent = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let after = sent.or(query.get("after")).and_then(|text| text.parse().ok()).unwrap_or(0);
    let last = match topic {
        // Requests before the first update do not count for the rate.
        Topic::Overview => shared.traffic.as_ref().map_or(0, |traffic| traffic.requests().last()),
        Topic::Requests | Topic::Frames(_) => after,
        Topic::Scenario => 0,
    };
    let listener = Listener {
        shared: Arc::clone(shared),
        is_first: last == 0 && !matches!(topic, Topic::Overview | Topic::Scenario),
        topic,
        filter: Filter::of(query),
        last,
        skipped: 0,
        sent: Instant::now(),
        other: json!([]),
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(event))), listener))
    });
    reply::new(StatusCode::OK, "text/event-stream", StreamBody::new(events).boxed_unsync())
}

impl Listener {
    /// The next event; `None` if the sandbox stops.
    async fn next(&mut self) -> Option<String> {
        let mut control = self.shared.control.subscribe();
        loop {
            let interval = match self.topic {
                Topic::Overview => Duration::from_secs(1),
                _ if self.is_first => Duration::ZERO,
                _ => INTERVAL,
            };
            tokio::select! {
                () = sleep(interval) => {}
                () = stopped(&mut control) => return None,
            }
            if let Some(batch) = self.batch() {
                self.sent = Instant::now();
                return Some(format!("id: {}\nevent: rows\ndata: {batch}\n\n", self.last));
            }
            if self.sent.elapsed() >= KEEP_ALIVE {
                self.sent = Instant::now();
                return Some(":\n\n".to_owned());
            }
        }
    }

    /// What is new; `None` if nothing is.
    fn batch(&mut self) -> Option<Value> {
        let traffic = self.shared.traffic.clone()?;
        let mut sockets = None;
        let (rows, mut stats) = match self.topic {
            Topic::Requests => {
                let ring = traffic.requests();
                let new = self.new_records(&ring);
                let stats = json!({
                    "total": ring.last().to_string(),
                    "kept": ring.len().to_string(),
                    "kept_kib": (ring.bytes() >> 10).to_string(),
                    "dropped": ring.dropped().to_string(),
                });
                drop(ring);
                let logs = traffic.sockets();
                sockets = self
                    .changed(json!(logs.iter().map(|log| SocketRow::new(log)).collect::<Vec<_>>()));
                if new.is_none() && sockets.is_none() {
                    return None;
                }
                let new = new.unwrap_or_default();
                let row =
                    |filter: &Filter, number, record: &_| Some(json!(filter.row(number, record)?));
                (self.rows(&new, row), stats)
            }
            Topic::Frames(number) => {
                let log = find_socket(&traffic, number)?;
                let record = log.record();
                let new = self.new_records(&record.frames)?;
                let stats = json!({
                    "frames_in": record.frames_in.to_string(),
                    "bytes_in": record.bytes_in.to_string(),
                    "frames_out": record.frames_out.to_string(),
                    "bytes_out": record.bytes_out.to_string(),
                    "kept": record.frames.len().to_string(),
                    "dropped": record.frames.dropped().to_string(),
                });
                drop(record);
                let row =
                    |filter: &Filter, number, frame: &_| Some(json!(filter.frame(number, frame)?));
                (self.rows(&new, row), stats)
            }
            Topic::Scenario => {
                let text = json!(self.shared.player.progress.borrow().to_string());
                let text = self.changed(text)?;
                return Some(json!({ "last": 0, "rows": [], "stats": { "scenario": text } }));
            }
            Topic::Overview => {
                let total = traffic.requests().last();
                let rate = total.saturating_sub(std::mem::replace(&mut self.last, total));
                return overview::update(&self.shared, rate);
            }
        };
        let skipped = match self.skipped {
            0 => String::new(),
            count => {
                format!("{count} were too fast for this page; reload to see those that are kept.")
            }
        };
        stats["skipped"] = json!(skipped);
        Some(json!({ "last": self.last, "rows": rows, "stats": stats, "sockets": sockets }))
    }

    /// A value if it is another one than the last time.
    fn changed(&mut self, value: Value) -> Option<Value> {
        if self.other == value {
            return None;
        }
        self.other.clone_from(&value);
        Some(value)
    }

    /// The records since the last batch, newest first, without those that no batch can contain; `None` if there are
    /// none. Records are rendered later, without the lock.
    fn new_records<T: Weighed>(&mut self, ring: &Ring<T>) -> Option<Vec<(u64, Arc<T>)>> {
        let last = ring.last();
        if last == self.last && !self.is_first {
            return None;
        }
        let most = if self.filter.is_empty() { self.max_rows() } else { usize::MAX };
        let new = ring.after(self.last).take(most);
        let new: Vec<_> = new.map(|(number, record)| (number, Arc::clone(record))).collect();
        if !self.is_first {
            // A browser may ask for what follows a record that does not exist yet.
            self.skipped += last.saturating_sub(self.last).saturating_sub(new.len() as u64);
        }
        self.last = last;
        Some(new)
    }

    fn rows<T>(
        &mut self,
        new: &[(u64, Arc<T>)],
        row: impl Fn(&Filter, u64, &T) -> Option<Value>,
    ) -> Vec<Value> {
        let rows = new.iter().filter_map(|(number, record)| row(&self.filter, *number, record));
        let mut rows: Vec<_> = rows.collect();
        let most = self.max_rows();
        if !std::mem::take(&mut self.is_first) {
            self.skipped += rows.len().saturating_sub(most) as u64;
        }
        rows.truncate(most);
        rows
    }

    fn max_rows(&self) -> usize {
        if self.is_first { ROWS } else { MAX_ROWS }
    }
}
