//! An exchange in the same process, for an unchanged bot: no sockets, and a simulated clock.
//!
//! Both clients of the bot get the [connector](Simulation::connector) and the [clock](Simulation::clock) of the
//! simulation; nothing else of the bot changes. Requests and frames are the bytes that TCP would carry, and the
//! exchange handles them with the same code, so signatures, limits and errors are the same. For strategies without
//! a client, [`bitmart_sim`](https://docs.rs/bitmart-sim) is faster.
//!
//! ```
//! # #[cfg(all(feature = "rest", feature = "ws"))]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use bitmart::{sandbox::Config, simulation::Simulation};
//!
//! let config = Config::new().stepped_clock(1_700_000_000_000);
//! let simulation = Simulation::start(config).await?;
//! let client = bitmart::rest::Client::builder()
//!     .environment(simulation.environment())
//!     .credentials(simulation.credentials()?)
//!     .connector(simulation.connector())
//!     .clock(simulation.clock())
//!     .build()?;
//! let before = client.system().time().await?.server_time;
//! simulation.exchange().advance(Duration::from_secs(86_400));
//! let after = client.system().time().await?.server_time;
//! assert_eq!(after.as_millis() - before.as_millis(), 86_400_000);
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "rest", feature = "ws")))]
//! # fn main() {}
//! ```

use bitmart_auth::{Credentials, CredentialsError};
use bitmart_net::{Connect, ConnectError, ConnectFuture, Stream, Target};
use bitmart_sandbox::{Config, Link, Sandbox, StartError};
use bitmart_types::{Clock, Environment, Timestamp};

/// A running exchange in this process. It ends when it is dropped.
#[derive(Debug)]
pub struct Simulation {
    exchange: Sandbox,
    link: Link,
}

impl Simulation {
    /// Starts an exchange, which opens no socket. It needs a [stepped clock](Config::stepped_clock) to jump.
    ///
    /// # Errors
    /// The data folder of the configuration cannot be used.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let (exchange, link) = Sandbox::start_in_process(config).await?;
        Ok(Self { exchange, link })
    }

    /// Returns the exchange, to move its time and to read its ledger.
    pub fn exchange(&self) -> &Sandbox {
        &self.exchange
    }

    /// Returns the addresses for clients. Only the [connector](Self::connector) leads there.
    pub fn environment(&self) -> Environment {
        crate::sandbox::environment(&self.exchange)
    }

    /// Returns the first API key.
    ///
    /// # Errors
    /// The exchange is configured with an invalid key.
    pub fn credentials(&self) -> Result<Credentials, CredentialsError> {
        crate::sandbox::credentials(&self.exchange)
    }

    /// Returns the connector for REST and WebSocket clients.
    pub fn connector(&self) -> InProcess {
        InProcess(self.link.clone())
    }

    /// Returns the clock of the exchange, for the timestamps of clients.
    pub fn clock(&self) -> ExchangeClock {
        ExchangeClock(self.link.clone())
    }
}

/// Connects clients to a [`Simulation`], and to nothing else.
#[derive(Debug, Clone)]
pub struct InProcess(Link);

impl Connect for InProcess {
    fn connect<'a>(&'a self, target: &'a Target) -> ConnectFuture<'a> {
        let stream = self.0.connect(target.port()).map(Stream::new);
        let other = || ConnectError::other("this is not a host of the simulation");
        Box::pin(std::future::ready(stream.ok_or_else(other)))
    }
}

/// The time of a [`Simulation`].
#[derive(Debug, Clone)]
pub struct ExchangeClock(Link);

impl Clock for ExchangeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0.now_ms()).unwrap_or(i64::MAX))
    }
}
