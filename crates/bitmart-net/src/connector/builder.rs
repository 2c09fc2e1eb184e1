//! Settings of a connector.

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::Connector;
use crate::Resolve;
use crate::direct::Direct;

/// Configures a [`Connector`].
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct ConnectorBuilder {
    direct: Direct,
}

impl ConnectorBuilder {
    /// Looks names up. The operating system does it by default.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.direct.resolver = Arc::new(resolver);
        self
    }

    /// Connects from this address of this machine, with a port that the system chooses. Say it once
    /// for IPv4 and once for IPv6 to use both; with one of them, hosts of the other family are not
    /// reached.
    pub fn bind(mut self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => self.direct.v4 = Some(address),
            IpAddr::V6(address) => self.direct.v6 = Some(address),
        }
        self
    }

    /// Connects through this network interface, such as `eth1` (`SO_BINDTODEVICE`). Linux only, and
    /// older kernels allow it to root alone.
    pub fn interface(mut self, name: impl Into<String>) -> Self {
        self.direct.interface = Some(name.into());
        self
    }

    /// Builds the connector. Nothing is connected yet.
    ///
    /// # Errors
    /// When a setting cannot work.
    pub fn build(self) -> Result<Connector, ConnectorError> {
        if self.direct.interface.is_some() && !cfg!(target_os = "linux") {
            return Err(ConnectorError::new("interface", ConnectorErrorKind::Unsupported));
        }
        Ok(Connector { direct: self.direct })
    }
}

/// A setting that a connector cannot work with.
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
    /// This operating system cannot do it.
    Unsupported,
}

impl ConnectorError {
    fn new(setting: &'static str, kind: ConnectorErrorKind) -> Self {
        Self { setting, kind, source: None }
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
            ConnectorErrorKind::Unsupported => "is not possible on this operating system",
        })
    }
}

impl StdError for ConnectorError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
