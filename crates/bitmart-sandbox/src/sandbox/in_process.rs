//! A sandbox without sockets: byte streams in memory, with the same HTTP and WebSocket code above them.

use std::{fmt, sync::Arc};

use tokio::io::DuplexStream;

use super::{HostUrls, Sandbox, StartError, open, start_clock};
use crate::{config::Config, generated::Host, http, shared::Shared};

/// Ports that represent the hosts. No socket listens there, so a client without a [`Link`] cannot connect.
const SPOT: u16 = 1;
const FUTURES: u16 = 2;

/// Buffer size of each direction of a connection in bytes.
const BUFFER: usize = 64 << 10;

impl Sandbox {
    /// Starts an exchange that opens no socket. Clients reach it through the [`Link`], at the addresses of
    /// [`spot`](Self::spot) and [`futures`](Self::futures). Addresses, TLS and the admin API of the configuration
    /// are not used.
    ///
    /// With a [stepped clock](Config::stepped_clock) nothing waits for real time: the time jumps with
    /// [`advance`](Self::advance) and [`step_market`](Self::step_market). Timeouts of connections are measured
    /// on the machine's clock as usual.
    ///
    /// # Errors
    /// If the data folder cannot be used.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing but the data folder.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled.
    pub async fn start_in_process(config: Config) -> Result<(Self, Link), StartError> {
        let replays = !config.replay.is_empty();
        let shared = Arc::new(open(config).await?);
        start_clock(&shared, replays);
        #[cfg(feature = "console")]
        tokio::spawn(crate::scenario::run(Arc::clone(&shared)));
        let urls = |port| HostUrls::new(([127, 0, 0, 1], port).into(), false);
        let link = Link { shared: Arc::clone(&shared) };
        let sandbox = Self {
            credentials: shared.config.keys_or_default().swap_remove(0),
            shared,
            spot: urls(SPOT),
            futures: urls(FUTURES),
            root_pem: None,
            admin: None,
            replays,
        };
        Ok((sandbox, link))
    }
}

/// Opens connections to a sandbox [in this process](Sandbox::start_in_process).
#[derive(Clone)]
pub struct Link {
    shared: Arc<Shared>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

impl Link {
    /// Opens a connection to the host with this port in its address; `None` for other ports. The stream carries
    /// HTTP and WebSocket without TLS, as a TCP connection would.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn connect(&self, port: u16) -> Option<DuplexStream> {
        let host = match port {
            SPOT => Host::Spot,
            FUTURES => Host::Futures,
            _ => return None,
        };
        let (client, server) = tokio::io::duplex(BUFFER);
        tokio::spawn(http::serve_stream(Arc::clone(&self.shared), host, server));
        Some(client)
    }

    /// Returns the time of the exchange in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.shared.state().clock.now_ms()
    }
}
