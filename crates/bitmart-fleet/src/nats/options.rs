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
    /// Creates options for these servers, separated by commas: `nats://host:4222`, or `tls://host:4222`. One of them may
    /// contain the login, as `nats://user:password@host:4222` or `nats://token@host:4222`; it is sent to all of them.
    pub fn new(servers: impl Into<String>) -> Self {
        let (servers, login) = split_login(&servers.into());
        Self { servers, login, root_certificates: None, prefix: "bitmart".to_owned() }
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

/// Takes the login out of addresses, because the client of NATS logs them.
fn split_login(servers: &str) -> (String, Option<Login>) {
    let mut login = None;
    let addresses = servers.split(',').map(str::trim).map(|address| {
        let (scheme, rest) = match address.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest),
            None => (String::new(), address),
        };
        let Some((user, host)) = rest.rsplit_once('@') else { return address.to_owned() };
        login = Some(match user.split_once(':') {
            Some((user, password)) => Login::User(user.to_owned(), password.to_owned()),
            None => Login::Token(user.to_owned()),
        });
        format!("{scheme}{host}")
    });
    let addresses: Vec<_> = addresses.collect();
    (addresses.join(","), login)
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The login is secret.
        f.debug_struct("Options").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_no_login() {
        let options = Options::new("nats://u:p:w@h:1, tls://h:2");
        assert_eq!(options.servers, "nats://h:1,tls://h:2");
        let Some(Login::User(user, password)) = options.login else { panic!("a user") };
        assert_eq!((user.as_str(), password.as_str()), ("u", "p:w"));
        let options = Options::new("token@h");
        assert_eq!(options.servers, "h");
        assert!(matches!(options.login, Some(Login::Token(token)) if token == "token"));
        let options = Options::new("nats://h:1");
        assert!(options.login.is_none() && options.servers == "nats://h:1");
    }
}
