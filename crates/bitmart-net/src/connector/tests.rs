//! Connectors of each kind keep the contract of [`Connect`], and choose address, resolver and proxy as configured.

mod failures;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use bitmart_types::Roots;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::testing::{TestHost, TestProxy, conformance};
use crate::{ResolveFuture, from_fn};

/// Resolves every name to these addresses.
struct FixedResolver(Vec<IpAddr>);

impl crate::Resolve for FixedResolver {
    fn resolve<'a>(&'a self, _: &'a str) -> ResolveFuture<'a> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

fn through(proxy: &str) -> Connector {
    Connector::builder().proxy(proxy).proxy_loopback(true).build().expect("a connector")
}

async fn check_conformance(connector: &dyn Connect) {
    let host = TestHost::listen().await.expect("a host");
    conformance(connector, host.target(), || host.accept()).await;
}

/// Connects to a loopback host and returns the error.
async fn connect_error(connector: &dyn Connect) -> ConnectError {
    let target = Target::tls("localhost", 9).with_timeout(Duration::from_secs(20));
    connector.connect(&target).await.expect_err("a failure")
}

/// A server configuration for `localhost`, and roots that trust it.
fn certificate() -> (Arc<ServerConfig>, Roots) {
    let certified =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("a configuration");
    (Arc::new(config), Roots::none().with_der(certified.cert.der().to_vec()))
}

#[tokio::test]
async fn a_direct_connector_conforms() {
    check_conformance(&Connector::direct()).await;
}

#[tokio::test]
async fn a_connector_from_a_closure_conforms() {
    check_conformance(&from_fn(|target| async move {
        Ok(Stream::new(tokio::net::TcpStream::connect((target.host(), target.port())).await?))
    }))
    .await;
}

#[tokio::test]
async fn a_connector_of_in_memory_streams_conforms() {
    let (sender, dialled) = tokio::sync::mpsc::unbounded_channel();
    let connector = from_fn(move |_| {
        let (client, host) = tokio::io::duplex(4096);
        let sent = sender.send(host);
        async move {
            sent.map_err(ConnectError::other)?;
            Ok(Stream::new(client))
        }
    });
    let dialled = tokio::sync::Mutex::new(dialled);
    conformance(&connector, &Target::plain_text("memory", 1), async || {
        dialled.lock().await.recv().await.ok_or_else(|| std::io::ErrorKind::NotConnected.into())
    })
    .await;
}

#[tokio::test]
async fn a_connector_for_http_proxies_conforms() {
    let proxy = TestProxy::http().user("me", "p:w").start().await.expect("a proxy");
    check_conformance(&through(&format!("http://me:p%3Aw@{}", proxy.address()))).await;
    assert_eq!(proxy.requested_hosts().len(), 3);
}

#[tokio::test]
async fn a_connector_for_https_proxies_conforms() {
    let (config, roots) = certificate();
    let proxy = TestProxy::http().tls(config).start().await.expect("a proxy");
    let address = format!("https://localhost:{}", proxy.address().port());
    let builder = Connector::builder().proxy(&address).proxy_loopback(true);
    let connector = builder.proxy_roots(roots).build().expect("a connector");
    check_conformance(&connector).await;

    let error = connect_error(&through(&address)).await;
    assert_eq!((error.hop(), error.kind()), (Hop::ProxyTls, ConnectErrorKind::Tls), "{error}");
}

#[tokio::test]
async fn connectors_for_socks5_proxies_conform() {
    let proxy = TestProxy::socks5().start().await.expect("a proxy");
    check_conformance(&through(&format!("socks5h://{}", proxy.address()))).await;
    let proxy = TestProxy::socks5().user("me", "p:w").start().await.expect("a proxy");
    check_conformance(&through(&format!("socks5://me:p%3aw@{}", proxy.address()))).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_connector_for_unix_sockets_conforms() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gateway");
    let listener = tokio::net::UnixListener::bind(&path).expect("a socket");
    let connector = Connector::builder().unix_socket(&path).build().expect("a connector");
    let target = Target::tls("api.example", 443);
    conformance(&connector, &target, async || Ok(listener.accept().await?.0)).await;
    assert!(connector.connect(&target).await.expect("a stream").is_socket());

    drop((listener, folder));
    let error = connector.connect(&target).await.expect_err("nothing listens");
    assert_eq!(error.hop(), Hop::UnixSocket);
    assert!(error.to_string().contains("gateway"), "{error}");
}

#[tokio::test]
async fn socks5_resolves_locally_and_socks5h_at_the_proxy() {
    let host = TestHost::listen().await.expect("a host");
    let target = Target::plain_text("api.example", host.target().port());
    for (scheme, host) in [("socks5h", "api.example"), ("socks5", "127.0.0.1")] {
        let proxy = TestProxy::socks5()
            .forward_to(SocketAddr::from(([127, 0, 0, 1], target.port())))
            .start()
            .await
            .expect("a proxy");
        let connector = Connector::builder()
            .proxy(format!("{scheme}://{}", proxy.address()))
            .resolver(FixedResolver(vec![Ipv4Addr::LOCALHOST.into()]))
            .build()
            .expect("a connector");
        connector.connect(&target).await.expect("a stream");
        assert_eq!(proxy.requested_hosts(), [format!("{host}:{}", target.port())]);
    }
}

#[tokio::test]
async fn socks5_tries_the_addresses_of_a_host_until_the_proxy_reaches_one() {
    let host = TestHost::listen().await.expect("a host");
    let port = host.target().port();
    let proxy = TestProxy::socks5().start().await.expect("a proxy");
    // The host listens at the last of them only; the proxy rejects addresses that are not loopback.
    let unreachable: IpAddr = Ipv4Addr::new(192, 0, 2, 1).into();
    let connector = |addresses: Vec<IpAddr>| {
        let address = format!("socks5://{}", proxy.address());
        let builder = Connector::builder().proxy(address).resolver(FixedResolver(addresses));
        builder.build().expect("a connector")
    };
    let target = Target::plain_text("api.example", port);
    let all = vec![unreachable, unreachable, Ipv4Addr::LOCALHOST.into()];
    connector(all).connect(&target).await.expect("a stream");
    let requested = ["192.0.2.1", "192.0.2.1", "127.0.0.1"].map(|host| format!("{host}:{port}"));
    assert_eq!(proxy.requested_hosts(), requested);

    let error = connector(vec![unreachable]).connect(&target).await.expect_err("no route");
    assert!(matches!(error.kind(), ConnectErrorKind::Rejected { .. }), "{error}");
}

/// A proxy that ends the connection instead of rejecting an address that it cannot reach.
#[tokio::test]
async fn socks5_tries_the_next_address_if_the_proxy_hangs_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let proxy = listener.local_addr().expect("an address");
    let task = tokio::spawn(async move {
        for attempt in 0..2 {
            let (mut client, _) = listener.accept().await.expect("a client");
            let mut request = [0; 64];
            for response in [&b"\x05\x00"[..], b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"] {
                assert!(client.read(&mut request).await.expect("a request") > 0);
                if attempt == 0 && response.len() > 2 {
                    break;
                }
                client.write_all(response).await.expect("a client");
            }
        }
    });
    let addresses = vec![Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::new(192, 0, 2, 2).into()];
    let builder = Connector::builder().proxy(format!("socks5://{proxy}"));
    let connector = builder.resolver(FixedResolver(addresses)).build().expect("a connector");
    connector.connect(&Target::plain_text("api.example", 443)).await.expect("a stream");
    task.await.expect("two attempts");
}

