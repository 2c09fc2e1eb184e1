//! Both clients through proxies, with and without TLS, against the sandbox.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bitmart::net::testing::{TestProxy, TestProxyBuilder};
use bitmart::net::{Connect, ConnectErrorKind, Connector, Hop, Stream, TlsOptions, from_fn};
use bitmart::rest::{Outcome, spot};
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::types::Service;
use bitmart::ws::{ReconnectReason, Update, topic};
use bitmart::{Environment, dec, rest, ws};
use bitmart_testkit::capture::{self, record, record_debug, record_error};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

type TestResult<T = ()> = Result<T, Box<dyn Error>>;

const PASSWORD: &str = "CANARYpassword";
/// `me:CANARYpassword` in base64, as sent to HTTP proxies.
const ENCODED: &str = "bWU6Q0FOQVJZcGFzc3dvcmQ=";

/// Only a failing test reaches it.
const TIMEOUT: Duration = Duration::from_secs(60);

fn clients(
    exchange: &Sandbox,
    connector: &(impl Connect + Clone),
) -> TestResult<(rest::Client, ws::Client)> {
    let environment = sandbox::environment(exchange);
    let credentials = sandbox::credentials(exchange)?;
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .connector(connector.clone());
    let ws = ws::Client::builder()
        .environment(environment)
        .credentials(credentials)
        .connector(connector.clone());
    record_debug(&rest);
    record_debug(&ws);
    Ok((rest.build()?, ws.build()?))
}

/// Places an order and waits for its push, which uses both clients.
async fn trade(rest: &rest::Client, ws: &ws::Client) -> TestResult {
    let mut orders = ws.subscribe(topic::spot::user_orders("BTC_USDT")).await?;
    let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(1000)).post_only();
    let placed = rest.spot().submit_order(order).await?;
    tokio::time::timeout(TIMEOUT, async {
        while let Some(update) = orders.next().await {
            if let Update::Data(order) = update?
                && order.order_id == placed.order_id
            {
                return Ok(());
            }
        }
        Err::<(), Box<dyn Error>>("the stream ended".into())
    })
    .await?
}

async fn trade_through(scheme: &str, tls: bool, proxy: TestProxyBuilder) -> TestResult {
    let exchange = Sandbox::start(Config::new().tls(tls)).await?;
    let proxy = proxy.user("me", PASSWORD).start().await?;
    let address = format!("{scheme}://me:{PASSWORD}@{}", proxy.address());
    let builder = Connector::builder().proxy(&address).proxy_loopback(true);
    record_debug(&builder);
    let connector = builder.build()?;
    record_debug(&connector);
    let (rest, ws) = clients(&exchange, &connector)?;
    trade(&rest, &ws).await?;
    record_debug(&rest);
    record_debug(&ws);
    assert!(
        proxy.requested_hosts().len() >= 2,
        "REST and WebSocket: {:?}",
        proxy.requested_hosts()
    );

    // Loopback hosts bypass the proxy by default.
    let (before, connector) =
        (proxy.requested_hosts().len(), Connector::builder().proxy(&address).build()?);
    let (rest, ws) = clients(&exchange, &connector)?;
    trade(&rest, &ws).await?;
    assert_eq!(proxy.requested_hosts().len(), before);

    // Another password.
    let wrong = format!("{scheme}://me:CANARYwrong@{}", proxy.address());
    let connector = Connector::builder().proxy(wrong).proxy_loopback(true).build()?;
    expect_failure(&exchange, &connector, Hop::ProxyHandshake, ConnectErrorKind::Unauthorized).await
}

