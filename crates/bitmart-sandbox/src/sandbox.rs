//! The handle of a running sandbox.

mod in_process;
mod market_clock;
mod start_error;

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use serde_json::json;
use tokio::net::TcpListener;

use self::market_clock::start_clock;
pub use self::{in_process::Link, start_error::StartError};
use crate::{
    admin, config::Config, generated::Host, http, keys::ApiKey, recovery, shared::Shared, tls,
};
#[cfg(feature = "console")]
use crate::{
    console::{self, Console},
    scenario::{self, Scenario, ScenarioError},
};

/// Maximum time for which a shutdown waits for open connections.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// The addresses of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostUrls {
    /// Base address of the REST API, `http://127.0.0.1:8801`.
    pub rest: String,
    /// Public WebSocket, `ws://127.0.0.1:8801/api?protocol=1.1`.
    pub ws_public: String,
    /// Private WebSocket, `ws://127.0.0.1:8801/user?protocol=1.1`.
    pub ws_private: String,
}

impl HostUrls {
    fn new(address: SocketAddr, tls: bool) -> Self {
        let s = if tls { "s" } else { "" };
        Self {
            rest: format!("http{s}://{address}"),
            ws_public: format!("ws{s}://{address}/api?protocol=1.1"),
            ws_private: format!("ws{s}://{address}/user?protocol=1.1"),
        }
    }
}

/// The admin API that is served, and the console at its address if there is one.
struct Admin {
    url: String,
    token: admin::Token,
    #[cfg(feature = "console")]
    console: Option<Arc<Console>>,
}

/// A running local exchange. It stops when it is dropped.
pub struct Sandbox {
    pub(crate) shared: Arc<Shared>,
    spot: HostUrls,
    futures: HostUrls,
    credentials: ApiKey,
    root_pem: Option<String>,
    admin: Option<Admin>,
    replays: bool,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("spot", &self.spot)
            .field("futures", &self.futures)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts an exchange on the current tokio runtime. It accepts connections when this returns.
    ///
    /// # Errors
    /// If an address cannot be bound, TLS cannot be set up, the admin API would be reachable from other
    /// machines without [`Config::expose_admin`], the operating system gives no random bytes for its token, or the
    /// data folder cannot be used.
    ///
    /// # Cancel safety
    /// Dropping the future stops the start and leaves only the data folder. If its recovery has begun, it ends on its
    /// thread first, and the folder is in use until then.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time and I/O enabled.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let identity =
            if config.tls {
                Some(tls::generate().map_err(|source| StartError {
                    context: "no certificate".to_owned(),
                    source,
                })?)
            } else {
                None
            };
        check_exposure(&config)?;
        // Before anything listens or is spawned, which an error would leave behind.
        let admin_token = match config.admin_address {
            Some(_) => Some(admin::Token::generate().map_err(|source| StartError {
                context: "no random bytes for the token of the admin API".to_owned(),
                source: source.into(),
            })?),
            None => None,
        };
        let (spot, spot_at) = listen(config.spot_address).await?;
        let (futures, futures_at) = listen(config.futures_address).await?;
        let admin = match config.admin_address {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let tls = config.tls;
        let replays = !config.replay.is_empty();
        let shared = Arc::new(open(config).await?);
        let config = &shared.config;
        let credentials = config.keys_or_default().swap_remove(0);
        let acceptor = identity.as_ref().map(|identity| identity.acceptor.clone());
        tokio::spawn(http::serve(Arc::clone(&shared), Host::Spot, spot, acceptor.clone()));
        tokio::spawn(http::serve(Arc::clone(&shared), Host::Futures, futures, acceptor));
        let admin = match admin.zip(admin_token) {
            Some(((listener, at), token)) => {
                #[cfg(feature = "console")]
                let console = config.console.then(|| {
                    let [spot, futures] =
                        [spot_at, futures_at].map(|at| HostUrls::new(at, tls).rest);
                    Arc::new(Console::new(Arc::clone(&shared), at.port(), &spot, &futures))
                });
                tokio::spawn(admin::serve(
                    Arc::clone(&shared),
                    listener,
                    token.clone(),
                    #[cfg(feature = "console")]
                    console.clone(),
                ));
                Some(Admin {
                    url: format!("http://{at}"),
                    token,
                    #[cfg(feature = "console")]
                    console,
                })
            }
            None => None,
        };
        start_clock(&shared, replays);
        #[cfg(feature = "console")]
        tokio::spawn(scenario::run(Arc::clone(&shared)));
        Ok(Self {
            shared,
            spot: HostUrls::new(spot_at, tls),
            futures: HostUrls::new(futures_at, tls),
            credentials,
            root_pem: identity.map(|identity| identity.root_pem),
            admin,
            replays,
        })
    }

