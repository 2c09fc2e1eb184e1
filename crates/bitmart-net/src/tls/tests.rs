use std::sync::Arc;

use bitmart_types::Roots;
use ring::digest::{SHA256, digest};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

/// A throw-away server, what trusts it, and the digest of its key.
fn server() -> (Arc<ServerConfig>, Roots, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("made");
    let spki = rcgen::PublicKeyData::subject_public_key_info(&made.signing_key);
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let roots = Roots::none().with_der(made.cert.der().to_vec());
    (Arc::new(config), roots, digest(&SHA256, &spki).as_ref().to_vec())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = bytes.iter().fold(String::new(), |bits, byte| bits + &format!("{byte:08b}"));
    let mut text: String = (0..bits.len())
        .step_by(6)
        .map(|at| format!("{:0<6}", &bits[at..bits.len().min(at + 6)]))
        .map(|bits| char::from(DIGITS[usize::from_str_radix(&bits, 2).expect("bits")]))
        .collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

async fn handshake(server: Arc<ServerConfig>, client: ClientConfig) -> Result<(), String> {
    let (near, far) = tokio::io::duplex(1 << 16);
    let name = ServerName::try_from("localhost").expect("a name");
    let (met, _) = tokio::join!(
        TlsConnector::from(Arc::new(client)).connect(name, near),
        TlsAcceptor::from(server).accept(far)
    );
    met.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn only_a_server_with_a_pinned_key_is_accepted() {
    let (config, roots, key) = server();
    let pin = base64(&key);
    let other = base64(&[7; 32]);
    let with = |pins: &[&str]| {
        let options =
            pins.iter().try_fold(TlsOptions::default(), |options, pin| options.pin_sha256(pin));
        options.expect("pins").client_config(&roots, &[]).expect("a configuration")
    };
    assert_eq!(handshake(config.clone(), with(&[])).await, Ok(()));
    assert_eq!(handshake(config.clone(), with(&[&pin])).await, Ok(()));
    assert_eq!(
        handshake(config.clone(), with(&[&other, &format!("pin-sha256=\"{pin}\"")])).await,
        Ok(())
    );
    let error = handshake(config.clone(), with(&[&other])).await.expect_err("another key");
    assert!(error.contains("none of those that are pinned"), "{error}");

    // A pin does not replace trust.
    let stranger = TlsOptions::default().pin_sha256(&pin).expect("a pin");
    let stranger = stranger.client_config(&Roots::bundled(), &[]).expect("a configuration");
    let error = handshake(config, stranger).await.expect_err("an unknown authority");
    assert!(error.contains("UnknownIssuer") || error.contains("CaUsedAsEndEntity"), "{error}");
}

#[test]
fn what_is_no_pin_is_refused() {
    let good = base64(&[0x5a; 32]);
    let good = good.as_str();
    assert!(TlsOptions::default().pin_sha256(good).is_ok());
    let loose = format!("{}b=", &good[..42]);
    let url = good.replace('W', "_");
    for pin in [
        "",
        "sha256",
        &good[1..],
        &good[..43],
        &loose,
        &url,
        &format!("pin-sha256={good}"),
        &format!("pin-sha1=\"{good}\""),
        &base64(&[1; 20]),
        &base64(&[1; 33]),
    ] {
        let error = TlsOptions::default().pin_sha256(pin).expect_err(pin);
        assert_eq!(error.kind(), TlsErrorKind::Pin);
    }
}

#[test]
fn bundled_roots_make_a_configuration() {
    let config = TlsOptions::default().client_config(&Roots::bundled(), &[b"h2", b"http/1.1"]);
    assert_eq!(config.expect("one").alpn_protocols, [&b"h2"[..], b"http/1.1"]);
}

#[test]
fn unusable_roots_are_told() {
    let kind = |roots: Roots| {
        TlsOptions::default().client_config(&roots, &[]).expect_err("unusable").kind()
    };
    assert_eq!(kind(Roots::none()), TlsErrorKind::NoRoots);
    let junk = Roots::bundled().with_der([1, 2, 3]);
    assert_eq!(kind(junk), TlsErrorKind::Certificate { index: 0 });
    #[cfg(not(feature = "system-roots"))]
    assert_eq!(kind(Roots::system()), TlsErrorKind::SystemRootsDisabled);
}
