//! Events of a switch and their bounded queue.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitmart_types::ContractSymbol;
use tokio::sync::Notify;

use super::{MarketReport, Reason, Timer};
use crate::{Error, Outcome};

/// Maximum number of queued events.
const CAPACITY: usize = 256;

/// An event of a switch. Renewals that succeed in time are not reported.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The timer of the contract was set for the first time.
    Armed(ContractSymbol),
    /// A renewal failed. The next one is sent early.
    RenewalFailed {
        /// The contract.
        contract: ContractSymbol,
        /// Why it failed.
        error: RenewalError,
        /// The state of the timer.
        timer: Timer,
    },
    /// Renewals failed for so long that the timer may have expired and the exchange may have canceled the
    /// orders of the contract.
    MayHaveFired(ContractSymbol),
    /// The timer of the contract is running again. It may have expired before, so earlier orders may have
    /// been canceled.
    Rearmed(ContractSymbol),
    /// The switch was tripped: no timer is renewed any more, and all orders are being canceled unless the
    /// reason is [`Reason::Disarmed`].
    Tripped(Reason),
    /// The result for one market.
    MarketEnded(MarketReport),
    /// The last event: [`DeadManSwitch::wait_until_ended`](super::DeadManSwitch::wait_until_ended) returns the report.
    Ended,
    /// The number of events before the next one that were dropped because they were not read in time.
    Missed(u64),
}

/// Why a renewal failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RenewalError {
    /// The request failed. [`Error::outcome`] reports whether the timer may have been set nevertheless.
    Request(Arc<Error>),
    /// No response arrived within a third of the timeout. The timer may have been set.
    TimedOut,
    /// The exchange reported that it did not set the timer.
    NotAccepted,
}

impl RenewalError {
    /// Whether the timer may have been set nevertheless.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Request(error) => error.outcome() == Outcome::Unknown,
            Self::TimedOut => true,
            Self::NotAccepted => false,
        }
    }
}

impl fmt::Display for RenewalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request(_) => "the request to renew the timer failed",
            Self::TimedOut => "the exchange did not respond in time",
            Self::NotAccepted => "the exchange did not set the timer",
        })
    }
}

impl std::error::Error for RenewalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Request(error) => Some(&**error),
            _ => None,
        }
    }
}

/// A bounded queue that drops the oldest events.
#[derive(Default)]
pub(super) struct EventQueue {
    state: Mutex<State>,
    pushed: Notify,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    missed: u64,
    ended: bool,
}

impl EventQueue {
    pub(super) fn push(&self, event: Event) {
        let mut state = self.lock();
        if state.events.len() == CAPACITY {
            state.events.pop_front();
            state.missed += 1;
        }
        state.ended |= matches!(event, Event::Ended);
        state.events.push_back(event);
        drop(state);
        self.pushed.notify_one();
    }

    pub(super) async fn next(&self) -> Option<Event> {
        loop {
            {
                let mut state = self.lock();
                let missed = std::mem::take(&mut state.missed);
                if missed > 0 {
                    return Some(Event::Missed(missed));
                }
                if let Some(event) = state.events.pop_front() {
                    return Some(event);
                }
                if state.ended {
                    // Wakes the next waiting task, too.
                    self.pushed.notify_one();
                    return None;
                }
            }
            self.pushed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_drops_the_oldest_events_and_reports_their_number() {
        let queue = EventQueue::default();
        for _ in 0..CAPACITY + 2 {
            queue.push(Event::Armed("BTCUSDT".into()));
        }
        queue.push(Event::Ended);
        assert!(matches!(queue.next().await, Some(Event::Missed(3))));
        for _ in 0..CAPACITY - 1 {
            assert!(matches!(queue.next().await, Some(Event::Armed(_))));
        }
        assert!(matches!(queue.next().await, Some(Event::Ended)));
        assert!(queue.next().await.is_none());
    }
}
