//! What a failed connection and a wrong setting are reported as.

use super::*;

/// Connects through a proxy that sends these responses and then hangs or closes.
async fn error_after_responses(
    scheme: &str,
    responses: &'static [&'static [u8]],
    closes: bool,
) -> ConnectError {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.expect("a client");
        let mut request = [0; 4096];
        for response in responses {
            assert!(client.read(&mut request).await.expect("a request") > 0);
            client.write_all(response).await.expect("a client");
        }
        if closes {
            // Shut down first: closing with unread bytes would reset the connection.
            client.shutdown().await.expect("a client");
        }
        while client.read(&mut request).await.is_ok_and(|count| count > 0) {}
    });
    let connector = through(&format!("{scheme}://me:CANARY@{address}"));
    let limit = if closes { Duration::from_secs(20) } else { Duration::from_millis(300) };
    let target = Target::tls("localhost", 9).with_timeout(limit);
    let error = connector.connect(&target).await.expect_err("a failure");
    task.abort();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    let shown = format!("{error} {error:?} {connector:?}");
    assert!(!shown.contains("CANARY") && !shown.contains("Q0FOQVJZ"), "{shown}");
    error
}

#[tokio::test]
async fn proxy_failures_are_classified() {
    use ConnectErrorKind as Kind;

    let http: &[(&'static [&'static [u8]], bool, Kind)] = &[
        (&[b"HTTP/1.1 407 Authenticate\r\n\r\n"], true, Kind::Unauthorized),
        (&[b"HTTP/1.1 502 Bad\r\n\r\n"], true, Kind::Rejected { code: 502 }),
        (
            &[b"HTTP/1.1 403 No\r\nContent-Type: text/html\r\n\r\n<html>"],
            true,
            Kind::Rejected { code: 403 },
        ),
        (
            &[b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=x\r\n\r\n<html>"],
            true,
            Kind::HtmlPage,
        ),
        (&[b"<!doctype html><html>\r\n\r\n"], true, Kind::Protocol),
        (&[b"SSH-2.0-OpenSSH_9.6\r\n"], true, Kind::Protocol),
        (&[b"\x05\xff"], true, Kind::Protocol),
        (&[b"HTTP/1.1 200 O"], true, Kind::Closed),
        (&[b"HTT"], true, Kind::Closed),
        (&[b""], true, Kind::Closed),
        (&[b"HTTP/1.1 200 OK\r\nX"], false, Kind::Timeout),
        (&[], false, Kind::Timeout),
    ];
    for (responses, closes, kind) in http {
        let error = error_after_responses("http", responses, *closes).await;
        assert_eq!((error.hop(), error.kind()), (Hop::ProxyHandshake, *kind), "{responses:?}");
    }
    let socks: &[(&'static [&'static [u8]], bool, Kind)] = &[
        (&[b"\x05\xff"], true, Kind::Unauthorized),
        (&[b"\x05\x02", b"\x01\x01"], true, Kind::Unauthorized),
        (
            &[b"\x05\x02", b"\x01\x00", b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"],
            true,
            Kind::Rejected { code: 5 },
        ),
        (&[b"\x05\x02", b"\x01\x00", b"\x05\x02"], true, Kind::Rejected { code: 2 }),
        (&[b"HTTP/1.1 400 Bad Request\r\n\r\n"], true, Kind::Protocol),
        (&[b"\x05"], true, Kind::Closed),
        (&[b"\x05\x02", b""], true, Kind::Closed),
        (&[b"\x05\x02", b"\x01\x00", b"\x05\x00\x00"], true, Kind::Closed),
        (&[b"\x05\x02"], false, Kind::Timeout),
    ];
    for (responses, closes, kind) in socks {
        let error = error_after_responses("socks5h", responses, *closes).await;
        assert_eq!((error.hop(), error.kind()), (Hop::ProxyHandshake, *kind), "{responses:?}");
    }
}

#[tokio::test]
async fn failures_before_the_proxy_handshake_are_classified() {
    let unused = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("one");
    let error = connect_error(&through(&format!("http://{unused}"))).await;
    assert_eq!((error.hop(), error.kind()), (Hop::Proxy, ConnectErrorKind::Refused), "{error}");
    let error = connect_error(&Connector::builder().without_proxy().build().expect("one")).await;
    assert_eq!(error.hop(), Hop::Host);

    let with_addresses =
        |names: Vec<IpAddr>| Connector::builder().without_proxy().resolver(FixedResolver(names));
    let target = Target::tls("api.example", 443);
    let no_address = with_addresses(Vec::new()).build().expect("a connector");
    let error = no_address.connect(&target).await.expect_err("no address");
    assert_eq!((error.hop(), error.kind()), (Hop::Resolver, ConnectErrorKind::NoAddress));
    assert_eq!(error.to_string(), "name api.example has no address");

    let v6 = with_addresses(vec![Ipv6Addr::LOCALHOST.into()]).bind(Ipv4Addr::LOCALHOST.into());
    let error = v6.build().expect("one").connect(&target).await.expect_err("the other family");
    assert_eq!((error.hop(), error.kind()), (Hop::Resolver, ConnectErrorKind::WrongFamily));

    // Documentation addresses belong to no machine.
    let foreign = with_addresses(vec![Ipv4Addr::LOCALHOST.into()]).bind([192, 0, 2, 1].into());
    let error = foreign.build().expect("one").connect(&target).await.expect_err("not local");
    assert_eq!((error.hop(), error.kind()), (Hop::Host, ConnectErrorKind::LocalAddress), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_missing_interface_is_a_local_address_error() {
    let connector = Connector::builder().interface("nosuch0").build().expect("a connector");
    let host = TestHost::listen().await.expect("a host");
    let error = connector.connect(host.target()).await.expect_err("no interface");
    assert_eq!((error.hop(), error.kind()), (Hop::Host, ConnectErrorKind::LocalAddress), "{error}");
    let connector = Connector::builder().interface("lo").build().expect("a connector");
    match connector.connect(host.target()).await {
        Ok(_) => {}
        Err(error) => println!("skipped: cannot bind to an interface: {error}"),
    }
}

#[test]
fn invalid_settings_are_named_without_their_values() {
    let error_of = |address: &str| {
        let error = Connector::builder().proxy(address).build().expect_err("invalid");
        let shown = format!("{error} {error:?} {:?}", Connector::builder().proxy(address));
        assert!(!shown.contains("CANARY"), "{shown}");
        (error.setting(), error.kind())
    };
    assert_eq!(error_of("http://u:CANARY#@h"), ("proxy", ConnectorErrorKind::InvalidProxyAddress));
    assert_eq!(
        error_of("socks4://u:CANARY@h"),
        ("proxy", ConnectorErrorKind::UnsupportedProxyScheme)
    );
    let from_variable = |name: &'static str, value: &'static str| {
        Connector::builder()
            .build_with(move |variable| (variable == name).then(|| value.to_owned()))
    };
    let error = from_variable("HTTPS_PROXY", "gopher://h").expect_err("invalid");
    assert_eq!(
        (error.setting(), error.kind()),
        ("HTTPS_PROXY", ConnectorErrorKind::UnsupportedProxyScheme)
    );
    let connector = from_variable("HTTPS_PROXY", "http://u:CANARY@h:1").expect("a connector");
    let proxy = connector.proxy_for(&Target::tls("api.example", 443)).expect("a proxy");
    assert_eq!((proxy.origin(), proxy.to_string().as_str()), ("HTTPS_PROXY", "http://h:1"));
    assert!(connector.proxy_for(&Target::tls("localhost", 443)).is_none());
}
