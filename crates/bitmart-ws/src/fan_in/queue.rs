//! The queue between many drivers and one reader. No driver ever waits for it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::SlowReader;
use super::waiting::{Pushed, Taken, Waiting};
use crate::error::{Error, ErrorKind};
use crate::heard::Heard;
use crate::observe::{Depth, Meters};
use crate::router::MemberId;
use crate::topic::Topic;
use crate::update::Update;

/// The reading end.
pub(super) struct Queue<T>(Arc<Shared<T>>);

/// The writing end of one topic. Dropping it ends the topic.
pub(crate) struct Port<T> {
    shared: Arc<Shared<T>>,
    place: usize,
    id: MemberId,
    heard: Arc<Heard>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    capacity: usize,
}

struct State<T> {
    waiting: Waiting<T>,
    /// It ran full: nothing is taken any more. The error comes after what waits.
    overflow: Overflow,
    reader: Option<Waker>,
    /// Those of the connection of the first topic: the figures count for its side.
    meters: Option<Meters>,
    depth: Depth,
}

impl<T> State<T> {
    fn tell_depth(&mut self) {
        if let Some(meters) = &self.meters {
            self.depth.tell(meters, self.waiting.len());
        }
    }

    /// Events that were dropped count when the reader is told of them.
    fn tell_taken(&mut self, taken: &Taken<T>) {
        self.tell_depth();
        let (Taken::Received(received), Some(meters)) = (taken, &self.meters) else { return };
        match received.update {
            Update::Data(_) => meters.read(received.received_at.instant),
            Update::Lagged(dropped) => meters.overflowed(dropped),
            _ => {}
        }
    }
}

impl<T> Drop for State<T> {
    fn drop(&mut self) {
        if let Some(meters) = &self.meters {
            self.depth.tell(meters, 0);
        }
    }
}

#[derive(PartialEq, Eq)]
enum Overflow {
    No,
    Untold,
    Told,
}

/// What the reader finds.
pub(super) enum Next<T> {
    Taken(Taken<T>),
    /// The queue ran full; this is the last of it.
    Overflow(Error),
    /// Nothing, and nothing will come.
    Over,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize, slow: SlowReader) -> Self {
        let waiting = Waiting::new(capacity, slow);
        let state = State {
            waiting,
            overflow: Overflow::No,
            reader: None,
            meters: None,
            depth: Depth::default(),
        };
        Self(Arc::new(Shared { state: Mutex::new(state), capacity }))
    }

    pub(super) fn capacity(&self) -> usize {
        self.0.capacity
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().waiting.len()
    }

    pub(super) fn has_overflowed(&self) -> bool {
        self.0.lock().overflow != Overflow::No
    }

    /// Adds a topic: its place and the end for its driver.
    pub(super) fn join(
        &self,
        id: MemberId,
        topic: Topic<T>,
        heard: Arc<Heard>,
    ) -> (usize, Port<T>) {
        let mut state = self.0.lock();
        state.meters.get_or_insert_with(|| heard.meters.clone());
        let place = state.waiting.join(id, topic);
        drop(state);
        (place, Port { shared: self.0.clone(), place, id, heard })
    }

    /// Removes a topic and what waits of it.
    pub(super) fn leave(&self, place: usize, id: MemberId) {
        let mut state = self.0.lock();
        state.waiting.leave(place, id);
        state.tell_depth();
    }

    /// The next item. Without topics none will come.
    pub(super) fn poll(&self, context: &mut Context<'_>, has_topics: bool) -> Poll<Next<T>> {
        let mut state = self.0.lock();
        if let Some(taken) = state.waiting.pop() {
            state.tell_taken(&taken);
            return Poll::Ready(Next::Taken(taken));
        }
        if state.overflow == Overflow::Untold {
            state.overflow = Overflow::Told;
            let message = format!(
                "the stream of many topics was read too slowly, its queue of {} updates ran full: \
                 updates of every topic are missing from here on; read what stands over REST, then \
                 subscribe again",
                self.0.capacity
            );
            return Poll::Ready(Next::Overflow(Error::new(ErrorKind::Overflow, message)));
        }
        if !has_topics || state.overflow == Overflow::Told {
            return Poll::Ready(Next::Over);
        }
        state.reader = Some(context.waker().clone());
        Poll::Pending
    }
}

impl<T> Port<T> {
    /// Adds an update. `false` when the topic is over and the port can be dropped.
    pub(crate) fn push(&self, update: Update<T>) -> bool {
        let received_at = self.heard.stamp().received;
        let mut state = self.shared.lock();
        if state.overflow != Overflow::No {
            return false;
        }
        let pushed = state.waiting.push(self.place, self.id, update, received_at);
        if pushed == Pushed::Full {
            state.overflow = Overflow::Untold;
            if let Some(meters) = &state.meters {
                meters.overflowed(1);
            }
        }
        state.tell_depth();
        if pushed != Pushed::Over {
            wake(state);
        }
        pushed == Pushed::Taken
    }

    /// Ends the topic after what waits of it. Without an error the connection is gone.
    pub(crate) fn end(&self, error: Option<Error>) {
        let received_at = self.heard.stamp().received;
        let mut state = self.shared.lock();
        if state.overflow != Overflow::No {
            // The whole stream ends with another error.
            return;
        }
        state.waiting.end(self.place, self.id, error, received_at);
        wake(state);
    }

    /// The topic was removed, or the whole stream dropped.
    pub(crate) fn reader_is_gone(&self) -> bool {
        !self.shared.lock().waiting.is_open(self.place, self.id)
    }
}

fn wake<T>(mut state: MutexGuard<'_, State<T>>) {
    if let Some(reader) = state.reader.take() {
        drop(state);
        reader.wake();
    }
}

impl<T> Drop for Port<T> {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl<T> fmt::Debug for Port<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port")
            .field("place", &self.place)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
