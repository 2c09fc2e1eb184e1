//! Errors of building a connector.

use std::error::Error as StdError;
use std::fmt;

use crate::proxy::ProxyParseError;

/// An invalid setting of a connector. Omits the value, which may contain a password.
#[derive(Debug)]
pub struct ConnectorError {
    setting: &'static str,
    kind: ConnectorErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Why a setting is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectorErrorKind {
    /// The address of the proxy is malformed.
    InvalidProxyAddress,
    /// The scheme of the proxy is not `http`, `https`, `socks5` or `socks5h`.
    UnsupportedProxyScheme,
    /// The user name or password of the proxy is longer than 255 bytes.
    ProxyCredentialsTooLong,
    /// The certificate authorities for the proxy are invalid.
    InvalidProxyRoots,
    /// The setting is not supported on this operating system.
    Unsupported,
}

impl ConnectorError {
    pub(super) fn new(setting: &'static str, kind: ConnectorErrorKind) -> Self {
        Self { setting, kind, source: None }
    }
    pub(super) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }
    pub(super) fn invalid_proxy((setting, error): (&'static str, ProxyParseError)) -> Self {
        let kind = match error {
            ProxyParseError::InvalidAddress => ConnectorErrorKind::InvalidProxyAddress,
            ProxyParseError::UnsupportedScheme => ConnectorErrorKind::UnsupportedProxyScheme,
            ProxyParseError::CredentialsTooLong => ConnectorErrorKind::ProxyCredentialsTooLong,
        };
        Self::new(setting, kind)
    }
    /// Returns the name of the setting or of the environment variable.
    pub fn setting(&self) -> &'static str {
        self.setting
    }
    /// Returns why the setting is invalid.
    pub fn kind(&self) -> ConnectorErrorKind {
        self.kind
    }
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.setting)?;
        f.write_str(match self.kind {
            ConnectorErrorKind::InvalidProxyAddress => {
                "is not a valid proxy address: expected http://[user:password@]host[:port]"
            }
            ConnectorErrorKind::UnsupportedProxyScheme => {
                "has an unsupported proxy scheme: expected http, https, socks5 or socks5h"
            }
            ConnectorErrorKind::ProxyCredentialsTooLong => {
                "has a user name or password of more than 255 bytes"
            }
            ConnectorErrorKind::InvalidProxyRoots => "is invalid for TLS with the proxy",
            ConnectorErrorKind::Unsupported => "is not supported on this operating system",
        })
    }
}

impl StdError for ConnectorError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
