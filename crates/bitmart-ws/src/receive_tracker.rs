//! How far the reads of a connection are complete, and when the current frame was received.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use bitmart_types::Timestamp;

use crate::observe::Metrics;
use crate::receive_time::ReceiveTime;

/// Tracks the reads of a connection. The queues stamp their updates with it.
#[derive(Debug, Default)]
pub(crate) struct ReceiveTracker {
    state: Mutex<State>,
    pub(crate) metrics: Metrics,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    received_until: Option<Instant>,
    received_at: Option<ReceiveTime>,
}

/// The stamp of an update.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    /// [`ReceiveTracker::received_until`] when the update was made.
    pub(crate) received_until: Option<Instant>,
    pub(crate) received_at: ReceiveTime,
}

impl ReceiveTracker {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { state: Mutex::default(), metrics }
    }

    /// Advances the watermark to the last time at which the socket had nothing to read.
    pub(crate) fn advance(&self, drained_at: Option<Instant>) {
        let mut state = self.lock();
        state.received_until = state.received_until.max(drained_at);
    }

    /// Sets the receive time of the updates that are made from now on.
    pub(crate) fn set_received_at(&self, received_at: ReceiveTime) {
        self.lock().received_at = Some(received_at);
    }

    /// The watermark: every frame that had arrived by then was passed to the queues, and the
    /// connection was alive.
    ///
    /// It is not the time at which the last frame was read: after the whole program was suspended, a
    /// frame is read long after it arrived, with others behind it. It is the last time before that
    /// frame at which the socket had nothing to read.
    pub(crate) fn received_until(&self) -> Option<Instant> {
        self.lock().received_until
    }

    /// The stamp of an update that is made now.
    pub(crate) fn stamp(&self) -> Stamp {
        let State { received_until, received_at } = *self.lock();
        let now = || ReceiveTime::new(tokio::time::Instant::now().into_std(), Timestamp::now());
        Stamp { received_until, received_at: received_at.unwrap_or_else(now) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
