//! Settings that cannot work.

use std::error::Error as StdError;
use std::fmt;

use crate::proxy::Unfit;

/// A setting that a connector cannot work with. The value is not told: it may hold a password.
#[derive(Debug)]
pub struct ConnectorError {
    setting: &'static str,
    kind: ConnectorErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What is wrong with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectorErrorKind {
    /// The address of the proxy does not parse.
    ProxyAddress,
    /// The proxy speaks none of `http`, `https`, `socks5` and `socks5h`.
    ProxyScheme,
    /// User name or password of a SOCKS5 proxy are longer than 255 bytes.
    ProxyUser,
    /// The certificate authorities for the proxy cannot be used.
    ProxyRoots,
    /// This operating system cannot do it.
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
    pub(super) fn unfit((setting, unfit): (&'static str, Unfit)) -> Self {
        let kind = match unfit {
            Unfit::Address => ConnectorErrorKind::ProxyAddress,
            Unfit::Scheme => ConnectorErrorKind::ProxyScheme,
            Unfit::User => ConnectorErrorKind::ProxyUser,
        };
        Self::new(setting, kind)
    }
    /// The name of the setting, or of the environment's variable.
    pub fn setting(&self) -> &'static str {
        self.setting
    }
    /// What is wrong with it.
    pub fn kind(&self) -> ConnectorErrorKind {
        self.kind
    }
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.setting)?;
        f.write_str(match self.kind {
            ConnectorErrorKind::ProxyAddress => {
                "is no address of a proxy: expected http://[user:password@]host[:port]"
            }
            ConnectorErrorKind::ProxyScheme => {
                "names a kind of proxy that is not known: http, https, socks5 and socks5h are"
            }
            ConnectorErrorKind::ProxyUser => "has a user name or a password beyond 255 bytes",
            ConnectorErrorKind::ProxyRoots => "cannot be used for TLS with the proxy",
            ConnectorErrorKind::Unsupported => "is not possible on this operating system",
        })
    }
}

impl StdError for ConnectorError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
