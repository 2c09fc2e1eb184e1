//! No key, secret, memo or signature appears in a log, an error, a panic or `Debug` output, with all
//! logging of the HTTP, TLS and WebSocket stacks enabled.
//!
//! rustls logs through `log`, which is enabled here. hyper logs only if compiled with
//! `RUSTFLAGS="--cfg hyper_unstable_tracing"`; without it, the test reports that part as skipped.
//!
//! The only test of its binary: subscriber, logger and panic hook are global.

use std::error::Error;
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
use bitmart_testkit::canary::{KEY, MEMO, SECRET};
use bitmart_testkit::capture::{self, record, record_debug, record_error};

type TestResult<T = ()> = Result<T, Box<dyn Error>>;

/// Only a failing test reaches it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A custom transport that records requests and optionally panics.
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
        record_debug(&request);
        assert!(!self.panics, "the custom transport fails at {request:?}");
        self.inner.send(request)
    }
}

async fn rest_calls(client: &Client, exchange: &Sandbox) {
    record_debug(client);
    let spot = client.spot();
    let order = || spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(30000));
    let response = client.send_detailed(bitmart::rest::spot::SubmitOrder::from(order())).await;
    record_debug(&response);
    record_debug(&client.account().spot_wallet().await);
    exchange.inject(Fault::DropAfter.on("/spot/v2/submit_order").times(1));
    for result in [
        spot.submit_order(order()).await,
        spot.submit_order(spot::NewOrder::limit_buy("NO_SUCH", dec!(1), dec!(1))).await,
    ] {
        record_debug(&result);
        if let Err(error) = result {
            record_error(&error);
        }
    }
}

async fn wait<T>(future: impl Future<Output = T>) -> TestResult<T> {
    Ok(tokio::time::timeout(TIMEOUT, future).await?)
}

#[tokio::test]
async fn logs_errors_panics_and_debug_output_contain_no_secret() -> TestResult {
    capture::capture_tracing()?;
    capture::capture_log()?;
    capture::capture_panics();

    let key = ApiKey::new(KEY, SECRET, MEMO);
    let exchange = Sandbox::start(Config::new().tls(true).seed(11).api_key(key)).await?;
    let environment = sandbox::environment(&exchange);
    let signatures = Arc::default();
    let custom = |panics| -> TestResult<Custom> {
        let inner = HyperTransport::builder().roots(environment.roots.clone()).build()?;
        Ok(Custom { inner, panics, signatures: Arc::clone(&signatures) })
    };
    let valid = || Credentials::new(KEY, SECRET, MEMO);
    let invalid = [
        Credentials::new(KEY, SECRET, "CANARYother"),
        Credentials::new(KEY, "CANARYother", MEMO),
        Credentials::new("CANARYother", SECRET, MEMO),
    ];
    record_debug(&valid()?);

    // REST: accepted, rejected and lost requests, through the default and a custom transport.
    for credentials in invalid.iter().flatten().cloned().chain([valid()?]) {
        let builder = || Client::builder().environment(environment.clone());
        let builder = || builder().credentials(credentials.clone()).auto_sync_clock(true);
        record_debug(&builder());
        rest_calls(&builder().build()?, &exchange).await;
        rest_calls(&builder().transport(custom(false)?).build()?, &exchange).await;
    }

    // A panic in a custom transport, caught by its task.
    let client = Client::builder().environment(environment.clone()).credentials(valid()?);
    let client = client.transport(custom(true)?).build()?;
    let call = tokio::spawn(async move {
        let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(30000));
        client.spot().submit_order(order).await
    });
    let panic = call.await.expect_err("it panics");
    record_error(&panic);
    let payload = panic.into_panic();
    record(payload.downcast_ref::<String>().ok_or("a text")?);

    // Streams: subscribed, disconnected, rejected.
    for (number, credentials) in invalid.into_iter().flatten().chain([valid()?]).enumerate() {
        let builder = ws::Client::builder().environment(environment.clone());
        let builder = builder.credentials(credentials);
        record_debug(&builder);
        let client = builder.build()?;
        record_debug(&client);
        let spot = wait(client.subscribe(topic::spot::user_orders("ETH_USDT"))).await?;
        // The futures login is tried five times, which is slow.
        if number == 0 {
            let futures = wait(client.subscribe(topic::futures::user_orders())).await?;
            record_error(&futures.err().ok_or("it should be rejected")?);
        }
        match spot {
            Ok(mut orders) => {
                exchange.kill_sockets();
                wait(async {
                    while let Some(update) = orders.next().await {
                        record_debug(&update);
                        if matches!(update, Ok(Update::Resynced) | Err(_)) {
                            break;
                        }
                    }
                })
                .await?;
                record_debug(&orders);
            }
            Err(error) => record_error(&error),
        }
        record_debug(&client.connections());
        client.shutdown().await;
    }

    // Both clients together.
    let client = Client::builder().environment(environment.clone()).credentials(valid()?);
    let streams = ws::Client::builder().environment(environment).credentials(valid()?).build()?;
    let mut account = AccountTracker::builder(client.build()?, streams).spot().build();
    for _ in 0..3 {
        record_debug(&wait(account.next()).await?);
    }

    let _ = std::panic::take_hook();
    let captured = capture::contents();
    for source in ["bitmart_rest", "bitmart_ws", "rustls"] {
        assert!(captured.contains(&format!("of {source}")), "{source} was not captured");
    }
    assert!(captured.contains("the custom transport fails"), "the panic was not captured");
    if !captured.contains("of hyper::") {
        eprintln!("skipped: hyper's logging is not compiled in");
    }
    let signatures = signatures.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(signatures.len() > 4, "requests were signed");
    for line in captured.lines() {
        assert!(!line.contains("CANARY"), "{line}");
        for signature in &signatures {
            assert!(!line.contains(signature.as_str()), "{line}");
        }
    }
    Ok(())
}
