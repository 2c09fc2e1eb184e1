//! No key, secret, memo or signature reaches a log, an error, a panic or a `Debug`, with everything
//! that the HTTP, TLS and WebSocket stacks can note compiled in and listened to.
//!
//! rustls notes with `log` and its feature is on here. hyper notes only when it was compiled with
//! `RUSTFLAGS="--cfg hyper_unstable_tracing"`; without it the test says that this part was skipped.
//!
//! The only test of its binary: listeners and panic hooks are those of the process.

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitmart::account::AccountTracker;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::transport::{HyperTransport, Transport, TransportFuture};
use bitmart::rest::{Client, http, spot};
use bitmart::sandbox::{self, ApiKey, Config, Fault, Sandbox};
use bitmart::ws::{Update, topic};
use bitmart::{Credentials, dec, ws};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

type TestResult<T = ()> = Result<T, Box<dyn Error>>;

const KEY: &str = "CANARYkey0123456789abcdef";
const SECRET: &str = "CANARYsecret0123456789abcdef";
const MEMO: &str = "CANARYmemo";

/// Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that was noted, shown or told.
static SEEN: Mutex<String> = Mutex::new(String::new());

fn see(text: impl AsRef<str>) {
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    seen.push_str(text.as_ref());
    seen.push('\n');
}

/// Both forms of `Debug`.
fn see_debug(value: &impl Debug) {
    see(format!("{value:?}"));
    see(format!("{value:#?}"));
}

/// An error with all of its causes.
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

impl log::Log for Listener {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        see(format!("log of {}: {}", record.target(), record.args()));
    }
    fn flush(&self) {}
}

/// A transport of a user, which shows the requests that it gets, and panics when it is told to.
#[derive(Clone)]
struct Custom {
    inner: HyperTransport,
    panics: bool,
    signatures: Arc<Mutex<Vec<String>>>,
}

impl Transport for Custom {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        if let Some(signature) = request.headers().get("x-bm-sign") {
            let text = String::from_utf8_lossy(signature.as_bytes()).into_owned();
            self.signatures.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
        see_debug(&request);
        assert!(!self.panics, "the transport of a user fails at {request:?}");
        self.inner.send(request)
    }
}

async fn rest_calls(client: &Client, exchange: &Sandbox) {
    see_debug(client);
    let spot = client.spot();
    let order = || spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(30000));
    let answer = client.send_detailed(bitmart::rest::spot::SubmitOrder::from(order())).await;
    see_debug(&answer);
    see_debug(&client.account().spot_wallet().await);
    exchange.inject(Fault::DropAfter.on("/spot/v2/submit_order").times(1));
    for result in [
        spot.submit_order(order()).await,
        spot.submit_order(spot::NewOrder::limit_buy("NO_SUCH", dec!(1), dec!(1))).await,
    ] {
        see_debug(&result);
        if let Err(error) = result {
            see_error(&error);
        }
    }
}

async fn wait<T>(future: impl Future<Output = T>) -> TestResult<T> {
    Ok(tokio::time::timeout(PATIENCE, future).await?)
}

#[tokio::test]
async fn nothing_that_is_noted_shown_or_told_holds_a_secret() -> TestResult {
    tracing::subscriber::set_global_default(Listener)?;
    log::set_logger(&Listener)?;
    log::set_max_level(log::LevelFilter::Trace);
    std::panic::set_hook(Box::new(|panic| see(format!("{panic} {panic:?}"))));

    let key = ApiKey::new(KEY, SECRET, MEMO);
    let exchange = Sandbox::start(Config::new().tls(true).seed(11).api_key(key)).await?;
    let environment = sandbox::environment(&exchange)?;
    let signatures = Arc::default();
    let custom = |panics| -> TestResult<Custom> {
        let inner = HyperTransport::builder().roots(environment.roots.clone()).build()?;
        Ok(Custom { inner, panics, signatures: Arc::clone(&signatures) })
    };
    let right = || Credentials::new(KEY, SECRET, MEMO);
    let wrong = [
        Credentials::new(KEY, SECRET, "CANARYother"),
        Credentials::new(KEY, "CANARYother", MEMO),
        Credentials::new("CANARYother", SECRET, MEMO),
    ];
    see_debug(&right()?);

    // REST: what is accepted, refused and lost, through the own transport and one of a user.
    for credentials in wrong.iter().flatten().cloned().chain([right()?]) {
        let builder = || Client::builder().environment(environment.clone());
        let builder = || builder().credentials(credentials.clone()).sync_clock(true);
        see_debug(&builder());
        rest_calls(&builder().build()?, &exchange).await;
        rest_calls(&builder().transport(custom(false)?).build()?, &exchange).await;
    }

    // A panic in the transport of a user, in a task and caught by it.
    let client = Client::builder().environment(environment.clone()).credentials(right()?);
    let client = client.transport(custom(true)?).build()?;
    let call = tokio::spawn(async move {
        let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(30000));
        client.spot().submit_order(order).await
    });
    let panic = call.await.expect_err("it panics");
    see_error(&panic);
    let payload = panic.into_panic();
    see(payload.downcast_ref::<String>().ok_or("a text")?);

    // Streams: subscribed, cut, refused.
    for (number, credentials) in wrong.into_iter().flatten().chain([right()?]).enumerate() {
        let builder = ws::Client::builder().environment(environment.clone());
        let builder = builder.credentials(credentials);
        see_debug(&builder);
        let client = builder.build()?;
        see_debug(&client);
        let spot = wait(client.subscribe(topic::spot::user_orders("ETH_USDT"))).await?;
        // Futures is asked five times, which takes a while.
        if number == 0 {
            let futures = wait(client.subscribe(topic::futures::user_orders())).await?;
            see_error(&futures.err().ok_or("it should be refused")?);
        }
        match spot {
            Ok(mut orders) => {
                exchange.kill_sockets();
                wait(async {
                    while let Some(update) = orders.next().await {
                        see_debug(&update);
                        if matches!(update, Ok(Update::Resynced) | Err(_)) {
                            break;
                        }
                    }
                })
                .await?;
                see_debug(&orders);
            }
            Err(error) => see_error(&error),
        }
        see_debug(&client.connections());
        client.shutdown().await;
    }

    // Both together.
    let client = Client::builder().environment(environment.clone()).credentials(right()?);
    let streams = ws::Client::builder().environment(environment).credentials(right()?).build()?;
    let mut account = AccountTracker::new(client.build()?, streams).spot();
    for _ in 0..3 {
        see_debug(&wait(account.next()).await?);
    }

    let _ = std::panic::take_hook();
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for source in ["bitmart_rest", "bitmart_ws", "rustls"] {
        assert!(seen.contains(&format!("of {source}")), "{source} was not listened to");
    }
    assert!(seen.contains("the transport of a user fails"), "the panic was not seen");
    if !seen.contains("of hyper::") {
        eprintln!("skipped: hyper's own notes are not compiled in");
    }
    let signatures = signatures.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(signatures.len() > 4, "requests were signed");
    for line in seen.lines() {
        assert!(!line.contains("CANARY"), "{line}");
        for signature in &signatures {
            assert!(!line.contains(signature.as_str()), "{line}");
        }
    }
    Ok(())
}
