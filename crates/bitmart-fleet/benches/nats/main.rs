//! Market data over NATS against bare `async-nats` and a direct client: frames per second, processor time, bytes; and
//! how these grow with readers, topics and collectors. Prints tables in Markdown.
//!
//! `cargo bench -p bitmart-fleet --features nats` needs `nats-server`; without `--bench` few frames are sent, to check
//! that it works. The exchange is a source in this process. Readers, collectors and the exchange share this process, so
//! its processor time is that of all of them; that of the server is reported apart (Linux only). 1,000 frames are in
//! flight: the next one is sent when all readers have taken another.

mod flood;
mod server;

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitmart_fleet::collector::Collector;
use bitmart_fleet::nats::{Options, Source};
use bitmart_ws::event::RawEvent;
use bitmart_ws::{Client, FanIn, FanInOptions, Update};
use futures_util::StreamExt as _;

use self::flood::{Flow, exchange, frame, topic};
use self::server::{Server, Usage};

/// Longest wait for anything. Only a failure takes as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Without a frame for so long, the rest is lost. Figures of such a run are of no use; it is printed.
const SILENCE: Duration = Duration::from_secs(10);

/// Leases that have not moved for so long stay: longer than the interval of heartbeats.
const SETTLED: Duration = Duration::from_secs(2);

/// Longer than the default, so that a processor that is busy with frames does not make collectors look dead.
const LEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads until so many frames were taken or are lost. Returns how many are lost.
async fn read(mut topics: FanIn<RawEvent>, frames: u64, flow: Arc<Flow>) -> u64 {
    let (mut events, mut lost) = (0, 0);
    while events + lost < frames {
        let next = tokio::time::timeout(SILENCE, topics.next()).await;
        let Ok(next) = next else {
            // Its connection was down for a while: then nobody counts.
            let missing = frames - events - lost;
            flow.take(missing);
            return lost + missing;
        };
        match next.expect("an update").expect("no error").update {
            Update::Data(_) => {
                events += 1;
                flow.take(1);
            }
            Update::Lagged(missed) => {
                lost += missed;
                flow.take(missed);
            }
            _ => {}
        }
    }
    lost
}

async fn subscribe(client: &Client, topics: u64) -> FanIn<RawEvent> {
    let capacity = FanInOptions::new().capacity(1 << 16);
    let subscribed = client.fan_in_with((0..topics).map(topic), capacity);
    tokio::time::timeout(PATIENCE, subscribed).await.expect("in time").expect("subscribed")
}

async fn direct(frames: u64) -> String {
    let flow = Flow::new(frames, 1);
    let client = exchange(&flow);
    let topics = subscribe(&client, 1).await;
    let usage = Usage::start(None);
    flow.start();
    read(topics, frames, flow).await;
    usage.cells(frames)
}

async fn bare(server: &Server, frames: u64) -> String {
    let client = async_nats::connect(&server.url).await.expect("connected");
    let mut messages = client.subscribe("bare").await.expect("subscribed");
    client.flush().await.expect("flushed");
    let flow = Flow::new(frames, 1);
    let (sender, sending) = (client.clone(), Arc::clone(&flow));
    let usage = Usage::start(Some(server));
    tokio::spawn(async move {
        while let Some(number) = sending.send().await {
            let _ = sender.publish("bare", frame("S0_USDT", number).into()).await;
        }
    });
    flow.start();
    for _ in 0..frames {
        messages.next().await.expect("a message");
        flow.take(1);
    }
    usage.cells(frames)
}

/// Collectors and readers of a number of topics.
#[derive(Clone, Copy)]
struct Run {
    topics: u64,
    collectors: u64,
    readers: u64,
    frames: u64,
}

/// Waits until all topics are held and no lease moves any more.
async fn until_held(collectors: &[Collector], topics: u64) {
    let start = Instant::now();
    let (mut known, mut since) = (Vec::new(), Instant::now());
    while known.iter().map(|(_, topics)| topics).sum::<u64>() != topics || since.elapsed() < SETTLED
    {
        assert!(start.elapsed() < PATIENCE, "not all topics are held");
        tokio::time::sleep(Duration::from_millis(5)).await;
        let status = collectors.iter().map(Collector::status);
        let held: Vec<_> = status.map(|status| (status.leases, status.topics)).collect();
        if held != known {
            (known, since) = (held, Instant::now());
        }
    }
}

