//! The environment that requests go to, and the key for it.

use std::path::Path;
use std::time::Duration;

use bitmart::net::Connector;
use bitmart::rest::limit::{LimitPolicy, Limiter};
use bitmart::rest::{Client, ClientBuilder, RetryPolicy};
use bitmart::types::Service;
use bitmart::ws;
use bitmart::{Credentials, Environment, Timestamp};

use crate::auth::{keyring, store::Store};
use crate::exchange_shutdown;
use crate::failure::{Failure, chain};
use crate::ready_file::ReadyFile;
use crate::sandbox::InProcess;
use crate::secure_fs;

/// The profile that is used if none is named.
const DEFAULT_PROFILE: &str = "default";

/// Whether a client waits for the exchange's rate limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RateLimits {
    Respect,
    /// For exchanges without limits, such as a sandbox.
    Ignore,
}

impl RateLimits {
    /// The choice of the flag `--unlimited`.
    pub(crate) fn from_flag(is_unlimited: bool) -> Self {
        if is_unlimited { Self::Ignore } else { Self::Respect }
    }

    /// A limiter that waits up to `longest` for a free place.
    fn limiter(self, longest: Duration) -> Limiter {
        Limiter::new(match self {
            Self::Respect => LimitPolicy::WaitUpTo(longest),
            Self::Ignore => LimitPolicy::Off,
        })
    }
}

/// An environment and the key for it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) environment: Environment,
    pub(crate) credentials: Option<Credentials>,
    /// Connects to its hosts.
    pub(crate) connector: Connector,
    timeout: Duration,
}

impl Target {
    /// The environment of `--env` and the key of `--profile`, or their defaults. Starts `sandbox` if a
    /// sandbox is selected and none is running.
    pub(crate) async fn find(
        environment: Option<&str>,
        profile: Option<&str>,
        timeout: Duration,
        sandbox: &InProcess,
    ) -> Result<Self, Failure> {
        let target = |environment, credentials| {
            Ok(Self { environment, credentials, connector: Connector::direct(), timeout })
        };
        let live = |credentials| {
            if let Some(warning) = exchange_shutdown::live_warning(Timestamp::now()) {
                eprintln!("{warning}");
            }
            target(Environment::live(), credentials)
        };
        match environment {
            Some(name) if name.eq_ignore_ascii_case("sandbox") && profile.is_some() => {
                Err(Failure::usage("the sandbox has a key of its own: leave out --profile"))
            }
            Some(name) if name.eq_ignore_ascii_case("sandbox") => {
                let (environment, credentials) = sandbox.connect(timeout).await?;
                target(environment, Some(credentials))
            }
            Some(name) if name.eq_ignore_ascii_case("live") => live(key(profile)?),
            Some(name) if name.eq_ignore_ascii_case("demo") => {
                target(Environment::futures_demo(), key(profile)?)
            }
            Some(urls) if urls.starts_with("http://") || urls.starts_with("https://") => {
                target(custom_environment(urls), key(profile)?)
            }
            Some(url) if url.contains("://") && !url.starts_with("sandbox:") => {
                Err(Failure::usage(format!(
                    "--env {url}: the URLs of hosts begin with https:// or http://"
                )))
            }
            Some(file) => {
                // `sandbox:FILE` is accepted as in `BITMART_ENVIRONMENT`.
                let file = file.strip_prefix("sandbox:").unwrap_or(file);
                let ready = ReadyFile::read(Path::new(file))?;
                target(ready.environment()?, Some(ready.credentials()?))
            }
            None => match (from_variable(profile)?, profile) {
                (Some((environment, Some(key))), None) => target(environment, Some(key)),
                (Some((environment, _)), _) if environment == Environment::live() => {
                    live(key(profile)?)
                }
                (Some((environment, _)), _) => target(environment, key(profile)?),
                (None, _) => {
                    if let Some(key) = key(profile)? {
                        live(Some(key))
                    } else {
                        let (environment, credentials) = sandbox.connect(timeout).await?;
                        target(environment, Some(credentials))
                    }
                }
            },
        }
    }

