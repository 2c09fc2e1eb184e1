//! The configuration of a collector.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use bitmart_ws::Market;
use bitmart_ws::topic::Topic;
use tokio::sync::watch;

use super::Collector;
use super::leases::Leases;
use super::publisher::Publisher;
use super::setup::{self, History, Setup};
use super::status::Counters;
use super::topics::CollectedTopic;
use crate::nats::table::{MAX_REPLICAS, MAX_SHARDS};
use crate::nats::{Connection, Error, Options, subject};

/// Configures a [`Collector`].
#[must_use = "a builder does nothing until `start`"]
pub struct CollectorBuilder {
    pub(super) nats: Options,
    pub(super) exchange: bitmart_ws::Client,
    pub(super) id: String,
    pub(super) topics: Vec<CollectedTopic>,
    pub(super) snapshot_interval: Duration,
    pub(super) setup: Setup,
}

impl fmt::Debug for CollectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectorBuilder")
            .field("id", &self.id)
            .field("topics", &self.topics.len())
            .finish_non_exhaustive()
    }
}

impl CollectorBuilder {
    pub(super) fn new(nats: Options, exchange: bitmart_ws::Client) -> Self {
        Self {
            nats,
            exchange,
            id: String::new(),
            topics: Vec::new(),
            snapshot_interval: Duration::from_secs(60),
            setup: Setup {
                shards: 8,
                replicas: 1,
                lease_timeout: Duration::from_millis(1_500),
                rebalances: true,
                copies: 1,
                history: Some(History { age: Duration::from_secs(600), bytes: 1 << 30 }),
            },
        }
    }

    /// Sets the id, different from those of all other collectors: letters, digits, `-` and `_`, up to 64. Required.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Adds a topic. All collectors of a fleet must have the same topics: see [`Status::other_topics`]. Private topics
    /// are rejected.
    ///
    /// [`Status::other_topics`]: super::Status::other_topics
    pub fn topic<T>(mut self, topic: Topic<T>) -> Self {
        self.topics.push(CollectedTopic::new(topic));
        self
    }

    /// Adds topics of the exchange by their names, such as `spot/trade:BTC_USDT`.
    pub fn topics<'a>(mut self, market: Market, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.topics.extend(names.into_iter().map(|name| CollectedTopic::public(market, name)));
        self
    }

    /// Sets into how many shards the topics are divided, 1 to 256: more than there will ever be collectors. The same
    /// for all collectors of a fleet. Default: 8.
    pub fn shards(mut self, shards: usize) -> Self {
        self.setup.shards = shards;
        self
    }

    /// Sets how many collectors publish each topic, 1 to 4. With two, trades continue without a gap when one dies. The
    /// same for all collectors of a fleet. Default: 1.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.setup.replicas = replicas;
        self
    }

    /// Sets after what silence a collector counts as dead, 100 ms to 60 s. The same for all collectors of a fleet.
    /// Default: 1.5 s.
    pub fn lease_timeout(mut self, timeout: Duration) -> Self {
        self.setup.lease_timeout = timeout;
        self
    }

    /// Sets how often a snapshot of each incremental book is requested, so that readers that come later find one.
    /// At least 1 s. Default: 60 s.
    pub fn snapshot_interval(mut self, interval: Duration) -> Self {
        self.snapshot_interval = interval;
        self
    }

    /// Sets how much of the past the stream keeps: not longer than `age`, and not more than `bytes` on the disk of
    /// NATS. The first collector that runs decides. Default: 10 minutes, 1 GiB.
    pub fn history(mut self, age: Duration, bytes: u64) -> Self {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.setup.history = Some(History { age, bytes });
        self
    }

    /// Sets on how many servers of a NATS cluster the history and the leases are stored, 1 to 5. With one, they cannot
    /// be read while that server is away. The first collector that runs decides. Default: 1.
    pub fn stored_copies(mut self, copies: usize) -> Self {
        self.setup.copies = copies;
        self
    }

    /// The same for the same topics in another order, or with some of them twice.
    fn topics_hash(&self) -> u64 {
        let mut suffixes: Vec<&str> =
            self.topics.iter().map(|topic| topic.suffix.as_str()).collect();
        suffixes.sort_unstable();
        suffixes.dedup();
        subject::stable_hash(&suffixes)
    }

    fn check(&self) -> Result<(), Error> {
        setup::check_id(&self.id)?;
        if !(1..=MAX_SHARDS).contains(&self.setup.shards) {
            return Err(Error::config(format!("shards must be 1 to {MAX_SHARDS}")));
        }
        if !(1..=MAX_REPLICAS).contains(&self.setup.replicas) {
            return Err(Error::config(format!("replicas must be 1 to {MAX_REPLICAS}")));
        }
        setup::check_lease_timeout(self.setup.lease_timeout)?;
        setup::check_copies(self.setup.copies)?;
        if self.snapshot_interval < Duration::from_secs(1) {
            return Err(Error::config("the snapshot interval must be at least 1 s"));
        }
        if self.topics.is_empty() {
            return Err(Error::config("a collector needs topics"));
        }
        for topic in &self.topics {
            let name = topic.name();
            if topic.is_private() {
                return Err(Error::config(format!("{name} is private and cannot be collected")));
            }
            if name.is_empty() || name.len() > subject::MAX_NAME_BYTES {
                let most = subject::MAX_NAME_BYTES;
                return Err(Error::config(format!("a topic name must have 1 to {most} bytes")));
            }
        }
        Ok(())
    }

    /// Connects to NATS, sets up stream and bucket if they do not exist, and starts. Before that it listens whether
    /// another collector has its id: for half a lease timeout, or for a whole one if its id had leases, as after a
    /// crash.
    ///
    /// # Errors
    /// An option is out of its range or contradicts that of a collector that ran before, another collector with the
    /// same id is alive ([`ErrorKind::IdInUse`](crate::nats::ErrorKind::IdInUse)), NATS cannot be reached, or
    /// `JetStream` is not enabled there or does not answer.
    ///
    /// # Cancel safety
    /// Cancel-safe: if the future is dropped early, the connection is closed.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O and time enabled.
    pub async fn start(self) -> Result<Collector, Error> {
        self.check()?;
        let connection = Connection::open(&self.nats, &self.id).await?;
        let counters = Counters::default();
        let bucket = setup::run(&connection, &self.setup).await?;
        let (stop, stopped) = watch::channel(false);
        let (refused, refusals) = watch::channel(BTreeSet::new());
        let (leases, held) = Leases::start(
            &self.id,
            &self.setup,
            self.topics_hash(),
            connection.clone(),
            bucket,
            refusals,
            &counters,
        )
        .await?;
        let publisher =
            Publisher::start(&self, connection, held, refused, counters.clone()).await?;
        let publisher = tokio::spawn(publisher.run(stopped));
        let leases = tokio::spawn(leases.run());
        Ok(Collector { id: self.id, counters, stop, publisher, leases })
    }
}
