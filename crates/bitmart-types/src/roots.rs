//! Whom to trust.

use std::fmt;

/// Which certificate authorities a TLS connection accepts. Plain data: the clients turn it
/// into a configuration of their TLS.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Roots {
    /// Use the web roots that are compiled in .
    pub bundled: bool,
    /// Use the operating system's roots (needs the `system-roots` feature of the client).
    pub system: bool,
    /// Further authorities, DER encoded.
    pub extra: Vec<Vec<u8>>,
}

impl Roots {
    /// The web roots that are compiled in: the same on every machine, renewed by an update of this
    /// library.
    pub fn bundled() -> Self {
        Self { bundled: true, ..Self::none() }
    }
    /// No authority at all, for the few that follow with [`with_der`](Self::with_der).
    pub const fn none() -> Self {
        Self { bundled: false, system: false, extra: Vec::new() }
    }
    /// The operating system's roots, which include those that a company has added.
    pub fn system() -> Self {
        Self { system: true, ..Self::none() }
    }
    /// Accepts one more authority, DER encoded.
    #[must_use]
    pub fn with_der(mut self, certificate: impl Into<Vec<u8>>) -> Self {
        self.extra.push(certificate.into());
        self
    }
}

/// The default is the bundled web roots.
impl Default for Roots {
    fn default() -> Self {
        Self::bundled()
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots")
            .field("bundled", &self.bundled)
            .field("system", &self.system)
            .field("extra", &format_args!("{} certificates", self.extra.len()))
            .finish()
    }
}
