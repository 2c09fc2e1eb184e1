//! A scripted HTTP server that records its requests.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// How the server handles a request.
#[derive(Clone)]
pub(crate) enum Action {
    /// Respond with this status and body, and keep the connection open.
    Respond(&'static str, String),
    /// Respond with this status and body, then close the connection.
    RespondAndClose(&'static str, String),
    /// Write these raw bytes, then close the connection.
    WriteAndClose(&'static str),
    /// Write these raw bytes, and keep the connection open.
    Write(Vec<u8>),
    /// Close the connection without a response.
    Close,
    /// Never respond.
    Stall,
    /// Send an endless body until the client closes the connection.
    Endless,
}

pub(crate) fn ok(body: &str) -> Action {
    Action::Respond("200 OK", body.to_owned())
}

/// Statistics of a running server.
#[derive(Default)]
struct Stats {
    accepts: AtomicUsize,
    requests: Mutex<Vec<String>>,
    /// Connections that have ended.
    ended: AtomicUsize,
}

pub(crate) struct Server {
    pub(crate) address: String,
    stats: Arc<Stats>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Starts a server that handles the n-th request, from 1 over all connections, with `script(n)`.
    pub(crate) async fn start(script: impl Fn(usize) -> Action + Send + Sync + 'static) -> Self {
        Self::listen(None, script).await
    }

    pub(crate) async fn listen(
        tls: Option<TlsAcceptor>,
        script: impl Fn(usize) -> Action + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://{}", listener.local_addr().unwrap());
        let stats = Arc::new(Stats::default());
        let script = Arc::new(script);
        let task = tokio::spawn({
            let stats = Arc::clone(&stats);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    stats.accepts.fetch_add(1, Ordering::SeqCst);
                    let (tls, script) = (tls.clone(), Arc::clone(&script));
                    let stats = Arc::clone(&stats);
                    tokio::spawn(async move {
                        // The client decides how a connection ends.
                        let _ = connection(stream, tls, &stats, &*script).await;
                        stats.ended.fetch_add(1, Ordering::SeqCst);
                    });
                }
            }
        });
        Self { address, stats, task }
    }

    pub(crate) fn accepts(&self) -> usize {
        self.stats.accepts.load(Ordering::SeqCst)
    }
    pub(crate) fn requests(&self) -> Vec<String> {
        self.stats.requests.lock().unwrap().clone()
    }
    /// Waits until `count` connections have ended.
    pub(crate) async fn ended(&self, count: usize) {
        eventually(|| self.stats.ended.load(Ordering::SeqCst) >= count).await;
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
    stats: &Stats,
    script: &(dyn Fn(usize) -> Action + Send + Sync),
) -> io::Result<()> {
    match tls {
        Some(tls) => serve(tls.accept(stream).await?, stats, script).await,
        None => serve(stream, stats, script).await,
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    stats: &Stats,
    script: &(dyn Fn(usize) -> Action + Send + Sync),
) -> io::Result<()> {
    while let Some(request) = read_request(&mut stream).await? {
        let number = {
            let mut requests = stats.requests.lock().unwrap();
            requests.push(request);
            requests.len()
        };
        match script(number) {
            Action::Respond(status, body) => stream.write_all(&response(status, &body)).await?,
            Action::RespondAndClose(status, body) => {
                stream.write_all(&response(status, &body)).await?;
                return stream.shutdown().await;
            }
            Action::WriteAndClose(bytes) => {
                stream.write_all(bytes.as_bytes()).await?;
                return stream.shutdown().await;
            }
            Action::Write(bytes) => stream.write_all(&bytes).await?,
            Action::Close => return Ok(()),
            Action::Stall => {
                // Ends when the client closes the connection.
                stream.read_u8().await?;
            }
            Action::Endless => {
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

/// Reads a request with its body; `None` if the client has closed the connection.
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
