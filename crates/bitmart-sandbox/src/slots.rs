//! Slots for HTTP connections. Connections whose head is incomplete have slots of their own, of which the oldest
//! is dropped when all are taken: clients that only begin requests cannot keep others out.

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
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(5);

/// How many connections there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capacity {
    /// Without a complete head: new ones, and ones whose next head has begun.
    pub(crate) heads: usize,
    /// With a request in progress, or waiting for the next one.
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
    /// Goes up, so that the first entry of a map is its oldest.
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
    /// Its head is awaited, or has begun.
    Head(u64),
    /// So many of its requests are in progress.
    Busy(usize),
    /// It waits for its next request.
    Idle(u64),
    Gone,
}

/// The slot of one connection.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    state: Mutex<State>,
    dropped: Arc<Notify>,
    /// Since when its head is under way.
    begun: watch::Sender<Option<Instant>>,
}

/// Why a connection ends before its client ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Its head took too long.
    Overdue,
    /// Its slot was needed for another one.
    Dropped,
}

impl Slots {
    pub(crate) fn new(capacity: Capacity) -> Arc<Self> {
        Arc::new(Self { capacity, table: Mutex::default() })
    }

    /// Gives a new connection a slot, that of the oldest unfinished head if need be.
    pub(crate) fn enter(self: &Arc<Self>) -> Arc<Slot> {
        let dropped = Arc::new(Notify::new());
        let number = self.add_head(&mut self.table(), &dropped);
        Arc::new(Slot {
            slots: Arc::clone(self),
            state: Mutex::new(State::Head(number)),
            dropped,
            begun: watch::Sender::new(None),
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

    // The table is whole between any two statements that could panic, of which there is none.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes arrived. Those of a body, or behind a request in progress, begin no head.
    pub(crate) fn bytes_arrived(&self) {
        let mut state = self.state();
        match *state {
            State::Head(_) => {}
            State::Idle(number) => {
                let mut table = self.slots.table();
                table.idle.remove(&number);
                *state = State::Head(self.slots.add_head(&mut table, &self.dropped));
            }
            State::Busy(_) | State::Gone => return,
        }
        drop(state);
        self.begun.send_if_modified(|begun| {
            let first = begun.is_none();
            begun.get_or_insert_with(Instant::now);
            first
        });
    }

    /// Whether a head has begun and is incomplete.
    pub(crate) fn awaits_rest_of_head(&self) -> bool {
        self.begun.borrow().is_some()
    }

    /// A head is complete. Its request is in progress as long as the guard lives; none if no slot is free
    /// and no idle connection can be dropped for it.
    pub(crate) fn head_is_complete(self: &Arc<Self>) -> Option<Busy> {
        self.begun.send_replace(None);
        let mut state = self.state();
        let mut table = self.slots.table();
        match *state {
            State::Busy(requests) => {
                *state = State::Busy(requests + 1);
                return Some(Busy(Arc::clone(self)));
            }
            State::Head(number) => drop(table.heads.remove(&number)),
            State::Idle(number) => drop(table.idle.remove(&number)),
            State::Gone => return None,
        }
        if table.busy + table.idle.len() >= self.slots.capacity.served {
            let Some((_, oldest)) = table.idle.pop_first() else {
                *state = State::Gone;
                return None;
            };
            oldest.notify_one();
        }
        table.busy += 1;
        *state = State::Busy(1);
        Some(Busy(Arc::clone(self)))
    }

    /// Waits until the connection has to end.
    pub(crate) async fn end(&self) -> End {
        let mut begun = self.begun.subscribe();
        loop {
            let since = *begun.borrow_and_update();
            let overdue = async {
                match since {
                    Some(since) => sleep_until(since + HEAD_TIME).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.dropped.notified() => return End::Dropped,
                () = overdue => return End::Overdue,
                // The sender lives as long as this slot.
                _ = begun.changed() => {}
            }
        }
    }

    /// Gives the slot back. A WebSocket that the connection has become is counted elsewhere.
    pub(crate) fn leave(&self) {
        let mut state = self.state();
        let mut table = self.slots.table();
        match std::mem::replace(&mut *state, State::Gone) {
            State::Head(number) => drop(table.heads.remove(&number)),
            State::Idle(number) => drop(table.idle.remove(&number)),
            State::Busy(_) => table.busy -= 1,
            State::Gone => {}
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.leave();
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

/// The body of a response. Its request is in progress until all of it is sent.
#[derive(Debug)]
pub(crate) struct Held<B> {
    body: B,
    _busy: Option<Busy>,
}

impl<B> Held<B> {
    pub(crate) fn new(body: B, busy: Option<Busy>) -> Self {
        Self { body, _busy: busy }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Held<B> {
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

    fn ends(slot: &Slot) -> Option<End> {
        slot.end().now_or_never()
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_has_begun_has_five_seconds_and_silence_has_none_of_it() {
        let slot = Slots::new(CAPACITY).enter();
        tokio::time::advance(HEAD_TIME * 3).await;
        assert_eq!(ends(&slot), None, "nothing has begun");
        slot.bytes_arrived();
        tokio::time::advance(HEAD_TIME / 2).await;
        // Further bytes do not begin anew.
        slot.bytes_arrived();
        assert_eq!(ends(&slot), None);
        tokio::time::advance(HEAD_TIME / 2).await;
        assert_eq!(ends(&slot), Some(End::Overdue));
    }

    #[tokio::test(start_paused = true)]
    async fn a_whole_head_ends_the_time_and_the_next_one_has_its_own() {
        let slot = Slots::new(CAPACITY).enter();
        slot.bytes_arrived();
        let busy = slot.head_is_complete().expect("a slot");
        // A body that takes long.
        slot.bytes_arrived();
        tokio::time::advance(HEAD_TIME * 2).await;
        assert_eq!(ends(&slot), None);
        drop(busy);
        tokio::time::advance(HEAD_TIME * 2).await;
        assert_eq!(ends(&slot), None, "idle");
        slot.bytes_arrived();
        tokio::time::advance(HEAD_TIME).await;
        assert_eq!(ends(&slot), Some(End::Overdue));
    }

    #[tokio::test]
    async fn the_oldest_incomplete_head_is_dropped_and_no_served_connection_is() {
        let slots = Slots::new(CAPACITY);
        let served = slots.enter();
        let _busy = served.head_is_complete().expect("a slot");
        let heads: Vec<_> = (0..5).map(|_| slots.enter()).collect();
        let left: Vec<_> = heads.iter().map(|slot| ends(slot)).collect();
        assert_eq!(left, [Some(End::Dropped), Some(End::Dropped), Some(End::Dropped), None, None]);
        assert_eq!(ends(&served), None);
    }

    #[tokio::test]
    async fn an_idle_connection_is_dropped_and_a_busy_one_is_not() {
        let slots = Slots::new(CAPACITY);
        let idle = slots.enter();
        drop(idle.head_is_complete().expect("a slot"));
        let busy = slots.enter();
        let first = busy.head_is_complete().expect("a slot");
        let second = slots.enter().head_is_complete().expect("the idle one goes");
        assert_eq!((ends(&idle), ends(&busy)), (Some(End::Dropped), None));
        assert!(slots.enter().head_is_complete().is_none(), "both are busy");
        drop((first, second));
        assert!(slots.enter().head_is_complete().is_some());
    }

    #[tokio::test]
    async fn no_slot_is_lost() {
        let slots = Slots::new(CAPACITY);
        for turn in 0..50 {
            let slot = slots.enter();
            slot.bytes_arrived();
            if turn % 2 == 0 {
                let busy = slot.head_is_complete().expect("a slot");
                let next = slot.head_is_complete().expect("the same connection");
                drop(busy);
                if turn % 4 == 0 {
                    slot.leave();
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
