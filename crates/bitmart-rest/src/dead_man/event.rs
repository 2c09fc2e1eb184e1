//! What a switch tells, and the bounded queue in which it waits to be read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitmart_types::ContractSymbol;
use tokio::sync::Notify;

use super::{MarketReport, Reason, Timer};
use crate::{Error, Outcome};

/// Events that wait to be read, at most.
const KEPT: usize = 256;

/// What happened to a switch. Renewals that succeed in time are no event.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The timer of the contract runs for the first time.
    Armed(ContractSymbol),
    /// A renewal did not succeed. The next one comes early.
    RenewalFailed {
        /// Contract.
        contract: ContractSymbol,
        /// Why.
        trouble: Trouble,
        /// What is known of the timer nevertheless.
        timer: Timer,
    },
    /// Renewals failed for so long that the exchange may have cancelled the orders of the contract.
    MayHaveFired(ContractSymbol),
    /// The timer of the contract runs again. In between it may have run out: orders placed before
    /// may have been cancelled.
    Rearmed(ContractSymbol),
    /// No timer is set any more, and everything that is guarded is being cancelled; or left alone,
    /// if the reason is [`Reason::Disarmed`].
    Tripped(Reason),
    /// What became of the orders of one market.
    Cleared(MarketReport),
    /// The report is there: [`DeadManSwitch::ended`](super::DeadManSwitch::ended). The last event.
    Ended,
    /// So many events before the next one were not read in time and are lost.
    Missed(u64),
}

/// Why a renewal did not succeed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Trouble {
    /// The request failed. Its outcome says whether the timer may have been set all the same.
    Request(Arc<Error>),
    /// No response in a third of the timeout. The timer may have been set.
    TimedOut,
    /// The exchange responded that it did not set the timer.
    NotAccepted,
}

impl Trouble {
    /// Whether the timer may have been set all the same.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Request(error) => error.outcome() == Outcome::Unknown,
            Self::TimedOut => true,
            Self::NotAccepted => false,
        }
    }
}

/// Drops the oldest events when nobody reads them.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Event>,
    missed: u64,
    ended: bool,
}

impl Queue {
    pub(super) fn push(&self, event: Event) {
        let mut waiting = self.lock();
        if waiting.events.len() == KEPT {
            waiting.events.pop_front();
            waiting.missed += 1;
        }
        waiting.ended |= matches!(event, Event::Ended);
        waiting.events.push_back(event);
        drop(waiting);
        self.news.notify_one();
    }

    pub(super) async fn next(&self) -> Option<Event> {
        loop {
            {
                let mut waiting = self.lock();
                let missed = std::mem::take(&mut waiting.missed);
                if missed > 0 {
                    return Some(Event::Missed(missed));
                }
                if let Some(event) = waiting.events.pop_front() {
                    return Some(event);
                }
                if waiting.ended {
                    // Whoever else waits learns it, too.
                    self.news.notify_one();
                    return None;
                }
            }
            self.news.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_read_in_time_is_counted_and_the_newest_stays() {
        let queue = Queue::default();
        for _ in 0..KEPT + 2 {
            queue.push(Event::Armed("BTCUSDT".into()));
        }
        queue.push(Event::Ended);
        assert!(matches!(queue.next().await, Some(Event::Missed(3))));
        for _ in 0..KEPT - 1 {
            assert!(matches!(queue.next().await, Some(Event::Armed(_))));
        }
        assert!(matches!(queue.next().await, Some(Event::Ended)));
        assert!(queue.next().await.is_none());
    }
}
