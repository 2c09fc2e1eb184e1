//! TLS: the root certificate of the sandbox is enough to verify its connections.
#![cfg(feature = "tls")]

mod common;

use std::sync::Arc;

use bitmart_sandbox::Config;
use common::{DEADLINE, authority, start};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring},
};

#[tokio::test]
async fn the_root_certificate_verifies_every_local_name() {
    let sandbox = start(Config::new().tls(true)).await;
    assert!(
        sandbox.spot().rest.starts_with("https://")
            && sandbox.spot().ws_public.starts_with("wss://")
    );
    let pem = sandbox.root_certificate().expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM")).expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    for name in ["localhost", "127.0.0.1", "::1"] {
        let stream =
            TcpStream::connect(authority(&sandbox.futures().rest)).await.expect("connects");
        let server = ServerName::try_from(name).expect("a name");
        let mut stream = connector.connect(server, stream).await.expect("trusted");
        let request =
            "GET /contract/public/details HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("writes");
        let mut response = vec![0; 15];
        timeout(DEADLINE, stream.read_exact(&mut response)).await.expect("in time").expect("reads");
        assert_eq!(response, b"HTTP/1.1 200 OK");
    }
}
