//! A server that responds from a script and counts what it sees.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What to do with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Answer with this status line's rest and body, and keep the connection.
    Answer(&'static str, String),
    /// Answer like that, then close the connection.
    AnswerAndClose(&'static str, String),
    /// Write these bytes as they are, then close the connection.
    Raw(&'static str),
    /// Write these bytes as they are, and keep the connection.
    Bytes(Vec<u8>),
    /// Close the connection without a response.
    Close,
    /// Never response.
    Stall,
    /// Announce a body and send pieces of it until the client goes away.
    Endless,
}

pub(crate) fn ok(body: &str) -> Reply {
    Reply::Answer("200 OK", body.to_owned())
}

/// Counts of a running server.
#[derive(Default)]
struct Seen {
    accepts: AtomicUsize,
    requests: Mutex<Vec<String>>,
    /// Connections that have ended.
    ended: AtomicUsize,
}

pub(crate) struct Server {
    pub(crate) address: String,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Responses the n-th request, over all connections, with `script(n)`.
    pub(crate) async fn start(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(None, script).await
    }

    pub(crate) async fn listen(
        tls: Option<TlsAcceptor>,
        script: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let script = Arc::new(script);
        let task = tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    seen.accepts.fetch_add(1, Ordering::SeqCst);
                    let (tls, script) = (tls.clone(), Arc::clone(&script));
                    let seen = Arc::clone(&seen);
                    tokio::spawn(async move {
                        // How a connection ends is the client's affair.
                        let _ = connection(stream, tls, &seen, &*script).await;
                        seen.ended.fetch_add(1, Ordering::SeqCst);
                    });
                }
            }
        });
        Self { address, seen, task }
    }

    pub(crate) fn accepts(&self) -> usize {
        self.seen.accepts.load(Ordering::SeqCst)
    }
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }
    /// Waits until `count` connections have ended.
    pub(crate) async fn ended(&self, count: usize) {
        eventually(|| self.seen.ended.load(Ordering::SeqCst) >= count).await;
    }
}

/// Waits for a condition, half a minute at most.
pub(crate) async fn eventually(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    let limit = std::time::Duration::from_secs(30);
    tokio::time::timeout(limit, wait).await.expect("condition not met in time");
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    seen: &Seen,
    script: &(dyn Fn(usize) -> Reply + Send + Sync),
) -> io::Result<()> {
    match tls {
        Some(tls) => serve(tls.accept(stream).await?, seen, script).await,
        None => serve(stream, seen, script).await,
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    seen: &Seen,
    script: &(dyn Fn(usize) -> Reply + Send + Sync),
) -> io::Result<()> {
    while let Some(request) = read_request(&mut stream).await? {
        let number = {
            let mut requests = seen.requests.lock().unwrap();
            requests.push(request);
            requests.len()
        };
        match script(number) {
            Reply::Answer(status, body) => stream.write_all(&response(status, &body)).await?,
            Reply::AnswerAndClose(status, body) => {
                stream.write_all(&response(status, &body)).await?;
                return stream.shutdown().await;
            }
            Reply::Raw(bytes) => {
                stream.write_all(bytes.as_bytes()).await?;
                return stream.shutdown().await;
            }
            Reply::Bytes(bytes) => stream.write_all(&bytes).await?,
            Reply::Close => return Ok(()),
            Reply::Stall => {
                // Ends when the client goes away.
                stream.read_u8().await?;
            }
            Reply::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
                loop {
                    stream.write_all(b"8\r\n        \r\n").await?;
                }
            }
        }
    }
    Ok(())
}

fn response(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Reads a request with its body; `None` when the client has closed the connection.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<String>> {
    let mut text = Vec::new();
    loop {
        if let Some(head) = find(&text, b"\r\n\r\n") {
            let length = String::from_utf8_lossy(&text[..head])
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, length)| length.parse().unwrap());
            if text.len() >= head + 4 + length {
                return Ok(Some(String::from_utf8(text).unwrap()));
            }
        }
        if stream.read_buf(&mut text).await? == 0 {
            return Ok(None);
        }
    }
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    text.windows(pattern.len()).position(|window| window == pattern)
}
