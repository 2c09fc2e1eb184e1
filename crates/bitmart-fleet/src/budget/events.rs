//! What is sent to Redis without a request that waits for it: ends of requests, corrections, pauses, bans.
//!
//! One task sends all queued events in one round trip, in order. While Redis cannot be reached, it keeps them and
//! tries again. The queue is bounded: what does not fit is dropped and logged. A lost end costs capacity until the
//! permit expires, and a lost correction is repeated by the next response. Bans and pauses are not queued: they are
//! [held](Holds), and sent again while they last.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bitmart_rest::limit::{RateLimitState, RequestEnd};
use tokio::sync::{mpsc, oneshot};

use super::Shared;
use super::entry::Entry;
use super::holds::{Hold, HoldKind, Holds};
use super::script::{Call, Operation};

/// Events that wait for Redis.
const QUEUE: usize = 8192;

/// Events in one round trip.
const BATCH: usize = 128;

/// Pause before the same events are sent again.
const RETRY: Duration = Duration::from_millis(50);

/// How often bans and pauses are sent again. A server that has lost them grants nothing for a longer time than this.
const REPEAT: Duration = Duration::from_secs(1);

pub(super) enum Event {
    /// Requests have ended, or were not sent: their permits, by number.
    End { entry: Arc<Entry>, prefix: Arc<str>, first: u64, count: u64, end: RequestEnd },
    /// A response has stated how much of a limit is used.
    Settle { entry: Arc<Entry>, state: RateLimitState },
    /// Permits were taken ahead and may be used until this time. Then those without a request are returned.
    Leased { entry: Arc<Entry>, prefix: Arc<str>, until: Instant },
    /// Sends a message when Redis has confirmed everything before it.
    Flush(oneshot::Sender<()>),
}

/// The sending side of the queue. The task ends when it is dropped and the queue is empty.
pub(super) struct Events {
    queue: mpsc::Sender<Event>,
    is_full: AtomicBool,
    holds: Arc<Holds>,
}

impl Events {
    /// Starts the task.
    pub(super) fn start(shared: Arc<Shared>) -> Self {
        let (queue, events) = mpsc::channel(QUEUE);
        let holds = Arc::<Holds>::default();
        tokio::spawn(run(shared, events, Arc::clone(&holds)));
        Self { queue, is_full: AtomicBool::new(false), holds }
    }

    /// Sends a pause or a ban to Redis until it is over. Never blocks and never fails.
    pub(super) fn hold(&self, kind: HoldKind, until: Instant) {
        self.holds.add(kind, until);
    }

    /// Queues an event. Never blocks: if the queue is full, the event is dropped and that is logged.
    pub(super) fn send(&self, event: Event) {
        let is_full = self.queue.try_send(event).is_err();
        if is_full && !self.is_full.swap(is_full, Ordering::Relaxed) {
            tracing::warn!(
                target: "bitmart_fleet",
                "too much waits for Redis: ends of requests are dropped, their permits expire later"
            );
        } else if !is_full {
            self.is_full.store(false, Ordering::Relaxed);
        }
    }

    /// Waits until Redis has confirmed what was queued and held before.
    pub(super) async fn flushed(&self) {
        let (done, flushed) = oneshot::channel();
        if self.queue.send(Event::Flush(done)).await.is_ok() {
            let _ = flushed.await;
        }
    }
}

async fn run(shared: Arc<Shared>, mut events: mpsc::Receiver<Event>, holds: Arc<Holds>) {
    let mut batch = Vec::with_capacity(BATCH);
    // Permits that were taken ahead, in the order in which they expire: all last equally long.
    let mut leases: VecDeque<(Arc<Entry>, Arc<str>, Instant)> = VecDeque::new();
    // When bans and pauses were last sent again.
    let mut repeated_at = Instant::now();
    loop {
        let lease_ends = leases.front().map(|(_, _, until)| *until);
        let repeat = holds.any().then_some(repeated_at + REPEAT);
        let received = tokio::select! {
            received = events.recv_many(&mut batch, BATCH) => received,
            () = sleep_until(lease_ends) => 1,
            () = sleep_until(repeat) => 1,
            () = holds.changed.notified() => 1,
        };
        let now = Instant::now();
        let repeats = now >= repeated_at + REPEAT;
        if repeats {
            repeated_at = now;
        }
        while leases.front().is_some_and(|(_, _, until)| *until <= now)
            && let Some((entry, prefix, _)) = leases.pop_front()
        {
            batch.extend(entry.take_expired(now).into_iter().map(|first| Event::End {
                entry: Arc::clone(&entry),
                prefix: Arc::clone(&prefix),
                first,
                count: 1,
                end: RequestEnd::NotSent,
            }));
        }
        send(&shared, &batch, &holds, repeats, &events).await;
        if received == 0 {
            return;
        }
        for event in batch.drain(..) {
            match event {
                Event::Leased { entry, prefix, until } => leases.push_back((entry, prefix, until)),
                Event::Flush(done) => drop(done.send(())),
                _ => {}
            }
        }
    }
}

/// Waits until this time, or forever without one.
async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}

/// Sends events until Redis has confirmed them. Sending some twice does no harm: an end is recorded once, and a
/// correction takes what is in use into account.
async fn send(
    shared: &Shared,
    batch: &[Event],
    holds: &Holds,
    repeats: bool,
    queue: &mpsc::Receiver<Event>,
) {
    loop {
        let held = holds.pending(repeats, Instant::now());
        let calls = batch.iter().filter_map(call).chain(held.iter().filter_map(Hold::call));
        let calls: Vec<_> = calls.collect();
        if calls.is_empty() {
            return;
        }
        if let Ok(open) = shared.link.open().await
            && shared.script.call_all(&shared.link, &open, &calls).await.is_ok()
        {
            holds.mark_sent(&held);
            return;
        }
        // All users of the budgets are gone, so the task ends instead of waiting for Redis.
        if queue.is_closed() {
            return;
        }
        tokio::time::sleep(shared.link.retry_in().max(RETRY)).await;
    }
}

fn call(event: &Event) -> Option<Call<'_>> {
    Some(match event {
        Event::End { entry, prefix, first, count, end } => Call {
            subject: &entry.subject,
            operation: Operation::End { prefix, first: *first, count: *count, end: *end },
        },
        Event::Settle { entry, state } => {
            Call { subject: &entry.subject, operation: Operation::Settle(*state) }
        }
        Event::Leased { .. } | Event::Flush(_) => return None,
    })
}
