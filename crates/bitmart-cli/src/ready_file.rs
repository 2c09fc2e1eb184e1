//! A file with the ready line of a sandbox: its addresses and its key.

use std::path::Path;

use bitmart::types::ReadyLine;
use bitmart::{Credentials, Environment};

use crate::failure::{Failure, chain};

/// A parsed ready line. Without `Debug`: it holds secrets.
pub(crate) struct ReadyFile(ReadyLine);

impl ReadyFile {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("--env {name}: {error}")).with_advice(
                "--env takes sandbox, live, demo, the URLs of two hosts, or a file with the line that \
                 bitmart-sandbox prints when it is ready",
            )
        })?;
        Self::parse(&text).ok_or_else(|| {
            Failure::usage(format!(
                "--env {name}: the file does not contain the ready line of a sandbox"
            ))
        })
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        ReadyLine::parse(text).ok().map(Self)
    }

    pub(crate) fn environment(&self) -> Result<Environment, Failure> {
        self.0.environment().map_err(|error| Failure::usage(chain(&error)))
    }

    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let (key, secret, memo) = (self.0.key(), self.0.secret(), self.0.memo());
        Credentials::new(key, secret, memo).map_err(|error| Failure::usage(chain(&error)))
    }
}

#[cfg(feature = "sandbox")]
impl ReadyFile {
    /// The URL of the admin API.
    pub(crate) fn admin(&self) -> Option<&str> {
        self.0.admin()
    }

    /// The token that every call of the admin API needs.
    pub(crate) fn admin_token(&self) -> Option<&str> {
        self.0.admin_token()
    }

    /// Everything but the secrets.
    pub(crate) fn addresses(&self) -> [(&'static str, &str); 4] {
        [
            ("spot", self.0.spot_rest()),
            ("futures", self.0.futures_rest()),
            ("admin", self.0.admin().unwrap_or_default()),
            ("key", self.0.key()),
        ]
    }

    /// The TLS root certificate, in PEM.
    pub(crate) fn root_certificate(&self) -> Option<&str> {
        self.0.root_certificate()
    }

    /// Key, secret and memo.
    pub(crate) fn key(&self) -> (&str, &str, &str) {
        (self.0.key(), self.0.secret(), self.0.memo())
    }
}