#[test]
fn what_an_address_can_be_blamed_for_is_tried_with_the_next_one() {
    for (hop, kind, expected) in [
        (Hop::ProxyHandshake, ConnectErrorKind::Timeout, true),
        (Hop::ProxyHandshake, ConnectErrorKind::Closed, true),
        (Hop::ProxyHandshake, ConnectErrorKind::Rejected { code: 4 }, true),
        (Hop::ProxyHandshake, ConnectErrorKind::Unauthorized, false),
        (Hop::Proxy, ConnectErrorKind::Timeout, false),
        (Hop::ProxyTls, ConnectErrorKind::Closed, false),
    ] {
        assert_eq!(is_about_address(&ConnectError::new(hop, kind)), expected, "{hop:?} {kind:?}");
    }
}

#[tokio::test]
async fn the_longest_timeout_means_never() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let connector = Connector::builder().build().expect("a connector");
    let target = Target::plain_text("127.0.0.1", port);
    connector.connect(&target.clone().with_timeout(Duration::MAX)).await.expect("a stream");
    // It may connect before the timer is read.
    if let Err(error) = connector.connect(&target.with_timeout(Duration::ZERO)).await {
        assert_eq!(error.kind(), ConnectErrorKind::Timeout);
    }
}

#[tokio::test]
async fn bytes_directly_after_the_proxy_response_are_not_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.expect("a client");
        assert!(client.read(&mut [0; 4096]).await.expect("a request") > 0);
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\nearly").await.expect("a client");
        assert_eq!(client.read(&mut [0; 1]).await.expect("the end"), 0);
    });
    let target = Target::tls("localhost", 9);
    let mut stream = through(&address.to_string()).connect(&target).await.expect("a stream");
    let mut early = [0; 5];
    stream.read_exact(&mut early).await.expect("the host's bytes");
    assert_eq!(&early, b"early");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn connects_from_the_bound_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    for last in [2, 3] {
        let local = IpAddr::from([127, 0, 0, last]);
        let connector = Connector::builder().bind(local).build().expect("a connector");
        let target = Target::plain_text("127.0.0.1", port);
        let (stream, accepted) = tokio::join!(connector.connect(&target), listener.accept());
        stream.expect("a stream");
        assert_eq!(accepted.expect("a client").1.ip(), local);
    }
}

/// With a full backlog Linux drops connection attempts, like an unreachable host.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_unresponsive_ipv6_address_falls_back_to_ipv4() {
    use tokio::net::{TcpSocket, TcpStream};

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let unresponsive = TcpSocket::new_v6().expect("a socket");
    if unresponsive.bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).is_err() {
        println!("skipped: no IPv6 on this machine");
        return;
    }
    let _listening = unresponsive.listen(1).expect("a backlog");
    let mut filling = Vec::new();
    let full = async {
        loop {
            filling.push(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await);
        }
    };
    assert!(tokio::time::timeout(Duration::from_millis(500), full).await.is_err());
    let names = FixedResolver(vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()]);
    let connector = Connector::builder().without_proxy().resolver(names).build().expect("one");
    let target = Target::plain_text("exchange", port);
    let (stream, accepted) = tokio::join!(connector.connect(&target), listener.accept());
    stream.expect("a stream");
    accepted.expect("a client");
}