/// The time until all topics are subscribed over NATS, what the frames cost, and how many were lost.
async fn over_nats(server: &Server, run: Run) -> (Duration, String, u64) {
    let Run { topics, collectors, readers, frames } = run;
    let prefix = format!("bench{topics}x{collectors}x{readers}");
    let options = || Options::new(&server.url).prefix(&prefix);
    let flow = Flow::new(frames, readers);
    let start = Instant::now();
    let mut running = Vec::new();
    for id in 0..collectors {
        let builder = Collector::builder(options(), exchange(&flow)).id(format!("c{id}"));
        let builder = (0..topics).fold(builder, |builder, number| builder.topic(topic(number)));
        let builder = builder.shards(32).lease_timeout(LEASE_TIMEOUT);
        running.push(builder.start().await.expect("started"));
    }
    until_held(&running, topics).await;
    let held = start.elapsed().saturating_sub(SETTLED);
    let subscribing = Instant::now();
    // At once: each waits for a heartbeat.
    let connecting = (0..readers).map(|_| async {
        let source = Source::connect(options()).await.expect("connected");
        let client = Client::builder().source(source).queue_capacity(1 << 16).build();
        let client = client.expect("a client");
        let topics = subscribe(&client, topics).await;
        (client, topics)
    });
    let clients = futures_util::future::join_all(connecting).await;
    let subscribed = held + subscribing.elapsed();
    // A reader of trades begins with what comes once the server knows of it, which may be after it is subscribed.
    tokio::time::sleep(SETTLED).await;
    let usage = Usage::start(Some(server));
    flow.start();
    let read = clients.into_iter().map(|(client, topics)| {
        let flow = Arc::clone(&flow);
        tokio::spawn(async move {
            let lost = read(topics, frames, flow).await;
            drop(client);
            lost
        })
    });
    let mut lost = 0;
    for reader in read.collect::<Vec<_>>() {
        lost += reader.await.expect("read");
    }
    // Of all readers together.
    let cells = usage.cells(frames * readers);
    for collector in running {
        collector.stop().await;
    }
    (subscribed, cells, lost)
}

fn print_lost(what: &str, lost: u64) {
    if lost > 0 {
        println!("\n**{what}: {lost} frames lost, so these figures are too low.**");
    }
}

async fn measure(measures: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let less = |frames: u64| if measures { frames } else { frames / 1_000 };
    println!("### Frames over NATS\n");
    let columns = "frames/s | µs/frame | server µs/frame | bytes/frame in | out |";
    println!("| way | {columns}\n|---|---:|---:|---:|---:|---:|");
    println!("| direct client | {} |", direct(less(200_000)).await);
    println!(
        "| bare async-nats, publisher and subscriber | {} |",
        bare(&server, less(200_000)).await
    );
    let mut lost = 0;
    for (readers, frames) in [(1, 100_000), (10, 20_000), (100, 4_000)] {
        let run = Run { topics: 1, collectors: 1, readers, frames: less(frames) };
        let (_, cells, missed) = over_nats(&server, run).await;
        println!("| collector, readers: {readers} | {cells} |");
        lost += missed;
    }
    println!("\nOf several readers, each frame counts once for each of them.");
    print_lost("All runs", lost);
    println!("\n### Growth with topics and collectors\n");
    println!("| topics | collectors | all subscribed after | {columns}");
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    let mut lost = 0;
    for topics in if measures { &[100, 500, 1_000, 2_300][..] } else { &[10, 100] } {
        for collectors in [1, 2, 4] {
            let run = Run { topics: *topics, collectors, readers: 1, frames: less(50_000) };
            let (subscribed, cells, missed) = over_nats(&server, run).await;
            let subscribed = subscribed.as_millis();
            println!("| {topics} | {collectors} | {subscribed} ms | {cells} |");
            lost += missed;
        }
    }
    print_lost("All runs", lost);
}

fn main() {
    if Command::new("nats-server").arg("--version").output().is_err() {
        println!("skipped: nats-server is not installed");
        return;
    }
    let measures = std::env::args().any(|argument| argument == "--bench");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure(measures));
}
