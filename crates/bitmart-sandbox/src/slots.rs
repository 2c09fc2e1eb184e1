//! Slots for HTTP connections. Connections whose head is incomplete have separate slots, of which the oldest is dropped
//! when all are taken. So clients that send incomplete requests cannot block others.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// Maximum time of a head from its first byte to its last.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum time without the first byte of a head.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The maximum number of connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capacity {
    /// Connections without a complete head: new ones, and those whose next head has begun.
    pub(crate) heads: usize,
    /// Connections with a request in progress, and idle ones.
    pub(crate) served: usize,
}

/// The connections of a listener.
#[derive(Debug)]
pub(crate) struct Slots {
    capacity: Capacity,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// The last number. Numbers increase, so the first entry of a map is its oldest.
    last: u64,
    /// Connections without a complete head, each with what notifies it that it is dropped.
    heads: BTreeMap<u64, Arc<Notify>>,
    /// Connections that wait for their next request.
    idle: BTreeMap<u64, Arc<Notify>>,
    /// The number of connections with a request in progress.
    busy: usize,
}

impl Table {
    fn next_number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A new connection, which has sent nothing so far.
    New {
        number: u64,
        since: Instant,
    },
    /// With an incomplete head, since its first byte.
    Head {
        number: u64,
        since: Instant,
    },
    /// With this number of requests in progress.
    Busy(usize),
    /// Waiting for the next request.
    Idle {
        number: u64,
        since: Instant,
    },
    Released,
}

impl State {
    /// The moment at which the connection has to end unless its state changes before.
    fn deadline(self) -> Option<(Instant, EndReason)> {
        match self {
            Self::Head { since, .. } => Some((since + HEAD_TIMEOUT, EndReason::Overdue)),
            Self::New { since, .. } | Self::Idle { since, .. } => {
                Some((since + IDLE_TIMEOUT, EndReason::Idle))
            }
            Self::Busy(_) | Self::Released => None,
        }
    }
}

/// The slot of one connection.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    state: Mutex<State>,
    dropped: Arc<Notify>,
}

/// The reason for which a connection ends before its client ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// The head took too long.
    Overdue,
    /// No head has begun for too long.
    Idle,
    /// The slot was needed for another connection.
    Dropped,
}

impl Slots {
    pub(crate) fn new(capacity: Capacity) -> Arc<Self> {
        Arc::new(Self { capacity, table: Mutex::default() })
    }

    /// Takes a slot for a new connection. If all are taken, the connection with the oldest incomplete head is dropped.
    pub(crate) fn acquire(self: &Arc<Self>) -> Arc<Slot> {
        let dropped = Arc::new(Notify::new());
        let number = self.add_head(&mut self.table(), &dropped);
        let state = Mutex::new(State::New { number, since: Instant::now() });
        Arc::new(Slot { slots: Arc::clone(self), state, dropped })
    }

    fn add_head(&self, table: &mut Table, dropped: &Arc<Notify>) -> u64 {
        let number = table.next_number();
        table.heads.insert(number, Arc::clone(dropped));
        if table.heads.len() > self.capacity.heads
            && let Some((_, oldest)) = table.heads.pop_first()
        {
            oldest.notify_one();
        }
        number
    }

    // A poisoned lock is not an error: no statement that changes the table can panic halfway.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports that bytes arrived. They begin a head, unless a request is in progress.
    pub(crate) fn bytes_arrived(&self) {
        let mut state = self.state();
        let number = match *state {
            State::New { number, .. } => number,
            State::Idle { number, .. } => {
                let mut table = self.slots.table();
                if table.idle.remove(&number).is_none() {
                    // Its slot was taken away, and it ends.
                    return;
                }
                self.slots.add_head(&mut table, &self.dropped)
            }
            State::Head { .. } | State::Busy(_) | State::Released => return,
        };
        *state = State::Head { number, since: Instant::now() };
    }

    /// Whether a head has begun and is incomplete.
    pub(crate) fn has_incomplete_head(&self) -> bool {
        matches!(*self.state(), State::Head { .. })
    }

    /// Reports that a head is complete. Its request is in progress as long as the guard lives. Returns `None` if no
    /// slot is free and no idle connection can be dropped, or if this connection is the one that is dropped: a request
    /// on it must not be processed, because its response would be lost.
    pub(crate) fn begin_request(self: &Arc<Self>) -> Option<Busy> {
        let mut state = self.state();
        let mut table = self.slots.table();
        let entry = match *state {
            State::Busy(requests) => {
                *state = State::Busy(requests + 1);
                return Some(Busy(Arc::clone(self)));
            }
            State::New { number, .. } | State::Head { number, .. } => table.heads.remove(&number),
            State::Idle { number, .. } => table.idle.remove(&number),
            State::Released => None,
        };
        if entry.is_none() {
            *state = State::Released;
            return None;
        }
        if table.busy + table.idle.len() >= self.slots.capacity.served {
            let Some((_, oldest)) = table.idle.pop_first() else {
                *state = State::Released;
                return None;
            };
            oldest.notify_one();
        }
        table.busy += 1;
        *state = State::Busy(1);
        Some(Busy(Arc::clone(self)))
    }

    /// Waits until the connection has to end.
    ///
    /// The timer is not reset by each request, which would cost more than the rest of a slot. It ends at the latest
    /// when a head that begins meanwhile can be overdue, and reads the deadline again.
    pub(crate) async fn wait_for_end(&self) -> EndReason {
        loop {
            let now = Instant::now();
            let deadline = self.state().deadline();
            let next = match deadline {
                Some((at, reason)) if at <= now => return reason,
                Some((at, _)) => at.min(now + HEAD_TIMEOUT),
                None => now + HEAD_TIMEOUT,
            };
            tokio::select! {
                () = self.dropped.notified() => return EndReason::Dropped,
                () = sleep_until(next) => {}
            }
        }
    }

    /// Releases the slot. If the connection was upgraded to a WebSocket, `ConnectionLimiter` counts it.
    pub(crate) fn release(&self) {
        let mut state = self.state();
        let mut table = self.slots.table();
        match std::mem::replace(&mut *state, State::Released) {
            State::New { number, .. } | State::Head { number, .. } => {
                table.heads.remove(&number);
            }
            State::Idle { number, .. } => {
                table.idle.remove(&number);
            }
            State::Busy(_) => table.busy -= 1,
            State::Released => {}
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.release();
    }
}

/// A request in progress.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Slot>);

impl Drop for Busy {
    fn drop(&mut self) {
        let slot = &self.0;
        let mut state = slot.state();
        let State::Busy(requests) = *state else { return };
        if requests > 1 {
            *state = State::Busy(requests - 1);
            return;
        }
        let mut table = slot.slots.table();
        table.busy -= 1;
        let number = table.next_number();
        table.idle.insert(number, Arc::clone(&slot.dropped));
        *state = State::Idle { number, since: Instant::now() };
    }
}

/// A response body that keeps its request in progress until it is sent.
#[derive(Debug)]
pub(crate) struct TrackedBody<B> {
    body: B,
    _busy: Option<Busy>,
}

impl<B> TrackedBody<B> {
    pub(crate) fn new(body: B, busy: Option<Busy>) -> Self {
        Self { body, _busy: busy }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for TrackedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
