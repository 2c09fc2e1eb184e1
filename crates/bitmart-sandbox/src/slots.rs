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
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};

/// How long a head may take from its first byte to its last.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

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
    next: u64,
    heads: BTreeMap<u64, Arc<Notify>>,
    idle: BTreeMap<u64, Arc<Notify>>,
    busy: usize,
}

impl Table {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Without a complete head.
    Head(u64),
    /// With this number of requests in progress.
    Busy(usize),
    /// Waiting for the next request.
    Idle(u64),
    Released,
}

/// The slot of one connection.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    state: Mutex<State>,
    dropped: Arc<Notify>,
    /// When the current head began; `None` without an incomplete head.
    head_started: watch::Sender<Option<Instant>>,
}

/// Why a connection ends before its client ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// The head took too long.
    Overdue,
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
        Arc::new(Slot {
            slots: Arc::clone(self),
            state: Mutex::new(State::Head(number)),
            dropped,
            head_started: watch::Sender::new(None),
        })
    }

    fn add_head(&self, table: &mut Table, dropped: &Arc<Notify>) -> u64 {
        let number = table.number();
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
        match *state {
            State::Head(_) => {}
            State::Idle(number) => {
                let mut table = self.slots.table();
                table.idle.remove(&number);
                *state = State::Head(self.slots.add_head(&mut table, &self.dropped));
            }
            State::Busy(_) | State::Released => return,
        }
        drop(state);
        self.head_started.send_if_modified(|head_started| {
            let first = head_started.is_none();
            head_started.get_or_insert_with(Instant::now);
            first
        });
    }

    /// Whether a head has begun and is incomplete.
    pub(crate) fn has_incomplete_head(&self) -> bool {
        self.head_started.borrow().is_some()
    }

    /// Reports that a head is complete. Its request is in progress as long as the guard lives. Returns `None` if no slot
    /// is free and no idle connection can be dropped.
    pub(crate) fn head_is_complete(self: &Arc<Self>) -> Option<Busy> {
        self.head_started.send_replace(None);
        let mut state = self.state();
        let mut table = self.slots.table();
        match *state {
            State::Busy(requests) => {
                *state = State::Busy(requests + 1);
                return Some(Busy(Arc::clone(self)));
            }
            State::Head(number) => drop(table.heads.remove(&number)),
            State::Idle(number) => drop(table.idle.remove(&number)),
            State::Released => return None,
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
    pub(crate) async fn end(&self) -> EndReason {
        let mut head_started = self.head_started.subscribe();
        loop {
            let since = *head_started.borrow_and_update();
            let overdue = async {
                match since {
                    Some(since) => sleep_until(since + HEAD_TIMEOUT).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.dropped.notified() => return EndReason::Dropped,
                () = overdue => return EndReason::Overdue,
                // An error is impossible: the sender lives as long as this slot.
                _ = head_started.changed() => {}
            }
        }
    }

    /// Releases the slot. If the connection was upgraded to a WebSocket, `ConnectionLimiter` counts it.
    pub(crate) fn release(&self) {
        let mut state = self.state();
        let mut table = self.slots.table();
        match std::mem::replace(&mut *state, State::Released) {
            State::Head(number) => drop(table.heads.remove(&number)),
            State::Idle(number) => drop(table.idle.remove(&number)),
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
        let number = table.number();
        table.idle.insert(number, Arc::clone(&slot.dropped));
        *state = State::Idle(number);
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
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const CAPACITY: Capacity = Capacity { heads: 2, served: 2 };

    fn ends(slot: &Slot) -> Option<EndReason> {
        slot.end().now_or_never()
    }

    #[tokio::test(start_paused = true)]
    async fn the_timeout_of_a_head_starts_with_its_first_byte() {
        let slot = Slots::new(CAPACITY).acquire();
        tokio::time::advance(HEAD_TIMEOUT * 3).await;
        assert_eq!(ends(&slot), None, "nothing has begun");
        slot.bytes_arrived();
        tokio::time::advance(HEAD_TIMEOUT / 2).await;
        // Further bytes do not restart the timeout.
        slot.bytes_arrived();
        assert_eq!(ends(&slot), None);
        tokio::time::advance(HEAD_TIMEOUT / 2).await;
        assert_eq!(ends(&slot), Some(EndReason::Overdue));
    }

    #[tokio::test(start_paused = true)]
    async fn a_complete_head_stops_the_timeout_and_the_next_head_starts_another() {
        let slot = Slots::new(CAPACITY).acquire();
        slot.bytes_arrived();
        let busy = slot.head_is_complete().expect("a slot");
        // Bytes of a body.
        slot.bytes_arrived();
        tokio::time::advance(HEAD_TIMEOUT * 2).await;
        assert_eq!(ends(&slot), None);
        drop(busy);
        tokio::time::advance(HEAD_TIMEOUT * 2).await;
        assert_eq!(ends(&slot), None, "idle");
        slot.bytes_arrived();
        tokio::time::advance(HEAD_TIMEOUT).await;
        assert_eq!(ends(&slot), Some(EndReason::Overdue));
    }

    #[tokio::test]
    async fn the_oldest_incomplete_head_is_dropped_instead_of_a_served_connection() {
        let slots = Slots::new(CAPACITY);
        let served = slots.acquire();
        let _busy = served.head_is_complete().expect("a slot");
        let heads: Vec<_> = (0..5).map(|_| slots.acquire()).collect();
        let left: Vec<_> = heads.iter().map(|slot| ends(slot)).collect();
        assert_eq!(
            left,
            [
                Some(EndReason::Dropped),
                Some(EndReason::Dropped),
                Some(EndReason::Dropped),
                None,
                None
            ]
        );
        assert_eq!(ends(&served), None);
    }

    #[tokio::test]
    async fn an_idle_connection_is_dropped_and_a_busy_one_is_not() {
        let slots = Slots::new(CAPACITY);
        let idle = slots.acquire();
        drop(idle.head_is_complete().expect("a slot"));
        let busy = slots.acquire();
        let first = busy.head_is_complete().expect("a slot");
        let second = slots.acquire().head_is_complete().expect("the idle connection is dropped");
        assert_eq!((ends(&idle), ends(&busy)), (Some(EndReason::Dropped), None));
        assert!(slots.acquire().head_is_complete().is_none(), "both are busy");
        drop((first, second));
        assert!(slots.acquire().head_is_complete().is_some());
    }

    #[tokio::test]
    async fn all_slots_are_released() {
        let slots = Slots::new(CAPACITY);
        for turn in 0..50 {
            let slot = slots.acquire();
            slot.bytes_arrived();
            if turn % 2 == 0 {
                let busy = slot.head_is_complete().expect("a slot");
                let next = slot.head_is_complete().expect("the same connection");
                drop(busy);
                if turn % 4 == 0 {
                    slot.release();
                }
                drop(next);
            }
            if turn % 3 == 0 {
                slot.bytes_arrived();
            }
        }
        let table = slots.table();
        assert_eq!((table.heads.len(), table.idle.len(), table.busy), (0, 0, 0));
    }
}
