//! Frames per second, processor time and latency of the way over NATS, against bare `async-nats` and a direct client.
//!
//! `cargo bench -p bitmart-fleet --features nats` needs `nats-server`. A source in this process takes the place of the
//! exchange: it passes frames of trades as fast as it is asked to. Readers, collector and source share this process, so
//! processor time of the process is that of all of them; that of the server is reported apart (Linux only).

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bitmart_fleet::collector::Collector;
use bitmart_fleet::nats::{Options, Source};
use bitmart_ws::event::RawEvent;
use bitmart_ws::source::Feed;
use bitmart_ws::topic::Topic;
use bitmart_ws::{Client, Market, Subscription, Update};
use futures_util::StreamExt as _;

const FRAMES: u64 = 100_000;
/// Frames between two pauses of the source, so that no queue overflows.
const BURST: u64 = 200;
const TOPIC: &str = "spot/trade:BTC_USDT";

/// Passes `FRAMES` frames, `per_second` or as fast as `BURST`s allow.
struct Flood {
    frames: u64,
    per_second: u64,
}

impl bitmart_ws::source::Source for Flood {
    fn open(&self, mut feed: Feed) {
        let (frames, per_second) = (self.frames, self.per_second);
        tokio::spawn(async move {
            feed.connected();
            // Until all readers are there.
            tokio::time::sleep(Duration::from_secs(6)).await;
            let start = Instant::now();
            for number in 0..frames {
                if number % BURST == 0 {
                    let due = Duration::from_secs(1) * u32::try_from(number).unwrap_or(u32::MAX)
                        / u32::try_from(per_second).unwrap_or(u32::MAX);
                    tokio::time::sleep(due.saturating_sub(start.elapsed())).await;
                    tokio::task::yield_now().await;
                }
                let at = feed.now();
                feed.frame(&frame(number), at);
            }
            while feed.next_request().await.is_some() {}
        });
    }
}

/// A frame of one trade, 140 bytes or so, as the exchange sends them.
fn frame(number: u64) -> String {
    format!(
        r#"{{"table":"spot/trade","data":[{{"price":"{number}","s_t":1700000000,"ms_t":1700000000000,"side":"buy","size":"0.00123","symbol":"BTC_USDT"}}]}}"#
    )
}

fn topic() -> Topic<RawEvent> {
    Topic::public(Market::Spot, TOPIC)
}

fn flood(frames: u64, per_second: u64) -> Client {
    let source = Flood { frames, per_second };
    Client::builder().source(source).queue_capacity(1 << 16).build().expect("a client")
}

/// Reads until the last frame and returns the counts of events, lost ones, and the time from the first to the last.
async fn read(mut subscription: Subscription<RawEvent>, frames: u64) -> (u64, u64, Duration) {
    let (mut events, mut lost, mut first) = (0, 0, None);
    while events + lost < frames {
        let next = tokio::time::timeout(Duration::from_secs(20), subscription.next()).await;
        let Ok(Some(Ok(update))) = next else { break };
        match update {
            Update::Data(_) => {
                first.get_or_insert_with(Instant::now);
                events += 1;
            }
            Update::Lagged(missed) => lost += missed,
            _ => {}
        }
    }
    (events, lost, first.map_or(Duration::ZERO, |first| first.elapsed()))
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn server(folder: &Path) -> (Server, String) {
    let started = Command::new("nats-server")
        .args(["--jetstream", "--addr", "127.0.0.1", "--port", "-1", "--ports_file_dir"])
        .arg(folder)
        .arg("--store_dir")
        .arg(folder.join("store"))
        .stderr(Stdio::null())
        .spawn();
    let server = Server(started.expect("nats-server is installed"));
    let file = folder.join(format!("nats-server_{}.ports", server.0.id()));
    loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        if let Ok(ports) = serde_json::from_str::<serde_json::Value>(&text)
            && let Some(url) = ports["nats"][0].as_str()
        {
            return (server, url.to_owned());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Processor time of a process in milliseconds; 0 where it is not known.
fn cpu_ms(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> =
        text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok());
    // Hundredths of a second: USER_HZ is 100.
    (ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0)) * 10
}

fn report(name: &str, frames: u64, elapsed: Duration, own_ms: u64, server_ms: u64) {
    let per_second = u128::from(frames) * 1_000 / elapsed.as_millis().max(1);
    let own = own_ms * 1_000 / frames.max(1);
    let server = server_ms * 1_000 / frames.max(1);
    println!(
        "{name:<34} {per_second:>9} frames/s  {own:>5} µs/frame here  {server:>5} µs/frame server"
    );
}

async fn direct() {
    let client = flood(FRAMES, FRAMES * 10);
    let subscription = client.subscribe(topic()).await.expect("subscribed");
    let before = cpu_ms(std::process::id());
    let (events, lost, elapsed) = read(subscription, FRAMES).await;
    report("direct client, 1 reader", events, elapsed, cpu_ms(std::process::id()) - before, 0);
    assert_eq!(lost, 0);
}

async fn bare(url: &str, process: u32) {
    let client = async_nats::connect(url).await.expect("connected");
    let mut messages = client.subscribe("bare").await.expect("subscribed");
    client.flush().await.expect("flushed");
    let before = (cpu_ms(std::process::id()), cpu_ms(process));
    let start = Instant::now();
    let sender = client.clone();
    tokio::spawn(async move {
        for number in 0..FRAMES {
            let _ = sender.publish("bare", frame(number).into()).await;
        }
    });
    for _ in 0..FRAMES {
        messages.next().await.expect("a message");
    }
    let (own, server) = (cpu_ms(std::process::id()) - before.0, cpu_ms(process) - before.1);
    report("bare async-nats, 1 subscriber", FRAMES, start.elapsed(), own, server);
}

async fn over_nats(url: &str, process: u32, readers: u64, frames: u64, per_second: u64) {
    let prefix = format!("bench{readers}");
    let options = || Options::new(url).prefix(&prefix);
    let collector =
        Collector::builder(options(), flood(frames, per_second)).id("a").topic(topic()).shards(1);
    let collector = collector.start().await.expect("started");
    let mut tasks = Vec::new();
    for _ in 0..readers {
        let source = Source::connect(options()).await.expect("connected");
        let client =
            Client::builder().source(source).queue_capacity(1 << 16).build().expect("a client");
        let subscription = client.subscribe(topic()).await.expect("subscribed");
        tasks.push(tokio::spawn(async move {
            let read = read(subscription, frames).await;
            drop(client);
            read
        }));
    }
    let before = (cpu_ms(std::process::id()), cpu_ms(process));
    let (mut events, mut lost, mut longest) = (0, 0, Duration::ZERO);
    for task in tasks {
        let read = task.await.expect("read");
        (events, lost, longest) = (events + read.0, lost + read.1, longest.max(read.2));
    }
    let (own, server) = (cpu_ms(std::process::id()) - before.0, cpu_ms(process) - before.1);
    report(&format!("collector, {readers} readers, all together"), events, longest, own, server);
    if lost > 0 {
        println!("{:<34} {lost:>9} frames lost and reported", "");
    }
    collector.stop().await;
}

fn main() {
    // `cargo test --benches` only checks that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let (server, url) = server(folder.path());
        let process = server.0.id();
        direct().await;
        bare(&url, process).await;
        over_nats(&url, process, 1, FRAMES, 20_000).await;
        over_nats(&url, process, 10, FRAMES / 5, 5_000).await;
        over_nats(&url, process, 100, FRAMES / 50, 500).await;
    });
}
