//! Trust as a rustls configuration.

mod pin;
#[cfg(test)]
mod tests;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use bitmart_types::Roots;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use self::pin::{Pin, Pinned};

type Source = Box<dyn StdError + Send + Sync>;

/// What TLS asks of a server beyond a certificate of a trusted authority.
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
    /// Accepts only servers whose own key is one that is pinned, in addition to all other checks. Say
    /// it once for each key: the present one, and the one that will follow it. A server that changes
    /// to another key is not reached until the pins are changed.
    ///
    /// A pin is the base64 text of the SHA-256 of the certificate's public key
    /// (`SubjectPublicKeyInfo`), as in `pin-sha256` of RFC 7469, with or without that name and its
    /// quotes. Pins are compared with the server's own certificate and not with those above it: a
    /// server sends what it likes beside its own. To trust one authority alone, make it the only one
    /// of the [`Roots`].
    ///
    /// # Errors
    /// The text is not a SHA-256 in base64.
    pub fn pin_sha256(mut self, pin: &str) -> Result<Self, TlsError> {
        self.pins.push(Pin::parse(pin).ok_or_else(|| TlsError::new(TlsErrorKind::Pin))?);
        Ok(self)
    }

    /// A configuration that trusts these roots, speaks TLS 1.2 and 1.3 through ring, whatever the
    /// process default is, and offers the protocols `alpn`, the preferred one first.
    ///
    /// # Errors
    /// When no root is left to trust, or a root cannot be read.
    pub fn client_config(&self, roots: &Roots, alpn: &[&[u8]]) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::with_source(TlsErrorKind::Provider, error))?;
        let store = store(roots)?;
        let mut config = if self.pins.is_empty() {
            builder.with_root_certificates(store).with_no_client_auth()
        } else {
            let pinned = self.pinned(store, provider)?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(pinned))
                .with_no_client_auth()
        };
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(config)
    }

    fn pinned(
        &self,
        store: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Pinned, TlsError> {
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
            .build()
            .map_err(|error| TlsError::with_source(TlsErrorKind::NoRoots, error))?;
        Ok(Pinned::new(chain, self.pins.clone()))
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
        store
            .add(CertificateDer::from_slice(certificate))
            .map_err(|error| TlsError::with_source(TlsErrorKind::Certificate { index }, error))?;
    }
    if store.is_empty() {
        return Err(TlsError::new(TlsErrorKind::NoRoots));
    }
    Ok(store)
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

/// Trust that cannot be turned into a TLS configuration.
#[derive(Debug)]
pub struct TlsError {
    kind: TlsErrorKind,
    source: Option<Source>,
}

/// What is wrong with the roots or the pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsErrorKind {
    /// An entry of [`Roots::extra`] is not a certificate that can serve as an authority.
    Certificate {
        /// Its place in the list, counted from 0.
        index: usize,
    },
    /// Nothing to trust: no connection could ever succeed.
    NoRoots,
    /// A pin is not a SHA-256 in base64.
    Pin,
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
    fn with_source(kind: TlsErrorKind, source: impl Into<Source>) -> Self {
        Self { kind, source: Some(source.into()) }
    }
    /// What is wrong.
    pub fn kind(&self) -> TlsErrorKind {
        self.kind
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TlsErrorKind::Certificate { index } => {
                write!(f, "extra root certificate number {index} is not usable")
            }
            TlsErrorKind::NoRoots => f.write_str("there is no root certificate to trust"),
            TlsErrorKind::Pin => f.write_str(
                "the pin is not the SHA-256 of a public key in base64: expected 44 characters",
            ),
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

impl StdError for TlsError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
