//! Measures frames pushed to 20 connections with 100 topics each, half of them on each host.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::json;
use tokio::sync::{Semaphore, mpsc};

use crate::{
    Failure, Options,
    connection::{Connection, text_frame},
    program::{Memory, Program},
};

const CONNECTIONS: usize = 20;
/// Topics per subscription message: the maximum of spot, and within the size limit of futures.
const TOPICS_PER_MESSAGE: usize = 20;
/// Market steps per request to the admin API.
const STEPS_PER_REQUEST: u32 = 10;
/// Samples of the memory during a measurement.
const SAMPLES: u32 = 10;
const SPOT: [&str; 5] =
    ["spot/ticker", "spot/bookTicker", "spot/trade", "spot/depth20", "spot/depth/increase100"];
const FUTURES: [&str; 10] = [
    "futures/ticker",
    "futures/bookticker",
    "futures/trade",
    "futures/klineBin1m",
    "futures/depth20",
    "futures/depthAll5",
    "futures/depthAll20",
    "futures/depthIncrease5",
    "futures/depthIncrease20",
    "futures/depthIncrease50",
];
const PAIRS: [&str; 20] = [
    "BTC", "ETH", "SOL", "XRP", "BMX", "BNB", "DOGE", "ADA", "TRX", "AVAX", "LINK", "DOT", "LTC",
    "BCH", "UNI", "ATOM", "NEAR", "APT", "ARB", "SHIB",
];
const CONTRACTS: [&str; 10] =
    ["BTC", "ETH", "SOL", "XRP", "BNB", "DOGE", "ADA", "AVAX", "LINK", "LTC"];

/// Asks a connection with subscriptions to send a ping. Its pong arrives after all frames that were pushed before.
type PingRequests = mpsc::Sender<()>;

/// Steps the market as fast as its frames can be delivered, and prints the frames per second.
pub(crate) async fn measure(path: &str, options: Options) -> Result<(), Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().to_string();
    let arguments = ["--admin", "127.0.0.1:0", "--clock", now.as_str()];
    let program = Program::start(path, &arguments).await?;
    let (frames, pongs) = (Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
    let mut ping_requests = Vec::new();
    for number in 0..CONNECTIONS {
        let (host, ping) = if number % 2 == 0 {
            ("/spot/rest", "ping".to_owned())
        } else {
            ("/futures/rest", json!({ "action": "ping" }).to_string())
        };
        let mut connection = Connection::connect(program.authority(host)?).await?;
        connection.upgrade("/api?protocol=1.1").await?;
        for text in subscriptions(number % 2 == 0) {
            connection.write(&text_frame(&text)).await?;
        }
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(listen(connection, ping, receiver, Arc::clone(&frames), Arc::clone(&pongs)));
        ping_requests.push(sender);
    }
    wait_for_all_frames(&ping_requests, &pongs).await?;
    frames.store(0, Ordering::Relaxed);
    let mut memory = Memory::new();
    memory.sample(&program);
    let mut admin = Connection::connect(program.authority("/admin")?).await?;
    let token = program.text("/admin_token")?;
    let (started, mut steps, mut samples) = (Instant::now(), 0, 1);
    while started.elapsed() < options.time {
        let body = json!({ "steps": STEPS_PER_REQUEST }).to_string();
        let length = body.len();
        let request = format!(
            "POST /market/step HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        let response = admin.request(request.as_bytes()).await?;
        if response.windows(7).any(|part| part == b"\"error\"") {
            return Err(String::from_utf8_lossy(&response).into());
        }
        wait_for_all_frames(&ping_requests, &pongs).await?;
        steps += STEPS_PER_REQUEST;
        if started.elapsed() >= options.time / SAMPLES * samples {
            memory.sample(&program);
            samples += 1;
        }
    }
    let (count, millis) = (frames.load(Ordering::Relaxed), started.elapsed().as_millis().max(1));
    println!(
        "frames: {} a second to {CONNECTIONS} connections with 100 topics each; \
         {} market steps a second, 10 are real time",
        u128::from(count) * 1_000 / millis,
        u128::from(steps) * 1_000 / millis,
    );
    println!("        {}", memory.report());
    Ok(())
}

/// Waits until every connection has received all frames.
async fn wait_for_all_frames(
    connections: &[PingRequests],
    pongs: &Semaphore,
) -> Result<(), Failure> {
    for connection in connections {
        connection.send(()).await.map_err(|_| "a connection was closed")?;
    }
    let count = u32::try_from(connections.len())?;
    tokio::time::timeout(std::time::Duration::from_secs(30), pongs.acquire_many(count))
        .await
        .map_err(|_| "no pong within 30 s")??
        .forget();
    Ok(())
}

/// Whenever a ping is requested, sends it and counts frames until its pong.
async fn listen(
    mut connection: Connection,
    ping: String,
    mut requests: mpsc::Receiver<()>,
    frames: Arc<AtomicU64>,
    pongs: Arc<Semaphore>,
) {
    let ping = text_frame(&ping);
    while requests.recv().await.is_some() {
        if connection.write(&ping).await.is_err() {
            return;
        }
        loop {
            // A failure shows as a missing pong.
            let Ok((count, has_pong)) = connection.frames().await else { return };
            frames.fetch_add(count, Ordering::Relaxed);
            if has_pong {
                pongs.add_permits(1);
                break;
            }
        }
    }
}

/// Messages that subscribe to 100 topics of spot or of futures.
fn subscriptions(is_spot: bool) -> Vec<String> {
    let topics: Vec<String> = if is_spot {
        let topic = |channel| PAIRS.map(|base| format!("{channel}:{base}_USDT"));
        SPOT.into_iter().flat_map(topic).collect()
    } else {
        let topic = |channel| CONTRACTS.map(|base| format!("{channel}:{base}USDT"));
        FUTURES.into_iter().flat_map(topic).collect()
    };
    let verb = if is_spot { "op" } else { "action" };
    let message = |topics: &[String]| json!({ verb: "subscribe", "args": topics }).to_string();
    topics.chunks(TOPICS_PER_MESSAGE).map(message).collect()
}
