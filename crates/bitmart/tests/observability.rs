//! Every span, field and figure of `docs/observability.md` can be emitted, and no other is.
//!
//! The only test of its binary: recorder and listener are those of the process.

mod observed;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bitmart::account::{AccountEvent, AccountTracker};
use bitmart::rest::bytes::Bytes;
use bitmart::rest::transport::{Body, Transport, TransportFuture};
use bitmart::rest::{LimitPolicy, Limiter, Outcome, RetryPolicy, http, spot, system};
use bitmart::sandbox::{self, Config, Fault, Sandbox};
use bitmart::ws::{Update, topic};
use bitmart::{Credentials, dec, rest, ws};
use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn};
use metrics::{Key, KeyName, Metadata, Recorder, SharedString, Unit};
use observed::{Notes, code, documented_fields, rows};

type Outcomes = Result<(), Box<dyn Error>>;

/// How long the test waits for what must happen. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A figure that was registered.
#[derive(Clone)]
struct Figure {
    kind: &'static str,
    name: String,
    labels: Vec<(String, String)>,
    /// Whether it ever got a value.
    used: Arc<Used>,
}

#[derive(Default)]
struct Used(AtomicBool);

impl Used {
    fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl CounterFn for Used {
    fn increment(&self, _: u64) {
        self.note();
    }
    fn absolute(&self, _: u64) {
        self.note();
    }
}

impl GaugeFn for Used {
    fn increment(&self, _: f64) {
        self.note();
    }
    fn decrement(&self, _: f64) {
        self.note();
    }
    fn set(&self, _: f64) {
        self.note();
    }
}

impl HistogramFn for Used {
    fn record(&self, value: f64) {
        assert!(value.is_finite() && value >= 0.0);
        self.note();
    }
}

/// Keeps what is registered and how it is described.
#[derive(Clone, Default)]
struct Figures(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    figures: Vec<Figure>,
    /// Kind and words, by name.
    described: BTreeMap<String, (&'static str, String)>,
}

impl Figures {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&self, kind: &'static str, key: &Key) -> Arc<Used> {
        let labels = key.labels().map(|label| (label.key().into(), label.value().into()));
        let (name, labels) = (key.name().to_owned(), labels.collect());
        let used = Arc::<Used>::default();
        self.kept().figures.push(Figure { kind, name, labels, used: used.clone() });
        used
    }

    fn describe(&self, kind: &'static str, name: &KeyName, about: SharedString) {
        self.kept().described.insert(name.as_str().into(), (kind, about.into_owned()));
    }

    /// The figures that got a value.
    fn used(&self) -> Vec<Figure> {
        let kept = self.kept();
        kept.figures.iter().filter(|it| it.used.0.load(Ordering::Relaxed)).cloned().collect()
    }

    /// Waits until this figure got a value with this label.
    async fn until(&self, name: &str, value: &str) -> Outcomes {
        let has = |figure: &Figure| {
            figure.name == name && figure.labels.iter().any(|label| label.1 == value)
        };
        let wait = async {
            while !self.used().iter().any(has) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.map_err(|_| format!("no {name} {value}"))?;
        Ok(())
    }
}

impl Recorder for Figures {
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

/// Answers every request with the same bytes.
struct Canned(&'static str);

impl Transport for Canned {
    fn send(&self, _: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async { Ok(http::Response::new(Body::from(Bytes::from(self.0)))) })
    }
}

const SUBMIT: &str = "/spot/v2/submit_order";
const TICKER: &str = "/spot/quotation/v3/ticker";

/// An order that rests in the book.
fn resting() -> spot::NewOrder {
    spot::NewOrder::limit_buy("ETH_USDT", dec!(0.01), dec!(1234.5)).into()
}

async fn calls(exchange: &Sandbox) -> Outcomes {
    let builder = || -> Result<_, Box<dyn Error>> {
        Ok(rest::Client::builder()
            .environment(sandbox::environment(exchange)?)
            .credentials(sandbox::credentials(exchange)?))
    };
    let policy = RetryPolicy::within(PATIENCE).first_pause(Duration::from_millis(1));
    let client = builder()?.sync_clock(true).retry_reads(policy).build()?;
    client.spot().submit_order(resting()).await?;
    exchange.inject(Fault::Unavailable.on(TICKER));
    client.spot().ticker("BTC_USDT").await?;
    let unknown = spot::NewOrder::limit_buy("NO_SUCH", dec!(1), dec!(1));
    let rejected = client.spot().submit_order(unknown).await.expect_err("no such pair");
    assert_eq!(rejected.outcome(), Outcome::Rejected);

    exchange.inject(Fault::DropAfter.on(SUBMIT));
    let lost = client.spot().submit_order(resting()).await.expect_err("no answer");
    assert_eq!(lost.outcome(), Outcome::Unknown);
    exchange.inject(Fault::TruncatedJson.on(SUBMIT));
    client.spot().submit_order(resting()).await.expect_err("half an answer");
    exchange.inject(Fault::HoldBefore.on(SUBMIT));
    let spot = client.spot();
    tokio::select! {
        _ = spot.submit_order(resting()) => panic!("it is held"),
        () = exchange.until_held(SUBMIT) => {}
    }
    exchange.clear_faults();

    // A limiter of its own, because a ban lasts for a minute.
    let banned = builder()?.limiter(Limiter::new(LimitPolicy::FailFast)).build()?;
    exchange.inject(Fault::Banned.on(TICKER));
    banned.spot().ticker("BTC_USDT").await.expect_err("banned");
    let held_back = banned.spot().ticker("BTC_USDT").await.expect_err("still banned");
    assert_eq!(held_back.outcome(), Outcome::NotSent);

    let odd = r#"{"code":1000,"data":{"server_time":1527777538000,"zone":"UTC"}}"#;
    let drifting = builder()?.watch_drift(true).transport(Canned(odd)).build()?;
    drifting.send(system::QueryTime::new()).await?;
    Ok(())
}

async fn streams(exchange: &Sandbox, figures: &Figures) -> Outcomes {
    let environment = sandbox::environment(exchange)?;
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(sandbox::credentials(exchange)?)
        .limiter(Limiter::new(LimitPolicy::Off))
        .build()?;
    let build = |credentials| {
        ws::Client::builder().environment(environment.clone()).credentials(credentials)
    };
    let client = build(sandbox::credentials(exchange)?).build()?;

    let mut book = client.order_book(topic::spot::depth_increase("BTC_USDT")).await?;
    until_whole(&mut book, true).await?;
    exchange.inject(Fault::VersionGap.on("spot/depth/increase100:BTC_USDT"));
    until_whole(&mut book, false).await?;
    until_whole(&mut book, true).await?;
    exchange.inject(Fault::Garbage.on("spot/depth/increase100:BTC_USDT"));
    until_whole(&mut book, false).await?;

    let mut orders = client.subscribe(topic::spot::user_orders("ETH_USDT")).await?;
    rest.spot().submit_order(resting()).await?;
    while let Some(update) = orders.next().await {
        match update? {
            Update::Data(_) => exchange.kill_sockets(),
            Update::Resynced => break,
            _ => {}
        }
    }
    client.shutdown().await;

    let slow = build(sandbox::credentials(exchange)?).queue_capacity(2).build()?;
    let _unread = slow.subscribe(topic::spot::user_orders("ETH_USDT")).await?;
    for _ in 0..4 {
        rest.spot().submit_order(resting()).await?;
    }
    figures.until("bitmart_ws_dropped_events_total", "private").await?;

    let stranger = build(Credentials::new("nobody", "secret-of-nobody", "memo")?).build()?;
    stranger.subscribe(topic::spot::user_orders("BTC_USDT")).await.expect_err("no such key");
    Ok(())
}

async fn until_whole<T: ws::event::DepthEvent>(
    book: &mut ws::book::BookSubscription<T>,
    whole: bool,
) -> Outcomes {
    while book.book().is_whole() != whole {
        let change = tokio::time::timeout(PATIENCE, book.next()).await?;
        change.ok_or("the subscription ended")??;
    }
    Ok(())
}

async fn account(exchange: &Sandbox) -> Outcomes {
    let environment = sandbox::environment(exchange)?;
    let credentials = sandbox::credentials(exchange)?;
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .build()?;
    let ws = ws::Client::builder().environment(environment).credentials(credentials).build()?;
    let mut account = AccountTracker::new(rest, ws).spot();
    while let Some(event) = tokio::time::timeout(PATIENCE, account.next()).await? {
        if let AccountEvent::CaughtUp(_) = event? {
            break;
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_documented_is_emitted_and_nothing_else() -> Outcomes {
    let (notes, figures) = (Notes::default(), Figures::default());
    tracing::subscriber::set_global_default(notes.clone())?;
    metrics::set_global_recorder(figures.clone()).map_err(|_| "there is another recorder")?;
    let exchange = Sandbox::start(Config::new().seed(11)).await?;
    calls(&exchange).await?;
    streams(&exchange, &figures).await?;
    account(&exchange).await?;
    figures.until("bitmart_ws_reconnects_total", "private").await?;

    assert_eq!(notes.fields(), documented_fields());
    let sentences = BTreeSet::from(["bitmart.detail", "message"].map(str::to_owned));
    assert_eq!(notes.texts(), sentences, "all others are numbers or words");
    let account = exchange.credentials();
    for secret in [&account.key, &account.secret, &account.memo] {
        assert!(!notes.text().contains(secret.as_str()), "a secret was told");
    }

    let used = figures.used();
    let shape = |figure: &Figure| {
        let labels: BTreeSet<String> = figure.labels.iter().map(|(key, _)| key.clone()).collect();
        (figure.name.clone(), (figure.kind.to_owned(), labels))
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
    let told = figures.kept().described.clone().into_iter();
    let told: BTreeMap<_, _> = told.map(|(name, (kind, it))| (name, (kind.into(), it))).collect();
    assert_eq!(told, described);

    let values: BTreeSet<&str> =
        used.iter().flat_map(|figure| &figure.labels).map(|(_, value)| value.as_str()).collect();
    let endpoints: BTreeSet<&str> =
        rest::catalog::ENDPOINTS.iter().map(|entry| entry.metadata.id).collect();
    let is_word =
        |value: &&str| value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let free: Vec<_> =
        values.into_iter().filter(|value| !is_word(value) && !endpoints.contains(value)).collect();
    assert!(free.is_empty(), "labels that are not fixed words: {free:?}");
    Ok(())
}
