//! How to reach NATS.

use std::fmt;
use std::path::PathBuf;

use super::{Error, subject};

/// Where NATS is, and which fleet on it.
#[derive(Clone)]
#[must_use = "options do nothing until they are used to connect"]
pub struct Options {
    pub(super) servers: String,
    pub(super) login: Option<Login>,
    pub(super) root_certificates: Option<PathBuf>,
    pub(super) prefix: String,
}

#[derive(Clone)]
pub(super) enum Login {
    User(String, String),
    Token(String),
}

impl Options {
    /// Creates options for these servers, separated by commas: `nats://host:4222`, or `tls://host:4222`.
    pub fn new(servers: impl Into<String>) -> Self {
        Self {
            servers: servers.into(),
            login: None,
            root_certificates: None,
            prefix: "bitmart".to_owned(),
        }
    }

    /// Sets user and password. Default: none.
    pub fn user(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.login = Some(Login::User(user.into(), password.into()));
        self
    }

    /// Sets a token. Default: none.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.login = Some(Login::Token(token.into()));
        self
    }

    /// Sets a PEM file with additional trusted root certificates. Default: those of the operating system.
    pub fn root_certificates(mut self, file: impl Into<PathBuf>) -> Self {
        self.root_certificates = Some(file.into());
        self
    }

    /// Sets the name of the fleet, which begins all subjects and names stream and bucket: letters, digits and
    /// underscores, up to 32. Fleets of one server need different names. Default: `bitmart`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if subject::is_prefix(&self.prefix) {
            return Ok(());
        }
        Err(Error::config("the prefix must be letters, digits and underscores, up to 32"))
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may contain a password.
        f.debug_struct("Options").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
