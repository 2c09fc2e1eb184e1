//! The configuration file of `collect`, in TOML: the NATS servers, the collector, its topics, and the address for its
//! health and metrics. A fleet is all collectors with the same NATS servers and prefix.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bitmart::ws;
use bitmart::ws::topic::Topic;
use bitmart_fleet::collector::{Collector, CollectorBuilder};
use bitmart_fleet::nats::history::HistoryBuilder;
use bitmart_fleet::nats::{History, Options};
use serde::Deserialize;

use crate::failure::Failure;
use crate::record::Frame;

/// The file. Each member is a section of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    nats: Nats,
    collector: CollectorSettings,
    topics: Topics,
    /// Without it the collector does not listen.
    http: Option<Http>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nats {
    /// Addresses such as `tls://host:4222`, separated by commas. Without user and password.
    servers: String,
    /// Begin of the names of everything that the fleet has at these servers.
    prefix: Option<String>,
    user: Option<String>,
    /// A file whose first line is the password of `user`.
    password_file: Option<PathBuf>,
    /// A file whose first line is a token, in place of user and password.
    token_file: Option<PathBuf>,
    /// A PEM file of root certificates that are trusted besides those of the system.
    root_certificates: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CollectorSettings {
    /// Different for each collector of a fleet.
    id: String,
    /// Number of parts into which the topics are divided, each with a lease of its own.
    shards: Option<usize>,
    /// Number of collectors that publish each topic.
    replicas: Option<usize>,
    /// Milliseconds of silence after which a collector counts as dead, and others take its leases.
    lease_timeout_ms: Option<u64>,
    /// Seconds between two snapshots of an order book.
    snapshot_interval_s: Option<u64>,
    /// Minutes of the past that NATS keeps.
    history_minutes: Option<u64>,
    /// Bytes on the disk of NATS that the past may take.
    history_bytes: Option<u64>,
    /// Number of servers of a NATS cluster that store the past and the leases.
    stored_copies: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Topics {
    /// Names such as `spot/trade:BTC_USDT`.
    #[serde(default)]
    spot: Vec<String>,
    #[serde(default)]
    futures: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Http {
    /// Where `/healthz` and `/metrics` are served.
    address: SocketAddr,
}

impl Config {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let invalid = |what: String| Failure::usage(format!("{}: {what}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| invalid(error.to_string()))?;
        toml::from_str(&text).map_err(|error| invalid(error.message().to_owned()))
    }

    pub(super) fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(|http| http.address)
    }

    /// The topics that are named in `only`, or all if it is empty.
    pub(super) fn topics(&self, only: &[&str]) -> Result<Vec<Topic<Frame>>, Failure> {
        let of_market = |market, names: &[String]| -> Vec<_> {
            names.iter().map(|name| Topic::public(market, name.as_str())).collect()
        };
        let mut topics = of_market(ws::Market::Spot, &self.topics.spot);
        topics.extend(of_market(ws::Market::Futures, &self.topics.futures));
        for name in only {
            if !topics.iter().any(|topic: &Topic<Frame>| topic.name() == *name) {
                return Err(Failure::usage(format!("{name} is not a topic of the configuration")));
            }
        }
        topics.retain(|topic| only.is_empty() || only.contains(&topic.name()));
        Ok(topics)
    }

    pub(super) fn history(&self, topics: &[Topic<Frame>]) -> Result<HistoryBuilder, Failure> {
        let builder = History::builder(self.nats.to_options()?);
        Ok(topics.iter().cloned().fold(builder, HistoryBuilder::topic))
    }

    pub(super) fn collector_builder(
        &self,
        exchange: ws::Client,
    ) -> Result<CollectorBuilder, Failure> {
        let CollectorSettings { id, shards, replicas, .. } = &self.collector;
        let mut builder = Collector::builder(self.nats.to_options()?, exchange)
            .id(id)
            .topics(ws::Market::Spot, self.topics.spot.iter().map(String::as_str))
            .topics(ws::Market::Futures, self.topics.futures.iter().map(String::as_str));
        if let Some(shards) = shards {
            builder = builder.shards(*shards);
        }
        if let Some(replicas) = replicas {
            builder = builder.replicas(*replicas);
        }
        if let Some(timeout) = self.collector.lease_timeout_ms {
            builder = builder.lease_timeout(Duration::from_millis(timeout));
        }
        if let Some(interval) = self.collector.snapshot_interval_s {
            builder = builder.snapshot_interval(Duration::from_secs(interval));
        }
        if let Some(copies) = self.collector.stored_copies {
            builder = builder.stored_copies(copies);
        }
        let (minutes, bytes) = (self.collector.history_minutes, self.collector.history_bytes);
        if minutes.is_some() || bytes.is_some() {
            let age = Duration::from_secs(minutes.unwrap_or(10).saturating_mul(60));
            builder = builder.history(age, bytes.unwrap_or(1 << 30));
        }
        Ok(builder)
    }
}

impl Nats {
    fn to_options(&self) -> Result<Options, Failure> {
        if self.servers.contains('@') {
            // The file may be readable by others, and errors may repeat the address.
            return Err(Failure::usage(
                "nats.servers takes no user name and password: use user and password_file",
            ));
        }
        let mut options = Options::new(&self.servers);
        if let Some(prefix) = &self.prefix {
            options = options.prefix(prefix);
        }
        if let Some(file) = &self.root_certificates {
            options = options.root_certificates(file);
        }
        match (&self.user, &self.password_file, &self.token_file) {
            (None, None, None) => Ok(options),
            (Some(user), Some(file), None) => Ok(options.user(user, read_secret(file)?)),
            (None, None, Some(file)) => Ok(options.token(read_secret(file)?)),
            _ => Err(Failure::usage(
                "[nats] takes user and password_file, or token_file, or neither",
            )),
        }
    }
}

/// Reads a secret: the first line of a file.
fn read_secret(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() {
        return Err(Failure::usage(format!("{} is empty", path.display())));
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Failure> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("collect.toml");
        std::fs::write(&path, text).expect("written");
        Config::read(&path)
    }

    #[test]
    fn the_documented_example_is_valid() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/fleet/collect.toml");
        let config = Config::read(Path::new(path)).expect("valid");
        assert!(!config.topics.spot.is_empty() && config.http.is_some());
    }

    #[test]
    fn misspelled_keys_and_passwords_in_addresses_are_rejected() {
        let valid =
            "[nats]\nservers = 'nats://h:1'\n[collector]\nid = 'a'\n[topics]\nspot = ['t']\n";
        assert!(parse(valid).is_ok());
        assert!(parse(&valid.replace("servers", "server")).is_err());
        let config = parse(&valid.replace("h:1", "user:hunter2@h:1")).expect("read");
        let error = config.nats.to_options().expect_err("rejected").to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
