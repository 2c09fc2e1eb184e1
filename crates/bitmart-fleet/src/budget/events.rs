//! What Redis has to know and no request waits for: ends of requests, corrections, pauses, bans.
//!
//! One task sends all that has collected in one round trip, in order. While Redis is away it keeps what it has and
//! tries again. The queue is bounded: what does not fit is dropped and logged. A lost end costs capacity until the
//! permit expires, and a lost correction or pause is repeated by the next response.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bitmart_rest::limit::RateLimitState;
use tokio::sync::{mpsc, oneshot};

use super::Shared;
use super::entry::Entry;
use super::script::{Call, Operation, Subject};

/// Events that wait for Redis.
const QUEUE: usize = 8192;

/// Events in one round trip.
const BATCH: usize = 128;

/// Pause before the same events are sent again.
const RETRY: Duration = Duration::from_millis(50);

pub(super) enum Event {
    End {
        entry: Arc<Entry>,
        prefix: Arc<str>,
        number: u64,
        counted: bool,
    },
    Settle {
        entry: Arc<Entry>,
        state: RateLimitState,
    },
    Pause {
        entry: Arc<Entry>,
        until: Instant,
    },
    Ban {
        subject: Arc<Subject>,
        until: Instant,
    },
    /// Some permits of a lease may be used until then.
    Leased {
        entry: Arc<Entry>,
        prefix: Arc<str>,
        until: Instant,
    },
    Flush(oneshot::Sender<()>),
}

/// The entrance of the queue. The task ends when it is dropped and the queue is empty.
pub(super) struct Events {
    queue: mpsc::Sender<Event>,
    is_full: AtomicBool,
}

impl Events {
    /// Starts the task.
    pub(super) fn start(shared: Arc<Shared>) -> Self {
        let (queue, events) = mpsc::channel(QUEUE);
        tokio::spawn(run(shared, events));
        Self { queue, is_full: AtomicBool::new(false) }
    }

    /// Never blocks.
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

    /// Waits until everything before is sent.
    pub(super) async fn flushed(&self) {
        let (done, flushed) = oneshot::channel();
        if self.queue.send(Event::Flush(done)).await.is_ok() {
            let _ = flushed.await;
        }
    }
}

async fn run(shared: Arc<Shared>, mut events: mpsc::Receiver<Event>) {
    let mut batch = Vec::with_capacity(BATCH);
    // Leases, in the order of their end: all last equally long.
    let mut leases: VecDeque<(Arc<Entry>, Arc<str>, Instant)> = VecDeque::new();
    loop {
        let due = leases.front().map(|(_, _, until)| *until);
        let received = async { events.recv_many(&mut batch, BATCH).await };
        let received = match due {
            Some(due) => tokio::time::timeout_at(due.into(), received).await.unwrap_or(1),
            None => received.await,
        };
        if received == 0 {
            return;
        }
        let now = Instant::now();
        while leases.front().is_some_and(|(_, _, until)| *until <= now)
            && let Some((entry, prefix, _)) = leases.pop_front()
        {
            batch.extend(entry.take_expired(now).into_iter().map(|number| Event::End {
                entry: Arc::clone(&entry),
                prefix: Arc::clone(&prefix),
                number,
                counted: false,
            }));
        }
        send(&shared, &batch, &events).await;
        for event in batch.drain(..) {
            match event {
                Event::Leased { entry, prefix, until } => leases.push_back((entry, prefix, until)),
                Event::Flush(done) => drop(done.send(())),
                _ => {}
            }
        }
    }
}

/// Sends events until Redis has confirmed them. Sending some twice does no harm: an end is recorded once, and a
/// correction takes what is in use into account.
async fn send(shared: &Shared, batch: &[Event], queue: &mpsc::Receiver<Event>) {
    loop {
        let calls: Vec<_> = batch.iter().filter_map(call).collect();
        if calls.is_empty() {
            return;
        }
        if let Ok(open) = shared.link.open().await
            && shared.script.call_all(&shared.link, &open, &calls).await.is_ok()
        {
            return;
        }
        // Without users of the budgets nobody waits for Redis to come back.
        if queue.is_closed() {
            return;
        }
        tokio::time::sleep(shared.link.retry_in().max(RETRY)).await;
    }
}

fn call(event: &Event) -> Option<Call<'_>> {
    let left = |until: &Instant| until.checked_duration_since(Instant::now());
    Some(match event {
        Event::End { entry, prefix, number, counted } => Call {
            subject: &entry.subject,
            operation: Operation::End { prefix, number: *number, counted: *counted },
        },
        Event::Settle { entry, state } => {
            Call { subject: &entry.subject, operation: Operation::Settle(*state) }
        }
        Event::Pause { entry, until } => {
            Call { subject: &entry.subject, operation: Operation::Pause(left(until)?) }
        }
        Event::Ban { subject, until } => Call { subject, operation: Operation::Ban(left(until)?) },
        Event::Leased { .. } | Event::Flush(_) => return None,
    })
}
