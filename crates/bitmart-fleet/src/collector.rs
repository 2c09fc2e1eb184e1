//! Collectors: they subscribe topics at the exchange once and publish them over NATS.
//!
//! Topics are divided into shards by their name. Each replica of a shard has one holder at a time: a lease in a table
//! that is changed by compare-and-set, alive as long as the heartbeats of its holder. A holder that falls silent is
//! replaced after [`CollectorBuilder::lease_timeout`]; one that stops hands its leases over at once. Whoever publishes
//! with the term of an earlier lease is ignored by readers.
//!
//! ```no_run
//! use bitmart_fleet::collector::Collector;
//! use bitmart_fleet::nats::Options;
//! use bitmart_ws::{Client, topic};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let exchange = Client::builder().build()?;
//! let collector = Collector::builder(Options::new("nats://127.0.0.1:4222"), exchange)
//!     .id("collector-1")
//!     .topic(topic::spot::trades("BTC_USDT"))
//!     .topic(topic::spot::depth_updates("BTC_USDT"))
//!     .start()
//!     .await?;
//! // Until the program is to end:
//! collector.stop().await;
//! # Ok(())
//! # }
//! ```

mod builder;
mod frame;
mod heartbeats;
pub(crate) mod leases;
mod outbox;
mod planner;
mod publisher;
mod refusals;
pub(crate) mod setup;
pub(crate) mod status;
mod topics;

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use builder::CollectorBuilder;
pub use status::Status;

use crate::nats::Options;
use status::Counters;

/// Longest time that [`Collector::stop`] takes.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A running collector. Dropping it stops it without handing its leases over.
#[derive(Debug)]
pub struct Collector {
    id: String,
    counters: Counters,
    stop: watch::Sender<bool>,
    publisher: JoinHandle<()>,
    leases: JoinHandle<()>,
}

impl Collector {
    /// Returns a builder for a collector that publishes to this NATS what `exchange` receives.
    pub fn builder(nats: Options, exchange: bitmart_ws::Client) -> CollectorBuilder {
        CollectorBuilder::new(nats, exchange)
    }

    /// Returns its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns what it does and has done.
    pub fn status(&self) -> Status {
        self.counters.status()
    }

    /// Stops: ends the subscriptions, publishes what NATS takes and hands the leases over, so that others take them
    /// without waiting. Returns after five seconds at most, also if NATS cannot be reached; others then take the
    /// leases when they expire.
    ///
    /// # Cancel safety
    /// If the future is dropped early, the collector stops without handing over.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let ended = async {
            let _ = (&mut self.publisher).await;
            let _ = (&mut self.leases).await;
        };
        let _ = tokio::time::timeout(STOP_LIMIT, ended).await;
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.publisher.abort();
        self.leases.abort();
    }
}
