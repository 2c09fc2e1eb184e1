//! WebSocket addresses.

use std::fmt;

use bitmart_types::ConfigError;
use http::Uri;

/// A parsed WebSocket address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(super) tls: bool,
    /// The value of the `Host` header.
    pub(super) authority: String,
    host: String,
    pub(super) port: u16,
    /// Path and query.
    pub(super) target: String,
}

impl Address {
    /// Parses an address. `setting` is named in the error.
    ///
    /// # Errors
    /// The text is not a `ws` or `wss` address.
    pub(crate) fn parse(setting: &'static str, text: &str) -> Result<Self, ConfigError> {
        let invalid = |why: &str| {
            let reason =
                format!("must be a WebSocket address like wss://host/path, not `{text}`: {why}");
            ConfigError::new(setting, reason)
        };
        let uri: Uri = text.parse().map_err(|error: http::uri::InvalidUri| {
            invalid("it does not parse").with_source(error)
        })?;
        let tls = match uri.scheme_str() {
            Some("wss") => true,
            Some("ws") => false,
            _ => return Err(invalid("the scheme is neither ws nor wss")),
        };
        let authority = uri.authority().ok_or_else(|| invalid("the host is missing"))?;
        if authority.as_str().contains('@') {
            return Err(invalid("it must not contain a user name"));
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self {
            tls,
            authority: authority.as_str().to_owned(),
            // The brackets of an IPv6 address belong to the URL, not to the host.
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port,
            target: uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Returns the host without brackets, and the port.
    pub(crate) fn server(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    pub(crate) fn needs_tls(&self) -> bool {
        self.tls
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority)
    }
}
