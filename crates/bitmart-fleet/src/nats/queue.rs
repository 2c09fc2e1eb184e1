//! A queue that is bounded in messages and in bytes. Its sender never waits: if there is no room, the oldest messages
//! are dropped.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The bounds of a queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) messages: usize,
    /// Of all payloads. A single larger message is queued alone.
    pub(crate) bytes: usize,
}

#[derive(Debug)]
struct Items<T> {
    queued: VecDeque<(T, usize)>,
    bytes: usize,
    bounds: Bounds,
    is_closed: bool,
}

impl<T> Items<T> {
    fn new(bounds: Bounds) -> Self {
        Self { queued: VecDeque::new(), bytes: 0, bounds, is_closed: false }
    }

    /// Adds a message. Returns how many older ones were dropped for it.
    fn push(&mut self, item: T, bytes: usize) -> u64 {
        let mut dropped = 0;
        let Bounds { messages, bytes: most } = self.bounds;
        while self.queued.len() >= messages || self.bytes.saturating_add(bytes) > most {
            if self.pop().is_none() {
                break;
            }
            dropped += 1;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.queued.push_back((item, bytes));
        dropped
    }

    fn pop(&mut self) -> Option<T> {
        let (item, bytes) = self.queued.pop_front()?;
        self.bytes -= bytes;
        Some(item)
    }
}

#[derive(Debug)]
struct Shared<T> {
    items: Mutex<Items<T>>,
    changed: Notify,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Items<T>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sending side.
#[derive(Debug)]
pub(crate) struct Sender<T>(Arc<Shared<T>>);

/// The receiving side.
#[derive(Debug)]
pub(crate) struct Receiver<T>(Arc<Shared<T>>);

pub(crate) fn queue<T>(bounds: Bounds) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared { items: Mutex::new(Items::new(bounds)), changed: Notify::new() });
    (Sender(shared.clone()), Receiver(shared))
}

impl<T> Sender<T> {
    /// Adds a message with a payload of this size. Returns how many of the oldest were dropped for it.
    pub(crate) fn push(&self, item: T, bytes: usize) -> u64 {
        let dropped = self.0.lock().push(item, bytes);
        self.0.changed.notify_one();
        dropped
    }

    /// Ends the queue after what is in it.
    pub(crate) fn close(&self) {
        self.0.lock().is_closed = true;
        self.0.changed.notify_one();
    }
}

impl<T> Receiver<T> {
    /// Returns the oldest message. `None` if the queue is empty and closed. Cancel-safe.
    pub(crate) async fn recv(&mut self) -> Option<T> {
        loop {
            {
                let mut items = self.0.lock();
                if let Some(item) = items.pop() {
                    return Some(item);
                }
                if items.is_closed {
                    return None;
                }
            }
            self.0.changed.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Bounds = Bounds { messages: 20, bytes: 1_000 };

    #[derive(Clone, Debug)]
    enum Step {
        Push(usize),
        Pop,
    }

    fn step() -> impl Strategy<Value = Step> {
        // Small ones, large ones, and some that are larger than the queue.
        let size = prop_oneof![4 => 0..50_usize, 4 => 100..900_usize, 1 => 900..1_500_usize];
        prop_oneof![3 => size.prop_map(Step::Push), 1 => Just(Step::Pop)]
    }

    proptest! {
        #[test]
        fn memory_stays_under_the_bound_and_what_is_dropped_is_counted(steps in vec(step(), 0..300)) {
            let mut items = Items::new(BOUNDS);
            let (mut dropped, mut pushed, mut popped) = (0, 0_u64, 0);
            let mut last = None;
            for step in steps {
                match step {
                    Step::Push(size) => {
                        dropped += items.push((pushed, vec![0_u8; size]), size);
                        pushed += 1;
                    }
                    Step::Pop => if let Some((number, _)) = items.pop() {
                        prop_assert!(last < Some(number), "in order");
                        last = Some(number);
                        popped += 1;
                    },
                }
                let bytes: usize = items.queued.iter().map(|((_, payload), _)| payload.len()).sum();
                prop_assert_eq!(bytes, items.bytes);
                prop_assert!(bytes <= BOUNDS.bytes || items.queued.len() == 1, "{} bytes", bytes);
                prop_assert!(items.queued.len() <= BOUNDS.messages);
                prop_assert_eq!(dropped + popped + items.queued.len() as u64, pushed);
                if let Some(((newest, _), _)) = items.queued.back() {
                    prop_assert_eq!(*newest, pushed - 1, "the newest stays");
                }
            }
        }
    }

    #[tokio::test]
    async fn what_was_queued_is_received_before_the_end() {
        let (sender, mut receiver) = queue(BOUNDS);
        sender.push(1, 0);
        sender.push(2, 0);
        sender.close();
        assert_eq!((receiver.recv().await, receiver.recv().await), (Some(1), Some(2)));
        assert_eq!(receiver.recv().await, None);
    }
}
