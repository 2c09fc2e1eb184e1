//! Socket to user over loopback TLS: frames per second, processor time per frame, latency with
//! thousands of topics, memory of idle connections, and many topics in one stream.
//!
//! The lower bound is a plain loop over the same kind of connection: fastwebsockets, one reused
//! zlib-rs inflater, serde into the same type. Goal: at most 1.25 times its processor time per frame,
//! and at most 40 KiB of memory for an idle TLS connection. The server runs in its own process. Linux
//! only.

mod latency;
mod many;
mod plain;
mod server;

use std::net::SocketAddr;
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

use bitmart_testkit::bench::{is_measuring, thread_processor_time};
use bitmart_types::{Environment, Roots, Service};
use bitmart_ws::{Client, ClientBuilder, Subscription, Update, topic};
use tokio::runtime::{Builder, Runtime};

use bitmart_ws::spot;
use server::Server;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), BoxError> {
    let has = |flag: &str| env::args().any(|argument| argument == flag);
    if has("--serve") {
        return server::serve(has("--plain"));
    }
    if has("--memory") {
        let topics = env::args().next_back().unwrap_or_default().parse()?;
        return memory(&Server::start()?, topics);
    }
    if has("--many") {
        let together = has("--together");
        let (topics, seconds) = if is_measuring() { (2_300, 10) } else { (40, 1) };
        return many::measure(&Server::start()?, together, topics, seconds);
    }
    let measuring = is_measuring();
    if has("--only-many") {
        return many(measuring);
    }
    let (rounds, frames) = if measuring { (9, 64_000) } else { (1, 640) };
    let server = Server::start()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;

    let (mut plain, mut ours) = (Vec::new(), Vec::new());
    let mut lagged = 0;
    for _ in 0..rounds {
        plain.push(run(&runtime, frames, plain::receive(&server, frames))?);
        ours.push(run(&runtime, frames, async {
            lagged += receive(&server, frames).await?;
            Ok(())
        })?);
    }
    println!("book of 50 levels a side, socket to user over TLS; {lagged} frames lagged");
    for (what, at) in [("elapsed", 0), ("processor", 1)] {
        let median = |sample: &[[u128; 2]]| {
            let mut sample: Vec<_> = sample.iter().map(|row| row[at]).collect();
            sample.sort_unstable();
            sample[sample.len() / 2].max(1)
        };
        let (plain, ours) = (median(&plain), median(&ours));
        let (percent, each_second) = (ours * 100 / plain, 1_000_000_000 / ours);
        println!(
            "  {what:<10} plain loop {plain:>6} ns a frame, client {ours:>6} ns: {}.{:02} x, {each_second} frames/s",
            percent / 100,
            percent % 100
        );
    }
    let topics = if measuring { 2_000 } else { 20 };
    let (rounds, seconds) = if measuring { (5, 6) } else { (1, 1) };
    latency::compare(&server, topics, rounds, seconds)?;
    drop(server);
    // In a new process, whose allocator holds no freed memory.
    let mut fresh = Command::new(env::current_exe()?);
    fresh.arg("--memory").arg(if measuring { "115" } else { "2" });
    if !fresh.status()?.success() {
        return Err("the memory was not measured".into());
    }
    if has("--without-many") { Ok(()) } else { many(measuring) }
}

/// Alternates both variants, each in a new process, whose allocator holds no freed memory.
fn many(measuring: bool) -> Result<(), BoxError> {
    println!("many topics, 200 small frames a second on each connection");
    for _ in 0..if measuring { 3 } else { 1 } {
        for together in [false, true] {
            let mut fresh = Command::new(env::current_exe()?);
            fresh.arg("--many");
            if together {
                fresh.arg("--together");
            }
            if measuring {
                fresh.arg("--bench");
            }
            if !fresh.status()?.success() {
                return Err("many topics were not measured".into());
            }
        }
    }
    Ok(())
}

/// Returns elapsed time and processor time per frame in nanoseconds.
fn run(
    runtime: &Runtime,
    frames: u64,
    work: impl Future<Output = Result<(), BoxError>>,
) -> Result<[u128; 2], BoxError> {
    let (start, before) = (Instant::now(), thread_processor_time()?);
    runtime.block_on(work)?;
    let frames = u128::from(frames);
    Ok([start.elapsed().as_nanos() / frames, (thread_processor_time()? - before) / frames])
}

fn client(server: &Server, path: &str) -> ClientBuilder {
    let address = format!("wss://{}{path}", server.address);
    let environment = Environment::custom("bench")
        .with(Service::SpotWsPublic, address)
        .with_roots(Roots::none().with_der(server.certificate.clone()));
    Client::builder().environment(environment)
}

/// Receives all frames like a user. Returns the number of dropped ones.
async fn receive(server: &Server, frames: u64) -> Result<u64, BoxError> {
    let client =
        client(server, &format!("/blast?frames={frames}")).queue_capacity(1 << 14).build()?;
    let mut books = client.subscribe(topic::spot::depth_updates("S0_USDT")).await?;
    let (mut received, mut lagged) = (0, 0);
    while received + lagged < frames {
        match books.next().await.ok_or("the stream ended")?? {
            Update::Data(book) => {
                std::hint::black_box(&book);
                received += 1;
            }
            Update::Lagged(missed) => lagged += missed,
            Update::Subscribed => {}
            other => return Err(format!("{other:?}").into()),
        }
    }
    Ok(lagged)
}

async fn subscribe(
    client: &Client,
    topics: usize,
) -> Result<Vec<Subscription<spot::DepthUpdate>>, BoxError> {
    let names = (0..topics).map(|number| topic::spot::depth_updates(format!("S{number}_USDT")));
    Ok(client.subscribe_each(names).await.into_iter().collect::<Result<_, _>>()?)
}

/// Measures the memory of an idle connection and of a further topic, with 20 connections.
fn memory(server: &Server, topics: usize) -> Result<(), BoxError> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // The first connection also allocates what all share.
        let warm = client(server, "/idle").build()?;
        let _warm = subscribe(&warm, 1).await?;
        let before = resident()?;
        let mut few = Vec::new();
        for _ in 0..20 {
            let client = client(server, "/idle").build()?;
            few.push((subscribe(&client, 1).await?, client));
        }
        let connections = resident()?.saturating_sub(before);
        let (mut many, before) = (Vec::new(), resident()?);
        for (_, client) in &few {
            let names =
                (1..topics).map(|number| topic::spot::depth_updates(format!("S{number}_USDT")));
            many.push(client.subscribe_each(names).await);
        }
        let added = resident()?.saturating_sub(before);
        println!("20 idle TLS connections");
        println!("  memory     {} KiB a connection with one topic", connections / 20);
        println!(
            "             {} bytes a further topic",
            added * 1024 / (20 * (topics - 1)).max(1)
        );
        Ok(())
    })
}

/// Returns the resident memory of this process in KiB.
fn resident() -> Result<usize, BoxError> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?.parse()?)
}

/// Returns address and trusted certificate for the plain loop.
fn roots(server: &Server) -> (SocketAddr, Roots) {
    (server.address, Roots::none().with_der(server.certificate.clone()))
}
