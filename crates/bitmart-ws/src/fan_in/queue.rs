//! The queue between many drivers and one reader. No driver ever waits for the reader.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::OverflowPolicy;
use super::buffer::{Buffer, Popped, Pushed};
use crate::error::{Error, ErrorKind};
use crate::observe::{Metrics, QueueDepth};
use crate::receive_tracker::ReceiveTracker;
use crate::router::SubscriberId;
use crate::topic::Topic;
use crate::update::Update;

/// The reading end.
pub(super) struct Queue<T>(Arc<Shared<T>>);

/// The writing end of one topic. Dropping it ends the topic.
pub(crate) struct TopicWriter<T> {
    shared: Arc<Shared<T>>,
    slot: usize,
    id: SubscriberId,
    receive_tracker: Arc<ReceiveTracker>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    capacity: usize,
}

struct State<T> {
    buffer: Buffer<T>,
    overflow: OverflowState,
    waker: Option<Waker>,
    /// Those of the first topic's connection: its endpoint labels the metrics of the queue.
    metrics: Option<Metrics>,
    depth: QueueDepth,
}

/// Whether the queue has overflowed, which ends the stream. It takes no updates then.
#[derive(PartialEq, Eq)]
enum OverflowState {
    None,
    /// The error follows the queued updates.
    Pending,
    Reported,
}

/// The next item for the reader.
pub(super) enum Next<T> {
    Item(Popped<T>),
    /// The last item.
    Overflow(Error),
    /// Nothing is queued and nothing will be.
    Finished,
}

impl<T> State<T> {
    fn report_depth(&mut self) {
        if let Some(metrics) = &self.metrics {
            self.depth.set(metrics, self.buffer.len());
        }
    }

    /// Dropped events are counted when their `Lagged` is read.
    fn report_read(&mut self, popped: &Popped<T>) {
        self.report_depth();
        let (Popped::Update(item), Some(metrics)) = (popped, &self.metrics) else { return };
        match item.update {
            Update::Data(_) => metrics.read(item.received_at.instant),
            Update::Lagged(dropped) => metrics.overflowed(dropped),
            _ => {}
        }
    }
}

impl<T> Drop for State<T> {
    fn drop(&mut self) {
        if let Some(metrics) = &self.metrics {
            self.depth.set(metrics, 0);
        }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize, policy: OverflowPolicy) -> Self {
        let state = State {
            buffer: Buffer::new(capacity, policy),
            overflow: OverflowState::None,
            waker: None,
            metrics: None,
            depth: QueueDepth::default(),
        };
        Self(Arc::new(Shared { state: Mutex::new(state), capacity }))
    }

    pub(super) fn capacity(&self) -> usize {
        self.0.capacity
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().buffer.len()
    }

    pub(super) fn has_overflowed(&self) -> bool {
        self.0.lock().overflow != OverflowState::None
    }

    /// Adds a topic. Returns its slot and the writing end.
    pub(super) fn add_topic(
        &self,
        id: SubscriberId,
        topic: Topic<T>,
        receive_tracker: Arc<ReceiveTracker>,
    ) -> (usize, TopicWriter<T>) {
        let mut state = self.0.lock();
        state.metrics.get_or_insert_with(|| receive_tracker.metrics.clone());
        let slot = state.buffer.add_topic(id, topic);
        drop(state);
        (slot, TopicWriter { shared: self.0.clone(), slot, id, receive_tracker })
    }

    /// Removes a topic and its queued updates.
    pub(super) fn remove_topic(&self, slot: usize, id: SubscriberId) {
        let mut state = self.0.lock();
        state.buffer.remove_topic(slot, id);
        state.report_depth();
    }

    pub(super) fn poll(&self, context: &mut Context<'_>, has_topics: bool) -> Poll<Next<T>> {
        let mut state = self.0.lock();
        if let Some(popped) = state.buffer.pop() {
            state.report_read(&popped);
            return Poll::Ready(Next::Item(popped));
        }
        if state.overflow == OverflowState::Pending {
            state.overflow = OverflowState::Reported;
            let message = format!(
                "the stream of many topics was read too slowly and its queue of {} updates is full: \
                 updates of every topic are missing from here on; query the current state over REST, \
                 then subscribe again",
                self.0.capacity
            );
            return Poll::Ready(Next::Overflow(Error::new(ErrorKind::Overflow, message)));
        }
        if !has_topics || state.overflow == OverflowState::Reported {
            return Poll::Ready(Next::Finished);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl<T> TopicWriter<T> {
    /// Adds an update. Returns `false` if the topic has ended.
    pub(crate) fn push(&self, update: Update<T>) -> bool {
        let received_at = self.receive_tracker.stamp().received_at;
        let mut state = self.shared.lock();
        if state.overflow != OverflowState::None {
            return false;
        }
        let pushed = state.buffer.push(self.slot, self.id, update, received_at);
        if pushed == Pushed::Full {
            state.overflow = OverflowState::Pending;
            if let Some(metrics) = &state.metrics {
                metrics.overflowed(1);
            }
        }
        state.report_depth();
        if pushed != Pushed::TopicEnded {
            wake_reader(state);
        }
        pushed == Pushed::Stored
    }

    /// Ends the topic after its queued updates. Without an error, the connection is gone.
    pub(crate) fn end(&self, error: Option<Error>) {
        let received_at = self.receive_tracker.stamp().received_at;
        let mut state = self.shared.lock();
        if state.overflow != OverflowState::None {
            // The whole stream ends with another error.
            return;
        }
        state.buffer.end_topic(self.slot, self.id, error, received_at);
        wake_reader(state);
    }

    /// How many updates of all topics of the stream are queued.
    pub(crate) fn queue_len(&self) -> usize {
        self.shared.lock().buffer.len()
    }

    /// Whether the topic was removed or the whole stream dropped.
    pub(crate) fn is_closed(&self) -> bool {
        !self.shared.lock().buffer.is_open(self.slot, self.id)
    }
}

fn wake_reader<T>(mut state: MutexGuard<'_, State<T>>) {
    if let Some(waker) = state.waker.take() {
        drop(state);
        waker.wake();
    }
}

impl<T> Drop for TopicWriter<T> {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl<T> fmt::Debug for TopicWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicWriter")
            .field("slot", &self.slot)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
