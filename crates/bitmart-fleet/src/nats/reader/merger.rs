//! Turns the messages of a topic, from one or several collectors, into what a subscription sees.
//!
//! Pure: messages, leases and time in; outputs out. A lane is one replica of the topic's shard.

use std::time::{Duration, Instant};

use bitmart_ws::ReconnectReason;
use bytes::Bytes;

use super::dedup::Dedup;
use crate::nats::message::{Kind, Lagged, Message, Reason, Rejected};

/// How far back a loss may reach that a collector noticed at its connection to the exchange: a connection counts as
/// dead after 20 s without a frame.
const EXCHANGE_LOSS: Duration = Duration::from_secs(25);

/// What happens to the feed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Output {
    Connected,
    /// A frame and when the collector received it, in milliseconds since 1970.
    Frame(Bytes, i64),
    Reconnecting(ReconnectReason),
    Lagged(u64),
    /// Since this time, in milliseconds since 1970.
    Stale(i64),
    Alive,
    Unreadable(Bytes),
    RequestRejected(Option<u32>, String),
    Rejected(Option<u32>, String),
}

#[derive(Debug)]
pub(super) struct Merger {
    lanes: Vec<Lane>,
    /// If there are several lanes: only trades have.
    dedup: Option<Dedup>,
    /// How long a dead collector may have been dead before it was noticed.
    ttl: Duration,
    /// The subscription sees a topic that delivers.
    is_up: bool,
}

#[derive(Debug, Default)]
struct Lane {
    /// The highest term that was seen.
    term: u64,
    /// The number of the next message of the term; `None` before the first.
    next: Option<u64>,
    /// Since when it delivers without a loss.
    up_since: Option<Instant>,
    /// Messages before the next one are missing, so the topic has to begin anew, with the history.
    is_behind: bool,
}

impl Merger {
    pub(super) fn new(lanes: usize, ttl: Duration) -> Self {
        let dedup = (lanes > 1).then(|| Dedup::new(lanes));
        let lanes = std::iter::repeat_with(Lane::default).take(lanes).collect();
        Self { lanes, dedup, ttl, is_up: false }
    }

    /// Whether the lane delivers.
    pub(super) fn is_lane_up(&self, lane: usize) -> bool {
        self.lanes[lane].up_since.is_some()
    }

    /// Whether the topic has to begin anew with the history of the lane.
    pub(super) fn is_behind(&self, lane: usize) -> bool {
        self.lanes[lane].is_behind
    }

    /// The holder was not heard for too long.
    pub(super) fn silent(
        &mut self,
        lane: usize,
        reason: ReconnectReason,
        reach: Duration,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        self.down(lane, reason, reach, now, out);
        // If it is heard again, readers have been told of a loss and need a new beginning.
        (self.lanes[lane].next, self.lanes[lane].is_behind) = (None, true);
    }

    /// Continues a lane behind the last message of its holder, which was published before this reader came.
    pub(super) fn join(
        &mut self,
        lane: usize,
        last: &Message,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        self.lanes[lane].term = last.term;
        self.lanes[lane].next = Some(last.number + 1);
        match last.kind {
            Kind::Reconnecting => self.down(lane, reason(last), EXCHANGE_LOSS, now, out),
            Kind::Rejected => self.lifecycle(lane, last, now, out),
            _ if last.is_up() => self.up(lane, now, out),
            _ => {}
        }
    }

    /// Handles a message.
    pub(super) fn message(
        &mut self,
        lane: usize,
        message: &Message,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        let state = &mut self.lanes[lane];
        if message.term < state.term {
            // A collector that has lost its lease and does not know yet.
            return;
        }
        if message.term > state.term {
            let detail = format!("collector {} has taken over the topic", message.collector);
            self.replaced(lane, message.term, detail, now, out);
        }
        let state = &mut self.lanes[lane];
        let Some(expected) = state.next.or((message.number == 0).then_some(0)) else {
            state.is_behind = true;
            return;
        };
        if message.number < expected {
            return;
        }
        state.next = Some(message.number + 1);
        if message.number > expected {
            self.lost(lane, message.number - expected, now, out);
        }
        self.lifecycle(lane, message, now, out);
    }

