//! Settings of a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bitmart_auth::Credentials;
use bitmart_net::{Connect, TlsOptions};
use bitmart_types::{Clock, Environment, Service, SystemClock};

use super::timers::Timers;
use super::{Client, Inner, RetryPolicy, SyncedClock};
use crate::client::limit::Limiter;
use crate::client::observe::Metrics;
use crate::drift::Drift;
use crate::protocol::request::Encoder;
use crate::protocol::response::DEFAULT_MAX_BODY;
use crate::protocol::validate;
use crate::transport::{CONNECT_TIMEOUT, HyperTransport, Transport};
use bitmart_types::ConfigError;

/// Settings of a [`Client`].
///
/// ```
/// use bitmart_rest::Client;
/// use bitmart_types::{Clock, Environment, Service, SystemClock};
///
/// let client = Client::builder().environment(Environment::futures_demo()).build()?;
/// # Ok::<(), bitmart_rest::types::ConfigError>(())
/// ```
#[must_use = "nothing happens until `build`"]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct ClientBuilder {
    environment: Environment,
    credentials: Option<Credentials>,
    transport: Option<Arc<dyn Transport>>,
    connect: Option<Arc<dyn Connect>>,
    tls: TlsOptions,
    clock: Arc<dyn Clock>,
    auto_sync_clock: bool,
    limiter: Limiter,
    retry: Option<RetryPolicy>,
    recv_window: Option<Duration>,
    user_agent: Option<String>,
    timeout: Duration,
    max_body: usize,
    max_connections: Option<usize>,
    connect_timeout: Option<Duration>,
    idle_timeout: Option<Duration>,
    fresh_for_writes: bool,
    plain_text: bool,
    drift: bool,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            environment: Environment::live(),
            credentials: None,
            transport: None,
            connect: None,
            tls: TlsOptions::default(),
            clock: Arc::new(SystemClock),
            auto_sync_clock: false,
            limiter: Limiter::default(),
            retry: None,
            recv_window: None,
            user_agent: None,
            timeout: Duration::from_secs(10),
            max_body: DEFAULT_MAX_BODY,
            max_connections: None,
            connect_timeout: None,
            idle_timeout: None,
            fresh_for_writes: false,
            plain_text: false,
            drift: false,
        }
    }
}

