//! Settings of a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bitmart_auth::Credentials;
use bitmart_net::{Connect, TlsOptions};
use bitmart_types::{Clock, Environment, Service, SystemClock};

use super::{Client, Inner, RetryPolicy, SyncedClock};
use crate::ConfigError;
use crate::client::limit::Limiter;
use crate::client::observe::Meters;
use crate::transport::{CONNECT_TIMEOUT, HyperTransport, Transport};
use crate::wire::drift::Drift;
use crate::wire::request::Encoder;
use crate::wire::response::LARGEST_BODY;

/// Settings of a [`Client`].
///
/// ```
/// use bitmart_rest::Client;
/// use bitmart_types::{Clock, Environment, Service, SystemClock};
///
/// let client = Client::builder().environment(Environment::futures_demo()).build()?;
/// # Ok::<(), bitmart_rest::ConfigError>(())
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
    sync_clock: bool,
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
            sync_clock: false,
            limiter: Limiter::default(),
            retry: None,
            recv_window: None,
            user_agent: None,
            timeout: Duration::from_secs(10),
            max_body: LARGEST_BODY,
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
    /// Your own HTTP stack, or a [`HyperTransport`] with settings of your own. The environment's
    /// certificate authorities are not used then. It does not make the client independent of tokio: see the
    /// panics of [`Client`](crate::Client).
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }
    /// How hosts are reached: through a proxy, from a local address, over a stream of your own. TLS
    /// is spoken over it, and connections are pooled above it. By default as the environment's
    /// variables say ([`Connector::from_env`](bitmart_net::Connector::from_env)). A
    /// [transport](Self::transport) of your own does not use it.
    pub fn connector(mut self, connector: impl Connect) -> Self {
        self.connect = Some(Arc::new(connector));
        self
    }
    /// What is asked of a server beyond a certificate of an authority that the environment trusts,
    /// such as a pinned key. Nothing by default. A [transport](Self::transport) of your own does not
    /// use it.
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.tls = options;
        self
    }
    /// Source of the time that signatures carry. The machine's clock by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
    /// Whether the client asks the exchange for its time before the first signed request, and again
    /// after an answer that says that its time is off. Off by default; without it,
    /// [`Client::sync_clock`] does the same when it is called. A failed question does not hold the
    /// request back. The refused request itself is not sent again, unless it is a read and
    /// [`retry_reads`](Self::retry_reads) is set.
    pub fn sync_clock(mut self, on: bool) -> Self {
        self.sync_clock = on;
        self
    }
    /// The rate limits that the client keeps, and what it does with requests beyond them. By default
    /// requests wait up to 5 seconds for their turn, 15 per cent below the published limits. See
    /// [`Limiter`].
    pub fn limiter(mut self, limiter: Limiter) -> Self {
        self.limiter = limiter;
        self
    }
    /// Sends reads again after failures that may pass. Off by default. Requests with an effect are
    /// never sent again.
    pub fn retry_reads(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }
    /// How long after its timestamp the exchange may accept a request, for requests that take it and
    /// do not set it themselves. 1 millisecond to a minute, in whole milliseconds; 5 seconds at the
    /// exchange when it is not set.
    pub fn recv_window(mut self, window: Duration) -> Self {
        self.recv_window = Some(window);
        self
    }
    /// Name in the `User-Agent` header. The name of this library by default. The exchange's proxy
    /// is known to block the default names of HTTP libraries.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = Some(name.into());
        self
    }
    /// Limit from sending a request until its answer is complete. 10 seconds by default. Whether a
    /// request took effect is not known when the limit passes.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }
    /// Largest body of an answer, in bytes, as it arrives and inflated. 16 MiB by default.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }
    /// Requests in flight per host, and so open connections; a request beyond them waits for its turn.
    /// At least 1; 128 by default. The wait counts against [`timeout`](Self::timeout), and when nine
    /// tenths of that have passed first, the request was not sent. A [transport](Self::transport) of your own has its own
    /// limit.
    pub fn max_connections_per_host(mut self, limit: usize) -> Self {
        self.max_connections = Some(limit);
        self
    }
    /// Limit for opening a connection: name, TCP and TLS together. More than nothing and shorter
    /// than [`timeout`](Self::timeout), so that a request whose connection fails was certainly not
    /// sent. By default 3 seconds, and at most half of the timeout. A [transport](Self::transport)
    /// of your own has its own.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }
    /// A connection that was idle for longer is not used again. 50 seconds by default. A
    /// [transport](Self::transport) of your own has its own.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = Some(limit);
        self
    }
    /// Opens a new connection for every request with an effect, so that no response to an earlier
    /// request can be taken for its response, whatever the server does: see [`HyperTransport`]. Costs
    /// the time of two handshakes for each. Off by default; a [transport](Self::transport) of your
    /// own decides itself.
    pub fn fresh_connection_for_writes(mut self, on: bool) -> Self {
        self.fresh_for_writes = on;
        self
    }
    /// Accepts `http://` addresses of other machines. Everyone on the way can then read the API key
    /// and every order, and change them. Addresses of this machine need no permission.
    pub fn allow_plain_text(mut self) -> Self {
        self.plain_text = true;
        self
    }
    /// Counts how answers differ from their description: see [`Client::drift`]. Off by default, for
    /// every answer is then read twice.
    pub fn watch_drift(mut self, on: bool) -> Self {
        self.drift = on;
        self
    }
    /// Builds the client. No connection is opened yet.
    ///
    /// # Errors
    /// When an address, the certificate authorities, a header's text or a time limit are unfit, when a
    /// variable of the environment names a proxy that cannot be used, or when an `http://` address of
    /// another machine was not [allowed](Self::allow_plain_text).
    pub fn build(self) -> Result<Client, ConfigError> {
        if !self.plain_text {
            refuse_plain_text(&self.environment)?;
        }
        let recv_window = self.recv_window.map(millis).transpose()?;
        if self.connect_timeout.is_some_and(|limit| limit.is_zero() || limit >= self.timeout) {
            let reason = "must be more than nothing and shorter than `timeout`";
            return Err(ConfigError::new("connect_timeout", reason));
        }
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
                // Fails while it is still certain that nothing was sent.
                .connect_timeout(
                    self.connect_timeout.unwrap_or_else(|| CONNECT_TIMEOUT.min(self.timeout / 2)),
                )
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
            clock: SyncedClock::new(self.clock, self.sync_clock),
            limiter: self.limiter,
            user,
            retry: self.retry,
            recv_window,
            timeout: self.timeout,
            max_body: self.max_body,
            drift: self.drift.then(Drift::new),
            meters: Meters::new(),
        });
        inner.clock.serve(&inner);
        Ok(Client(inner))
    }
}

fn refuse_plain_text(environment: &Environment) -> Result<(), ConfigError> {
    let services = [("spot_rest", Service::SpotRest), ("futures_rest", Service::FuturesRest)];
    match services.into_iter().find(|(_, service)| environment.is_plain_text(*service)) {
        Some((setting, _)) => Err(ConfigError::new(
            setting,
            "would send API keys unencrypted to another machine: use https://, or say \
             `allow_plain_text()` if that is meant",
        )),
        None => Ok(()),
    }
}

fn millis(recv_window: Duration) -> Result<u32, ConfigError> {
    u32::try_from(recv_window.as_millis())
        .ok()
        .filter(|millis| (1..=60_000).contains(millis))
        .ok_or_else(|| ConfigError::new("recv_window", "must be 1 ms to 60 s"))
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
