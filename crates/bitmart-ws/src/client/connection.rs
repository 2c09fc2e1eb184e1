//! The public view of a connection.

use tokio::sync::watch;

use crate::ConnectionStatus;
use crate::dialect::{Access, Market};

/// A view of one connection of a client. Dropping it does not affect the connection.
#[derive(Clone, Debug)]
pub struct Connection {
    market: Market,
    access: Access,
    status: watch::Receiver<ConnectionStatus>,
}

impl Connection {
    pub(super) fn new(
        market: Market,
        access: Access,
        mut status: watch::Receiver<ConnectionStatus>,
    ) -> Self {
        status.mark_unchanged();
        Self { market, access, status }
    }

    /// Returns the market: spot or futures.
    pub fn market(&self) -> Market {
        self.market
    }

    /// Returns the access: public or private.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Returns the current status.
    pub fn status(&self) -> ConnectionStatus {
        *self.status.borrow()
    }

    /// Waits until the status differs from that of the last call, or of the creation of this view,
    /// and returns it. Short-lived states in between may be skipped. `None` when the connection has
    /// ended for good; topics that are subscribed later get a new one.
    ///
    /// # Cancel safety
    /// Cancel-safe: a change that was not returned is returned by the next call.
    pub async fn changed(&mut self) -> Option<ConnectionStatus> {
        self.status.changed().await.ok()?;
        Some(*self.status.borrow_and_update())
    }
}
