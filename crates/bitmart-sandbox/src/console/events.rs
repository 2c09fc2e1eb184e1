//! Live updates as server-sent events, several times a second at most.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{StatusCode, body::Frame};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    form::Fields,
    overview,
    reply::{self, Reply},
    traffic::{FrameRow, Row, find_socket},
};
use crate::{shared::Shared, shutdown::stopped};

/// Shortest time between two batches.
const INTERVAL: Duration = Duration::from_millis(250);
/// Rows of a batch. If there are more, only the newest ones are sent.
const MAX_ROWS: usize = 50;
/// Time without a batch after which a comment is sent, so that a browser that is gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// What a stream reports.
enum Topic {
    Requests,
    Frames(u64),
    Overview,
}

struct Listener {
    shared: Arc<Shared>,
    topic: Topic,
    /// The number of the last record that was sent.
    last: u64,
    skipped: u64,
    sent: Instant,
}

/// The updates of a page. They end with the sandbox.
pub(super) fn stream(shared: &Arc<Shared>, query: &Fields) -> Reply {
    let topic = match query.get("socket").map(str::parse::<u64>) {
        Some(Ok(number)) => Topic::Frames(number),
        Some(Err(_)) => return reply::text(StatusCode::BAD_REQUEST, "no number of a WebSocket"),
        None if query.get("overview").is_some() => Topic::Overview,
        None => Topic::Requests,
    };
    let after = query.get("after").and_then(|text| text.parse().ok()).unwrap_or(0);
    let last = match topic {
        // Requests before the first update do not count for the rate.
        Topic::Overview => shared.traffic.as_ref().map_or(0, |traffic| traffic.requests().last()),
        Topic::Requests | Topic::Frames(_) => after,
    };
    let listener =
        Listener { shared: Arc::clone(shared), topic, last, skipped: 0, sent: Instant::now() };
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
                _ => INTERVAL,
            };
            tokio::select! {
                () = sleep(interval) => {}
                () = stopped(&mut control) => return None,
            }
            if let Some(batch) = self.batch() {
                self.sent = Instant::now();
                return Some(format!("event: rows\ndata: {batch}\n\n"));
            }
            if self.sent.elapsed() >= KEEP_ALIVE {
                self.sent = Instant::now();
                return Some(":\n\n".to_owned());
            }
        }
    }

    /// What is new; `None` if nothing is.
    fn batch(&mut self) -> Option<Value> {
        let traffic = self.shared.traffic.as_ref()?;
        let rows: Vec<Value> = match self.topic {
            Topic::Requests => {
                let ring = traffic.requests();
                let last = ring.last();
                if last == self.last {
                    return None;
                }
                let new = last.saturating_sub(self.last);
                self.skipped += new.saturating_sub(MAX_ROWS as u64);
                let records: Vec<_> = ring
                    .after(self.last)
                    .take(MAX_ROWS)
                    .map(|(number, record)| (number, Arc::clone(record)))
                    .collect();
                self.last = last;
                drop(ring);
                records.iter().map(|(number, record)| json!(Row::new(*number, record))).collect()
            }
            Topic::Frames(number) => {
                let log = find_socket(traffic, number)?;
                let record = log.record();
                let last = record.frames.last();
                if last == self.last {
                    return None;
                }
                let new = record.frames.after(self.last).take(MAX_ROWS);
                let frames: Vec<_> = new.map(|(_, frame)| Arc::clone(frame)).collect();
                self.last = last;
                drop(record);
                frames.iter().map(|frame| json!(FrameRow::new(frame))).collect()
            }
            Topic::Overview => {
                let total = traffic.requests().last();
                let rate = total.saturating_sub(std::mem::replace(&mut self.last, total));
                let stats = overview::stats(&self.shared, rate);
                return Some(json!({ "last": total, "rows": [], "stats": stats }));
            }
        };
        let skipped = match self.skipped {
            0 => String::new(),
            count => {
                format!("{count} were too fast for this page; reload to see those that are kept.")
            }
        };
        Some(json!({ "last": self.last, "rows": rows, "stats": { "skipped": skipped } }))
    }
}
