//! What is noted of a connection's reads, for the queues to stamp their updates with.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use bitmart_types::Timestamp;

use crate::observe::Meters;
use crate::received::ReceivedAt;

/// Until when a connection is known to have told everything, and when it told what is at hand.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    state: Mutex<State>,
    /// The figures of the connection.
    pub(crate) meters: Meters,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    quiet: Option<Instant>,
    received: Option<ReceivedAt>,
}

/// What an update is stamped with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    /// What [`Heard::get`] gave when the update was made.
    pub(crate) heard: Option<Instant>,
    pub(crate) received: ReceivedAt,
}

impl Heard {
    pub(crate) fn new(meters: Meters) -> Self {
        Self { state: Mutex::default(), meters }
    }

    /// A frame came after this moment, and before it there was nothing to read.
    pub(crate) fn note(&self, quiet: Option<Instant>) {
        let mut state = self.lock();
        state.quiet = state.quiet.max(quiet);
    }

    /// What is made from now on was received then.
    pub(crate) fn receive(&self, received: ReceivedAt) {
        self.lock().received = Some(received);
    }

    /// The newest moment of which it is known that every frame which had arrived by then was handed
    /// to the queues, and that the connection was alive.
    ///
    /// Not the time at which a frame was read: after a pause of the whole program a frame is read
    /// long after it arrived, with others behind it. What is noted is the last moment before a frame
    /// at which there was nothing to read.
    pub(crate) fn get(&self) -> Option<Instant> {
        self.lock().quiet
    }

    /// The stamp of what is made now.
    pub(crate) fn stamp(&self) -> Stamp {
        let State { quiet, received } = *self.lock();
        let now = || ReceivedAt::new(tokio::time::Instant::now().into_std(), Timestamp::now());
        Stamp { heard: quiet, received: received.unwrap_or_else(now) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
