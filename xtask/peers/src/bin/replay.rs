//! Records frames of `spot/depth50` from a sandbox, and sends them to every client as fast as its socket takes them.
//! The sandbox itself would be the limit: it makes each book before it sends it.
//!
//! Prints its address. `/api?frames=N` sends N frames after the subscription.

use std::env;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{SinkExt as _, StreamExt as _};
use peers::{Failure, TOPIC};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

/// Frames that are recorded.
const FRAMES: usize = 256;
/// A book is pushed every five steps of the market.
const STEPS: usize = 50;
/// Frames in one write.
const BURST: usize = 64;

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let frames: Arc<Vec<Vec<u8>>> = Arc::new(record().await?);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "ws://{}/api?frames=", listener.local_addr()?)?;
        out.flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            // A client that disconnects ends the task with an error.
            tokio::spawn(serve(stream, frames.clone()));
        }
    })
}

/// Steps the market of the sandbox until it has pushed enough.
async fn record() -> Result<Vec<Vec<u8>>, Failure> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ready: Value = serde_json::from_str(&env::var("PEER_MARKET")?)?;
    let text = |pointer: &str| {
        ready.pointer(pointer).and_then(Value::as_str).ok_or_else(|| format!("no {pointer}"))
    };
    let (mut socket, _) = tokio_tungstenite::connect_async(text("/spot/ws_public")?).await?;
    socket.send(Message::text(json!({ "op": "subscribe", "args": [TOPIC] }).to_string())).await?;
    let (admin, mut frames) = (reqwest::Client::new(), Vec::new());
    while frames.len() < FRAMES {
        let step = admin.post(format!("{}/market/step", text("/admin")?));
        let step =
            step.bearer_auth(text("/admin_token")?).body(json!({ "steps": STEPS }).to_string());
        step.send().await?.error_for_status()?;
        // A ping is answered after everything that was pushed before it.
        socket.send(Message::text("ping")).await?;
        loop {
            match socket.next().await.ok_or("the sandbox closed")?? {
                Message::Binary(payload) => frames.push(frame(2, &payload)?),
                Message::Text(text) if text.as_str() == "pong" => break,
                _ => {}
            }
        }
    }
    frames.truncate(FRAMES);
    Ok(frames)
}

/// An unmasked frame.
fn frame(code: u8, payload: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut bytes = vec![0x80 | code];
    match u8::try_from(payload.len()) {
        Ok(short) if short < 126 => bytes.push(short),
        _ => {
            bytes.push(126);
            bytes.extend(u16::try_from(payload.len())?.to_be_bytes());
        }
    }
    bytes.extend(payload);
    Ok(bytes)
}

async fn serve(stream: TcpStream, frames: Arc<Vec<Vec<u8>>>) -> Result<(), Failure> {
    let wanted = Mutex::new(0);
    let note = |request: &Request, response: Response| {
        let query = request.uri().query().unwrap_or_default();
        let number =
            query.split_once("frames=").and_then(|(_, number)| number.parse::<usize>().ok());
        *wanted.lock().unwrap_or_else(PoisonError::into_inner) = number.unwrap_or_default();
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, note).await?;
    let wanted = *wanted.lock().unwrap_or_else(PoisonError::into_inner);
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        if text.as_str() == "ping" {
            socket.send(Message::text("pong")).await?;
        } else if text.contains("\"subscribe\"") {
            let event = json!({ "event": "subscribe", "topic": TOPIC }).to_string();
            socket.send(Message::text(event)).await?;
            let all: Vec<&[u8]> = frames.iter().map(Vec::as_slice).cycle().take(wanted).collect();
            for burst in all.chunks(BURST) {
                socket.get_mut().write_all(&burst.concat()).await?;
            }
        }
    }
    Ok(())
}
