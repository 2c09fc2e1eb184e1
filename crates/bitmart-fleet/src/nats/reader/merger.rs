//! Merges the messages of a topic, from one or several collectors, into what a subscription receives.
//!
//! It does no I/O: messages, changes of leases and the time are arguments, and outputs are collected in a list. An
//! input is one replica of the topic's shard.

use std::time::{Duration, Instant};

use bitmart_ws::ReconnectReason;
use bytes::Bytes;

use super::dedup::Dedup;
use crate::nats::message::{Kind, Message, Rejected};

/// How far back a loss may reach that a collector noticed at its connection to the exchange: a connection counts as
/// dead after 20 s without a frame.
const EXCHANGE_LOSS: Duration = Duration::from_secs(25);

/// What is passed to the feed of the subscription.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::nats) enum Output {
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
pub(in crate::nats) struct Merger {
    inputs: Vec<Input>,
    /// `None` with one input. Only topics of trades have several.
    dedup: Option<Dedup>,
    /// The lease timeout: a collector may have been dead for so long before that is noticed.
    ttl: Duration,
    /// Whether the subscription has received that the topic delivers.
    is_up: bool,
}

#[derive(Debug, Default)]
struct Input {
    /// The highest term that was seen.
    term: u64,
    /// The number of the next message of the term; `None` before the first.
    next: Option<u64>,
    /// Since when it delivers without a loss.
    up_since: Option<Instant>,
    /// Messages before the next one are missing, so the input has to [join](Merger::join) again, from the stored messages.
    is_behind: bool,
}

impl Merger {
    pub(in crate::nats) fn new(inputs: usize, ttl: Duration) -> Self {
        let dedup = (inputs > 1).then(|| Dedup::new(inputs));
        let inputs = std::iter::repeat_with(Input::default).take(inputs).collect();
        Self { inputs, dedup, ttl, is_up: false }
    }

    /// The number of inputs, and the timeout of their holders.
    pub(in crate::nats) fn layout(&self) -> (usize, Duration) {
        (self.inputs.len(), self.ttl)
    }

    /// The highest term of the input that was seen; 0 before the first.
    pub(in crate::nats) fn term(&self, input: usize) -> u64 {
        self.inputs[input].term
    }

    /// Whether the input delivers.
    pub(in crate::nats) fn is_input_up(&self, input: usize) -> bool {
        self.inputs[input].up_since.is_some()
    }

    /// Whether the input has to [join](Self::join) again.
    pub(in crate::nats) fn is_behind(&self, input: usize) -> bool {
        self.inputs[input].is_behind
    }

    pub(in crate::nats) fn set_behind(&mut self, input: usize, is_behind: bool) {
        self.inputs[input].is_behind = is_behind;
    }

    /// Handles a holder that was silent for too long. `reach` is how far back the loss may begin.
    pub(in crate::nats) fn silent(
        &mut self,
        input: usize,
        reason: ReconnectReason,
        reach: Duration,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        self.down(input, reason, reach, now, out);
        // If its messages arrive again, those from in between may be missing.
        (self.inputs[input].next, self.inputs[input].is_behind) = (None, true);
    }

    /// Resets all inputs, after the subscriptions at NATS were lost. Which trades were passed is kept, because another
    /// collector may send them again.
    pub(in crate::nats) fn begin_again(&mut self, reason: ReconnectReason, out: &mut Vec<Output>) {
        self.inputs.fill_with(Input::default);
        if std::mem::take(&mut self.is_up) {
            out.push(Output::Reconnecting(reason));
        }
    }

    /// Continues an input after the last stored message of its holder.
    pub(in crate::nats) fn join(
        &mut self,
        input: usize,
        last: &Message,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        let state = &mut self.inputs[input];
        if last.term < state.term {
            return;
        }
        (state.term, state.is_behind) = (last.term, false);
        state.next = Some(last.number.saturating_add(1));
        match last.kind {
            Kind::Reconnecting => self.down(input, last.reason(), EXCHANGE_LOSS, now, out),
            Kind::Rejected => self.lifecycle(input, last, now, out),
            _ if last.is_up() => self.up(input, now, out),
            _ => {}
        }
    }

    /// Handles a message.
    pub(in crate::nats) fn message(
        &mut self,
        input: usize,
        message: &Message,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        let state = &mut self.inputs[input];
        if message.term < state.term {
            // From a collector that does not know yet that it has lost its lease.
            return;
        }
        if message.term > state.term {
            let detail = format!("collector {} has taken over the topic", message.collector);
            self.replaced(input, message.term, detail, now, out);
        }
        let state = &mut self.inputs[input];
        let Some(expected) = state.next.or((message.number == 0).then_some(0)) else {
            state.is_behind = true;
            return;
        };
        if message.number < expected {
            return;
        }
        state.next = Some(message.number.saturating_add(1));
        if message.number > expected {
            self.lost(input, message.number - expected, now, out);
        }
        self.lifecycle(input, message, now, out);
    }

