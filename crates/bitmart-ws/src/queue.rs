//! The bounded queue between the driver and one subscription. The driver never waits for the reader.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::error::{Error, ErrorKind};
use crate::observe::QueueDepth;
use crate::receive_time::ReceiveTime;
use crate::receive_tracker::{ReceiveTracker, Stamp};
use crate::update::{Update, UpdateKind};

/// What to do when the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// Drop the queued events and report how many.
    Lag,
    /// End the subscription: the reader would not notice a missing event of its account.
    End,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<(Update<T>, Stamp)>,
    /// Events dropped before the first of `items`. Boxed like `end`: both are rare, and there are thousands of
    /// queues.
    lag: Option<Box<Lag>>,
    /// The stamp of the last item that was read.
    last_read: Option<Stamp>,
    /// The writer is gone or has ended the subscription: nothing is added any more.
    end: Option<Box<End>>,
    /// `None` was returned.
    terminated: bool,
    waker: Option<Waker>,
    reader_gone: bool,
    depth: QueueDepth,
}

#[derive(Debug)]
struct Lag {
    dropped: u64,
    /// The stamp of the first event that was dropped.
    since: Stamp,
}

#[derive(Debug)]
struct End {
    /// The last item, if there is one.
    error: Option<Error>,
    stamp: Stamp,
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    capacity: usize,
    overflow: Overflow,
    receive_tracker: Arc<ReceiveTracker>,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.items.clear();
        state.report_depth(&self.receive_tracker);
    }
}

/// The writing end. Dropping it ends the subscription without an error.
#[derive(Debug)]
pub(crate) struct Writer<T>(Arc<Shared<T>>);

/// The reading end.
#[derive(Debug)]
pub(crate) struct Reader<T>(Arc<Shared<T>>);

/// Creates a queue of at most `capacity` updates, stamped by `receive_tracker`.
pub(crate) fn queue<T>(
    capacity: usize,
    overflow: Overflow,
    receive_tracker: Arc<ReceiveTracker>,
) -> (Writer<T>, Reader<T>) {
    let state = State {
        items: VecDeque::new(),
        lag: None,
        last_read: None,
        end: None,
        terminated: false,
        waker: None,
        reader_gone: false,
        depth: QueueDepth::default(),
    };
    // `drop_events` can leave two updates.
    let min_capacity = if overflow == Overflow::Lag { 3 } else { 2 };
    let capacity = capacity.max(min_capacity);
    let shared = Arc::new(Shared { state: Mutex::new(state), capacity, overflow, receive_tracker });
    (Writer(shared.clone()), Reader(shared))
}

impl<T> Writer<T> {
    /// Adds an update. Returns `false` if the subscription has ended.
    pub(crate) fn push(&self, update: Update<T>) -> bool {
        let stamp = self.0.receive_tracker.stamp();
        let metrics = &self.0.receive_tracker.metrics;
        let mut state = self.0.lock();
        if state.reader_gone || state.end.is_some() {
            return false;
        }
        if state.items.len() >= self.0.capacity {
            match self.0.overflow {
                Overflow::Lag => metrics.overflowed(state.drop_events()),
                Overflow::End => {
                    metrics.overflowed(1);
                    let message = format!(
                        "the private subscription was read too slowly and its queue of {} updates is full: \
                         events are missing from here on; query orders and balances over REST, then \
                         subscribe again",
                        self.0.capacity
                    );
                    let waker = state.end(Some(Error::new(ErrorKind::Overflow, message)), stamp);
                    drop(state);
                    if let Some(waker) = waker {
                        waker.wake();
                    }
                    return false;
                }
            }
        }
        if state.items.capacity() == 0 {
            // Most queues never hold more than one update, and there are thousands of them.
            state.items.reserve_exact(1);
        }
        state.items.push_back((update, stamp));
        state.report_depth(&self.0.receive_tracker);
        if let Some(waker) = state.waker.take() {
            drop(state);
            waker.wake();
        }
        true
    }

    /// Ends the subscription with this error after the queued updates.
    pub(crate) fn end(&self, error: Error) {
        let stamp = self.0.receive_tracker.stamp();
        let waker = self.0.lock().end(Some(error), stamp);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether the reader is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.lock().reader_gone
    }

