//! TLS with a certificate that is generated at the start. Without the feature `tls` there is no acceptor.

#[cfg(feature = "tls")]
pub(crate) use on::{Acceptor, generate};

#[cfg(not(feature = "tls"))]
pub(crate) use off::{Acceptor, generate};

/// An acceptor and the root certificate (PEM) that clients must trust.
pub(crate) struct Identity {
    pub(crate) acceptor: Acceptor,
    pub(crate) root_pem: String,
}

#[cfg(feature = "tls")]
mod on {
    use std::sync::Arc;

    use rcgen::{
        BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    };
    use rustls_pki_types::PrivatePkcs8KeyDer;
    use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

    use super::Identity;

    pub(crate) type Acceptor = TlsAcceptor;

    /// Generates a root certificate, and one for `localhost`, `127.0.0.1` and `::1` that is signed by it.
    pub(crate) fn generate() -> Result<Identity, Box<dyn std::error::Error + Send + Sync>> {
        let root_key = KeyPair::generate()?;
        let mut root = CertificateParams::default();
        root.distinguished_name.push(DnType::CommonName, "bitmart-sandbox root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let root_pem = root.self_signed(&root_key)?.pem();
        let issuer = Issuer::new(root, root_key);

        let key = KeyPair::generate()?;
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let leaf = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
        let secret = PrivatePkcs8KeyDer::from(key.serialize_der());
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], secret.into())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Identity { acceptor: TlsAcceptor::from(Arc::new(config)), root_pem })
    }
}

#[cfg(not(feature = "tls"))]
mod off {
    use std::{convert::Infallible, io};

    use super::Identity;

    /// A type without values.
    #[derive(Clone)]
    pub(crate) struct Acceptor(Infallible);

    impl Acceptor {
        #[allow(clippy::unused_async)]
        pub(crate) async fn accept<S>(&self, _: S) -> io::Result<S> {
            match self.0 {}
        }
    }

    pub(crate) fn generate() -> Result<Identity, Box<dyn std::error::Error + Send + Sync>> {
        Err("this build has no TLS: enable the feature `tls` of bitmart-sandbox".into())
    }
}
