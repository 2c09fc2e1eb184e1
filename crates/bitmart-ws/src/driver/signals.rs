//! What reaches a driver without waiting for a place in its command queue.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::router::MemberId;

/// Dropped subscriptions and the end of it all. Giving a signal never waits.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    gone: Mutex<Vec<MemberId>>,
    shut_down: AtomicBool,
    notify: Notify,
}

impl Signals {
    /// A subscription was dropped.
    pub(crate) fn leave(&self, id: MemberId) {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        self.notify.notify_one();
    }

    /// The driver is to end its subscriptions, close its connection and end.
    pub(crate) fn shut_down(&self) {
        self.shut_down.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    pub(super) fn is_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::Acquire)
    }

    /// The subscriptions that were dropped since the last call.
    pub(super) fn take_gone(&self) -> Vec<MemberId> {
        std::mem::take(&mut *self.gone.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for a signal. One that was given before is not missed.
    pub(super) async fn given(&self) {
        self.notify.notified().await;
    }
}
