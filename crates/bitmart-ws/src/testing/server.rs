//! The server that a client dials.

use std::fmt;

use bitmart_net::{Connect, ConnectError, Stream};
use bitmart_types::{Environment, Service};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc;

use super::{ServerConnection, patient};
use crate::client::{Client, ClientBuilder};
use crate::connect::accept_key;

/// Bytes that a stream holds per direction, unless told otherwise.
const BUFFER: usize = 1 << 22;
/// Most bytes of a handshake's request.
const LARGEST_HEAD: usize = 64 << 10;

/// An exchange's WebSocket server in memory: see the [module](super).
///
/// Its methods wait for the client. If it does not come within an hour of the tokio clock, they
/// panic; with a paused clock that takes no time.
pub struct ScriptedServer {
    buffer: usize,
    streams: mpsc::UnboundedSender<DuplexStream>,
    dialled: mpsc::UnboundedReceiver<DuplexStream>,
}

impl Default for ScriptedServer {
    fn default() -> Self {
        Self::new()
    }
}

impl ScriptedServer {
    /// A server that nobody has dialled yet.
    pub fn new() -> Self {
        let (streams, dialled) = mpsc::unbounded_channel();
        Self { buffer: BUFFER, streams, dialled }
    }

    /// How many bytes a stream holds per direction before a writer waits for its reader: 4 MiB
    /// unless set. It counts for connectors that are made afterwards.
    #[must_use]
    pub fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = bytes;
        self
    }

    /// A connector whose streams lead here, whatever the address is.
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

    /// All four WebSocket services at addresses of this machine, which need no permission for plain
    /// text.
    pub fn environment() -> Environment {
        Environment::custom("scripted")
            .with(Service::SpotWsPublic, "ws://127.0.0.1/spot?protocol=1.1")
            .with(Service::SpotWsPrivate, "ws://127.0.0.1/spot-user?protocol=1.1")
            .with(Service::FuturesWsPublic, "ws://127.0.0.1/futures?protocol=1.1")
            .with(Service::FuturesWsPrivate, "ws://127.0.0.1/futures-user?protocol=1.1")
    }

    /// The builder of a client that knows no other server: [`environment`](Self::environment) and
    /// [`connector`](Self::connector).
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder().environment(Self::environment()).connector(self.connector())
    }

    /// The next connection, its handshake done.
    ///
    /// # Panics
    /// When no client connects, or what comes is no handshake.
    ///
    /// # Cancel safety
    /// A connection that has come is lost when the future is dropped during the handshake.
    pub async fn accept(&mut self) -> ServerConnection {
        let (mut stream, key) = self.accept_request().await;
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {key}\r\n\r\n"
        );
        // A client that has gone is noticed when it is read from.
        let _ = stream.write_all(answer.as_bytes()).await;
        ServerConnection::new(stream)
    }

    /// Refuses the next connection with this status line's rest, `503 Service Unavailable`, and
    /// lines of headers, such as `Retry-After: 30`.
    ///
    /// # Panics
    /// As [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// As [`accept`](Self::accept).
    pub async fn refuse(&mut self, status: &str, headers: &[&str]) {
        let (mut stream, _) = self.accept_request().await;
        let mut lines = vec![format!("HTTP/1.1 {status}")];
        lines.extend(headers.iter().map(|&line| line.to_owned()));
        lines.push("Content-Length: 0\r\n\r\n".to_owned());
        let answer = lines.join("\r\n");
        let _ = stream.write_all(answer.as_bytes()).await;
    }

    /// The next stream as the client opened it, before any handshake: for a server that is none.
    ///
    /// # Panics
    /// When no client connects.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn accept_stream(&mut self) -> DuplexStream {
        let stream = patient("a connection", self.dialled.recv()).await;
        // The server holds a sender of its own.
        stream.unwrap_or_else(|| unreachable!("the channel cannot be closed"))
    }

    /// The next stream with its handshake's request read, and the value of `Sec-WebSocket-Accept`
    /// that belongs to it.
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
            match patient("a handshake", stream.read_u8()).await {
                Ok(byte) => head.push(byte),
                Err(error) => panic!("the client left during its handshake: {error}"),
            }
            assert!(head.len() < LARGEST_HEAD, "the handshake has no end");
        }
        let head = String::from_utf8_lossy(&head);
        let key = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("sec-websocket-key").then_some(value)
        });
        let Some(key) = key else { panic!("no handshake of a WebSocket came: {head}") };
        (stream, accept_key(key))
    }

    /// Whether a client has connected again and was not accepted yet. Takes that connection.
    pub fn has_been_dialled(&mut self) -> bool {
        self.dialled.try_recv().is_ok()
    }
}

impl fmt::Debug for ScriptedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedServer").field("buffer", &self.buffer).finish_non_exhaustive()
    }
}