    /// Handles a new term, before or with its first message.
    pub(in crate::nats) fn replaced(
        &mut self,
        input: usize,
        term: u64,
        detail: String,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        if term <= self.inputs[input].term {
            return;
        }
        if self.is_input_up(input) {
            self.down(input, ReconnectReason::Lost { detail }, self.ttl, now, out);
        }
        let state = &mut self.inputs[input];
        (state.term, state.next, state.is_behind) = (term, None, false);
    }

    /// Marks an input as not delivering. `reach` is how far back the loss may begin.
    pub(in crate::nats) fn down(
        &mut self,
        input: usize,
        reason: ReconnectReason,
        reach: Duration,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        let was_up = self.is_input_up(input);
        self.inputs[input].up_since = None;
        let is_known = !was_up && self.is_another_up(input);
        if is_known || self.is_covered(input, reach, now) {
            return;
        }
        out.push(Output::Reconnecting(reason));
        self.is_up = false;
        if self.inputs.iter().any(|input| input.up_since.is_some()) {
            // Another input delivers, but not for long enough.
            out.push(Output::Connected);
            self.is_up = true;
        }
    }

    fn lifecycle(&mut self, input: usize, message: &Message, now: Instant, out: &mut Vec<Output>) {
        match message.kind {
            Kind::Frame => {
                self.up(input, now, out);
                self.frame(input, message, out);
            }
            Kind::Subscribed | Kind::Resynced | Kind::Heartbeat => self.up(input, now, out),
            Kind::Reconnecting => self.down(input, message.reason(), EXCHANGE_LOSS, now, out),
            Kind::Lagged => {
                self.up(input, now, out);
                self.lost(input, message.missed(), now, out);
            }
            Kind::Stale if !self.is_another_up(input) => out.push(Output::Stale(message.received)),
            Kind::Alive if !self.is_another_up(input) => out.push(Output::Alive),
            Kind::Unreadable => out.push(Output::Unreadable(message.payload.clone())),
            Kind::RequestRejected => {
                let Rejected { code, text } = message.rejected();
                out.push(Output::RequestRejected(code, text));
            }
            Kind::Rejected => {
                let Rejected { code, text } = message.rejected();
                out.push(Output::Rejected(code, text));
            }
            Kind::Down if self.is_input_up(input) => {
                let detail = format!("collector {} does not receive the topic", message.collector);
                self.down(input, ReconnectReason::Lost { detail }, EXCHANGE_LOSS, now, out);
            }
            Kind::Stale | Kind::Alive | Kind::Down => {}
        }
    }

    fn frame(&mut self, input: usize, message: &Message, out: &mut Vec<Output>) {
        let frame = match &mut self.dedup {
            Some(dedup) => dedup.pass(input, &message.payload),
            None => Some(message.payload.clone()),
        };
        out.extend(frame.map(|frame| Output::Frame(frame, message.received)));
    }

    fn up(&mut self, input: usize, now: Instant, out: &mut Vec<Output>) {
        if self.inputs[input].up_since.is_none() {
            self.inputs[input].up_since = Some(now);
            if let Some(dedup) = &mut self.dedup {
                dedup.restart(input);
            }
        }
        if !self.is_up {
            out.push(Output::Connected);
            self.is_up = true;
        }
    }

    /// Reports missing messages of an input that continues.
    fn lost(&mut self, input: usize, missed: u64, now: Instant, out: &mut Vec<Output>) {
        let was_up = self.is_input_up(input);
        if was_up && !self.is_covered(input, EXCHANGE_LOSS, now) {
            out.push(Output::Lagged(missed));
        }
        if was_up {
            self.inputs[input].up_since = Some(now);
        }
    }

    /// Whether another input has delivered without a loss since `reach` ago.
    fn is_covered(&self, input: usize, reach: Duration, now: Instant) -> bool {
        let is_complete = |other: &Input| {
            other.up_since.is_some_and(|since| now.saturating_duration_since(since) >= reach)
        };
        self.inputs.iter().enumerate().any(|(index, other)| index != input && is_complete(other))
    }

    fn is_another_up(&self, input: usize) -> bool {
        let mut others = self.inputs.iter().enumerate().filter(|(index, _)| *index != input);
        others.any(|(_, other)| other.up_since.is_some())
    }
}