    /// How many updates are queued.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().items.len()
    }
}

impl<T> Drop for Writer<T> {
    fn drop(&mut self) {
        let stamp = self.0.receive_tracker.stamp();
        let waker = self.0.lock().end(None, stamp);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> State<T> {
    /// Drops all queued events and returns how many there were. A reader that far behind wants the
    /// newest, and a book must be resynchronized after the first missing event anyway. The last
    /// `Continuity` update and the last `Liveness` update after it stay: they describe the current
    /// state of the connection.
    fn drop_events(&mut self) -> u64 {
        let dropped = self.items.iter().map(|(item, _)| item.event_count()).sum();
        if let Some(lag) = &mut self.lag {
            lag.dropped = lag.dropped.saturating_add(dropped);
        } else if let Some((_, since)) = self.items.front().filter(|_| dropped > 0) {
            self.lag = Some(Box::new(Lag { dropped, since: *since }));
        }
        let last_of = |kind| self.items.iter().rposition(|(item, _)| item.kind() == kind);
        let continuity = last_of(UpdateKind::Continuity);
        let liveness = last_of(UpdateKind::Liveness)
            .filter(|liveness| continuity.is_none_or(|continuity| continuity < *liveness));
        let mut index = 0;
        self.items.retain(|_| {
            let stays = Some(index) == continuity || Some(index) == liveness;
            index += 1;
            stays
        });
        dropped
    }

    fn report_depth(&mut self, receive_tracker: &ReceiveTracker) {
        self.depth.set(&receive_tracker.metrics, self.items.len());
    }

    /// Returns the reader's waker. Wake it after the lock is released: it may read at once.
    #[must_use]
    fn end(&mut self, error: Option<Error>, stamp: Stamp) -> Option<Waker> {
        if self.end.is_some() {
            return None;
        }
        self.end = Some(Box::new(End { error, stamp }));
        self.waker.take()
    }
}

impl<T> Reader<T> {
    pub(crate) fn poll_next(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Update<T>, Error>>> {
        let mut state = self.0.lock();
        if let Some(lag) = state.lag.take() {
            state.last_read = Some(lag.since);
            return Poll::Ready(Some(Ok(Update::Lagged(lag.dropped))));
        }
        if let Some((update, stamp)) = state.items.pop_front() {
            state.last_read = Some(stamp);
            state.report_depth(&self.0.receive_tracker);
            if matches!(update, Update::Data(_)) {
                self.0.receive_tracker.metrics.read(stamp.received_at.instant);
            }
            return Poll::Ready(Some(Ok(update)));
        }
        if let Some(end) = &mut state.end {
            let (error, stamp) = (end.error.take(), end.stamp);
            state.last_read = Some(stamp);
            state.terminated = error.is_none();
            return Poll::Ready(error.map(Err));
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Whether `None` was returned.
    pub(crate) fn is_terminated(&self) -> bool {
        self.0.lock().terminated
    }

    /// Everything that was received until then was returned before the last item.
    pub(crate) fn delivered_until(&self) -> Option<Instant> {
        self.0.lock().last_read?.received_until
    }

    /// Everything that was received until then was returned or is queued.
    pub(crate) fn received_until(&self) -> Option<Instant> {
        self.0.receive_tracker.received_until()
    }

    /// When the last item was received.
    pub(crate) fn received_at(&self) -> Option<ReceiveTime> {
        self.0.lock().last_read.map(|stamp| stamp.received_at)
    }

    /// How many updates are queued.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().items.len()
    }

    /// Why the connection was last lost, if that update is still queued.
    pub(crate) fn last_disconnect(&self) -> Option<String> {
        self.0.lock().items.iter().rev().find_map(|(item, _)| match item {
            Update::Reconnecting(reason) => Some(reason.to_string()),
            _ => None,
        })
    }

    /// Discards the queued updates and takes no more.
    pub(crate) fn close(&self) {
        let mut state = self.0.lock();
        state.reader_gone = true;
        state.items.clear();
        state.report_depth(&self.0.receive_tracker);
    }
}