    /// Handles a new term, before or with its first message.
    pub(super) fn replaced(
        &mut self,
        lane: usize,
        term: u64,
        detail: String,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        if term <= self.lanes[lane].term {
            return;
        }
        if self.is_lane_up(lane) {
            self.down(lane, ReconnectReason::Lost { detail }, self.ttl, now, out);
        }
        let state = &mut self.lanes[lane];
        (state.term, state.next, state.is_behind) = (term, None, false);
    }

    /// The lane delivers nothing any more; `reach` is how far back the loss may begin.
    pub(super) fn down(
        &mut self,
        lane: usize,
        reason: ReconnectReason,
        reach: Duration,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        self.lanes[lane].up_since = None;
        if self.is_covered(lane, reach, now) {
            return;
        }
        out.push(Output::Reconnecting(reason));
        self.is_up = false;
        if self.lanes.iter().any(|lane| lane.up_since.is_some()) {
            // Another lane delivers, but not for long enough.
            out.push(Output::Connected);
            self.is_up = true;
        }
    }

    fn lifecycle(&mut self, lane: usize, message: &Message, now: Instant, out: &mut Vec<Output>) {
        match message.kind {
            Kind::Frame => {
                self.up(lane, now, out);
                self.frame(lane, message, out);
            }
            Kind::Subscribed | Kind::Resynced | Kind::Heartbeat => self.up(lane, now, out),
            Kind::Reconnecting => self.down(lane, reason(message), EXCHANGE_LOSS, now, out),
            Kind::Lagged => {
                self.up(lane, now, out);
                let lagged: Option<Lagged> = serde_json::from_slice(&message.payload).ok();
                self.lost(lane, lagged.map_or(1, |lagged| lagged.missed), now, out);
            }
            Kind::Stale if !self.is_another_up(lane) => out.push(Output::Stale(message.received)),
            Kind::Alive if !self.is_another_up(lane) => out.push(Output::Alive),
            Kind::Unreadable => out.push(Output::Unreadable(message.payload.clone())),
            Kind::RequestRejected => {
                let Rejected { code, text } = rejected(message);
                out.push(Output::RequestRejected(code, text));
            }
            Kind::Rejected => {
                let Rejected { code, text } = rejected(message);
                out.push(Output::Rejected(code, text));
            }
            Kind::Stale | Kind::Alive | Kind::Down => {}
        }
    }

    fn frame(&mut self, lane: usize, message: &Message, out: &mut Vec<Output>) {
        let frame = match &mut self.dedup {
            Some(dedup) => dedup.pass(lane, &message.payload),
            None => Some(message.payload.clone()),
        };
        out.extend(frame.map(|frame| Output::Frame(frame, message.received)));
    }

    fn up(&mut self, lane: usize, now: Instant, out: &mut Vec<Output>) {
        if self.lanes[lane].up_since.is_none() {
            self.lanes[lane].up_since = Some(now);
            if let Some(dedup) = &mut self.dedup {
                dedup.restart(lane);
            }
        }
        if !self.is_up {
            out.push(Output::Connected);
            self.is_up = true;
        }
    }

    /// Messages of the lane are missing, and it continues.
    fn lost(&mut self, lane: usize, missed: u64, now: Instant, out: &mut Vec<Output>) {
        let was_up = self.is_lane_up(lane);
        if was_up && !self.is_covered(lane, EXCHANGE_LOSS, now) {
            out.push(Output::Lagged(missed));
        }
        if was_up {
            self.lanes[lane].up_since = Some(now);
        }
    }

    /// Whether another lane has delivered without a loss since `reach` ago.
    fn is_covered(&self, lane: usize, reach: Duration, now: Instant) -> bool {
        let is_whole = |other: &Lane| {
            other.up_since.is_some_and(|since| now.saturating_duration_since(since) >= reach)
        };
        self.lanes.iter().enumerate().any(|(index, other)| index != lane && is_whole(other))
    }

    fn is_another_up(&self, lane: usize) -> bool {
        let mut others = self.lanes.iter().enumerate().filter(|(index, _)| *index != lane);
        others.any(|(_, other)| other.up_since.is_some())
    }
}

fn reason(message: &Message) -> ReconnectReason {
    serde_json::from_slice::<Reason>(&message.payload).map_or_else(
        |_| ReconnectReason::Lost { detail: "the collector's connection".to_owned() },
        ReconnectReason::from,
    )
}

fn rejected(message: &Message) -> Rejected {
    let unknown = || Rejected { code: None, text: "rejected".to_owned() };
    serde_json::from_slice(&message.payload).unwrap_or_else(|_| unknown())
}
