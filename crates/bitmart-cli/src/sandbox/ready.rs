//! The ready line of a sandbox: its addresses and its key.

use std::path::Path;

use bitmart::types::{Roots, Service};
use bitmart::{Credentials, Environment};
use serde::Deserialize;

use crate::failure::{Failure, chain};

/// The line that a sandbox prints when it is ready. Without `Debug`: it holds a secret.
#[derive(Deserialize)]
pub(crate) struct Ready {
    spot: ReadyHost,
    futures: ReadyHost,
    credentials: ReadyKey,
    root_certificate: Option<String>,
    admin: Option<String>,
    #[serde(default)]
    replay: bool,
}

#[derive(Deserialize)]
struct ReadyHost {
    rest: String,
    ws_public: String,
    ws_private: String,
}

/// A key of a sandbox. Without `Debug`: it holds a secret.
#[derive(Deserialize)]
pub(super) struct ReadyKey {
    pub(super) key: String,
    pub(super) secret: String,
    pub(super) memo: String,
}

impl Ready {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("--env {name}: {error}")).with_advice(
                "--env is sandbox, live, demo, the URLs of two hosts, or a file with the line that \
                 bitmart-sandbox prints when it is ready",
            )
        })?;
        Self::parse(&text)
            .ok_or_else(|| Failure::usage(format!("--env {name} holds no ready line of a sandbox")))
    }

    /// Of what is wrong nothing is told: the parser's message could quote the secret.
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Where its admin API is.
    pub(super) fn admin(&self) -> Option<&str> {
        self.admin.as_deref()
    }

    /// What may be shown, and what `sandbox keys` is asked to show.
    pub(super) fn addresses(&self) -> [(&'static str, &str); 4] {
        [
            ("spot", &self.spot.rest),
            ("futures", &self.futures.rest),
            ("admin", self.admin.as_deref().unwrap_or_default()),
            ("key", &self.credentials.key),
        ]
    }

    pub(super) fn key(&self) -> &ReadyKey {
        &self.credentials
    }

    pub(crate) fn environment(&self) -> Result<Environment, Failure> {
        let mut roots = Roots::none();
        if let Some(pem) = &self.root_certificate {
            roots = roots.with_pem(pem).map_err(|error| Failure::usage(chain(&error)))?;
        }
        Ok(Environment::custom(if self.replay { "replay" } else { "sandbox" })
            .with(Service::SpotRest, &self.spot.rest)
            .with(Service::SpotWsPublic, &self.spot.ws_public)
            .with(Service::SpotWsPrivate, &self.spot.ws_private)
            .with(Service::FuturesRest, &self.futures.rest)
            .with(Service::FuturesWsPublic, &self.futures.ws_public)
            .with(Service::FuturesWsPrivate, &self.futures.ws_private)
            .with_roots(roots))
    }

    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let ReadyKey { key, secret, memo } = &self.credentials;
        Credentials::new(key.as_str(), secret.as_str(), memo.as_str())
            .map_err(|error| Failure::usage(chain(&error)))
    }
}
