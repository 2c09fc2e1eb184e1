//! When a socket had nothing left to read.

use std::pin::Pin;
use std::task::Context;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

/// A task that was not polled for this long may have been stopped with its process.
const MAX_GAP: Duration = Duration::from_secs(1);

/// The last time at which a socket had nothing to read.
///
/// tokio learns from the system that bytes have arrived. After the process was stopped, a task can be polled
/// before tokio has polled the system: the socket then seems to have nothing to read, although bytes arrived
/// in the meantime. So after a gap this waits until tokio has polled the system.
#[derive(Debug)]
pub(crate) struct Drained {
    at: Option<Instant>,
    /// When the socket was last polled.
    polled_at: Instant,
    /// A task that ends after the runtime has polled the system.
    runtime_turn: Option<JoinHandle<()>>,
}

impl Drained {
    pub(super) fn new(now: Instant) -> Self {
        Self { at: None, polled_at: now, runtime_turn: None }
    }

    /// Every message that had arrived by then was returned.
    pub(super) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Returns whether the runtime knows which bytes have arrived. Call this before the socket is polled.
    pub(super) fn runtime_is_current(&mut self, context: &mut Context<'_>, now: Instant) -> bool {
        let gap = now.saturating_duration_since(self.polled_at);
        self.polled_at = now;
        if gap >= MAX_GAP {
            // A task that yields is woken after the runtime has polled the system.
            self.runtime_turn = Some(tokio::spawn(tokio::task::yield_now()));
        }
        if let Some(turn) = &mut self.runtime_turn {
            if Pin::new(turn).poll(context).is_pending() {
                return false;
            }
            self.runtime_turn = None;
        }
        true
    }

    /// The socket had nothing to read.
    pub(super) fn record(&mut self, now: Instant) {
        self.at = Some(now);
    }
}
