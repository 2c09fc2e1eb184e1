//! A server on this machine that does what a check asks of it.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

/// Most bytes of a request.
const LARGEST_REQUEST: usize = 64 << 10;
/// What [`Act::Endless`] writes at most.
pub(super) const ENDLESS: usize = 64 << 20;
const PIECE: usize = 64 << 10;

/// What the server does with a request.
pub(super) enum Act {
    /// Writes this and waits for the next request.
    Write(Vec<u8>),
    /// Writes this and closes the connection.
    WriteAndClose(Vec<u8>),
    /// Writes these with pauses in between.
    Slowly(Vec<Vec<u8>>, Duration),
    /// Writes this only when another request has come on the same connection, before its response.
    Late(Vec<u8>),
    /// Writes a body that does not end, or a long one at least.
    Endless,
}

/// A request that came.
#[derive(Clone)]
pub(super) struct Arrived {
    /// Request line and headers.
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Arrived {
    /// The address in the request line.
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
    came: Notify,
    written: AtomicUsize,
}

/// A running server. It ends with this value.
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
    /// Does with the n-th request, from 1 and over all connections, what `script` says.
    pub(super) async fn start(
        script: impl Fn(usize, &Arrived) -> Act + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script: Box::new(script),
            arrived: Mutex::default(),
            came: Notify::new(),
            written: AtomicUsize::new(0),
        });
        let task = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                // They end with this task.
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let shared = Arc::clone(&shared);
                    // How a connection ends is the client's affair.
                    connections.spawn(async move { drop(serve(stream, &shared).await) });
                }
            }
        });
        Ok(Self { address, shared, task })
    }

    pub(super) fn arrived(&self) -> Vec<Arrived> {
        self.shared.arrived().clone()
    }

    /// Waits until a request has come.
    pub(super) async fn has_come(&self) {
        while self.shared.arrived().is_empty() {
            self.shared.came.notified().await;
        }
    }

    /// Bytes of endless bodies so far.
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
        shared.came.notify_one();
        stream.write_all(&std::mem::take(&mut late)).await?;
        match (shared.script)(number, &request) {
            Act::Write(bytes) => stream.write_all(&bytes).await?,
            Act::WriteAndClose(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            Act::Slowly(pieces, pause) => {
                for piece in pieces {
                    stream.write_all(&piece).await?;
                    tokio::time::sleep(pause).await;
                }
            }
            Act::Late(bytes) => late = bytes,
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

/// The next request; `None` when the client has closed the connection.
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

/// The request, once it is complete.
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

/// A body that came in chunks, once it is complete.
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
