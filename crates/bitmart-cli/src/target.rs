//! Where requests go, and with which key.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bitmart::rest::Client;
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::types::{Roots, Service};
use bitmart::{Credentials, Environment};
use serde::Deserialize;

use crate::failure::{Failure, chain};

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
            Some("sandbox") => Self::in_process(timeout).await,
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
                None => Self::in_process(timeout).await,
            },
        }
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
    if home().is_some_and(|home| home.join("config.toml").exists()) {
        return Credentials::from_profile("default").map(Some).map_err(wrong);
    }
    Ok(None)
}

/// The folder `.bitmart` of the user.
pub(crate) fn home() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?;
    (!home.is_empty()).then(|| PathBuf::from(home).join(".bitmart"))
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

/// The line that a sandbox prints when it is ready. Without `Debug`: it holds a secret.
#[derive(Deserialize)]
struct Ready {
    spot: ReadyHost,
    futures: ReadyHost,
    credentials: ReadyKey,
    root_certificate: Option<String>,
}

#[derive(Deserialize)]
struct ReadyHost {
    rest: String,
    ws_public: String,
    ws_private: String,
}

#[derive(Deserialize)]
struct ReadyKey {
    key: String,
    secret: String,
    memo: String,
}

impl Ready {
    fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("--env {name}: {error}")).with_advice(
                "--env is sandbox, live, demo, the URLs of two hosts, or a file with the line that \
                 bitmart-sandbox prints when it is ready",
            )
        })?;
        // The parser's own message could quote the secret.
        serde_json::from_str(&text)
            .map_err(|_| Failure::usage(format!("--env {name} holds no ready line of a sandbox")))
    }

    fn environment(&self) -> Result<Environment, Failure> {
        let mut roots = Roots::none();
        if let Some(pem) = &self.root_certificate {
            roots = roots.with_pem(pem).map_err(|error| Failure::usage(chain(&error)))?;
        }
        Ok(Environment::custom("sandbox")
            .with(Service::SpotRest, &self.spot.rest)
            .with(Service::SpotWsPublic, &self.spot.ws_public)
            .with(Service::SpotWsPrivate, &self.spot.ws_private)
            .with(Service::FuturesRest, &self.futures.rest)
            .with(Service::FuturesWsPublic, &self.futures.ws_public)
            .with(Service::FuturesWsPrivate, &self.futures.ws_private)
            .with_roots(roots))
    }

    fn credentials(&self) -> Result<Credentials, Failure> {
        let ReadyKey { key, secret, memo } = &self.credentials;
        Credentials::new(key.as_str(), secret.as_str(), memo.as_str())
            .map_err(|error| Failure::usage(chain(&error)))
    }
}
