//! The server that a client connects to.

use std::fmt;

use bitmart_net::{Connect, ConnectError, Stream};
use bitmart_types::{Environment, Service};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc;

use super::{ServerConnection, with_timeout};
use crate::client::{Client, ClientBuilder};
use crate::connect::accept_key;

/// Bytes that a stream buffers per direction by default.
const DEFAULT_BUFFER: usize = 1 << 22;
/// Largest request of a handshake.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// A WebSocket server of an exchange in memory: see the [module](super).
///
/// Its methods wait for the client. They panic if it does not connect within one hour of the tokio
/// clock, which takes no real time if the clock is paused.
pub struct ScriptedServer {
    buffer: usize,
    streams: mpsc::UnboundedSender<DuplexStream>,
    connections: mpsc::UnboundedReceiver<DuplexStream>,
}

impl Default for ScriptedServer {
    fn default() -> Self {
        Self::new()
    }
}

impl ScriptedServer {
    /// Creates a server without connections.
    pub fn new() -> Self {
        let (streams, connections) = mpsc::unbounded_channel();
        Self { buffer: DEFAULT_BUFFER, streams, connections }
    }

    /// Sets how many bytes a stream buffers per direction before a writer waits for its reader: 4 MiB by
    /// default. It applies to connectors that are created afterwards.
    #[must_use]
    pub fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = bytes;
        self
    }

    /// Returns a connector that connects to this server, whatever the address is.
    pub fn connector(&self) -> impl Connect + use<> {
        let (buffer, streams) = (self.buffer, self.streams.clone());
        bitmart_net::from_fn(move |_| {
            let (client, server) = tokio::io::duplex(buffer);
            let sent = streams.send(server);
            async move {
                sent.map_err(|_| std::io::Error::from(std::io::ErrorKind::ConnectionRefused))?;
                Ok::<_, ConnectError>(Stream::new(client))
            }
        })
    }

    /// Returns an environment with all four WebSocket services, at addresses of this machine that need no
    /// permission for plain text.
    pub fn environment() -> Environment {
        Environment::custom("scripted")
            .with(Service::SpotWsPublic, "ws://127.0.0.1/spot?protocol=1.1")
            .with(Service::SpotWsPrivate, "ws://127.0.0.1/spot-user?protocol=1.1")
            .with(Service::FuturesWsPublic, "ws://127.0.0.1/futures?protocol=1.1")
            .with(Service::FuturesWsPrivate, "ws://127.0.0.1/futures-user?protocol=1.1")
    }

    /// Returns the builder of a client that connects to this server: with its
    /// [`environment`](Self::environment) and [`connector`](Self::connector).
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder().environment(Self::environment()).connector(self.connector())
    }

    /// Accepts the next connection and completes its handshake.
    ///
    /// # Panics
    /// If no client connects, or its request is not a handshake.
    ///
    /// # Cancel safety
    /// The connection is lost if the future is dropped during the handshake.
    pub async fn accept(&mut self) -> ServerConnection {
        let (mut stream, key) = self.accept_request().await;
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {key}\r\n\r\n"
        );
        // A client that is gone is noticed by the next read.
        let _ = stream.write_all(response.as_bytes()).await;
        ServerConnection::new(stream)
    }

    /// Rejects the next connection with this status, such as `503 Service Unavailable`, and these header
    /// lines, such as `Retry-After: 30`.
    ///
    /// # Panics
    /// As [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// As [`accept`](Self::accept).
    pub async fn reject(&mut self, status: &str, headers: &[&str]) {
        let (mut stream, _) = self.accept_request().await;
        let mut lines = vec![format!("HTTP/1.1 {status}")];
        lines.extend(headers.iter().map(|&line| line.to_owned()));
        lines.push("Content-Length: 0\r\n\r\n".to_owned());
        let response = lines.join("\r\n");
        let _ = stream.write_all(response.as_bytes()).await;
    }

    /// Accepts the next stream without a handshake, to act as a server that does not speak WebSocket.
    ///
    /// # Panics
    /// If no client connects.
    ///
    /// # Cancel safety
    /// Cancel-safe: no connection is lost if the future is dropped.
    pub async fn accept_stream(&mut self) -> DuplexStream {
        let stream = with_timeout("a connection", self.connections.recv()).await;
        // The server holds a sender itself.
        stream.unwrap_or_else(|| unreachable!("the channel cannot be closed"))
    }

    /// Accepts the next stream and reads the request of its handshake. Returns the stream and the value of
    /// `Sec-WebSocket-Accept` that belongs to it.
    ///
    /// # Panics
    /// As [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// As [`accept`](Self::accept).
    pub async fn accept_request(&mut self) -> (DuplexStream, String) {
        let mut stream = self.accept_stream().await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match with_timeout("a handshake", stream.read_u8()).await {
                Ok(byte) => head.push(byte),
                Err(error) => panic!("the client disconnected during its handshake: {error}"),
            }
            assert!(head.len() < MAX_HEAD_BYTES, "the handshake request is too large");
        }
        let head = String::from_utf8_lossy(&head);
        let key = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("sec-websocket-key").then_some(value)
        });
        let Some(key) = key else { panic!("the request is not a WebSocket handshake: {head}") };
        (stream, accept_key(key))
    }

    /// Whether a client has connected and was not yet accepted. That connection is dropped.
    pub fn drop_pending_connection(&mut self) -> bool {
        self.connections.try_recv().is_ok()
    }
}

impl fmt::Debug for ScriptedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedServer").field("buffer", &self.buffer).finish_non_exhaustive()
    }
}
