//! Turns the stored messages of one topic into the outputs that a reader would have received.

use std::time::{Duration, Instant};

use bitmart_types::Timestamp;
use bitmart_ws::ReconnectReason;

use crate::nats::Error;
use crate::nats::history::{History, StoredMessage};
use crate::nats::message::{Kind, Message, is_snapshot};
use crate::nats::reader::merger::{Merger, Output};
use crate::nats::reader::{Channel, past};

/// After what silence of a collector another one is replayed. Each sends something at least every 5.5 s.
const SILENCE: Duration = Duration::from_secs(6);

pub(super) struct Player {
    channel: Channel,
    merger: Merger,
    /// By replica: the term and the time of its last message.
    last: Vec<Option<(u64, Instant)>>,
    /// The replica that is replayed, unless all are merged.
    active: Option<usize>,
    /// The instant at which the span begins, and the same in milliseconds since 1970.
    base: Instant,
    from: i64,
}

impl Player {
    pub(super) fn new(topic: &str, replicas: usize, from: Timestamp) -> Self {
        let channel = Channel::of(topic);
        let inputs = if channel == Channel::Events { replicas } else { 1 };
        Self {
            channel,
            // A change of the holder is reported before the merger sees it.
            merger: Merger::new(inputs, Duration::ZERO),
            last: vec![None; replicas],
            active: None,
            base: Instant::now(),
            from: from.as_millis(),
        }
    }

    /// Handles the next message of the topic.
    pub(super) async fn message(
        &mut self,
        history: &History,
        (topic, replica): (usize, usize),
        stored: &StoredMessage,
    ) -> Result<Vec<Output>, Error> {
        let now = self.base + Duration::from_millis(stored.at.abs_diff(self.from));
        let mut out = Vec::new();
        let is_merged = self.channel == Channel::Events;
        if !is_merged && !self.is_active(replica, now, &mut out) {
            return Ok(out);
        }
        let input = if is_merged { replica } else { 0 };
        let message = &stored.message;
        let last = self.last[replica].replace((message.term, now));
        match last {
            None => self.join(input, history, (topic, replica), stored, now, &mut out).await?,
            Some((term, at)) if term < message.term => {
                let detail = format!("collector {} has taken over the topic", message.collector);
                let reason = ReconnectReason::Lost { detail };
                // Another collector covers it if it delivered all the time since the last message.
                let silence = now.saturating_duration_since(at);
                self.merger.silent(input, reason, silence, now, &mut out);
            }
            Some(_) => {}
        }
        self.merger.message(input, message, now, &mut out);
        if self.merger.is_behind(input) {
            // The first messages of a new term are missing.
            self.join(input, history, (topic, replica), stored, now, &mut out).await?;
            if self.channel != Channel::Book {
                out.push(Output::Lagged(message.number));
            }
            self.merger.message(input, message, now, &mut out);
        }
        Ok(out)
    }

    /// Whether this replica is replayed. A silent one is replaced.
    fn is_active(&mut self, replica: usize, now: Instant, out: &mut Vec<Output>) -> bool {
        let Some(active) = self.active else {
            self.active = Some(replica);
            return true;
        };
        let last = self.last[active].map_or(now, |(_, at)| at);
        if active != replica && now.saturating_duration_since(last) >= SILENCE {
            let detail = "another collector is read".to_owned();
            self.merger.begin_again(ReconnectReason::Lost { detail }, out);
            (self.active, self.last[replica]) = (Some(replica), None);
            return true;
        }
        active == replica
    }

    /// Begins with a message that is not the first of its term: as a reader that comes just before it.
    async fn join(
        &mut self,
        input: usize,
        history: &History,
        (topic, replica): (usize, usize),
        stored: &StoredMessage,
        now: Instant,
        out: &mut Vec<Output>,
    ) -> Result<(), Error> {
        let message = &stored.message;
        let before = message.number.checked_sub(1).map(|number| before(message, number));
        if let Some(before) = &before {
            self.merger.join(input, before, now, out);
        }
        if !self.merger.is_input_up(input) {
            return Ok(());
        }
        match self.channel {
            Channel::Events => {}
            Channel::States => {
                if message.kind == Kind::Heartbeat && !message.payload.is_empty() {
                    out.push(Output::Frame(message.payload.clone(), message.received));
                }
            }
            Channel::Book if message.kind == Kind::Frame && is_snapshot(&message.payload) => {}
            Channel::Book => {
                let Some(before) = before else { return Ok(()) };
                let frames = match message.snapshot {
                    Some(first) => {
                        let range = first..stored.sequence;
                        history.before((topic, replica), message.term, range).await?
                    }
                    None => Vec::new(),
                };
                match past::complete(frames, &before) {
                    Some(frames) => out.extend(frames),
                    None => out.push(Output::Lagged(message.number)),
                }
            }
        }
        Ok(())
    }
}

/// The message before the first one: the topic has delivered if the first one says so.
fn before(first: &Message, number: u64) -> Message {
    let has_delivered = first.is_up() && !matches!(first.kind, Kind::Subscribed | Kind::Resynced);
    let kind = if has_delivered { Kind::Heartbeat } else { Kind::Down };
    Message { kind, number, payload: bytes::Bytes::new(), ..first.clone() }
}
