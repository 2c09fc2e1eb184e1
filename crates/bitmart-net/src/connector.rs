//! The ready-made connector.

mod builder;

use std::time::Duration;

use tokio::time::Instant;

use crate::direct::Direct;
use crate::{Connect, ConnectFuture, Hop, Target};

pub use self::builder::{ConnectorBuilder, ConnectorError, ConnectorErrorKind};

/// How long a connection may take when the client does not say.
const LIMIT: Duration = Duration::from_secs(10);

/// Opens connections over TCP. Cheap to clone.
///
/// IPv6 and IPv4 addresses race, so that a family without a way out costs 300 ms and not the whole
/// attempt; the time that there is ([`Target::limit`], else 10 s) is shared evenly by the addresses
/// of a family. Small writes are sent at once.
#[derive(Clone, Debug)]
pub struct Connector {
    direct: Direct,
}

impl Connector {
    /// Straight to the host.
    pub fn direct() -> Self {
        Self { direct: Direct::default() }
    }

    /// Starts a configuration.
    pub fn builder() -> ConnectorBuilder {
        ConnectorBuilder::default()
    }
}

impl Connect for Connector {
    fn connect<'a>(&'a self, target: &'a Target) -> ConnectFuture<'a> {
        let deadline = Instant::now() + target.limit().unwrap_or(LIMIT);
        Box::pin(self.direct.dial(Hop::Host, target, deadline))
    }
}
