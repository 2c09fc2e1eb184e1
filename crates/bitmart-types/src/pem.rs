//! Certificate authorities from PEM text.

use std::fmt;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{Error, PemObject as _};

use crate::Roots;

impl Roots {
    /// Adds the certificate authorities of a PEM text.
    ///
    /// # Errors
    /// When the text is not PEM or contains no certificate.
    pub fn with_pem(mut self, pem: &str) -> Result<Self, PemError> {
        let before = self.extra.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            self.extra.push(certificate.map_err(|error| PemError(Some(error)))?.to_vec());
        }
        if self.extra.len() == before {
            return Err(PemError(None));
        }
        Ok(self)
    }
}

/// The error for a text that is not PEM or contains no certificate.
#[derive(Debug)]
pub struct PemError(Option<Error>);

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the root certificate is not PEM: expected a `-----BEGIN CERTIFICATE-----` block",
        )
    }
}

impl std::error::Error for PemError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_ref().map(|error| error as _)
    }
}
