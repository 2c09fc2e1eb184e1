//! A local server whose behavior is scripted by a check.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

/// Maximum size of a request.
const LARGEST_REQUEST: usize = 64 << 10;
/// The number of bytes that [`Act::Endless`] announces.
pub(super) const ENDLESS: usize = 64 << 20;
const PIECE: usize = 64 << 10;

/// How the server responds to a request.
pub(super) enum Act {
    /// Writes bytes and waits for the next request.
    Write(Vec<u8>),
    /// Writes bytes and closes the connection.
    WriteAndClose(Vec<u8>),
    /// Writes pieces with pauses in between.
    WriteSlowly(Vec<Vec<u8>>, Duration),
    /// Writes bytes when the next request has arrived on the same connection, before its response.
    WriteLate(Vec<u8>),
    /// Writes a body that is too large to collect.
    Endless,
}

/// A received request.
#[derive(Clone)]
pub(super) struct Arrived {
    /// Request line and headers.
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Arrived {
    /// The request target.
    pub(super) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .next()
    }
}

type Script = dyn Fn(usize, &Arrived) -> Act + Send + Sync;

struct Shared {
    script: Box<Script>,
    arrived: Mutex<Vec<Arrived>>,
    arrival: Notify,
    written: AtomicUsize,
}

/// A running server, stopped when it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Starts a server. `script` is called with each request and its number, counted from 1 over all
    /// connections.
    pub(super) async fn start(
        script: impl Fn(usize, &Arrived) -> Act + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script: Box::new(script),
            arrived: Mutex::default(),
            arrival: Notify::new(),
            written: AtomicUsize::new(0),
        });
        let task = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                // Aborted with this task.
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let shared = Arc::clone(&shared);
                    // The client decides how a connection ends.
                    connections.spawn(async move { drop(serve(stream, &shared).await) });
                }
            }
        });
        Ok(Self { address, shared, task })
    }

    pub(super) fn arrived(&self) -> Vec<Arrived> {
        self.shared.arrived().clone()
    }

    /// Waits for the first request.
    pub(super) async fn first_arrival(&self) {
        while self.shared.arrived().is_empty() {
            self.shared.arrival.notified().await;
        }
    }

    /// The number of bytes written of endless bodies.
    pub(super) fn written(&self) -> usize {
        self.shared.written.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn arrived(&self) -> MutexGuard<'_, Vec<Arrived>> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut late = Vec::new();
    while let Some(request) = read(&mut stream).await? {
        let number = {
            let mut arrived = shared.arrived();
            arrived.push(request.clone());
            arrived.len()
        };
        shared.arrival.notify_one();
        stream.write_all(&std::mem::take(&mut late)).await?;
        match (shared.script)(number, &request) {
            Act::Write(bytes) => stream.write_all(&bytes).await?,
            Act::WriteAndClose(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            Act::WriteSlowly(pieces, pause) => {
                for piece in pieces {
                    stream.write_all(&piece).await?;
                    tokio::time::sleep(pause).await;
                }
            }
            Act::WriteLate(bytes) => late = bytes,
            Act::Endless => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {ENDLESS}\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                let piece = vec![b' '; PIECE];
                for _ in 0..ENDLESS / PIECE {
                    stream.write_all(&piece).await?;
                    shared.written.fetch_add(PIECE, Ordering::SeqCst);
                }
            }
        }
    }
    Ok(())
}

/// Reads the next request; `None` if the client has closed the connection.
async fn read(stream: &mut TcpStream) -> io::Result<Option<Arrived>> {
    let mut text = Vec::new();
    loop {
        if let Some(request) = parse(&text)? {
            return Ok(Some(request));
        }
        if text.len() > LARGEST_REQUEST {
            return Err(io::Error::other("the request is too long"));
        }
        if stream.read_buf(&mut text).await? == 0 {
            return Ok(None);
        }
    }
}

/// Parses a request; `None` if it is incomplete.
fn parse(text: &[u8]) -> io::Result<Option<Arrived>> {
    let Some(end) = text.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let (head, rest) = text.split_at(end);
    let rest = rest.get(4..).unwrap_or_default();
    let mut request =
        Arrived { head: String::from_utf8_lossy(head).into_owned(), body: Vec::new() };
    if request.header("transfer-encoding").is_some() {
        return Ok(unchunked(rest).map(|body| Arrived { body, ..request }));
    }
    let length: usize = match request.header("content-length") {
        Some(length) => length.parse().map_err(io::Error::other)?,
        None => 0,
    };
    Ok(rest.get(..length).map(|body| {
        request.body = body.to_vec();
        request
    }))
}

/// Decodes a chunked body; `None` if it is incomplete.
fn unchunked(mut text: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = text.windows(2).position(|window| window == b"\r\n")?;
        let length = std::str::from_utf8(text.get(..line)?).ok()?;
        let length = usize::from_str_radix(length.split(';').next()?.trim(), 16).ok()?;
        let start = line + 2;
        let chunk = text.get(start..start.checked_add(length)?)?;
        text = text.get(start + length + 2..)?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(chunk);
    }
}
