//! Configuration of a client.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitmart_auth::Credentials;
use bitmart_net::{Connect, Connector, TlsOptions};
use bitmart_types::{Clock, Environment, Service, SystemClock};

use tokio::sync::watch;

use super::sides::{Side, service};
use super::{Client, Shared};
use crate::connect::Address;
use crate::dialect::{Access, Dialect, Limits};
use crate::error::{Error, ErrorKind};
use crate::inflate::InflaterPool;
use crate::policy::ConnectionPolicy;

/// Updates that a subscription holds for a slow reader, unless told otherwise.
const CAPACITY: usize = 1024;

/// How long a subscription waits for its acknowledgement, unless told otherwise.
const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(30);

/// Configures a [`Client`]. The default is the live exchange without credentials.
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    environment: Environment,
    credentials: Option<Credentials>,
    connect: Option<Arc<dyn Connect>>,
    tls: TlsOptions,
    clock: Arc<dyn Clock>,
    capacity: usize,
    policy: ConnectionPolicy,
    side_policies: Vec<(Side, ConnectionPolicy)>,
    subscribe_within: Duration,
    plain_text: bool,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            environment: Environment::live(),
            credentials: None,
            connect: None,
            tls: TlsOptions::default(),
            clock: Arc::new(SystemClock),
            capacity: CAPACITY,
            policy: ConnectionPolicy::new(),
            side_policies: Vec::new(),
            subscribe_within: SUBSCRIBE_WITHIN,
            plain_text: false,
        }
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("environment", &self.environment)
            .field("credentials", &self.credentials)
            .field("capacity", &self.capacity)
            .field("subscribe_within", &self.subscribe_within)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Where to connect. Default: the live exchange.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The account of private topics. Default: none.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Where the time of login signatures comes from, and that of
    /// [`ReceivedAt::time`](crate::ReceivedAt::time). It is asked for every login and every frame.
    /// Default: the clock of this machine, which must be within one minute of BitMart's.
    ///
    /// After a login that was refused for its time, or for a reason that the venue does not tell,
    /// the clock is asked to [correct](Clock::correct) itself: the clock of a REST client that
    /// synchronises by itself does.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many updates wait for a slow reader before market data is dropped or a private
    /// subscription ends. At least 3; default: 1,024.
    pub fn queue_capacity(mut self, updates: usize) -> Self {
        self.capacity = updates;
        self
    }

    /// How connections are made, watched and filled, on every side that has no policy of its own.
    pub fn connection_policy(mut self, policy: ConnectionPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The policy of one side. It replaces the [common one](Self::connection_policy) there as a
    /// whole.
    pub fn connection_policy_of(
        mut self,
        dialect: Dialect,
        access: Access,
        policy: ConnectionPolicy,
    ) -> Self {
        self.side_policies.push(((dialect, access), policy));
        self
    }

    /// How long [`Client::subscribe`] waits for the acknowledgement, connecting and login included.
    /// Default: 30 s.
    pub fn subscribe_within(mut self, limit: Duration) -> Self {
        self.subscribe_within = limit;
        self
    }

    /// Accepts `ws://` addresses of other machines. Everyone on the way can then read the API key
    /// and every update, and change them. Addresses of this machine need no permission.
    pub fn allow_plain_text(mut self) -> Self {
        self.plain_text = true;
        self
    }

    /// How hosts are reached: through a proxy, from a local address, over a stream of your own. TLS
    /// and the WebSocket are spoken over it. By default as the environment's variables say
    /// ([`Connector::from_env`]).
    pub fn connector(mut self, connector: impl Connect) -> Self {
        self.connect = Some(Arc::new(connector));
        self
    }

    /// What is asked of a server beyond a certificate of an authority that the environment trusts,
    /// such as a pinned key. Nothing by default.
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.tls = options;
        self
    }

    /// The client. Nothing is connected yet.
    ///
    /// # Errors
    /// An address of the environment is none, or is a `ws://` address of another machine that was
    /// not [allowed](Self::allow_plain_text), the roots are unusable for TLS, a variable of the
    /// environment names a proxy that cannot be used, or a policy asks for more than the venue allows
    /// on a side that this client can use (the source is a [`PolicyError`](crate::PolicyError)). A
    /// client without credentials has no private sides.
    pub fn build(self) -> Result<Client, Error> {
        let services = [
            Service::SpotWsPublic,
            Service::SpotWsPrivate,
            Service::FuturesWsPublic,
            Service::FuturesWsPrivate,
        ];
        let plain = services.iter().find(|&&service| self.environment.is_plain_text(service));
        if let (Some(service), false) = (plain, self.plain_text) {
            let message = format!(
                "the {service} would exchange API keys unencrypted with another machine: use \
                 wss://, or say `allow_plain_text()` if that is meant"
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        let mut needs_tls = false;
        // A deployment may lack a service; that matters when somebody asks for it.
        for text in services.iter().filter_map(|&service| self.environment.address(service).ok()) {
            needs_tls |= Address::parse(text)?.needs_tls();
        }
        let tls = if needs_tls {
            let config = self.tls.client_config(&self.environment.roots, &[b"http/1.1"]);
            let config = config.map_err(|error| {
                Error::new(ErrorKind::Config, "the environment's roots cannot be used for TLS")
                    .with_source(error)
            })?;
            Some(Arc::new(config))
        } else {
            None
        };
        let limits = self.limits()?;
        let connect = match self.connect {
            Some(connect) => connect,
            None => Arc::new(Connector::from_env().map_err(|error| {
                Error::new(ErrorKind::Config, "the environment names an unfit proxy")
                    .with_source(error)
            })?),
        };
        Ok(Client(Arc::new(Shared {
            environment: self.environment,
            credentials: self.credentials,
            tls,
            connect,
            clock: self.clock,
            capacity: self.capacity,
            limits,
            subscribe_within: self.subscribe_within,
            inflaters: InflaterPool::default(),
            next_member: AtomicU64::new(0),
            sides: Mutex::default(),
            troubles: watch::Sender::new(None),
        })))
    }

    /// The limits of every side that this client can use.
    fn limits(&self) -> Result<HashMap<Side, Limits>, Error> {
        let mut limits = HashMap::new();
        for dialect in [Dialect::Spot, Dialect::Futures] {
            for access in [Access::Public, Access::Private] {
                let side = (dialect, access);
                let has_address = self.environment.address(service(side)).is_ok();
                let may_enter = access == Access::Public || self.credentials.is_some();
                if has_address && may_enter {
                    let own = self.side_policies.iter().rfind(|(of, _)| *of == side);
                    let policy = own.map_or(&self.policy, |(_, policy)| policy);
                    let set = policy.limits(dialect, access).map_err(|error| {
                        Error::new(ErrorKind::Config, error.to_string()).with_source(error)
                    })?;
                    limits.insert(side, set);
                }
            }
        }
        Ok(limits)
    }
}
