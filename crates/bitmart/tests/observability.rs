//! Every span, field and metric of `docs/observability.md` is emitted, and no other.
//!
//! The only test of its binary: subscriber and metrics recorder are global.

#[path = "common/span_recorder.rs"]
mod span_recorder;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bitmart::account::{AccountEvent, AccountTracker};
use bitmart::rest::bytes::Bytes;
use bitmart::rest::limit::{LimitPolicy, Limiter};
use bitmart::rest::transport::{Body, Transport, TransportFuture};
use bitmart::rest::{Outcome, RetryPolicy, http, spot, system};
use bitmart::sandbox::{self, Config, Fault, Sandbox};
use bitmart::ws::testing::ScriptedServer;
use bitmart::ws::{Update, topic};
use bitmart::{Credentials, dec, rest, ws};
use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn};
use metrics::{Key, KeyName, Metadata, Recorder, SharedString, Unit};
use span_recorder::{SpanRecorder, code, documented_fields, rows};

type TestResult = Result<(), Box<dyn Error>>;

/// Timeout for expected events. Only a failing test reaches it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A registered metric.
#[derive(Clone)]
struct Metric {
    kind: &'static str,
    name: String,
    labels: Vec<(String, String)>,
    /// Whether it has had a value.
    used: Arc<Used>,
}

#[derive(Default)]
struct Used(AtomicBool);

impl Used {
    fn set_used(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl CounterFn for Used {
    fn increment(&self, _: u64) {
        self.set_used();
    }
    fn absolute(&self, _: u64) {
        self.set_used();
    }
}

impl GaugeFn for Used {
    fn increment(&self, _: f64) {
        self.set_used();
    }
    fn decrement(&self, _: f64) {
        self.set_used();
    }
    fn set(&self, _: f64) {
        self.set_used();
    }
}

impl HistogramFn for Used {
    fn record(&self, value: f64) {
        assert!(value.is_finite() && value >= 0.0);
        self.set_used();
    }
}

/// A metrics recorder that stores registrations and descriptions.
#[derive(Clone, Default)]
struct MetricsRecorder(Arc<Mutex<Registered>>);

#[derive(Default)]
struct Registered {
    metrics: Vec<Metric>,
    /// Kind and description, by name.
    described: BTreeMap<String, (&'static str, String)>,
}

impl MetricsRecorder {
    fn registered(&self) -> MutexGuard<'_, Registered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&self, kind: &'static str, key: &Key) -> Arc<Used> {
        let labels = key.labels().map(|label| (label.key().into(), label.value().into()));
        let (name, labels) = (key.name().to_owned(), labels.collect());
        let used = Arc::<Used>::default();
        self.registered().metrics.push(Metric { kind, name, labels, used: used.clone() });
        used
    }

    fn describe(&self, kind: &'static str, name: &KeyName, about: SharedString) {
        self.registered().described.insert(name.as_str().into(), (kind, about.into_owned()));
    }

    /// Returns the metrics that have had a value.
    fn used(&self) -> Vec<Metric> {
        let registered = self.registered();
        registered.metrics.iter().filter(|it| it.used.0.load(Ordering::Relaxed)).cloned().collect()
    }

    /// Waits until this metric has a value with this label.
    async fn until(&self, name: &str, value: &str) -> TestResult {
        let matches = |metric: &Metric| {
            metric.name == name && metric.labels.iter().any(|label| label.1 == value)
        };
        let wait = async {
            while !self.used().iter().any(matches) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(TIMEOUT, wait).await.map_err(|_| format!("no {name} {value}"))?;
        Ok(())
    }
}

impl Recorder for MetricsRecorder {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, about: SharedString) {
        self.describe("counter", &name, about);
    }
    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, about: SharedString) {
        self.describe("gauge", &name, about);
    }
    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, about: SharedString) {
        self.describe("histogram", &name, about);
    }
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.register("counter", key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.register("gauge", key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.register("histogram", key))
    }
}

/// Returns the same response to every request.
struct FixedResponse(&'static str);

impl Transport for FixedResponse {
    fn send(&self, _: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async { Ok(http::Response::new(Body::from(Bytes::from(self.0)))) })
    }
}

const SUBMIT: &str = "/spot/v2/submit_order";
const TICKER: &str = "/spot/quotation/v3/ticker";

/// An order far from the market, which does not fill.
fn resting_order() -> spot::NewOrder {
    spot::NewOrder::limit_buy("ETH_USDT", dec!(0.01), dec!(1234.5))
}

