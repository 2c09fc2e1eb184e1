//! HTTP and SOCKS5 proxies.

mod handshake;
mod rules;

use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;

use crate::Target;

pub(crate) use self::handshake::connect;
pub(crate) use self::rules::Rules;
#[cfg(any(test, feature = "testing"))]
pub(crate) use self::rules::is_loopback;

/// The protocol that a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP `CONNECT`.
    Http,
    /// HTTP `CONNECT` over TLS with the proxy.
    Https,
    /// SOCKS5 with locally resolved addresses.
    Socks5,
    /// SOCKS5 with host names resolved by the proxy.
    Socks5h,
}

impl Protocol {
    fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }
}

/// A proxy. User name and password appear in neither `Debug` nor `Display`.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) protocol: Protocol,
    /// The proxy's own address.
    pub(crate) target: Target,
    /// The `Proxy-Authorization` header for HTTP proxies.
    basic_auth: Option<HeaderValue>,
    /// User name and password for SOCKS5 proxies.
    login: Option<(String, String)>,
    /// The environment variable or the setting that the address comes from.
    pub(crate) origin: &'static str,
}

/// Why a proxy address is invalid. Omits the address, which may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProxyParseError {
    InvalidAddress,
    UnsupportedScheme,
    CredentialsTooLong,
}

impl Proxy {
    pub(crate) fn parse(text: &str, origin: &'static str) -> Result<Arc<Self>, ProxyParseError> {
        let text = text.trim();
        let scheme = match text.split_once("://") {
            Some((scheme, _)) => scheme.to_ascii_lowercase(),
            None => "http".to_owned(),
        };
        let protocol = match scheme.as_str() {
            "http" => Protocol::Http,
            "https" => Protocol::Https,
            "socks5" => Protocol::Socks5,
            "socks5h" => Protocol::Socks5h,
            _ => return Err(ProxyParseError::UnsupportedScheme),
        };
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        // An unencoded one of these in a password would end the authority there.
        if rest.trim_end_matches('/').contains(['/', '?', '#', '\\']) {
            return Err(ProxyParseError::InvalidAddress);
        }
        let matcher = Matcher::builder().all(format!("{scheme}://{rest}")).build();
        let intercepted = matcher
            .intercept(&Uri::from_static("https://host"))
            .ok_or(ProxyParseError::InvalidAddress)?;
        let host = intercepted
            .uri()
            .host()
            .filter(|host| !host.is_empty())
            .ok_or(ProxyParseError::InvalidAddress)?;
        // The default ports of curl.
        let port = match protocol {
            Protocol::Https => 443,
            _ => 1080,
        };
        let port = match intercepted.uri().port() {
            Some(port) => port.as_u16(),
            None if intercepted.uri().authority().is_some_and(|whole| whole.as_str() == host) => {
                port
            }
            None => return Err(ProxyParseError::InvalidAddress),
        };
        let login =
            intercepted.raw_auth().map(|(user, password)| (user.to_owned(), password.to_owned()));
        if login.as_ref().is_some_and(|(user, password)| user.len() > 255 || password.len() > 255) {
            return Err(ProxyParseError::CredentialsTooLong);
        }
        Ok(Arc::new(Self {
            protocol,
            target: Target::new(host, port, protocol == Protocol::Https),
            basic_auth: intercepted.basic_auth().cloned(),
            login,
            origin,
        }))
    }

    fn uri(&self) -> String {
        format!("{}://{}", self.protocol.scheme(), self.target)
    }
}

/// Displays the address without user name and password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &format_args!("{self}"))
            .field("origin", &self.origin)
            .field("authenticates", &(self.basic_auth.is_some() || self.login.is_some()))
            .finish_non_exhaustive()
    }
}
