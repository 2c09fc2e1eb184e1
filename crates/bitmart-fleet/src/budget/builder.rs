//! Settings of shared budgets.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitmart_rest::endpoint::{Host, Metadata, Method};
use bitmart_rest::limit::Budget;
use bitmart_rest::types::ConfigError;

use super::connection::Link;
use super::events::Events;
use super::outage::{Outage, Watch};
use super::script::{Script, Subject};
use super::{Inner, MAX_REPLY_TIME, RedisBudgets, Settings, Shared, random};

/// Version of the script. Processes with different versions refuse to share budgets.
const VERSION: u32 = 1;

/// A placeholder of which only the name is used, in the Redis keys of bans: a ban concerns all endpoints.
const BANS: Metadata = Metadata::new("bans", Method::Get, Host::Spot, "/");

/// Longest [`call_timeout`](RedisBudgetsBuilder::call_timeout).
const MAX_CALL_TIMEOUT: Duration = Duration::from_secs(600);

/// Settings of [`RedisBudgets`].
#[must_use = "nothing happens until `build`"]
pub struct RedisBudgetsBuilder {
    url: String,
    address: String,
    namespace: String,
    call_timeout: Duration,
    reply_timeout: Duration,
    lease: u32,
    outage: Outage,
    script: Script,
}

impl RedisBudgetsBuilder {
    pub(super) fn new(url: String, address: String) -> Self {
        Self {
            url,
            address,
            namespace: "bitmart".to_owned(),
            call_timeout: Duration::from_secs(10),
            reply_timeout: Duration::from_millis(500),
            lease: 1,
            outage: Outage::default(),
            script: Script::new(),
        }
    }

    /// The beginning of all keys in Redis. Default: `bitmart`. All processes that share budgets need the same.
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        self.namespace = name.into();
        self
    }

    /// The longest [timeout](bitmart_rest::ClientBuilder::timeout) of a client that uses these budgets. Default:
    /// 10 seconds, like that of clients. Must be the same in all processes that share budgets: it decides how
    /// long a permit of a dead process stays in use, and how long a new server grants nothing. Greater than zero, at
    /// most 600 seconds. To change it, stop all processes and delete the key `{namespace}:epoch` (with the braces).
    pub fn call_timeout(mut self, limit: Duration) -> Self {
        self.call_timeout = limit;
        self
    }

    /// How long Redis may take for a connection or a reply. Default: 500 ms; at most 2 seconds.
    pub fn reply_timeout(mut self, limit: Duration) -> Self {
        self.reply_timeout = limit;
        self
    }

    /// How many permits to take in one round trip, from 1 to 1000. Default: 1.
    ///
    /// Further requests within 100 ms then need no round trip. Permits that no request needs by then are
    /// returned; meanwhile other processes lack them. A lease takes at most half of what is free, and a single
    /// permit if others wait. A pause or ban that another process received is noticed up to 100 ms later.
    pub fn lease(mut self, permits: u32) -> Self {
        self.lease = permits;
        self
    }

    /// What happens while Redis cannot be reached. Default: [`Outage::Refuse`].
    pub fn outage(mut self, outage: Outage) -> Self {
        self.outage = outage;
        self
    }

    /// Replaces a part of the script. For tests that show that a wrong script is noticed.
    #[cfg(feature = "broken-script")]
    #[doc(hidden)]
    pub fn break_script(mut self, from: &str, to: &str) -> Self {
        self.script = self.script.replace(from, to);
        self
    }

    /// Prepares the budgets and starts a task for them. Redis is not needed yet.
    ///
    /// # Errors
    /// The URL, or a setting out of its range.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn build(self) -> Result<RedisBudgets, ConfigError> {
        // The error of the library may repeat the URL, which can contain a password.
        let client = redis::Client::open(self.url.as_str()).map_err(|_| {
            ConfigError::new("url", "is not a Redis URL, such as redis://host:port or unix:///path")
        })?;
        // One address has several spellings, and all of them are one budget.
        let address = self.address.parse::<IpAddr>().map_err(|_| {
            ConfigError::new("address", "is not an IP address, such as 203.0.113.7")
        })?;
        let address = address.to_canonical().to_string();
        let prefix = random::number().ok_or_else(|| {
            ConfigError::new("prefix", "needs randomness, and the system has none")
        })?;
        let checks = [
            ("namespace", self.namespace.is_empty(), "must not be empty"),
            ("namespace", self.namespace.contains(['{', '}']), "must not contain braces"),
            ("lease", !(1..=1000).contains(&self.lease), "must be from 1 to 1000"),
            ("reply_timeout", self.reply_timeout.is_zero(), "must be greater than zero"),
            ("reply_timeout", self.reply_timeout > MAX_REPLY_TIME, "must be at most 2 s"),
            ("call_timeout", self.call_timeout.is_zero(), "must be greater than zero"),
            ("call_timeout", self.call_timeout > MAX_CALL_TIMEOUT, "must be at most 600 s"),
            (
                "outage",
                matches!(self.outage, Outage::Share(percent) if !(1..=100).contains(&percent)),
                "must have a share from 1 to 100",
            ),
        ];
        if let Some((setting, _, reason)) = checks.into_iter().find(|(_, fails, _)| *fails) {
            return Err(ConfigError::new(setting, reason));
        }
        let shared =
            Arc::new(Shared { link: Link::new(client, self.reply_timeout), script: self.script });
        let bans = Budget::new(&BANS, None, 0);
        let bans = Arc::new(Subject::new(&self.namespace, &address, &bans));
        let common =
            format!("version {VERSION}, call_timeout {} ms", self.call_timeout.as_millis());
        Ok(RedisBudgets(Arc::new(Inner {
            events: Events::start(Arc::clone(&shared)),
            shared,
            entries: Mutex::new(HashMap::new()),
            lease: self.lease.into(),
            outage: self.outage,
            prefix: format!("{prefix:016x}").into(),
            numbers: AtomicU64::new(0),
            watch: Watch::new(),
            settings: Settings {
                namespace: self.namespace,
                address,
                call_timeout: self.call_timeout,
                common,
            },
            bans,
        })))
    }
}

/// Does not show the URL, which may contain a password.
impl fmt::Debug for RedisBudgetsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBudgetsBuilder")
            .field("namespace", &self.namespace)
            .field("call_timeout", &self.call_timeout)
            .field("reply_timeout", &self.reply_timeout)
            .field("lease", &self.lease)
            .field("outage", &self.outage)
            .finish_non_exhaustive()
    }
}
