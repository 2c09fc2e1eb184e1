//! Where requests go, and with which key.

use std::path::Path;
use std::time::Duration;

use bitmart::rest::{Client, ClientBuilder, LimitPolicy, Limiter, RetryPolicy};
use bitmart::sandbox::{self, Sandbox};
use bitmart::types::Service;
use bitmart::ws;
use bitmart::{Credentials, Environment};
use tokio::sync::OnceCell;

use crate::auth::{keyring, store::Store};
use crate::failure::{Failure, chain};
use crate::private;
use crate::sandbox::{admin, kept, ready::Ready};

/// A deployment of the exchange, and the key for it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) environment: Environment,
    pub(crate) credentials: Option<Credentials>,
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
        let at = |environment, credentials| Ok(Self { environment, credentials, timeout });
        match environment {
            Some("sandbox") if profile.is_some() => {
                Err(Failure::usage("the sandbox has a key of its own: leave out --profile"))
            }
            Some("sandbox") => Self::sandbox(timeout, in_process).await,
            Some("live") => at(Environment::live(), keys(profile)?),
            Some("demo") => at(Environment::futures_demo(), keys(profile)?),
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
            None => match keys(profile)? {
                Some(keys) => at(Environment::live(), Some(keys)),
                None => Self::sandbox(timeout, in_process).await,
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
        let minutes = Duration::from_mins(2);
        let policy = if limited { LimitPolicy::WaitUpTo(minutes) } else { LimitPolicy::Off };
        let builder = Client::builder().limiter(Limiter::new(policy)).sync_clock(true);
        self.build(builder.retry_reads(RetryPolicy::within(minutes).attempts(attempts)))
    }

    /// A client of streams for it.
    pub(crate) fn stream_client(&self) -> Result<ws::Client, Failure> {
        let mut builder = ws::Client::builder().environment(self.environment.clone());
        if let Some(credentials) = &self.credentials {
            builder = builder.credentials(credentials.clone());
        }
        builder.build().map_err(|error| Failure::usage(chain(&error)))
    }

    fn build(&self, builder: ClientBuilder) -> Result<Client, Failure> {
        let mut builder = builder
            .environment(self.environment.clone())
            .user_agent(concat!("bitmart-cli/", env!("CARGO_PKG_VERSION")))
            .timeout(self.timeout);
        if let Some(credentials) = &self.credentials {
            builder = builder.credentials(credentials.clone());
        }
        builder.build().map_err(|error| Failure::usage(chain(&error)))
    }
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
    if private::home().is_some_and(|home| home.join("config.toml").exists()) {
        return stored("default");
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