/// Checks that neither client can connect and that both report the hop that failed.
async fn expect_failure(
    exchange: &Sandbox,
    connector: &(impl Connect + Clone),
    hop: Hop,
    kind: ConnectErrorKind,
) -> TestResult {
    let (rest, ws) = clients(exchange, connector)?;
    let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(1000));
    let error = rest.spot().submit_order(order).await.err().ok_or("it was sent")?;
    record_error(&error);
    assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    let connect_error = loop {
        let error = cause.ok_or("no error of the connector")?;
        if let Some(connect_error) = error.downcast_ref::<bitmart::net::ConnectError>() {
            break connect_error;
        }
        cause = error.source();
    };
    assert_eq!((connect_error.hop(), connect_error.kind()), (hop, kind), "{connect_error}");

    let mut problems = ws.connection_problems();
    let subscribing =
        tokio::spawn(async move { ws.subscribe(topic::spot::ticker("BTC_USDT")).await.map(drop) });
    let problem = tokio::time::timeout(TIMEOUT, problems.next()).await?.ok_or("no problem")?;
    subscribing.abort();
    record(format!("{} {:?}", problem.reason, problem.reason));
    match problem.reason {
        ReconnectReason::Unreachable { hop: failed_hop, kind: failure, .. } => {
            assert_eq!((failed_hop, failure), (hop, kind));
            Ok(())
        }
        other => Err(format!("{other:?}").into()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_trade_through_proxies_without_leaking_passwords() -> TestResult {
    capture::capture_tracing()?;
    for tls in [false, true] {
        trade_through("http", tls, TestProxy::http()).await?;
        trade_through("socks5h", tls, TestProxy::socks5()).await?;
        trade_through("socks5", tls, TestProxy::socks5()).await?;
    }
    let captured = capture::contents();
    assert!(captured.contains("proxy"), "nothing was captured");
    for secret in [PASSWORD, ENCODED, "CANARYwrong"] {
        let line = captured.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
    Ok(())
}

/// A connector through a proxy that responds to every request with these bytes and closes.
async fn proxy_with_response(response: &'static [u8]) -> TestResult<Connector> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                // The content of the request does not matter.
                let _ = client.read(&mut request).await?;
                client.write_all(response).await?;
                client.shutdown().await?;
                client.read(&mut request).await
            });
        }
    });
    Ok(Connector::builder().proxy(format!("http://{address}")).proxy_loopback(true).build()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_clients_report_proxy_failures_with_their_hop() -> TestResult {
    use ConnectErrorKind as Kind;

    let exchange = Sandbox::start(Config::new()).await?;
    let cases: [(&[u8], Kind); 5] = [
        (b"HTTP/1.1 407 Who?\r\n\r\n", Kind::Unauthorized),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", Kind::HtmlPage),
        (b"<html>not HTTP</html>\r\n\r\n", Kind::Protocol),
        (b"HTTP/1.1 20", Kind::Closed),
        (b"HTTP/1.1 503 Later\r\n\r\n", Kind::Rejected { code: 503 }),
    ];
    for (response, kind) in cases {
        expect_failure(&exchange, &proxy_with_response(response).await?, Hop::ProxyHandshake, kind)
            .await?;
    }
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", silent.local_addr()?);
    let hangs = Connector::builder().proxy(address).proxy_loopback(true).build()?;
    expect_failure(&exchange, &hangs, Hop::ProxyHandshake, Kind::Timeout).await?;
    let foreign = Connector::builder().without_proxy().bind([192, 0, 2, 1].into()).build()?;
    expect_failure(&exchange, &foreign, Hop::Host, Kind::LocalAddress).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_stream_works_with_both_clients() -> TestResult {
    for tls in [false, true] {
        let exchange = Sandbox::start(Config::new().tls(tls)).await?;
        // A relay between an in-memory stream and the socket.
        let connector = Arc::new(from_fn(|target| async move {
            let mut socket = TcpStream::connect((target.host(), target.port())).await?;
            let (near, mut far) = tokio::io::duplex(1000);
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut far, &mut socket).await });
            Ok(Stream::new(near))
        }));
        let (rest, ws) = clients(&exchange, &connector)?;
        trade(&rest, &ws).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn both_clients_reject_a_server_without_a_pinned_key() -> TestResult {
    let exchange = Sandbox::start(Config::new().tls(true)).await?;
    let environment = sandbox::environment(&exchange);
    let other = TlsOptions::default().pin_sha256("YLh1dUR9y6Kja30RrAn7JKnbQG/uEtLMkBgFF2Fuihg=")?;
    let client = rest::Client::builder().environment(environment.clone()).tls(other.clone());
    let error = client.build()?.spot().ticker("BTC_USDT").await.err().ok_or("it was reached")?;
    assert_eq!(error.outcome(), Outcome::NotSent, "{error}");

    let ws = ws::Client::builder().environment(environment).tls(other).build()?;
    let mut problems = ws.connection_problems();
    let subscribing =
        tokio::spawn(async move { ws.subscribe(topic::spot::ticker("BTC_USDT")).await.map(drop) });
    let problem = tokio::time::timeout(TIMEOUT, problems.next()).await?.ok_or("no problem")?;
    subscribing.abort();
    assert!(problem.reason.to_string().contains("matches no pin"), "{}", problem.reason);
    Ok(())
}

/// A gateway with the path prefix `/bitmart`.
#[tokio::test(flavor = "multi_thread")]
async fn the_path_prefix_of_a_gateway_is_part_of_the_request() -> TestResult {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let lines = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await?);
        }
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&head).into_owned())
    });
    let environment = Environment::custom("gateway")
        .with(Service::SpotRest, format!("http://{address}/bitmart/"));
    let client = rest::Client::builder().environment(environment).build()?;
    let failed = client.system().time().await;
    assert!(failed.is_err(), "the gateway does not respond");
    let head = lines.await??;
    assert!(head.starts_with("GET /bitmart/system/time HTTP/1.1\r\n"), "{head}");
    Ok(())
}
