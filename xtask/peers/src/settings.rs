//! The settings that `cargo xtask peers` passes in the environment.

use std::env;
use std::fs;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;

use crate::Failure;

#[derive(Deserialize)]
struct ReadyLine {
    spot: Host,
    credentials: Keys,
}

#[derive(Deserialize)]
struct Host {
    rest: String,
}

#[derive(Clone, Deserialize)]
pub struct Keys {
    pub key: String,
    pub secret: String,
    pub memo: String,
}

/// Addresses and keys.
#[derive(Clone)]
pub struct Settings {
    /// Takes orders.
    pub plain: String,
    /// Takes orders over TLS.
    pub tls: String,
    /// Has a stepped clock, so that its market does not move.
    pub market: String,
    pub keys: Keys,
}

impl Settings {
    pub fn from_env() -> Result<Self, Failure> {
        let (plain, tls, market) =
            (ready("PEER_PLAIN")?, ready("PEER_TLS")?, ready("PEER_MARKET")?);
        Ok(Self {
            plain: plain.spot.rest,
            tls: tls.spot.rest,
            market: market.spot.rest,
            keys: plain.credentials,
        })
    }

    pub fn orders(&self, tls: bool) -> &str {
        if tls { &self.tls } else { &self.plain }
    }
}

fn ready(name: &str) -> Result<ReadyLine, Failure> {
    let line = env::var(name).map_err(|_| format!("{name} is not set"))?;
    Ok(serde_json::from_str(&line)?)
}

/// The certificates that clients over TLS trust.
pub fn certificates() -> Result<Vec<CertificateDer<'static>>, Failure> {
    let pem = fs::read(env::var("BITMART_ROOT")?)?;
    Ok(CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>()?)
}

impl Settings {
    pub fn client_config() -> Result<Arc<ClientConfig>, Failure> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates()?);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }

    pub fn now_ms() -> Result<u64, Failure> {
        Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().try_into()?)
    }
}
