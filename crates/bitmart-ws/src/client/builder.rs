//! The configuration of a client.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitmart_auth::Credentials;
use bitmart_net::{Connect, Connector, TlsOptions};
use bitmart_types::{Clock, ConfigError, Environment, SystemClock};

use tokio::sync::watch;

use super::endpoints::{ENDPOINTS, Endpoint, address_setting, service};
use super::feeds::Feeds;
use super::{Client, Shared};
use crate::connect::Address;
use crate::dialect::{Access, Limits, Market};
use crate::inflate::InflaterPool;
use crate::policy::ConnectionPolicy;
use crate::source::Source;

const DEFAULT_QUEUE_CAPACITY: usize = 1024;

const DEFAULT_SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(30);

/// Configures a [`Client`]. The default is the live exchange without credentials.
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    environment: Environment,
    credentials: Option<Credentials>,
    connector: Option<Arc<dyn Connect>>,
    tls: TlsOptions,
    clock: Arc<dyn Clock>,
    queue_capacity: usize,
    connect_timeout: Option<Duration>,
    policy: ConnectionPolicy,
    endpoint_policies: Vec<(Endpoint, ConnectionPolicy)>,
    subscribe_timeout: Duration,
    allow_plain_text: bool,
    source: Option<Arc<dyn Source>>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            environment: Environment::live(),
            credentials: None,
            connector: None,
            tls: TlsOptions::default(),
            clock: Arc::new(SystemClock),
            queue_capacity: DEFAULT_QUEUE_CAPACITY,
            connect_timeout: None,
            policy: ConnectionPolicy::new(),
            endpoint_policies: Vec::new(),
            subscribe_timeout: DEFAULT_SUBSCRIBE_TIMEOUT,
            allow_plain_text: false,
            source: None,
        }
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("environment", &self.environment)
            .field("credentials", &self.credentials)
            .field("queue_capacity", &self.queue_capacity)
            .field("subscribe_timeout", &self.subscribe_timeout)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Sets where to connect. Default: the live exchange.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Sets the credentials of the account, which private topics need. Default: no credentials.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Sets how hosts are reached: through a proxy, from a local address, over a custom stream. TLS and
    /// WebSocket run over it. Default: according to the environment variables
    /// ([`Connector::from_env`]).
    pub fn connector(mut self, connector: impl Connect) -> Self {
        self.connector = Some(Arc::new(connector));
        self
    }

    /// Sets what a server must present beyond a certificate that the environment trusts, such as a
    /// pinned key. Default: nothing.
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.tls = options;
        self
    }

    /// Sets the clock that signs logins and stamps updates
    /// ([`ReceiveTime::timestamp`](crate::ReceiveTime::timestamp)). It is read for every login and
    /// every frame. Default: the clock of this machine, which must be within one minute of BitMart's.
    ///
    /// After a login that was rejected for its time, or without an explanation, the clock is
    /// [corrected](Clock::correct) first. The clock of a REST client that synchronizes itself supports
    /// that.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets how long one connection attempt may take, unless a policy sets its own
    /// [`connect_timeout`](ConnectionPolicy::connect_timeout). Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// Sets how long [`Client::subscribe`] waits for the acknowledgement, connecting and login
    /// included. Default: 30 s.
    pub fn subscribe_timeout(mut self, timeout: Duration) -> Self {
        self.subscribe_timeout = timeout;
        self
    }

    /// Sets how many updates of a subscription are queued for a slow reader before market data is
    /// dropped or a private subscription ends. At least 3; default: 1,024.
    pub fn queue_capacity(mut self, updates: usize) -> Self {
        self.queue_capacity = updates;
        self
    }

    /// Sets the policy of every endpoint without a [policy of its own](Self::endpoint_policy).
    pub fn connection_policy(mut self, policy: ConnectionPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the policy of one endpoint. It replaces the [common one](Self::connection_policy)
    /// entirely.
    pub fn endpoint_policy(
        mut self,
        market: Market,
        access: Access,
        policy: ConnectionPolicy,
    ) -> Self {
        self.endpoint_policies.push(((market, access), policy));
        self
    }

    /// Sets whether `ws://` addresses of other machines are allowed. Everyone on the network path can then
    /// read the API key and every update, and change them. Addresses of this machine are always allowed.
    /// Default: off.
    pub fn allow_plain_text(mut self, on: bool) -> Self {
        self.allow_plain_text = on;
        self
    }

    /// Sets where topics come from instead of the exchange: see [`source`](crate::source). The client makes no
    /// connections then; environment, credentials, connector and policies have no effect. Default: the
    /// exchange.
    pub fn source(mut self, source: impl Source) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Builds the client. It does not connect yet.
    ///
    /// # Errors
    /// - An address of the environment is invalid, or is a `ws://` address of another machine without
    ///   [permission](Self::allow_plain_text).
    /// - The trusted roots cannot be used for TLS.
    /// - An environment variable names an unusable proxy.
    /// - A policy exceeds what the exchange allows on an endpoint that this client can use. The source
    ///   is a [`PolicyError`](crate::PolicyError). Without credentials, private endpoints are not
    ///   checked.
    pub fn build(mut self) -> Result<Client, ConfigError> {
        if self.source.is_some() {
            self.environment = Environment::custom("source");
            self.connector = Some(Arc::new(Connector::direct()));
        }
        let addresses = self.addresses()?;
        let tls = if addresses.values().any(Address::needs_tls) {
            let config = self.tls.client_config(&self.environment.roots, &[b"http/1.1"]);
            let config = config.map_err(|error| {
                ConfigError::new("roots", "cannot be used for TLS").with_source(error)
            })?;
            Some(Arc::new(config))
        } else {
            None
        };
        let limits = self.limits(&addresses)?;
        let connector = match self.connector {
            Some(connector) => connector,
            None => Arc::new(Connector::from_env().map_err(|error| {
                let reason = "follows an environment variable that names an unusable proxy";
                ConfigError::new("connector", reason).with_source(error)
            })?),
        };
        Ok(Client(Arc::new(Shared {
            environment: self.environment,
            addresses,
            credentials: self.credentials,
            tls,
            connector,
            clock: self.clock.clone(),
            queue_capacity: self.queue_capacity,
            limits,
            subscribe_timeout: self.subscribe_timeout,
            inflaters: InflaterPool::default(),
            next_subscriber_id: AtomicU64::new(0),
            pools: Mutex::default(),
            feeds: self.source.map(|source| Feeds::new(source, self.clock)),
            problems: watch::Sender::new(None),
        })))
    }

    /// The address of every endpoint that the environment has.
    fn addresses(&self) -> Result<HashMap<Endpoint, Address>, ConfigError> {
        let mut addresses = HashMap::new();
        for endpoint in ENDPOINTS {
            let setting = address_setting(endpoint);
            if self.environment.is_plain_text(service(endpoint)) && !self.allow_plain_text {
                return Err(ConfigError::new(
                    setting,
                    "would send API keys unencrypted to another machine: use wss://, or call \
                     `allow_plain_text(true)` if that is intended",
                ));
            }
            // Subscribing to a topic of an endpoint without an address fails.
            if let Ok(text) = self.environment.address(service(endpoint)) {
                addresses.insert(endpoint, Address::parse(setting, text)?);
            }
        }
        Ok(addresses)
    }

    /// The limits of every endpoint that this client can use.
    fn limits(
        &self,
        addresses: &HashMap<Endpoint, Address>,
    ) -> Result<Box<[(Endpoint, Limits)]>, ConfigError> {
        let mut limits = Vec::new();
        for (market, access) in
            ENDPOINTS.into_iter().filter(|endpoint| addresses.contains_key(endpoint))
        {
            if access == Access::Private && self.credentials.is_none() {
                continue;
            }
            let endpoint = (market, access);
            let mut endpoint_policies = self.endpoint_policies.iter();
            let endpoint_policy = endpoint_policies.rfind(|(other, _)| *other == endpoint);
            let policy = endpoint_policy.map_or(self.policy, |(_, policy)| *policy);
            let policy = policy.or_connect_timeout(self.connect_timeout);
            let endpoint_limits = policy.limits(market, access).map_err(|error| {
                ConfigError::new(error.setting(), error.reason()).with_source(error)
            })?;
            limits.push((endpoint, endpoint_limits));
        }
        Ok(limits.into())
    }
}
