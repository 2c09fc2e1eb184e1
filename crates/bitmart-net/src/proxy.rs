//! Proxies: what is known of one, and how it is asked for a connection.

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
    /// SOCKS5; the proxy gets an address that was looked up here.
    Socks5,
    /// SOCKS5; the proxy gets the name.
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

/// A proxy. Its user name and password are shown nowhere.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) protocol: Protocol,
    /// Where it listens.
    pub(crate) target: Target,
    /// The header that HTTP proxies want.
    basic: Option<HeaderValue>,
    /// What SOCKS5 proxies want.
    user: Option<(String, String)>,
    /// Who named it: a variable or a setting.
    pub(crate) origin: &'static str,
}

/// Why a text is no proxy. The text may hold a password and is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    Address,
    Scheme,
    User,
}

impl Proxy {
    pub(crate) fn parse(text: &str, origin: &'static str) -> Result<Arc<Self>, Unfit> {
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
            _ => return Err(Unfit::Scheme),
        };
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        // Such characters in a password end the authority, and what is before them would be the host.
        if rest.trim_end_matches('/').contains(['/', '?', '#', '\\']) {
            return Err(Unfit::Address);
        }
        let matcher = Matcher::builder().all(format!("{scheme}://{rest}")).build();
        let found = matcher.intercept(&Uri::from_static("https://host")).ok_or(Unfit::Address)?;
        let host = found.uri().host().filter(|host| !host.is_empty()).ok_or(Unfit::Address)?;
        // The ports that curl takes.
        let port = match protocol {
            Protocol::Https => 443,
            _ => 1080,
        };
        let port = match found.uri().port() {
            Some(port) => port.as_u16(),
            None if found.uri().authority().is_some_and(|whole| whole.as_str() == host) => port,
            None => return Err(Unfit::Address),
        };
        let user = found.raw_auth().map(|(user, password)| (user.to_owned(), password.to_owned()));
        if user.as_ref().is_some_and(|(user, password)| user.len() > 255 || password.len() > 255) {
            return Err(Unfit::User);
        }
        Ok(Arc::new(Self {
            protocol,
            target: Target::new(host, port, protocol == Protocol::Https),
            basic: found.basic_auth().cloned(),
            user,
            origin,
        }))
    }

    fn uri(&self) -> String {
        format!("{}://{}", self.protocol.scheme(), self.target)
    }
}

/// The address without user name and password.
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
            .field("authenticates", &(self.basic.is_some() || self.user.is_some()))
            .finish_non_exhaustive()
    }
}
