//! Frames pushed to 20 connections with 100 topics each, half of them on each host.

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
    Asked, Failure,
    program::{Memory, Program},
    wire::{Wire, text_frame},
};

const CONNECTIONS: usize = 20;
/// Topics of one subscription: the most that spot takes, and few enough for a futures message.
const BATCH: usize = 20;
/// Beats of the market between two looks at the clock.
const BEATS: u32 = 10;
/// Times at which the memory is noted.
const NOTES: u32 = 10;
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

/// One subscriber, seen from outside.
struct Subscriber {
    /// Whoever sends here makes it ping; the pong comes behind every frame that was pushed before.
    ping: mpsc::Sender<()>,
}

/// Lets the market move as fast as its frames can be delivered, and reports how many that were.
pub(crate) async fn measure(path: &str, asked: Asked) -> Result<(), Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().to_string();
    let options = ["--admin", "127.0.0.1:0", "--clock", now.as_str()];
    let program = Program::start(path, &options).await?;
    let (frames, pongs) = (Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
    let mut subscribers = Vec::new();
    for number in 0..CONNECTIONS {
        let (host, ping) = if number % 2 == 0 {
            ("/spot/rest", "ping".to_owned())
        } else {
            ("/futures/rest", json!({ "action": "ping" }).to_string())
        };
        let mut wire = Wire::connect(program.authority(host)?).await?;
        wire.upgrade("/api?protocol=1.1").await?;
        for text in subscriptions(number % 2 == 0) {
            wire.write(&text_frame(&text)).await?;
        }
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(listen(wire, ping, receiver, Arc::clone(&frames), Arc::clone(&pongs)));
        subscribers.push(Subscriber { ping: sender });
    }
    settle(&subscribers, &pongs).await?;
    frames.store(0, Ordering::Relaxed);
    let mut memory = Memory::new();
    memory.note(&program);
    let mut admin = Wire::connect(program.authority("/admin")?).await?;
    let token = program.text("/admin_token")?;
    let (begun, mut beats, mut notes) = (Instant::now(), 0, 1);
    while begun.elapsed() < asked.time {
        let body = json!({ "steps": BEATS }).to_string();
        let length = body.len();
        let request = format!(
            "POST /market/step HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        let answer = admin.ask(request.as_bytes()).await?;
        if answer.windows(7).any(|part| part == b"\"error\"") {
            return Err(String::from_utf8_lossy(&answer).into());
        }
        settle(&subscribers, &pongs).await?;
        beats += BEATS;
        if begun.elapsed() >= asked.time / NOTES * notes {
            memory.note(&program);
            notes += 1;
        }
    }
    let (count, millis) = (frames.load(Ordering::Relaxed), begun.elapsed().as_millis().max(1));
    println!(
        "frames: {} a second to {CONNECTIONS} connections with 100 topics each; \
         {} beats a second, 10 are real time",
        u128::from(count) * 1_000 / millis,
        u128::from(beats) * 1_000 / millis,
    );
    println!("        {}", memory.report());
    Ok(())
}

/// Waits until every subscriber has received all that was pushed to it.
async fn settle(subscribers: &[Subscriber], pongs: &Semaphore) -> Result<(), Failure> {
    for subscriber in subscribers {
        subscriber.ping.send(()).await.map_err(|_| "a socket has ended")?;
    }
    let count = u32::try_from(subscribers.len())?;
    tokio::time::timeout(std::time::Duration::from_secs(30), pongs.acquire_many(count))
        .await
        .map_err(|_| "a socket does not answer its ping")??
        .forget();
    Ok(())
}

async fn listen(
    mut wire: Wire,
    ping: String,
    mut asked: mpsc::Receiver<()>,
    frames: Arc<AtomicU64>,
    pongs: Arc<Semaphore>,
) {
    let ping = text_frame(&ping);
    while asked.recv().await.is_some() {
        if wire.write(&ping).await.is_err() {
            return;
        }
        loop {
            // What fails here shows as a pong that does not come.
            let Ok((count, pong)) = wire.frames().await else { return };
            frames.fetch_add(count, Ordering::Relaxed);
            if pong {
                pongs.add_permits(1);
                break;
            }
        }
    }
}

fn subscriptions(spot: bool) -> Vec<String> {
    let topics: Vec<String> = if spot {
        let topic = |channel| PAIRS.map(|base| format!("{channel}:{base}_USDT"));
        SPOT.into_iter().flat_map(topic).collect()
    } else {
        let topic = |channel| CONTRACTS.map(|base| format!("{channel}:{base}USDT"));
        FUTURES.into_iter().flat_map(topic).collect()
    };
    let verb = if spot { "op" } else { "action" };
    let message = |topics: &[String]| json!({ verb: "subscribe", "args": topics }).to_string();
    topics.chunks(BATCH).map(message).collect()
}
