//! Pins and roots, with handshakes in memory.

use std::sync::Arc;

use bitmart_types::Roots;
use ring::digest::{SHA256, digest};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::base64::encode;

/// A server configuration, roots that trust it, and the SHA-256 of its key.
fn server() -> (Arc<ServerConfig>, Roots, Vec<u8>) {
    let certified =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let spki = rcgen::PublicKeyData::subject_public_key_info(&certified.signing_key);
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("a configuration");
    let roots = Roots::none().with_der(certified.cert.der().to_vec());
    (Arc::new(config), roots, digest(&SHA256, &spki).as_ref().to_vec())
}

async fn handshake(server: Arc<ServerConfig>, client: ClientConfig) -> Result<(), String> {
    let (near, far) = tokio::io::duplex(1 << 16);
    let name = ServerName::try_from("localhost").expect("a name");
    let (connected, _) = tokio::join!(
        TlsConnector::from(Arc::new(client)).connect(name, near),
        TlsAcceptor::from(server).accept(far)
    );
    connected.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn accepts_only_a_server_with_a_pinned_key() {
    let (config, roots, key) = server();
    let pin = encode(&key);
    let other = encode(&[7; 32]);
    let config_with = |pins: &[&str]| {
        let options =
            pins.iter().try_fold(TlsOptions::default(), |options, pin| options.pin_sha256(pin));
        options.expect("pins").client_config(&roots, &[]).expect("a configuration")
    };
    assert_eq!(handshake(config.clone(), config_with(&[])).await, Ok(()));
    assert_eq!(handshake(config.clone(), config_with(&[&pin])).await, Ok(()));
    assert_eq!(
        handshake(config.clone(), config_with(&[&other, &format!("pin-sha256=\"{pin}\"")])).await,
        Ok(())
    );
    let error = handshake(config.clone(), config_with(&[&other])).await.expect_err("another key");
    assert!(error.contains("matches no pin"), "{error}");

    // A pin does not replace a trusted authority.
    let untrusted = TlsOptions::default().pin_sha256(&pin).expect("a pin");
    let untrusted = untrusted.client_config(&Roots::bundled(), &[]).expect("a configuration");
    let error = handshake(config, untrusted).await.expect_err("an unknown authority");
    assert!(error.contains("UnknownIssuer") || error.contains("CaUsedAsEndEntity"), "{error}");
}

#[test]
fn rejects_malformed_pins() {
    let valid = encode(&[0x5a; 32]);
    let valid = valid.as_str();
    assert!(TlsOptions::default().pin_sha256(valid).is_ok());
    let nonzero_padding = format!("{}b=", &valid[..42]);
    let url_alphabet = valid.replace('W', "_");
    for pin in [
        "",
        "sha256",
        &valid[1..],
        &valid[..43],
        &nonzero_padding,
        &url_alphabet,
        &format!("pin-sha256={valid}"),
        &format!("pin-sha1=\"{valid}\""),
        &encode(&[1; 20]),
        &encode(&[1; 33]),
    ] {
        let error = TlsOptions::default().pin_sha256(pin).expect_err(pin);
        assert_eq!(error.kind(), TlsErrorKind::InvalidPin);
    }
}

#[test]
fn bundled_roots_make_a_configuration() {
    let config = TlsOptions::default().client_config(&Roots::bundled(), &[b"h2", b"http/1.1"]);
    assert_eq!(config.expect("one").alpn_protocols, [&b"h2"[..], b"http/1.1"]);
}

#[test]
fn rejects_invalid_roots() {
    let kind = |roots: Roots| {
        TlsOptions::default().client_config(&roots, &[]).expect_err("invalid roots").kind()
    };
    assert_eq!(kind(Roots::none()), TlsErrorKind::NoRoots);
    let junk = Roots::bundled().with_der([1, 2, 3]);
    assert_eq!(kind(junk), TlsErrorKind::InvalidCertificate { index: 0 });
    #[cfg(not(feature = "system-roots"))]
    assert_eq!(kind(Roots::system()), TlsErrorKind::SystemRootsDisabled);
}