async fn exercise_rest(exchange: &Sandbox) -> TestResult {
    let builder = || -> Result<_, Box<dyn Error>> {
        Ok(rest::Client::builder()
            .environment(sandbox::environment(exchange))
            .credentials(sandbox::credentials(exchange)?))
    };
    let policy = RetryPolicy::within(TIMEOUT).first_pause(Duration::from_millis(1));
    let client = builder()?.auto_sync_clock(true).retry_reads(policy).build()?;
    client.spot().submit_order(resting_order()).await?;
    exchange.inject(Fault::Unavailable.on(TICKER));
    client.spot().ticker("BTC_USDT").await?;
    let unknown = spot::NewOrder::limit_buy("NO_SUCH", dec!(1), dec!(1));
    let rejected = client.spot().submit_order(unknown).await.expect_err("no such pair");
    assert_eq!(rejected.outcome(), Outcome::Rejected);

    exchange.inject(Fault::DropAfter.on(SUBMIT));
    let lost = client.spot().submit_order(resting_order()).await.expect_err("no response");
    assert_eq!(lost.outcome(), Outcome::Unknown);
    exchange.inject(Fault::TruncatedJson.on(SUBMIT));
    client.spot().submit_order(resting_order()).await.expect_err("a truncated response");
    exchange.inject(Fault::HoldBefore.on(SUBMIT));
    let spot = client.spot();
    tokio::select! {
        _ = spot.submit_order(resting_order()) => panic!("the request is held"),
        () = exchange.until_held(SUBMIT) => {}
    }
    exchange.clear_faults();

    // A separate limiter, because a ban lasts for a minute.
    let banned = builder()?.limiter(Limiter::new(LimitPolicy::FailFast)).build()?;
    exchange.inject(Fault::Banned.on(TICKER));
    banned.spot().ticker("BTC_USDT").await.expect_err("banned");
    let not_sent = banned.spot().ticker("BTC_USDT").await.expect_err("still banned");
    assert_eq!(not_sent.outcome(), Outcome::NotSent);

    let with_unknown_field = r#"{"code":1000,"data":{"server_time":1527777538000,"zone":"UTC"}}"#;
    let drifting =
        builder()?.watch_drift(true).transport(FixedResponse(with_unknown_field)).build()?;
    drifting.send(system::QueryTime::new()).await?;
    Ok(())
}

async fn exercise_streams(exchange: &Sandbox, metrics: &MetricsRecorder) -> TestResult {
    let environment = sandbox::environment(exchange);
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(sandbox::credentials(exchange)?)
        .limiter(Limiter::new(LimitPolicy::Off))
        .build()?;
    let build = |credentials| {
        ws::Client::builder().environment(environment.clone()).credentials(credentials)
    };
    let client = build(sandbox::credentials(exchange)?).build()?;

    let mut book = client.order_book(topic::spot::depth_updates("BTC_USDT")).await?;
    until_synchronized(&mut book, true).await?;
    exchange.inject(Fault::VersionGap.on("spot/depth/increase100:BTC_USDT"));
    until_synchronized(&mut book, false).await?;
    until_synchronized(&mut book, true).await?;
    exchange.inject(Fault::Garbage.on("spot/depth/increase100:BTC_USDT"));
    until_synchronized(&mut book, false).await?;

    let mut orders = client.subscribe(topic::spot::user_orders("ETH_USDT")).await?;
    rest.spot().submit_order(resting_order()).await?;
    loop {
        let update = tokio::time::timeout(TIMEOUT, orders.next()).await?;
        match update.ok_or("the subscription ended")?? {
            Update::Data(_) => exchange.kill_sockets(),
            Update::Resynced => break,
            _ => {}
        }
    }
    client.shutdown().await;

    let slow = build(sandbox::credentials(exchange)?).queue_capacity(2).build()?;
    let _unread = slow.subscribe(topic::spot::user_orders("ETH_USDT")).await?;
    for _ in 0..4 {
        rest.spot().submit_order(resting_order()).await?;
    }
    metrics.until("bitmart_ws_dropped_events_total", "private").await?;

    let unknown_key = build(Credentials::new("unknown", "unknown-secret", "memo")?).build()?;
    unknown_key.subscribe(topic::spot::user_orders("BTC_USDT")).await.expect_err("no such key");
    exercise_unknown_channel(metrics).await
}