    /// Returns the addresses of the spot host.
    pub fn spot(&self) -> &HostUrls {
        &self.spot
    }

    /// Returns the addresses of the futures host.
    pub fn futures(&self) -> &HostUrls {
        &self.futures
    }

    /// Returns the first configured key, or the one derived from the seed.
    pub fn credentials(&self) -> &ApiKey {
        &self.credentials
    }

    /// Returns the first configured key of a sub-account, or the one derived from the seed if no key is
    /// configured.
    pub fn sub_account_credentials(&self) -> Option<ApiKey> {
        self.shared.config.keys_or_default().into_iter().find(|key| key.main.is_some())
    }

    /// Returns the root certificate that clients must trust, in PEM, if TLS is on.
    pub fn root_certificate(&self) -> Option<&str> {
        self.root_pem.as_deref()
    }

    /// Returns the URL of the admin API, such as `http://127.0.0.1:8803`, if it is served.
    pub fn admin(&self) -> Option<&str> {
        self.admin.as_ref().map(|admin| &*admin.url)
    }

    /// Returns the token of the admin API, for the header `Authorization: Bearer TOKEN`: 64 hexadecimal digits,
    /// new at every start. Whoever has it controls the sandbox: keep it out of arguments and logs.
    pub fn admin_token(&self) -> Option<&str> {
        self.admin.as_ref().map(|admin| admin.token.text())
    }

    /// Returns the address of the console ([`Config::console`]), such as `http://127.0.0.1:8803/console`, if it is
    /// served. The page requests the admin token; [`console_login_url`](Self::console_login_url) is an address that needs none.
    #[cfg(feature = "console")]
    pub fn console_address(&self) -> Option<String> {
        let admin = self.admin.as_ref()?;
        admin.console.as_ref().map(|_| format!("{}{}", admin.url, console::PATH))
    }

    /// Returns a new address that opens the console in a browser without the admin token, once and within a minute. It
    /// contains a secret code: whoever opens it first controls the sandbox. `None` if there is no console, or the
    /// operating system gives no random bytes for the code.
    #[cfg(feature = "console")]
    pub fn console_login_url(&self) -> Option<String> {
        let admin = self.admin.as_ref()?;
        let path = admin.console.as_ref()?.opening_path().ok()?;
        Some(format!("{}{path}", admin.url))
    }

    /// Whether its public channels play a recording ([`Config::replay`]).
    pub fn is_replay(&self) -> bool {
        self.replays
    }

    /// Returns the ready line: one line of JSON with the addresses, the key and, if there is an admin API, its address
    /// and token. The program prints it when it accepts connections. Key and token are secrets, valid only for this
    /// sandbox.
    pub fn ready_line(&self) -> String {
        let urls = |urls: &HostUrls| json!({ "rest": urls.rest, "ws_public": urls.ws_public, "ws_private": urls.ws_private });
        let mut line = json!({
            "spot": urls(&self.spot),
            "futures": urls(&self.futures),
            "credentials": {
                "key": self.credentials.key,
                "secret": self.credentials.secret,
                "memo": self.credentials.memo,
            },
            "root_certificate": self.root_pem,
        });
        if let Some(admin) = &self.admin {
            line["admin"] = json!(admin.url);
            line["admin_token"] = json!(admin.token.text());
        }
        if self.replays {
            line["replay"] = json!(true);
        }
        line.to_string()
    }

    /// Waits until a request to `path` is held back ([`Fault::HoldBefore`](crate::Fault::HoldBefore),
    /// [`Fault::HoldAfter`](crate::Fault::HoldAfter)).
    pub async fn until_held(&self, path: &str) {
        // An error is impossible: the sender lives as long as this sandbox.
        drop(self.shared.held_paths.subscribe().wait_for(|held| held.contains(path)).await);
    }