impl ClientBuilder {
    /// Where to connect. The live exchange by default.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }
    /// Credentials for endpoints that need them. Without them public endpoints work.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }
    /// Replaces the default transport: another HTTP stack, or a [`HyperTransport`] with other settings.
    /// The environment's certificate authorities are then not used. The client still needs tokio: see
    /// the panics of [`Client`](crate::Client).
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }
    /// How TCP connections are made: through a proxy, from a local address, over a custom stream. TLS
    /// and connection pooling are on top of it. Default: the proxy variables of the process environment
    /// ([`Connector::from_env`](bitmart_net::Connector::from_env)). Not used with a custom
    /// [transport](Self::transport).
    pub fn connector(mut self, connector: impl Connect) -> Self {
        self.connect = Some(Arc::new(connector));
        self
    }
    /// Additional TLS requirements, such as a pinned key. Default: a certificate that the environment's
    /// authorities trust is enough. Not used with a custom [transport](Self::transport).
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.tls = options;
        self
    }
    /// The clock for the timestamps of signatures. Default: the machine's clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
    /// Whether the client synchronizes its clock with the exchange before the first signed request, and
    /// again after a response that reports a wrong clock. Default: off;
    /// [`Client::sync_clock`] does it on demand. If synchronizing fails, the request is sent anyway. The
    /// rejected request is sent again only if it is a read and [`retry_reads`](Self::retry_reads)
    /// is set.
    pub fn auto_sync_clock(mut self, on: bool) -> Self {
        self.auto_sync_clock = on;
        self
    }
    /// The client-side rate limiter. By default requests wait up to 5 seconds for a permit, and limits
    /// are 15 percent below the published ones. See [`Limiter`]. A limiter with a
    /// [store](Limiter::with_store) bounds [`timeout`](Self::timeout).
    pub fn limiter(mut self, limiter: Limiter) -> Self {
        self.limiter = limiter;
        self
    }
    /// Retries reads after transient errors. Default: off. Requests with an effect are never retried.
    pub fn retry_reads(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }
    /// The `recvWindow` of requests that have one and do not set it: how long after its timestamp the
    /// exchange accepts a request. 1 ms to 60 s, in whole milliseconds. Default: not sent, for which the
    /// exchange uses 5 s.
    pub fn recv_window(mut self, window: Duration) -> Self {
        self.recv_window = Some(window);
        self
    }
    /// The `User-Agent` header. Default: the name of this library. The exchange's proxy blocks the
    /// default names of some HTTP libraries.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = Some(name.into());
        self
    }
    /// Time limit from sending a request to its complete response. Default: 10 seconds. After a timeout
    /// it is unknown whether a write took effect.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }
    /// Maximum size of a response body in bytes, compressed and inflated. Default: 16 MiB.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }
    /// Maximum number of requests in flight per host, and so of open connections. More requests wait. At
    /// least 1. Default: 128. The wait counts toward [`timeout`](Self::timeout), and the request fails as
    /// not sent when too little of it is left to open a connection. A custom [transport](Self::transport) has its own limit.
    pub fn max_connections_per_host(mut self, limit: usize) -> Self {
        self.max_connections = Some(limit);
        self
    }
    /// Time limit for opening a connection: name lookup, TCP and TLS together. Greater than zero and
    /// shorter than [`timeout`](Self::timeout), so that a request whose connection fails was certainly
    /// not sent. Default: 3 seconds, but at most half of the timeout. A custom
    /// [transport](Self::transport) has its own.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }
    /// How long an idle connection is kept for reuse. Default: 50 seconds. A custom
    /// [transport](Self::transport) has its own.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = Some(limit);
        self
    }
    /// Opens a new connection for every request with an effect, so that a stray response to an earlier
    /// request can never be taken for its response: see [`HyperTransport`]. Costs a TCP and a TLS
    /// handshake for each. Default: off. Not used with a custom [transport](Self::transport).
    pub fn fresh_connection_for_writes(mut self, on: bool) -> Self {
        self.fresh_for_writes = on;
        self
    }
    /// Whether `http://` addresses of other machines are allowed. Everyone on the network path can then
    /// read and change the API key and every order. Addresses of this machine are always allowed.
    /// Default: off.
    pub fn allow_plain_text(mut self, on: bool) -> Self {
        self.plain_text = on;
        self
    }
    /// Counts differences between responses and the API description: see [`Client::drift`]. Default: off,
    /// because every response is then decoded twice.
    pub fn watch_drift(mut self, on: bool) -> Self {
        self.drift = on;
        self
    }
    /// Builds the client. No connection is opened yet.
    ///
    /// # Errors
    /// An address, the certificate authorities, a header value or a time limit is invalid, a proxy
    /// variable of the process environment is invalid, or an `http://` address of another machine was
    /// not [allowed](Self::allow_plain_text).
    pub fn build(self) -> Result<Client, ConfigError> {
        if !self.plain_text {
            reject_plain_text(&self.environment)?;
        }
        validate::recv_window(self.recv_window)
            .map_err(|error| ConfigError::new("recv_window", error.rule().to_owned()))?;
        if self.connect_timeout.is_some_and(|limit| limit.is_zero() || limit >= self.timeout) {
            let reason = "must be greater than zero and shorter than `timeout`";
            return Err(ConfigError::new("connect_timeout", reason));
        }
        if self.limiter.max_call_timeout().is_some_and(|limit| self.timeout > limit) {
            let reason = "is longer than the store of the limiter keeps the permit of a request";
            return Err(ConfigError::new("timeout", reason));
        }
        let connect_timeout =
            self.connect_timeout.unwrap_or_else(|| CONNECT_TIMEOUT.min(self.timeout / 2));
        let user = self.credentials.as_ref().map(|owner| self.limiter.user(owner.key()));
        let mut encoder = Encoder::new(&self.environment)?;
        if let Some(credentials) = self.credentials {
            encoder = encoder.with_credentials(credentials)?;
        }
        if let Some(name) = self.user_agent {
            encoder = encoder.with_user_agent(&name)?;
        }
        let transport = if let Some(transport) = self.transport {
            transport
        } else {
            let transport = HyperTransport::builder()
                .roots(self.environment.roots)
                .tls(self.tls)
                .shared_connector(self.connect)
                // Shorter than the timeout, so that a failed connection is certainly *not sent*.
                .connect_timeout(connect_timeout)
                .fresh_connection_for_writes(self.fresh_for_writes);
            let transport = match self.max_connections {
                Some(limit) => transport.max_connections_per_host(limit),
                None => transport,
            };
            let transport = match self.idle_timeout {
                Some(limit) => transport.idle_timeout(limit),
                None => transport,
            };
            Arc::new(transport.build()?)
        };
        let inner = Arc::new(Inner {
            encoder,
            transport,
            clock: SyncedClock::new(self.clock, self.auto_sync_clock),
            limiter: self.limiter,
            user,
            retry: self.retry,
            recv_window: self.recv_window,
            timeout: self.timeout,
            reserve_timeout: self.timeout.saturating_sub(connect_timeout) / 10 * 9,
            timers: Timers::default(),
            max_body: self.max_body,
            drift: self.drift.then(Drift::new),
            metrics: Metrics::new(),
        });
        inner.clock.set_client(&inner);
        Ok(Client(inner))
    }
}

fn reject_plain_text(environment: &Environment) -> Result<(), ConfigError> {
    let services = [("spot_rest", Service::SpotRest), ("futures_rest", Service::FuturesRest)];
    match services.into_iter().find(|(_, service)| environment.is_plain_text(*service)) {
        Some((setting, _)) => Err(ConfigError::new(
            setting,
            "would send API keys unencrypted to another machine: use https://, or call \
             `allow_plain_text(true)`",
        )),
        None => Ok(()),
    }
}

/// Shows no secret.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("environment", &self.environment.name)
            .field("credentials", &self.credentials.is_some())
            .field("own_transport", &self.transport.is_some())
            .field("timeout", &self.timeout)
            .field("max_body", &self.max_body)
            .finish_non_exhaustive()
    }
}
