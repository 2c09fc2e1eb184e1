//! Looking at a connection.

use tokio::sync::watch;

use crate::dialect::{Access, Dialect};
use crate::session::Status;

/// One connection of a client, to look at. It owns nothing: dropping it changes nothing.
#[derive(Clone, Debug)]
pub struct Connection {
    dialect: Dialect,
    access: Access,
    status: watch::Receiver<Status>,
}

impl Connection {
    pub(super) fn new(
        dialect: Dialect,
        access: Access,
        mut status: watch::Receiver<Status>,
    ) -> Self {
        status.mark_unchanged();
        Self { dialect, access, status }
    }

    /// Spot or futures.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Public or private.
    pub fn access(&self) -> Access {
        self.access
    }

    /// How it stands now.
    pub fn status(&self) -> Status {
        *self.status.borrow()
    }

    /// Waits until it stands otherwise than at the last call, or than when it was given, and says how. Short-lived conditions in
    /// between may be skipped. `None` when the connection has ended for good; topics that are
    /// subscribed later get a new one.
    ///
    /// # Cancel safety
    /// Safe: a change that was not given is given by the next call.
    pub async fn changed(&mut self) -> Option<Status> {
        self.status.changed().await.ok()?;
        Some(*self.status.borrow_and_update())
    }
}