    /// Waits until a request is held back and returns its path.
    pub async fn until_any_held(&self) -> String {
        let mut held = self.shared.held_paths.subscribe();
        let some_held = held.wait_for(|held| !held.paths().is_empty()).await;
        // An error is impossible: the sender lives as long as this sandbox.
        some_held.ok().and_then(|held| held.paths().first().cloned()).unwrap_or_default()
    }

    /// Waits until no request to `path` is held back any more, because it was released or its client has
    /// disconnected. In the latter case a request that was not processed yet never is.
    pub async fn until_free(&self, path: &str) {
        drop(self.shared.held_paths.subscribe().wait_for(|held| !held.contains(path)).await);
    }

    /// Returns the number of open WebSockets.
    pub fn sockets(&self) -> usize {
        self.shared.state().feed.sockets()
    }

    /// Returns the time of the exchange in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.shared.state().clock.now_ms()
    }

    /// Plays a scenario to its end. With a stepped clock its waits step the market, so that it takes no time.
    ///
    /// # Errors
    /// If another scenario is playing, or a call of this one is rejected. Later steps are not played then.
    ///
    /// # Cancel safety
    /// If the future is dropped, the scenario plays on by itself.
    #[cfg(feature = "console")]
    pub async fn play(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        scenario::play(&self.shared, scenario).await
    }

    /// Waits until `POST /stop` of the admin API requests a stop, or the sandbox [is
    /// broken](Self::is_broken). The caller has to [`shutdown`](Self::shutdown) the sandbox then.
    ///
    /// # Cancel safety
    /// Dropping the future does not lose the request.
    pub async fn stop_requested(&self) {
        let mut control = self.shared.control.subscribe();
        // An error is impossible: the sender lives as long as this sandbox.
        drop(control.wait_for(|control| control.stop_requested || control.broken).await);
    }

    /// Whether the exchange has ended because of a panic, which is a bug. Connections are closed without a
    /// response, new ones are refused, and methods that read or change the state of the exchange panic, such as
    /// [`now_ms`](Self::now_ms); those that return addresses and keys, and [`shutdown`](Self::shutdown), do not. A
    /// data folder contains everything that was acknowledged before, and the next start continues
    /// from there.
    pub fn is_broken(&self) -> bool {
        self.shared.is_broken()
    }

    /// Stops listening and closes every connection, for whose end it waits at most 5 s. Then it stores a data folder
    /// and releases it, however long that takes.
    ///
    /// # Cancel safety
    /// The stop continues if the future is dropped; the data folder is then released a moment later.
    pub async fn shutdown(self) {
        self.stop();
        // After the timeout a slow connection is left to close by itself.
        let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, self.shared.control.closed()).await;
        self.shared.close_journal().await;
    }

    fn stop(&self) {
        self.shared.control.send_modify(|control| control.stop = true);
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Opens the exchange on a blocking thread, because recovery of a data folder may take long.
async fn open(config: Config) -> Result<Shared, StartError> {
    let opened = tokio::task::spawn_blocking(move || recovery::open(config)).await;
    let failed = |context: String, source| StartError { context, source };
    match opened {
        Ok(Ok(opened)) => Ok(Shared::from_opened(opened)),
        Ok(Err(error)) => {
            let context = format!("cannot use the data folder {}", error.folder.display());
            Err(failed(context, error.error.into()))
        }
        Err(panic) => Err(failed("the setup panicked".to_owned(), panic.into())),
    }
}

/// Rejects an admin address that other machines can reach, unless the configuration allows it.
fn check_exposure(config: &Config) -> Result<(), StartError> {
    let open = config.admin_address.filter(|address| !admin::is_local(*address));
    let Some(address) = open.filter(|_| !config.expose_admin) else { return Ok(()) };
    Err(StartError {
        context: format!("the admin API would be reachable from other machines at {address}"),
        source: "use a loopback address such as 127.0.0.1:8803, or allow it with --expose-admin \
                 (Config::expose_admin)"
            .into(),
    })
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source: std::io::Error| StartError {
        context: format!("cannot listen on {address}"),
        source: source.into(),
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let at = listener.local_addr().map_err(failed)?;
    Ok((listener, at))
}
