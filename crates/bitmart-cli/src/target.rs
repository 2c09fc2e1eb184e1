//! Where requests go, and with which key.

use std::path::Path;
use std::time::Duration;

use bitmart::net::Connector;
use bitmart::rest::{Client, ClientBuilder, LimitPolicy, Limiter, RetryPolicy};
use bitmart::sandbox::{self, Sandbox};
use bitmart::types::Service;
use bitmart::ws;
use bitmart::{Credentials, Environment, Timestamp};
use tokio::sync::OnceCell;

use crate::auth::{keyring, store::Store};
use crate::ending;
use crate::failure::{Failure, chain};
use crate::private;
use crate::sandbox::{admin, kept, ready::Ready};

/// The profile whose key is taken when none is named.
const DEFAULT: &str = "default";

/// A deployment of the exchange, and the key for it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) environment: Environment,
    pub(crate) credentials: Option<Credentials>,
    /// How its hosts are reached.
    pub(crate) connector: Connector,
    timeout: Duration,
}

impl Target {
    /// What `--env` and `--profile` name, or what is there. A sandbox that has to run in this process
    /// is put into `in_process`.
    pub(crate) async fn find(
        environment: Option<&str>,
        profile: Option<&str>,
        timeout: Duration,
        in_process: &OnceCell<Sandbox>,
    ) -> Result<Self, Failure> {
        let at = |environment, credentials| {
            Ok(Self { environment, credentials, connector: Connector::direct(), timeout })
        };
        let live = |credentials| {
            if let Some(warning) = ending::warning(Timestamp::now()) {
                eprintln!("{warning}");
            }
            at(Environment::live(), credentials)
        };
        match environment {
            Some(word) if word.eq_ignore_ascii_case("sandbox") && profile.is_some() => {
                Err(Failure::usage("the sandbox has a key of its own: leave out the profile"))
            }
            Some(word) if word.eq_ignore_ascii_case("sandbox") => {
                Self::sandbox(timeout, in_process).await
            }
            Some(word) if word.eq_ignore_ascii_case("live") => live(keys(profile)?),
            Some(word) if word.eq_ignore_ascii_case("demo") => {
                at(Environment::futures_demo(), keys(profile)?)
            }
            Some(place) if place.starts_with("http://") || place.starts_with("https://") => {
                at(addresses(place), keys(profile)?)
            }
            Some(place) if place.contains("://") && !place.starts_with("sandbox:") => {
                Err(Failure::usage(format!(
                    "--env {place}: addresses of hosts begin with https:// or http://"
                )))
            }
            Some(file) => {
                // `sandbox:FILE` says in words that it is a sandbox.
                let file = file.strip_prefix("sandbox:").unwrap_or(file);
                let ready = Ready::read(Path::new(file))?;
                at(ready.environment()?, Some(ready.credentials()?))
            }
            None => match (named(profile)?, profile) {
                (Some((environment, Some(keys))), None) => at(environment, Some(keys)),
                (Some((environment, _)), _) if environment == Environment::live() => {
                    live(keys(profile)?)
                }
                (Some((environment, _)), _) => at(environment, keys(profile)?),
                (None, _) => match keys(profile)? {
                    Some(keys) => live(Some(keys)),
                    None => Self::sandbox(timeout, in_process).await,
                },
            },
        }
    }

    /// The sandbox that `sandbox up` runs, or else one in this process.
    async fn sandbox(timeout: Duration, in_process: &OnceCell<Sandbox>) -> Result<Self, Failure> {
        if let Some(ready) = admin::running().await {
            eprintln!("sandbox: the running one, with play money; --env live is the exchange");
            return Ok(Self {
                environment: ready.environment()?,
                credentials: Some(ready.credentials()?),
                connector: Connector::direct(),
                timeout,
            });
        }
        eprintln!("sandbox: started in this process, with play money; --env live is the exchange");
        let sandbox = in_process.get_or_try_init(|| kept::start(timeout)).await?;
        Ok(Self {
            environment: sandbox::environment(sandbox)
                .map_err(|error| Failure::machine(chain(&error)))?,
            credentials: Some(
                sandbox::credentials(sandbox).map_err(|error| Failure::machine(chain(&error)))?,
            ),
            connector: Connector::direct(),
            timeout,
        })
    }

    /// A client for it.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.build(Client::builder())
    }

    /// A client for hours of reading: it asks again what went wrong on the way, goes by the exchange's
    /// clock, and waits for the limits, or does not keep them. `attempts` at each request.
    pub(crate) fn patient_client(&self, limited: bool, attempts: u32) -> Result<Client, Failure> {
        let minutes = Duration::from_secs(120);
        let policy = if limited { LimitPolicy::WaitUpTo(minutes) } else { LimitPolicy::Off };
        let builder = Client::builder().limiter(Limiter::new(policy)).sync_clock(true);
        self.build(builder.retry_reads(RetryPolicy::within(minutes).attempts(attempts)))
    }

    /// A client that reads a lot and sends a little: it waits for the limits, or does not keep them, goes by
    /// the exchange's clock, and gives up soon.
    pub(crate) fn careful_client(&self, limited: bool) -> Result<Client, Failure> {
        let wait = LimitPolicy::WaitUpTo(Duration::from_secs(30));
        let policy = if limited { wait } else { LimitPolicy::Off };
        let builder = Client::builder().limiter(Limiter::new(policy)).sync_clock(true);
        self.build(builder.retry_reads(RetryPolicy::within(Duration::from_secs(15))))
    }

    /// A client of streams for it.
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

/// What `BITMART_ENVIRONMENT` names, as for programs with this library, and the key that comes with it.
fn named(profile: Option<&str>) -> Result<Option<(Environment, Option<Credentials>)>, Failure> {
    let Some(text) = std::env::var_os(Environment::VARIABLE).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let wrong = |error: &dyn std::error::Error| Failure::usage(chain(error));
    let environment = Environment::from_env().map_err(|error| wrong(&error))?;
    let text = text.to_string_lossy();
    let ready = Ready::parse(text.trim().trim_start_matches("sandbox:"));
    let Some(ready) = ready.filter(|_| profile.is_none()) else {
        return Ok(Some((environment, None)));
    };
    eprintln!("{}: what {} names", environment.name, Environment::VARIABLE);
    Ok(Some((environment, Some(ready.credentials()?))))
}

/// The key of the profile, of the environment, or of the profile `default`, in this order.
fn keys(profile: Option<&str>) -> Result<Option<Credentials>, Failure> {
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
    if !private::home().is_some_and(|home| home.join("config.toml").exists()) {
        return Ok(None);
    }
    let store = Store::open()?;
    if store.has(DEFAULT) {
        return stored(DEFAULT);
    }
    // Without a profile that is meant, nobody's money is touched; those that there are are told.
    let names: Vec<_> = store.profiles().map(|profile| profile.name).collect();
    if !names.is_empty() {
        eprintln!("no profile is called {DEFAULT:?}; --profile chooses from {}", names.join(", "));
    }
    Ok(None)
}

/// `https://spot` or `https://spot,https://futures`; sockets are on the same hosts.
fn addresses(text: &str) -> Environment {
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
