//! Trust as a rustls configuration.

use std::{fmt, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use crate::Roots;

impl Roots {
    /// Accepts the authorities of a PEM text, one or more.
    ///
    /// # Errors
    /// When the text is not PEM or holds no certificate.
    pub fn with_pem(mut self, pem: &str) -> Result<Self, TlsError> {
        let before = self.extra.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate
                .map_err(|error| TlsError::with_source(TlsErrorKind::Pem, Box::new(error)))?;
            self.extra.push(certificate.to_vec());
        }
        if self.extra.len() == before {
            return Err(TlsError::new(TlsErrorKind::Pem));
        }
        Ok(self)
    }

    /// A configuration that trusts these roots, speaks TLS 1.2 and 1.3 through ring, whatever the
    /// process default is, and offers the protocols `alpn`, the preferred one first.
    ///
    /// # Errors
    /// When no root is left to trust, or a root cannot be read.
    pub fn client_config(&self, alpn: &[&[u8]]) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::with_source(TlsErrorKind::Provider, Box::new(error)))?
            .with_root_certificates(self.store()?)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(config)
    }

    fn store(&self) -> Result<RootCertStore, TlsError> {
        let mut store = RootCertStore::empty();
        if self.bundled {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        if self.system {
            add_system(&mut store)?;
        }
        for (index, certificate) in self.extra.iter().enumerate() {
            store.add(CertificateDer::from_slice(certificate)).map_err(|error| {
                TlsError::with_source(TlsErrorKind::Certificate { index }, Box::new(error))
            })?;
        }
        if store.is_empty() {
            return Err(TlsError::new(TlsErrorKind::NoRoots));
        }
        Ok(store)
    }
}

#[cfg(feature = "system-roots")]
fn add_system(store: &mut RootCertStore) -> Result<(), TlsError> {
    let found = rustls_native_certs::load_native_certs();
    // Systems carry certificates that nobody can read; only an empty result is a failure.
    let (added, _ignored) = store.add_parsable_certificates(found.certs);
    if added == 0 {
        let mut error = TlsError::new(TlsErrorKind::System);
        error.source = found.errors.into_iter().next().map(|source| Box::new(source) as Source);
        return Err(error);
    }
    Ok(())
}

#[cfg(not(feature = "system-roots"))]
fn add_system(_: &mut RootCertStore) -> Result<(), TlsError> {
    Err(TlsError::new(TlsErrorKind::SystemRootsDisabled))
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Trust that cannot be turned into a TLS configuration.
#[derive(Debug)]
pub struct TlsError {
    kind: TlsErrorKind,
    source: Option<Source>,
}

/// What is wrong with the roots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsErrorKind {
    /// The text is not PEM, or there is no certificate in it.
    Pem,
    /// An entry of [`Roots::extra`] is not a certificate that can serve as an authority.
    Certificate {
        /// Its place in the list, counted from 0.
        index: usize,
    },
    /// Nothing to trust: no connection could ever succeed.
    NoRoots,
    /// The operating system's roots cannot be read.
    System,
    /// The operating system's roots were asked for, but the `system-roots` feature is off.
    SystemRootsDisabled,
    /// The cryptography provider does not offer the protocol versions.
    Provider,
}

impl TlsError {
    fn new(kind: TlsErrorKind) -> Self {
        Self { kind, source: None }
    }
    fn with_source(kind: TlsErrorKind, source: Source) -> Self {
        Self { kind, source: Some(source) }
    }
    /// What is wrong.
    pub fn kind(&self) -> TlsErrorKind {
        self.kind
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TlsErrorKind::Pem => f.write_str(
                "the root certificate is not PEM: expected a `-----BEGIN CERTIFICATE-----` block",
            ),
            TlsErrorKind::Certificate { index } => {
                write!(f, "extra root certificate number {index} is not usable")
            }
            TlsErrorKind::NoRoots => f.write_str("there is no root certificate to trust"),
            TlsErrorKind::System => {
                f.write_str("the operating system's root certificates cannot be read")
            }
            TlsErrorKind::SystemRootsDisabled => f.write_str(
                "the operating system's roots were asked for: switch on the `system-roots` feature",
            ),
            TlsErrorKind::Provider => f.write_str("TLS 1.2 and 1.3 are not available"),
        }
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
