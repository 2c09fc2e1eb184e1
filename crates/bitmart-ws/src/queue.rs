//! The bounded queue between the driver and one subscription. The driver never waits for it.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::error::{Error, ErrorKind};
use crate::heard::{Heard, Stamp};
use crate::observe::Depth;
use crate::received::ReceivedAt;
use crate::update::{Kind, Update};

/// What to do when the reader is too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// Drop what waits and say how much.
    Lag,
    /// End the subscription: a missing event would go unnoticed in the reader's accounts.
    End,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<(Update<T>, Stamp)>,
    /// Events dropped before the first of `items`, and the stamp of the first that was dropped.
    lagged: u64,
    lagged_at: Option<Stamp>,
    /// The stamp of what was given last.
    given: Option<Stamp>,
    /// The writer is done; the error, if any, is the last item.
    ended: bool,
    error: Option<Error>,
    ended_at: Option<Stamp>,
    reader: Option<Waker>,
    reader_gone: bool,
    depth: Depth,
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    capacity: usize,
    overflow: Overflow,
    heard: Arc<Heard>,
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
        state.tell_depth(&self.heard);
    }
}

/// The writing end. Dropping it ends the subscription without an error.
#[derive(Debug)]
pub(crate) struct Writer<T>(Arc<Shared<T>>);

/// The reading end.
#[derive(Debug)]
pub(crate) struct Reader<T>(Arc<Shared<T>>);

/// A queue of at most `capacity` updates from a connection that notes in `heard` what it received.
pub(crate) fn queue<T>(
    capacity: usize,
    overflow: Overflow,
    heard: Arc<Heard>,
) -> (Writer<T>, Reader<T>) {
    let state = State {
        items: VecDeque::new(),
        lagged: 0,
        lagged_at: None,
        given: None,
        ended: false,
        error: None,
        ended_at: None,
        reader: None,
        reader_gone: false,
        depth: Depth::default(),
    };
    // Two words about the connection can stay when room is made.
    let least = if overflow == Overflow::Lag { 3 } else { 2 };
    let capacity = capacity.max(least);
    let shared = Arc::new(Shared { state: Mutex::new(state), capacity, overflow, heard });
    (Writer(shared.clone()), Reader(shared))
}

impl<T> Writer<T> {
    /// Adds an update. `false` when the subscription is over and the writer can be dropped.
    pub(crate) fn push(&self, update: Update<T>) -> bool {
        let stamp = self.0.heard.stamp();
        let mut state = self.0.lock();
        if state.reader_gone || state.ended {
            return false;
        }
        if state.items.len() >= self.0.capacity {
            match self.0.overflow {
                Overflow::Lag => self.0.heard.meters.overflowed(state.lag()),
                Overflow::End => {
                    self.0.heard.meters.overflowed(1);
                    let message = format!(
                        "private subscription read too slowly, its queue of {} updates ran full: events are \
                         missing from here on; query orders and balances over REST, then subscribe again",
                        self.0.capacity
                    );
                    state.end(Some(Error::new(ErrorKind::Overflow, message)), stamp);
                    return false;
                }
            }
        }
        state.items.push_back((update, stamp));
        state.tell_depth(&self.0.heard);
        if let Some(reader) = state.reader.take() {
            drop(state);
            reader.wake();
        }
        true
    }

    /// Ends the subscription after what is queued.
    pub(crate) fn end(&self, error: Error) {
        let stamp = self.0.heard.stamp();
        self.0.lock().end(Some(error), stamp);
    }

    pub(crate) fn reader_is_gone(&self) -> bool {
        self.0.lock().reader_gone
    }
}

impl<T> Drop for Writer<T> {
    fn drop(&mut self) {
        let stamp = self.0.heard.stamp();
        self.0.lock().end(None, stamp);
    }
}

impl<T> State<T> {
    /// Makes room by dropping all waiting events. A reader that far behind wants the newest, and a
    /// book has to start over after the first missing one anyway. Of the lifecycle the last word
    /// about a gap stays, and the last about silence after it: they say how things stand. Gives how
    /// many events were dropped.
    fn lag(&mut self) -> u64 {
        let dropped = self.items.iter().filter(|(item, _)| item.kind() == Kind::Event).count();
        let dropped = u64::try_from(dropped).unwrap_or(u64::MAX);
        if self.lagged == 0 {
            self.lagged_at = self.items.front().map(|(_, stamp)| *stamp);
        }
        self.lagged += dropped;
        let last = |kind| self.items.iter().rposition(|(item, _)| item.kind() == kind);
        let gap = last(Kind::Gap);
        let quiet = last(Kind::Quiet).filter(|quiet| gap.is_none_or(|gap| gap < *quiet));
        let mut place = 0;
        self.items.retain(|_| {
            let stays = Some(place) == gap || Some(place) == quiet;
            place += 1;
            stays
        });
        dropped
    }

    fn tell_depth(&mut self, heard: &Heard) {
        self.depth.tell(&heard.meters, self.items.len());
    }

    fn end(&mut self, error: Option<Error>, stamp: Stamp) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.error = error;
        self.ended_at = Some(stamp);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

impl<T> Reader<T> {
    pub(crate) fn poll_next(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Update<T>, Error>>> {
        let mut state = self.0.lock();
        if state.lagged > 0 {
            state.given = state.lagged_at;
            return Poll::Ready(Some(Ok(Update::Lagged(std::mem::take(&mut state.lagged)))));
        }
        if let Some((update, stamp)) = state.items.pop_front() {
            state.given = Some(stamp);
            state.tell_depth(&self.0.heard);
            if matches!(update, Update::Data(_)) {
                self.0.heard.meters.read(stamp.received.instant);
            }
            return Poll::Ready(Some(Ok(update)));
        }
        if state.ended {
            state.given = state.ended_at;
            return Poll::Ready(state.error.take().map(Err));
        }
        state.reader = Some(context.waker().clone());
        Poll::Pending
    }

    /// Everything that was received until then was given before the last item.
    pub(crate) fn last_received(&self) -> Option<Instant> {
        self.0.lock().given?.heard
    }

    /// When the last item was received.
    pub(crate) fn received_at(&self) -> Option<ReceivedAt> {
        self.0.lock().given.map(|stamp| stamp.received)
    }

    /// How many updates wait.
    pub(crate) fn waiting(&self) -> usize {
        self.0.lock().items.len()
    }

    /// Everything that was received until then is in the queue or was given.
    pub(crate) fn heard(&self) -> Option<Instant> {
        self.0.heard.get()
    }

    /// Why the connection was lost last, as far as it is still in the queue.
    pub(crate) fn last_trouble(&self) -> Option<String> {
        self.0.lock().items.iter().rev().find_map(|(item, _)| match item {
            Update::Reconnecting(reason) => Some(reason.to_string()),
            _ => None,
        })
    }
}

impl<T> Reader<T> {
    /// Nobody reads any more.
    pub(crate) fn close(&self) {
        let mut state = self.0.lock();
        state.reader_gone = true;
        state.items.clear();
        state.tell_depth(&self.0.heard);
    }
}