/// A frame that no subscription receives. The sandbox sends none.
async fn exercise_unknown_channel(metrics: &MetricsRecorder) -> TestResult {
    let mut server = ScriptedServer::new();
    let client = server.client_builder().build()?;
    let accepting = async {
        let mut connection = server.accept().await;
        connection.expect_subscribe(&["spot/ticker:BTC_USDT"]).await;
        connection
    };
    let subscribing = client.subscribe(topic::spot::ticker("BTC_USDT"));
    let (mut connection, tickers) = tokio::join!(accepting, subscribing);
    connection.push(r#"{"table":"spot/unknown","data":[{"symbol":"BTC_USDT"}]}"#).await;
    metrics.until("bitmart_ws_unrouted_frames_total", "public").await?;
    drop(tickers?);
    Ok(())
}

async fn until_synchronized<T: ws::event::DepthEvent>(
    book: &mut ws::book::BookSubscription<T>,
    synchronized: bool,
) -> TestResult {
    while book.book().is_synchronized() != synchronized {
        let change = tokio::time::timeout(TIMEOUT, book.next()).await?;
        change.ok_or("the subscription ended")??;
    }
    Ok(())
}

async fn exercise_account(exchange: &Sandbox) -> TestResult {
    let environment = sandbox::environment(exchange);
    let credentials = sandbox::credentials(exchange)?;
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .build()?;
    let ws = ws::Client::builder().environment(environment).credentials(credentials).build()?;
    let mut account = AccountTracker::builder(rest, ws).spot().build();
    while let Some(event) = tokio::time::timeout(TIMEOUT, account.next()).await? {
        if let AccountEvent::CaughtUp(_) = event? {
            break;
        }
    }
    Ok(())
}

#[tokio::test]
async fn documented_spans_fields_and_metrics_are_emitted_and_no_others() -> TestResult {
    let (recorder, metrics) = (SpanRecorder::default(), MetricsRecorder::default());
    tracing::subscriber::set_global_default(recorder.clone())?;
    ::metrics::set_global_recorder(metrics.clone()).map_err(|_| "there is another recorder")?;
    let exchange = Sandbox::start(Config::new().seed(11)).await?;
    exercise_rest(&exchange).await?;
    exercise_streams(&exchange, &metrics).await?;
    exercise_account(&exchange).await?;
    metrics.until("bitmart_ws_reconnects_total", "private").await?;

    assert_eq!(recorder.fields(), documented_fields());
    let free_text = BTreeSet::from(["bitmart.detail", "message"].map(str::to_owned));
    assert_eq!(recorder.debug_fields(), free_text, "all other fields are numbers or words");
    let account = exchange.credentials();
    for secret in [&account.key, &account.secret, &account.memo] {
        assert!(!recorder.text().contains(secret.as_str()), "leaked a secret");
    }

    let used = metrics.used();
    let shape = |metric: &Metric| {
        let labels: BTreeSet<String> = metric.labels.iter().map(|(key, _)| key.clone()).collect();
        (metric.name.clone(), (metric.kind.to_owned(), labels))
    };
    let emitted: BTreeMap<_, _> = used.iter().map(shape).collect();
    assert_eq!(used.iter().map(shape).collect::<BTreeSet<_>>().len(), emitted.len());
    let (mut documented, mut described) = (BTreeMap::new(), BTreeMap::new());
    for row in rows("Metrics") {
        let name = code(&row[0]).pop_first().ok_or("a row without a name")?;
        documented.insert(name.clone(), (row[1].clone(), code(&row[2])));
        described.insert(name, (row[1].clone(), row[3].clone()));
    }
    assert_eq!(emitted, documented);
    let descriptions = metrics.registered().described.clone().into_iter();
    let descriptions: BTreeMap<_, _> =
        descriptions.map(|(name, (kind, text))| (name, (kind.into(), text))).collect();
    assert_eq!(descriptions, described);

    let values: BTreeSet<&str> =
        used.iter().flat_map(|metric| &metric.labels).map(|(_, value)| value.as_str()).collect();
    let endpoints: BTreeSet<&str> =
        rest::catalog::ENDPOINTS.iter().map(|entry| entry.metadata.id).collect();
    let is_word =
        |value: &&str| value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let unexpected: Vec<_> =
        values.into_iter().filter(|value| !is_word(value) && !endpoints.contains(value)).collect();
    assert!(unexpected.is_empty(), "labels that are not fixed words: {unexpected:?}");
    Ok(())
}
