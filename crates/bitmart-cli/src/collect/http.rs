//! `/healthz` and `/metrics` of a collector.

use std::fmt::Write as _;
use std::time::Duration;

use bitmart_fleet::collector::Status;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Largest head of a request.
const MAX_HEAD_BYTES: usize = 8_192;
/// How long a client may take. One request is answered after the other.
const LIMIT: Duration = Duration::from_secs(2);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Answers requests, one for each connection, until the future is dropped.
pub(super) async fn serve(listener: &TcpListener, status: impl Fn() -> Status) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No file descriptors are left, for example.
            tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            continue;
        };
        let _ = timeout(LIMIT, answer(stream, &status)).await;
    }
}

async fn answer(mut stream: TcpStream, status: &impl Fn() -> Status) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = [0; 1_024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut buffer).await?;
        if count == 0 || head.len() > MAX_HEAD_BYTES {
            return Ok(());
        }
        head.extend_from_slice(&buffer[..count]);
    }
    let head = String::from_utf8_lossy(&head);
    let (code, body) = response(head.lines().next().unwrap_or_default(), status);
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {code}\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

fn response(request: &str, status: &impl Fn() -> Status) -> (&'static str, String) {
    match request.split(' ').collect::<Vec<_>>()[..] {
        ["GET", "/healthz", _] if status().is_connected => ("200 OK", "ok\n".to_owned()),
        ["GET", "/healthz", _] => ("503 Service Unavailable", "NATS is not connected\n".to_owned()),
        ["GET", "/metrics", _] => ("200 OK", metrics(&status())),
        _ => ("404 Not Found", "GET /healthz or /metrics\n".to_owned()),
    }
}

fn metrics(status: &Status) -> String {
    let connected = u64::from(status.is_connected);
    let rows = [
        ("connected", "gauge", "Whether NATS is connected.", connected),
        ("leases", "gauge", "Leases of shards that are held.", status.leases),
        ("topics", "gauge", "Topics that are published.", status.topics),
        ("frames_total", "counter", "Frames that were published.", status.frames),
        ("bytes_total", "counter", "Bytes of these frames.", status.bytes),
        ("lost_total", "counter", "Frames that were received and not published.", status.lost),
        ("other_topics", "gauge", "Live collectors with other topics.", status.other_topics),
        ("takeovers_total", "counter", "Leases that were taken.", status.takeovers),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in rows {
        let name = format!("bitmart_collector_{name}");
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    }
    text
}
