//! Signals to a driver that need no capacity in its command queue.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::router::SubscriberId;

/// Dropped subscriptions and the shutdown request. Sending a signal never waits.
#[derive(Debug, Default)]
pub(crate) struct DriverSignals {
    dropped: Mutex<Vec<SubscriberId>>,
    shutdown: AtomicBool,
    notify: Notify,
}

impl DriverSignals {
    /// Reports a dropped subscription.
    pub(crate) fn subscription_dropped(&self, id: SubscriberId) {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        self.notify.notify_one();
    }

    /// Requests that the driver end its subscriptions, close its connection and stop.
    pub(crate) fn shut_down(&self) {
        self.shutdown.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    pub(crate) fn is_shut_down(&self) -> bool {
        self.shutdown.load(Ordering::Acquire)
    }

    /// The subscriptions that were dropped since the last call.
    pub(crate) fn take_dropped(&self) -> Vec<SubscriberId> {
        std::mem::take(&mut *self.dropped.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for a signal. One that was sent before is not missed.
    pub(crate) async fn notified(&self) {
        self.notify.notified().await;
    }
}
