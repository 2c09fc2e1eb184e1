//! `/healthz` and `/metrics` of a collector: a small HTTP server without dependencies, one request per connection.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

use bitmart_fleet::collector::Status;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Largest head of a request.
const MAX_HEAD_BYTES: usize = 8_192;
/// How long a client may take to send its request and to read the response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_CONNECTIONS: usize = 16;
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Responds to requests, one for each connection, until the future is dropped.
pub(super) async fn serve(listener: &TcpListener, status: impl Fn() -> Status) {
    let mut connections = VecDeque::new();
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let handle = open.spawn(timeout(REQUEST_TIMEOUT, respond(stream, status())));
                    connections.push_back(handle);
                }
                // No file descriptors are left, for example.
                Err(_) => tokio::time::sleep(PAUSE_AFTER_ERROR).await,
            },
            Some(_) = open.join_next() => connections.retain(|handle| !handle.is_finished()),
        }
        // The oldest makes room: it is one that sends nothing.
        if connections.len() > MAX_CONNECTIONS
            && let Some(oldest) = connections.pop_front()
        {
            oldest.abort();
        }
    }
}

async fn respond(mut stream: TcpStream, status: Status) -> std::io::Result<()> {
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
    let (code, body) = response(head.lines().next().unwrap_or_default(), &status);
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {code}\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

fn response(request: &str, status: &Status) -> (&'static str, String) {
    let unavailable = |reason: &str| ("503 Service Unavailable", format!("{reason}\n"));
    match request.split(' ').collect::<Vec<_>>()[..] {
        ["GET", "/healthz", _] if !status.is_connected => unavailable("NATS is not connected"),
        // A collector without leases is ready to take over.
        ["GET", "/healthz", _] if status.topics > 0 && status.topics_down == status.topics => {
            unavailable("no topic delivers")
        }
        ["GET", "/healthz", _] => ("200 OK", "ok\n".to_owned()),
        ["GET", "/metrics", _] => ("200 OK", metrics(status)),
        _ => ("404 Not Found", "GET /healthz or /metrics\n".to_owned()),
    }
}

fn metrics(status: &Status) -> String {
    let connected = u64::from(status.is_connected);
    let rows = [
        ("connected", "gauge", "Whether NATS is connected.", connected),
        ("leases", "gauge", "Leases of shards that are held.", status.leases),
        ("topics", "gauge", "Topics that are published.", status.topics),
        ("topics_down", "gauge", "Topics of these that do not deliver.", status.topics_down),
        ("frames_total", "counter", "Frames that were published.", status.frames),
        ("bytes_total", "counter", "Bytes of these frames.", status.bytes),
        (
            "lost_total",
            "counter",
            "Frames that were received and not published.",
            status.frames_lost,
        ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_about_the_connection_and_the_topics() {
        let health = |connected, topics, down| {
            let mut status = Status::default();
            (status.is_connected, status.topics, status.topics_down) = (connected, topics, down);
            response("GET /healthz HTTP/1.1", &status).0
        };
        assert_eq!(health(true, 0, 0), "200 OK", "ready to take over");
        assert_eq!(health(true, 3, 2), "200 OK");
        for (connected, topics, down) in [(true, 3, 3), (false, 3, 0)] {
            assert_eq!(health(connected, topics, down), "503 Service Unavailable");
        }
    }

    #[tokio::test]
    async fn silent_connections_do_not_block_others() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("an address");
        tokio::select! {
            () = serve(&listener, Status::default) => {}
            () = async {
                let mut silent = Vec::new();
                for _ in 0..2 * MAX_CONNECTIONS {
                    silent.push(TcpStream::connect(address).await.expect("connected"));
                }
                let mut stream = TcpStream::connect(address).await.expect("connected");
                stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").await.expect("sent");
                let mut text = String::new();
                let read = timeout(REQUEST_TIMEOUT / 2, stream.read_to_string(&mut text)).await;
                read.expect("not behind the silent ones").expect("read");
                assert!(text.starts_with("HTTP/1.1 200"), "{text}");
            } => {}
        }
    }
}
