//! Both clients through proxies, with and without TLS, against the sandbox.

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitmart::net::testing::{TestProxy, TestProxyBuilder};
use bitmart::net::{Connect, ConnectErrorKind, Connector, Hop, Stream, TlsOptions, from_fn};
use bitmart::rest::{Outcome, spot};
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::types::Service;
use bitmart::ws::{ReconnectReason, Update, topic};
use bitmart::{Environment, dec, rest, ws};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

type TestResult<T = ()> = Result<T, Box<dyn Error>>;

const PASSWORD: &str = "CANARYpassword";
/// The same as HTTP proxies get it: `me:CANARYpassword` in base64.
const ENCODED: &str = "bWU6Q0FOQVJZcGFzc3dvcmQ=";

/// Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

fn clients(
    exchange: &Sandbox,
    connector: &(impl Connect + Clone),
) -> TestResult<(rest::Client, ws::Client)> {
    let environment = sandbox::environment(exchange)?;
    let credentials = sandbox::credentials(exchange)?;
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .connector(connector.clone());
    let ws = ws::Client::builder()
        .environment(environment)
        .credentials(credentials)
        .connector(connector.clone());
    see_debug(&rest);
    see_debug(&ws);
    Ok((rest.build()?, ws.build()?))
}

/// An order and its push: both clients work.
async fn trade(rest: &rest::Client, ws: &ws::Client) -> TestResult {
    let mut orders = ws.subscribe(topic::spot::user_orders("BTC_USDT")).await?;
    let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(1000)).post_only();
    let placed = rest.spot().submit_order(order).await?;
    tokio::time::timeout(PATIENCE, async {
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

async fn through(scheme: &str, tls: bool, proxy: TestProxyBuilder) -> TestResult {
    let exchange = Sandbox::start(Config::new().tls(tls)).await?;
    let proxy = proxy.user("me", PASSWORD).start().await?;
    let address = format!("{scheme}://me:{PASSWORD}@{}", proxy.address());
    let builder = Connector::builder().proxy(&address).proxy_loopback();
    see_debug(&builder);
    let connector = builder.build()?;
    see_debug(&connector);
    let (rest, ws) = clients(&exchange, &connector)?;
    trade(&rest, &ws).await?;
    see_debug(&rest);
    see_debug(&ws);
    assert!(proxy.asked().len() >= 2, "REST and WebSocket: {:?}", proxy.asked());

    // Loopback is not proxied unless it is asked for.
    let (before, connector) = (proxy.asked().len(), Connector::builder().proxy(&address).build()?);
    let (rest, ws) = clients(&exchange, &connector)?;
    trade(&rest, &ws).await?;
    assert_eq!(proxy.asked().len(), before);

    // Another password.
    let wrong = format!("{scheme}://me:CANARYwrong@{}", proxy.address());
    let connector = Connector::builder().proxy(wrong).proxy_loopback().build()?;
    refused(&exchange, &connector, Hop::ProxyHandshake, ConnectErrorKind::Unauthorized).await
}

/// Neither client gets anywhere, and both say which hop failed.
async fn refused(
    exchange: &Sandbox,
    connector: &(impl Connect + Clone),
    hop: Hop,
    kind: ConnectErrorKind,
) -> TestResult {
    let (rest, ws) = clients(exchange, connector)?;
    let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(1000));
    let error = rest.spot().submit_order(order).await.err().ok_or("it was sent")?;
    see_error(&error);
    assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    let found = loop {
        let error = cause.ok_or("no error of the connector")?;
        if let Some(found) = error.downcast_ref::<bitmart::net::ConnectError>() {
            break found;
        }
        cause = error.source();
    };
    assert_eq!((found.hop(), found.kind()), (hop, kind), "{found}");

    let mut troubles = ws.troubles();
    let subscribing =
        tokio::spawn(async move { ws.subscribe(topic::spot::ticker("BTC_USDT")).await.map(drop) });
    let trouble = tokio::time::timeout(PATIENCE, troubles.next()).await?.ok_or("no trouble")?;
    subscribing.abort();
    see(format!("{} {:?}", trouble.reason, trouble.reason));
    match trouble.reason {
        ReconnectReason::Unreached { hop: at, kind: what, .. } => {
            assert_eq!((at, what), (hop, kind));
            Ok(())
        }
        other => Err(format!("{other:?}").into()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_trade_through_proxies_and_tell_no_password() -> TestResult {
    tracing::subscriber::set_global_default(Listener)?;
    for tls in [false, true] {
        through("http", tls, TestProxy::http()).await?;
        through("socks5h", tls, TestProxy::socks5()).await?;
        through("socks5", tls, TestProxy::socks5()).await?;
    }
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(seen.contains("proxy"), "something was noted");
    for secret in [PASSWORD, ENCODED, "CANARYwrong"] {
        let line = seen.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
    Ok(())
}

/// A listener that answers the first question of everyone with these bytes and hangs up.
async fn answering(answer: &'static [u8]) -> TestResult<Connector> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut question = [0; 4096];
                // What is asked does not matter; a part of it is enough.
                let _ = client.read(&mut question).await?;
                client.write_all(answer).await?;
                client.shutdown().await?;
                client.read(&mut question).await
            });
        }
    });
    Ok(Connector::builder().proxy(format!("http://{address}")).proxy_loopback().build()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_does_wrong_reaches_both_clients_with_its_hop() -> TestResult {
    use ConnectErrorKind as Kind;

    let exchange = Sandbox::start(Config::new()).await?;
    let cases: [(&[u8], Kind); 5] = [
        (b"HTTP/1.1 407 Who?\r\n\r\n", Kind::Unauthorized),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", Kind::Page),
        (b"<html>no HTTP at all</html>\r\n\r\n", Kind::Protocol),
        (b"HTTP/1.1 20", Kind::Closed),
        (b"HTTP/1.1 503 Later\r\n\r\n", Kind::Denied { code: 503 }),
    ];
    for (answer, kind) in cases {
        refused(&exchange, &answering(answer).await?, Hop::ProxyHandshake, kind).await?;
    }
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", silent.local_addr()?);
    let hangs = Connector::builder().proxy(address).proxy_loopback().build()?;
    refused(&exchange, &hangs, Hop::ProxyHandshake, Kind::Timeout).await?;
    let foreign = Connector::builder().without_proxy().bind([192, 0, 2, 1].into()).build()?;
    refused(&exchange, &foreign, Hop::Host, Kind::LocalAddress).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_ones_own_carries_both_clients() -> TestResult {
    for tls in [false, true] {
        let exchange = Sandbox::start(Config::new().tls(tls)).await?;
        // A relay between pipes in memory and the socket.
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
async fn a_key_that_is_not_pinned_is_refused_by_both_clients() -> TestResult {
    let exchange = Sandbox::start(Config::new().tls(true)).await?;
    let environment = sandbox::environment(&exchange)?;
    let other = TlsOptions::default().pin_sha256("YLh1dUR9y6Kja30RrAn7JKnbQG/uEtLMkBgFF2Fuihg=")?;
    let client = rest::Client::builder().environment(environment.clone()).tls(other.clone());
    let error = client.build()?.spot().ticker("BTC_USDT").await.err().ok_or("it was reached")?;
    assert_eq!(error.outcome(), Outcome::NotSent, "{error}");

    let ws = ws::Client::builder().environment(environment).tls(other).build()?;
    let mut troubles = ws.troubles();
    let subscribing =
        tokio::spawn(async move { ws.subscribe(topic::spot::ticker("BTC_USDT")).await.map(drop) });
    let trouble = tokio::time::timeout(PATIENCE, troubles.next()).await?.ok_or("no trouble")?;
    subscribing.abort();
    assert!(trouble.reason.to_string().contains("pinned"), "{}", trouble.reason);
    Ok(())
}

/// A gateway at `/bitmart` of another host: the path stands in the address and is not signed.
#[tokio::test(flavor = "multi_thread")]
async fn the_path_of_a_gateway_stands_in_the_address() -> TestResult {
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
    assert!(failed.is_err(), "the gateway answers nothing");
    let head = lines.await??;
    assert!(head.starts_with("GET /bitmart/system/time HTTP/1.1\r\n"), "{head}");
    Ok(())
}

/// Everything that was noted, shown or told.
static SEEN: Mutex<String> = Mutex::new(String::new());

fn see(text: impl AsRef<str>) {
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    seen.push_str(text.as_ref());
    seen.push('\n');
}

fn see_debug(value: &impl Debug) {
    see(format!("{value:?}"));
    see(format!("{value:#?}"));
}

fn see_error(error: &(dyn Error + 'static)) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        see(format!("{error} {error:?} {error:#?}"));
        cause = error.source();
    }
}

struct Listener;

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields(format!("span of {}:", attributes.metadata().target()));
        attributes.record(&mut fields);
        see(fields.0);
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        see(fields.0);
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(format!("event of {}:", event.metadata().target()));
        event.record(&mut fields);
        see(fields.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