    /// A REST client with the defaults of interactive commands.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.build(Client::builder())
    }

    /// A REST client for hours of reading: it retries each request up to `attempts` times and synchronizes
    /// its clock.
    pub(crate) fn bulk_client(&self, limits: RateLimits, attempts: u32) -> Result<Client, Failure> {
        let minutes = Duration::from_secs(120);
        let limiter = limits.limiter(minutes);
        let builder = Client::builder().limiter(limiter).auto_sync_clock(true);
        self.build(builder.retry_reads(RetryPolicy::within(minutes).attempts(attempts)))
    }

    /// A REST client that retries reads for 15 s and synchronizes its clock.
    pub(crate) fn retrying_client(&self, limits: RateLimits) -> Result<Client, Failure> {
        let limiter = limits.limiter(Duration::from_secs(30));
        let builder = Client::builder().limiter(limiter).auto_sync_clock(true);
        self.build(builder.retry_reads(RetryPolicy::within(Duration::from_secs(15))))
    }

    /// A WebSocket client.
    pub(crate) fn stream_client(&self) -> Result<ws::Client, Failure> {
        let mut builder = ws::Client::builder()
            .environment(self.environment.clone())
            .connector(self.connector.clone());
        if let Some(credentials) = &self.credentials {
            builder = builder.credentials(credentials.clone());
        }
        builder.build().map_err(|error| Failure::usage(chain(&error)))
    }

    fn build(&self, builder: ClientBuilder) -> Result<Client, Failure> {
        let mut builder = builder
            .environment(self.environment.clone())
            .connector(self.connector.clone())
            .user_agent(concat!("bitmart-cli/", env!("CARGO_PKG_VERSION")))
            .timeout(self.timeout);
        if let Some(credentials) = &self.credentials {
            builder = builder.credentials(credentials.clone());
        }
        builder.build().map_err(|error| Failure::usage(chain(&error)))
    }
}

/// The environment in `BITMART_ENVIRONMENT`, and the key in its ready line.
fn from_variable(
    profile: Option<&str>,
) -> Result<Option<(Environment, Option<Credentials>)>, Failure> {
    let Some(text) = std::env::var_os(Environment::VARIABLE).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let wrong = |error: &dyn std::error::Error| Failure::usage(chain(error));
    let environment = Environment::from_env().map_err(|error| wrong(&error))?;
    let text = text.to_string_lossy();
    let ready = ReadyFile::parse(text.trim().trim_start_matches("sandbox:"));
    let Some(ready) = ready.filter(|_| profile.is_none()) else {
        return Ok(Some((environment, None)));
    };
    eprintln!("{}: selected by {}", environment.name, Environment::VARIABLE);
    Ok(Some((environment, Some(ready.credentials()?))))
}

/// The key of the profile, of the environment variables, or of the profile `default`, in this order.
fn key(profile: Option<&str>) -> Result<Option<Credentials>, Failure> {
    let wrong = |error: bitmart::auth::CredentialsError| Failure::usage(chain(&error));
    let stored = |name: &str| {
        if Store::open()?.is_in_keyring(name) {
            return keyring::load(name).map(Some);
        }
        Credentials::from_profile(name).map(Some).map_err(wrong)
    };
    if let Some(name) = profile {
        return stored(name);
    }
    let names = ["BITMART_API_KEY", "BITMART_API_SECRET", "BITMART_API_MEMO"];
    if names.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        return Credentials::from_env().map(Some).map_err(wrong);
    }
    if !secure_fs::config_dir().is_some_and(|folder| folder.join("config.toml").exists()) {
        return Ok(None);
    }
    let store = Store::open()?;
    if store.has(DEFAULT_PROFILE) {
        return stored(DEFAULT_PROFILE);
    }
    // A profile is never guessed; the existing ones are listed.
    let names: Vec<_> = store.profiles().map(|profile| profile.name).collect();
    if !names.is_empty() {
        eprintln!(
            "no profile is called {DEFAULT_PROFILE:?}; --profile chooses from {}",
            names.join(", ")
        );
    }
    Ok(None)
}

/// The environment of `https://spot` or `https://spot,https://futures`, with WebSockets on the same hosts.
fn custom_environment(text: &str) -> Environment {
    let (spot, futures) = text.split_once(',').unwrap_or((text, ""));
    let mut environment = Environment::custom("custom");
    let services = [
        (spot, Service::SpotRest, Service::SpotWsPublic, Service::SpotWsPrivate),
        (futures, Service::FuturesRest, Service::FuturesWsPublic, Service::FuturesWsPrivate),
    ];
    for (address, rest, public, private) in services {
        let address = address.trim().trim_end_matches('/');
        if let Some(rest_of) = address.strip_prefix("http") {
            environment = environment
                .with(rest, address)
                .with(public, format!("ws{rest_of}/api?protocol=1.1"))
                .with(private, format!("ws{rest_of}/user?protocol=1.1"));
        }
    }
    environment
}
