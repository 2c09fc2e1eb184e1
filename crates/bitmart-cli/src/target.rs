//! Where requests go, and with which key.

use std::path::Path;
use std::time::Duration;

use bitmart::rest::Client;
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::types::Service;
use bitmart::{Credentials, Environment};

use crate::failure::{Failure, chain};
use crate::private;
use crate::sandbox::{admin, ready::Ready};

/// A deployment of the exchange, and the key for it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) environment: Environment,
    pub(crate) credentials: Option<Credentials>,
    timeout: Duration,
    /// The sandbox that runs in this process, which ends with it.
    #[expect(dead_code, reason = "kept running")]
    sandbox: Option<Sandbox>,
}

impl Target {
    /// What `--env` and `--profile` name, or what is there.
    pub(crate) async fn find(
        environment: Option<&str>,
        profile: Option<&str>,
        timeout: Duration,
    ) -> Result<Self, Failure> {
        let at = |environment, credentials| {
            Ok(Self { environment, credentials, timeout, sandbox: None })
        };
        match environment {
            Some("sandbox") if profile.is_some() => {
                Err(Failure::usage("the sandbox has a key of its own: leave out --profile"))
            }
            Some("sandbox") => Self::sandbox(timeout).await,
            Some("live") => at(Environment::live(), keys(profile)?),
            Some("demo") => at(Environment::futures_demo(), keys(profile)?),
            Some(place) if place.starts_with("http://") || place.starts_with("https://") => {
                at(addresses(place), keys(profile)?)
            }
            Some(file) => {
                let ready = Ready::read(Path::new(file))?;
                at(ready.environment()?, Some(ready.credentials()?))
            }
            None => match keys(profile)? {
                Some(keys) => at(Environment::live(), Some(keys)),
                None => Self::sandbox(timeout).await,
            },
        }
    }

    /// The sandbox that `sandbox up` runs, or else one in this process.
    async fn sandbox(timeout: Duration) -> Result<Self, Failure> {
        let Some(ready) = admin::running().await else {
            return Self::in_process(timeout).await;
        };
        eprintln!("sandbox: the running one, with play money; --env live is the exchange");
        Ok(Self {
            environment: ready.environment()?,
            credentials: Some(ready.credentials()?),
            timeout,
            sandbox: None,
        })
    }

    async fn in_process(timeout: Duration) -> Result<Self, Failure> {
        eprintln!("sandbox: started in this process, with play money; --env live is the exchange");
        let broken = |error: &dyn std::error::Error| {
            Failure::machine(format!("the sandbox does not start: {}", chain(error)))
        };
        let sandbox = Sandbox::start(Config::new()).await.map_err(|error| broken(&error))?;
        Ok(Self {
            environment: sandbox::environment(&sandbox).map_err(|error| broken(&error))?,
            credentials: Some(sandbox::credentials(&sandbox).map_err(|error| broken(&error))?),
            timeout,
            sandbox: Some(sandbox),
        })
    }

    /// A client for it.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let mut builder = Client::builder()
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
    if let Some(name) = profile {
        return Credentials::from_profile(name).map(Some).map_err(wrong);
    }
    let names = ["BITMART_API_KEY", "BITMART_API_SECRET", "BITMART_API_MEMO"];
    if names.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        return Credentials::from_env().map(Some).map_err(wrong);
    }
    if private::home().is_some_and(|home| home.join("config.toml").exists()) {
        return Credentials::from_profile("default").map(Some).map_err(wrong);
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
