//! TLS with a custom certificate authority.

use std::sync::Arc;

use bitmart_rest::transport::TransportErrorKind;
use bitmart_rest::{ErrorKind, Outcome};
use bitmart_types::{Environment, Roots, Service};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, client};
use crate::server::{Server, ok};

/// A server's TLS configuration and the certificate to trust.
pub(crate) fn certificate(alpn: &[&[u8]]) -> (TlsAcceptor, Vec<u8>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let mut config = ServerConfig::builder_with_provider(Arc::new(
        tokio_rustls::rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![cert.der().clone()], key)
    .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    (TlsAcceptor::from(Arc::new(config)), cert.der().to_vec())
}

fn environment(address: &str, roots: Roots) -> Environment {
    let mut environment = Environment::custom("test").with(Service::SpotRest, address);
    environment.roots = roots;
    environment
}

#[tokio::test]
async fn a_connection_to_a_trusted_server_is_reused() {
    let (tls, root) = certificate(&[b"http/1.1"]);
    let server = Server::listen(Some(tls), |_| ok(ORDER_RESPONSE)).await;
    let roots = Roots::none().with_der(root);
    let client = client("").environment(environment(&server.address, roots)).build().unwrap();
    for _ in 0..3 {
        client.send(PLACE_ORDER).await.unwrap();
    }
    assert_eq!(server.accepts(), 1);
}

#[tokio::test]
async fn no_request_is_sent_to_an_untrusted_server() {
    for roots in [Roots::bundled(), Roots::none()] {
        let (tls, _) = certificate(&[]);
        let server = Server::listen(Some(tls), |_| ok(ORDER_RESPONSE)).await;
        let client = client("").environment(environment(&server.address, roots)).build().unwrap();
        let error = client.send(PLACE_ORDER).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Transport(TransportErrorKind::Tls));
        assert_eq!(error.outcome(), Outcome::NotSent);
        assert!(server.requests().is_empty());
    }
}

#[tokio::test]
async fn the_certificate_is_verified_against_the_host_name() {
    let (tls, root) = certificate(&[b"http/1.1"]);
    let server = Server::listen(Some(tls), |_| ok(ORDER_RESPONSE)).await;
    let by_name = server.address.replace("127.0.0.1", "localhost");
    let client = client("")
        .environment(environment(&by_name, Roots::none().with_der(root)))
        .build()
        .unwrap();
    client.send(PLACE_ORDER).await.unwrap();
    assert_eq!(server.requests().len(), 1);
}
