//! TLS settings of the clients.

mod pin;
#[cfg(test)]
mod tests;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use bitmart_types::Roots;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use self::pin::{Pin, PinnedVerifier};

/// TLS sessions that are kept for resumption: of three servers, with eight tickets each. The exchange has
/// one server for each market. The default of rustls reserves memory for 32 servers.
const SESSIONS: usize = 24;

type Source = Box<dyn StdError + Send + Sync>;

/// Requirements for a server's certificate beyond a trusted authority.
///
/// ```
/// use bitmart_net::TlsOptions;
///
/// let tls = TlsOptions::default()
///     .pin_sha256("pin-sha256=\"YLh1dUR9y6Kja30RrAn7JKnbQG/uEtLMkBgFF2Fuihg=\"")?
///     .pin_sha256("sRHdihwgkaib1P1gxX8HFszlD+7/gTfNvuAybgLPNis=")?;
/// # Ok::<(), bitmart_net::TlsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    pins: Vec<Pin>,
}

impl TlsOptions {
    /// Pins a public key: only servers with a pinned key are accepted, in addition to all other checks.
    /// Call it once per key, for the current key and its successor. If the server changes to another
    /// key, connections fail until the pins are updated.
    ///
    /// A pin is the base64 of the SHA-256 of the certificate's `SubjectPublicKeyInfo`, as in RFC 7469,
    /// with or without `pin-sha256="…"` around it. Pins are compared with the server's own certificate,
    /// not with those of the authorities above it. To trust a single authority, make it the only one
    /// in [`Roots`].
    ///
    /// # Errors
    /// The pin is not a SHA-256 in base64.
    pub fn pin_sha256(mut self, pin: &str) -> Result<Self, TlsError> {
        self.pins.push(Pin::parse(pin).ok_or_else(|| TlsError::new(TlsErrorKind::InvalidPin))?);
        Ok(self)
    }

    /// Creates a rustls configuration that trusts these roots, supports TLS 1.2 and 1.3, and offers the
    /// protocols `alpn` in order of preference. It uses ring, regardless of the process default.
    ///
    /// # Errors
    /// There is no root certificate, or one cannot be read.
    pub fn client_config(&self, roots: &Roots, alpn: &[&[u8]]) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::with_source(TlsErrorKind::Provider, error))?;
        let store = store(roots)?;
        let mut config = if self.pins.is_empty() {
            builder.with_root_certificates(store).with_no_client_auth()
        } else {
            let verifier = self.pinned_verifier(store, provider)?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth()
        };
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(config)
    }

    fn pinned_verifier(
        &self,
        store: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<PinnedVerifier, TlsError> {
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
            .build()
            .map_err(|error| TlsError::with_source(TlsErrorKind::NoRoots, error))?;
        Ok(PinnedVerifier::new(chain, self.pins.clone()))
    }
}

fn store(roots: &Roots) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    if roots.bundled {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if roots.system {
        add_system(&mut store)?;
    }
    for (index, certificate) in roots.extra.iter().enumerate() {
        store.add(CertificateDer::from_slice(certificate)).map_err(|error| {
            TlsError::with_source(TlsErrorKind::InvalidCertificate { index }, error)
        })?;
    }
    if store.is_empty() {
        return Err(TlsError::new(TlsErrorKind::NoRoots));
    }
    Ok(store)
}

#[cfg(feature = "system-roots")]
fn add_system(store: &mut RootCertStore) -> Result<(), TlsError> {
    let loaded = rustls_native_certs::load_native_certs();
    // Some systems contain malformed certificates. Only an empty result is an error.
    let (added, _ignored) = store.add_parsable_certificates(loaded.certs);
    if added == 0 {
        let mut error = TlsError::new(TlsErrorKind::SystemRoots);
        error.source = loaded.errors.into_iter().next().map(|source| Box::new(source) as Source);
        return Err(error);
    }
    Ok(())
}

#[cfg(not(feature = "system-roots"))]
fn add_system(_: &mut RootCertStore) -> Result<(), TlsError> {
    Err(TlsError::new(TlsErrorKind::SystemRootsDisabled))
}

/// Roots or pins that are no valid TLS configuration.
#[derive(Debug)]
pub struct TlsError {
    kind: TlsErrorKind,
    source: Option<Source>,
}

/// What is wrong with the roots or the pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsErrorKind {
    /// An entry of [`Roots::extra`] is not a valid certificate of an authority.
    InvalidCertificate {
        /// Its index in the list.
        index: usize,
    },
    /// There are no root certificates, so every connection would fail.
    NoRoots,
    /// A pin is not a SHA-256 in base64.
    InvalidPin,
    /// The operating system's roots cannot be read.
    SystemRoots,
    /// The operating system's roots were requested, but the feature `system-roots` is disabled.
    SystemRootsDisabled,
    /// The cryptography provider does not support the protocol versions.
    Provider,
}

impl TlsError {
    fn new(kind: TlsErrorKind) -> Self {
        Self { kind, source: None }
    }
    fn with_source(kind: TlsErrorKind, source: impl Into<Source>) -> Self {
        Self { kind, source: Some(source.into()) }
    }
    /// Returns what is wrong.
    pub fn kind(&self) -> TlsErrorKind {
        self.kind
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TlsErrorKind::InvalidCertificate { index } => {
                write!(f, "extra root certificate number {index} is invalid")
            }
            TlsErrorKind::NoRoots => f.write_str("there are no root certificates"),
            TlsErrorKind::InvalidPin => f.write_str(
                "the pin is not the SHA-256 of a public key in base64: expected 44 characters",
            ),
            TlsErrorKind::SystemRoots => {
                f.write_str("the operating system's root certificates cannot be read")
            }
            TlsErrorKind::SystemRootsDisabled => f.write_str(
                "the operating system's roots were requested: enable the feature `system-roots`",
            ),
            TlsErrorKind::Provider => f.write_str("TLS 1.2 and 1.3 are not available"),
        }
    }
}

impl StdError for TlsError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
