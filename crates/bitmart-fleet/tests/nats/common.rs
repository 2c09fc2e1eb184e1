//! A NATS server, a sandbox, collectors, and recorders of events.

mod collector_process;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bitmart_fleet::collector::{Collector, CollectorBuilder};
use bitmart_fleet::nats::{self, Options};
use bitmart_sandbox::{Config, Sandbox};
use bitmart_types::{Environment, Service};
use bitmart_ws::event::RawEvent;
use bitmart_ws::topic::Topic;
use bitmart_ws::{Client, Market, Subscription, Update};
use futures_util::FutureExt as _;
use tempfile::TempDir;

pub(crate) use self::collector_process::CollectorProcess;
use super::proxy::Proxy;

/// Longest wait of a test. Only a failure takes as long.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The longest time until another collector has taken over, by the documentation.
pub(crate) const TAKEOVER: Duration = Duration::from_secs(3);

pub(crate) const TRADES: &str = "spot/trade:BTC_USDT";
pub(crate) const TICKER: &str = "spot/ticker:BTC_USDT";
pub(crate) const BOOK: &str = "spot/depth/increase100:BTC_USDT";
pub(crate) const FUTURES_BOOK: &str = "futures/depthIncrease20:BTCUSDT";

/// A NATS server of this test alone.
pub(crate) struct Nats {
    folder: TempDir,
    process: Child,
    pub(crate) url: String,
}

impl Nats {
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// Starts a server with this configuration.
    pub(crate) fn start_with(config: &str) -> Self {
        Self::start_at("127.0.0.1", config)
    }

    /// The same on another address of this machine.
    pub(crate) fn start_at(host: &str, config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("nats.conf"), config).expect("written");
        let process = spawn_server(folder.path(), host, "-1");
        let url = read_url(folder.path(), process.id());
        Self { folder, process, url }
    }

    /// Ends the server without a farewell.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("ended");
    }

    /// Starts it again at the same address, with what it had stored.
    pub(crate) fn restart(&mut self) {
        let address = self.url.strip_prefix("nats://").expect("an address");
        let (host, port) = address.rsplit_once(':').expect("a port");
        self.process = spawn_server(self.folder.path(), host, port);
        read_url(self.folder.path(), self.process.id());
    }

    /// Deletes what it had stored, while it is down.
    pub(crate) fn lose_disk(&self) {
        std::fs::remove_dir_all(self.folder.path().join("store")).expect("removed");
    }

    /// A proxy in front of it, and its options.
    pub(crate) fn proxied(&self) -> (Proxy, Options) {
        let proxy = Proxy::to_tcp(self.url.strip_prefix("nats://").expect("an address"));
        let options = Options::new(proxied_url(&proxy));
        (proxy, options)
    }

    pub(crate) fn options(&self) -> Options {
        Options::new(&self.url)
    }

    pub(crate) async fn client(&self) -> Client {
        nats::connect(self.options()).await.expect("connected")
    }
}

