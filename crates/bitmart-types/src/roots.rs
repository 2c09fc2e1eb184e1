//! Trust anchors of TLS.

use std::fmt;

/// The certificate authorities that a TLS connection trusts. Plain data, from which the clients build
/// their TLS configuration.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Roots {
    /// Trust the web roots that are compiled in.
    pub bundled: bool,
    /// Trust the operating system's roots (needs the `system-roots` feature of the client).
    pub system: bool,
    /// Further authorities, DER encoded.
    pub extra: Vec<Vec<u8>>,
}

impl Roots {
    /// The web roots that are compiled in: the same on every machine, and updated with this library.
    pub fn bundled() -> Self {
        Self { bundled: true, ..Self::none() }
    }
    /// No authority, to be followed by [`with_der`](Self::with_der).
    pub const fn none() -> Self {
        Self { bundled: false, system: false, extra: Vec::new() }
    }
    /// The operating system's roots, including those that a company has added.
    pub fn system() -> Self {
        Self { system: true, ..Self::none() }
    }
    /// Adds a certificate authority, DER encoded.
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
