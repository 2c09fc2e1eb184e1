//! The ready line of a sandbox: its addresses and its key.

use std::path::Path;

use bitmart::types::ReadyLine;
use bitmart::{Credentials, Environment};

use crate::failure::{Failure, chain};

/// The line that a sandbox prints when it is ready. Without `Debug`: it holds secrets.
pub(crate) struct Ready(ReadyLine);

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

    pub(crate) fn parse(text: &str) -> Option<Self> {
        ReadyLine::parse(text).ok().map(Self)
    }

    /// Where its admin API is.
    pub(super) fn admin(&self) -> Option<&str> {
        self.0.admin()
    }

    /// What every call of it must bear.
    pub(super) fn admin_token(&self) -> Option<&str> {
        self.0.admin_token()
    }

    /// What may be shown.
    pub(super) fn addresses(&self) -> [(&'static str, &str); 4] {
        [
            ("spot", self.0.spot_rest()),
            ("futures", self.0.futures_rest()),
            ("admin", self.0.admin().unwrap_or_default()),
            ("key", self.0.key()),
        ]
    }

    /// The certificate of its TLS, as PEM.
    pub(super) fn root_certificate(&self) -> Option<&str> {
        self.0.root_certificate()
    }

    /// Key, secret and memo.
    pub(super) fn key(&self) -> (&str, &str, &str) {
        (self.0.key(), self.0.secret(), self.0.memo())
    }

    pub(crate) fn environment(&self) -> Result<Environment, Failure> {
        self.0.environment().map_err(|error| Failure::usage(chain(&error)))
    }

    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let (key, secret, memo) = self.key();
        Credentials::new(key, secret, memo).map_err(|error| Failure::usage(chain(&error)))
    }
}