pub(crate) fn proxied_url(proxy: &Proxy) -> String {
    format!("nats://127.0.0.1:{}", proxy.port())
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn_server(folder: &Path, host: &str, port: &str) -> Child {
    Command::new("nats-server")
        .args(["--jetstream", "--addr", host, "--port", port])
        .arg("--config")
        .arg(folder.join("nats.conf"))
        .arg("--store_dir")
        .arg(folder.join("store"))
        .arg("--ports_file_dir")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server is installed")
}

fn read_url(folder: &Path, process: u32) -> String {
    let file: PathBuf = folder.join(format!("nats-server_{process}.ports"));
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        if let Ok(ports) = serde_json::from_str::<serde_json::Value>(&text)
            && let Some(url) = ports["nats"][0].as_str()
        {
            return url.to_owned();
        }
        assert!(start.elapsed() < LIMIT, "nats-server does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The exchange. Its market makers trade all the time.
pub(crate) async fn exchange() -> Sandbox {
    Sandbox::start(Config::new().rate_limits(false)).await.expect("a sandbox")
}

fn direct_client(spot: &str, futures: &str) -> Client {
    let environment = Environment::custom("test")
        .with(Service::SpotWsPublic, spot)
        .with(Service::FuturesWsPublic, futures);
    // There are no keys, and the other machine is a network namespace.
    let builder = Client::builder().environment(environment).allow_plain_text(true);
    builder.build().expect("a client")
}

/// A client of the exchange itself.
pub(crate) fn direct(sandbox: &Sandbox) -> Client {
    direct_client(&sandbox.spot().ws_public, &sandbox.futures().ws_public)
}

/// A collector of all topics of these tests. `change` changes its options.
pub(crate) async fn collector(
    nats: &Nats,
    sandbox: &Sandbox,
    id: &str,
    change: impl FnOnce(CollectorBuilder) -> CollectorBuilder,
) -> Collector {
    collector_at(nats.options(), sandbox, id, change).await
}

/// The same for other ways to NATS.
pub(crate) async fn collector_at(
    nats: Options,
    sandbox: &Sandbox,
    id: &str,
    change: impl FnOnce(CollectorBuilder) -> CollectorBuilder,
) -> Collector {
    let builder = with_topics(Collector::builder(nats, direct(sandbox)).id(id));
    change(builder).start().await.expect("started")
}

fn with_topics(builder: CollectorBuilder) -> CollectorBuilder {
    builder
        .topics(Market::Spot, [TRADES, TICKER, BOOK])
        .topics(Market::Futures, [FUTURES_BOOK])
        .shards(4)
}

pub(crate) fn raw(name: &str) -> Topic<RawEvent> {
    let is_spot = name.starts_with("spot/");
    Topic::public(if is_spot { Market::Spot } else { Market::Futures }, name)
}

/// Waits until a collector in another process has set up the fleet.
pub(crate) async fn until_set_up(nats: &Nats) {
    let start = Instant::now();
    while nats::connect(nats.options()).await.is_err() {
        assert!(start.elapsed() < LIMIT, "no collector starts");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the collectors `a` and `b` both hold leases, so that none moves any more.
pub(crate) async fn until_shared(nats: &Nats) {
    until_set_up(nats).await;
    let start = Instant::now();
    let admin = async_nats::connect(&nats.url).await.expect("connected");
    let bucket = async_nats::jetstream::new(admin).get_key_value("BITMART").await;
    let bucket = bucket.expect("a bucket");
    loop {
        let table = bucket.get("table").await.expect("a reply").expect("a table");
        let table: serde_json::Value = serde_json::from_slice(&table).expect("JSON");
        let leases = table["leases"].as_object().expect("leases");
        let holds = |id: &str| leases.values().any(|lease| lease["holder"] == id);
        if holds("a") && holds("b") && leases.values().all(|lease| lease["released"] == false) {
            return;
        }
        assert!(start.elapsed() < LIMIT, "{table}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Returns the id of the collector that publishes a topic now.
pub(crate) async fn publisher(nats: &Nats, subject: &str) -> String {
    use futures_util::StreamExt as _;
    let client = async_nats::connect(&nats.url).await.expect("connected");
    let mut messages = client.subscribe(subject.to_owned()).await.expect("subscribed");
    let message = tokio::time::timeout(LIMIT, messages.next()).await.expect("in time");
    let headers = message.expect("a message").headers.expect("headers");
    headers.get("Bitmart-Collector").expect("an id").to_string()
}

/// What a subscription returned: events as JSON, and everything else by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Data(String),
    Subscribed,
    Reconnecting,
    Resynced,
    Lagged,
    Other,
}

impl Seen {
    pub(crate) fn new(update: Update<RawEvent>) -> Self {
        match update {
            Update::Data(event) => Self::Data(event.json.get().to_owned()),
            Update::Subscribed => Self::Subscribed,
            Update::Reconnecting(_) => Self::Reconnecting,
            Update::Resynced => Self::Resynced,
            Update::Lagged(_) => Self::Lagged,
            _ => Self::Other,
        }
    }
}

/// Records what a subscription returns.
pub(crate) struct Recorder {
    subscription: Subscription<RawEvent>,
    pub(crate) seen: Vec<Seen>,
}

impl Recorder {
    pub(crate) async fn start(client: &Client, topic: &str) -> Self {
        let subscribed = tokio::time::timeout(LIMIT, client.subscribe(raw(topic))).await;
        let subscription = subscribed.expect("in time").expect("subscribed");
        Self { subscription, seen: Vec::new() }
    }

    /// Reads until this returns true for the last item.
    pub(crate) async fn until(&mut self, mut done: impl FnMut(&[Seen]) -> bool) {
        let read = async {
            while !done(&self.seen) {
                let update = self.subscription.next().await.expect("an update").expect("no error");
                if let Update::Reconnecting(reason) = &update {
                    // Shown if the test fails.
                    println!("{}: {reason}", self.subscription.topic());
                }
                self.seen.push(Seen::new(update));
            }
        };
        if tokio::time::timeout(LIMIT, read).await.is_err() {
            let lifecycle: Vec<_> = self.lifecycle();
            panic!("not in time; {} items, {lifecycle:?}", self.seen.len());
        }
    }

    /// Reads until this many more events have come.
    pub(crate) async fn events(&mut self, count: usize) {
        let wanted = self.data().len() + count;
        self.until(|seen| count_data(seen) >= wanted).await;
    }

    /// Reads until this item has come (again).
    pub(crate) async fn next(&mut self, item: &Seen) {
        let from = self.seen.len();
        self.until(|seen| seen[from..].last() == Some(item)).await;
    }

    pub(crate) fn data(&self) -> Vec<&str> {
        let data = self.seen.iter().filter_map(|item| match item {
            Seen::Data(text) => Some(text.as_str()),
            _ => None,
        });
        data.collect()
    }

    /// Forgets what came before the last event, which the other has as well.
    pub(crate) fn forget_with(&mut self, other: &mut Recorder) {
        let last = Seen::Data((*self.data().last().expect("an event")).to_owned());
        for seen in [&mut self.seen, &mut other.seen] {
            let at = seen.iter().rposition(|item| *item == last).expect("in both");
            seen.drain(..at);
        }
    }

    /// Everything but events.
    pub(crate) fn lifecycle(&self) -> Vec<&Seen> {
        self.seen.iter().filter(|item| !matches!(item, Seen::Data(_))).collect()
    }

    /// Reads until the last event of the other has come.
    pub(crate) async fn catch_up(&mut self, other: &Recorder) {
        let last = Seen::Data((*other.data().last().expect("an event")).to_owned());
        if !self.seen.contains(&last) {
            self.next(&last).await;
        }
    }

    /// Reads until the two have an event in common. Each may begin with events that the other never gets: a reader of
    /// a book with those since the last snapshot, a direct client with those from before the reader came.
    pub(crate) async fn meet(&mut self, other: &mut Recorder) {
        let read = async {
            loop {
                other.read_queued();
                let theirs = other.data();
                if self.data().iter().any(|event| theirs.contains(event)) {
                    return;
                }
                self.events(1).await;
            }
        };
        let met = tokio::time::timeout(LIMIT, read).await;
        assert!(met.is_ok(), "no event in common");
    }

    /// Reads what has already arrived.
    fn read_queued(&mut self) {
        while let Some(update) = self.subscription.next().now_or_never() {
            self.seen.push(Seen::new(update.expect("an update").expect("no error")));
        }
    }

    /// Checks that the events are among those of the other, in the same order, once the other has read as far. What
    /// came before all events of the other is not compared: a reader begins with the last snapshot or state of the
    /// collector.
    pub(crate) async fn is_part_of(&self, other: &mut Recorder) {
        let (mine, all) = self.in_common_with(other).await;
        let mut rest = all.iter();
        for event in &mine {
            assert!(rest.any(|other| other == event), "out of order or twice: {event}");
        }
    }

    /// As [`is_part_of`](Self::is_part_of), and no event of the other is missing.
    pub(crate) async fn is_equal_to(&self, other: &mut Recorder) {
        let (mine, all) = self.in_common_with(other).await;
        let first = all.iter().position(|event| *event == mine[0]).expect("a common event");
        assert_eq!(mine, all[first..first + mine.len()], "{:?}", self.lifecycle());
    }

    /// Checks that versions of a book never go back, and none is missing, except at a snapshot.
    pub(crate) fn has_no_gap_between_snapshots(&self) {
        let mut last = None;
        for text in self.data() {
            let event: serde_json::Value = serde_json::from_str(text).expect("JSON");
            let version = event["version"].as_u64().expect("a version");
            if event["type"] != "snapshot" {
                let next = last.map(|last: u64| last + 1);
                assert_eq!(next, Some(version), "{:?}", self.lifecycle());
            }
            last = Some(version);
        }
    }

    /// The own events from the first that both have, and all of the other.
    async fn in_common_with(&self, other: &mut Recorder) -> (Vec<String>, Vec<String>) {
        other.catch_up(self).await;
        let owned = |events: Vec<&str>| events.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let (mine, all) = (owned(self.data()), owned(other.data()));
        let first = mine.iter().position(|event| all.contains(event)).expect("a common event");
        (mine[first..].to_vec(), all)
    }
}

fn count_data(seen: &[Seen]) -> usize {
    seen.iter().filter(|item| matches!(item, Seen::Data(_))).count()
}
