//! A scripted server in memory, so that tests run without sockets and under a paused clock.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bitmart_net::Stream;
use bitmart_types::{Environment, Service};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::{mpsc, watch};

use crate::client::{Client, ClientBuilder};
use crate::connect::accept_key;
use crate::dialect::{Access, Dialect, Limits};
use crate::driver::{Command, Refusal};
use crate::queue::Reader;
use crate::roster::Roster;
use crate::session::{Pace, Session};
use crate::subscription::{Handle, Subscription};
use crate::topic::Topic;

/// Virtual time after which a wait counts as failed.
const PATIENCE: Duration = Duration::from_hours(1);

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// The venue's end: streams that the client dialled.
pub(crate) struct Venue {
    dialled: mpsc::UnboundedReceiver<DuplexStream>,
}

/// A venue and a client that knows no other. Streams hold `buffer` bytes per direction.
pub(crate) fn venue_with(
    buffer: usize,
    configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (Venue, Client) {
    let (sender, dialled) = mpsc::unbounded_channel();
    let connector = bitmart_net::from_fn(move |_| {
        let (client, server) = tokio::io::duplex(buffer);
        let sent = sender.send(server);
        async move {
            sent.map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused))?;
            Ok(Stream::new(client))
        }
    });
    let environment = Environment::custom("test")
        .with(Service::SpotWsPublic, "ws://venue/api?protocol=1.1")
        .with(Service::SpotWsPrivate, "ws://venue/user?protocol=1.1")
        .with(Service::FuturesWsPublic, "ws://venue/api?protocol=1.1");
    let builder =
        Client::builder().environment(environment).allow_plain_text().connector(connector);
    let client = configure(builder).build().expect("a client");
    (Venue { dialled }, client)
}

pub(crate) fn venue() -> (Venue, Client) {
    venue_with(1 << 22, |builder| builder)
}

impl Venue {
    /// The next stream, before any handshake.
    pub(crate) async fn dialled(&mut self) -> DuplexStream {
        patient(self.dialled.recv()).await.expect("a client")
    }

    /// The next stream, its request read, and the accept key that belongs to it.
    pub(crate) async fn asked(&mut self) -> (DuplexStream, String) {
        let mut io = self.dialled().await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(patient(io.read_u8()).await.expect("a request"));
        }
        let head = String::from_utf8(head).expect("text");
        let key = head
            .lines()
            .find_map(|line| {
                line.split_once(": ")
                    .filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
            })
            .expect("a key")
            .1;
        (io, accept_key(key))
    }

    /// The next connection, its handshake done.
    pub(crate) async fn accept(&mut self) -> Peer {
        let (mut io, key) = self.asked().await;
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {key}\r\n\r\n"
        );
        io.write_all(answer.as_bytes()).await.expect("a client");
        Peer { io }
    }

    /// Whether the client has dialled again.
    pub(crate) fn is_dialled(&mut self) -> bool {
        self.dialled.try_recv().is_ok()
    }
}

/// One open connection, seen from the server.
pub(crate) struct Peer {
    io: DuplexStream,
}

impl Peer {
    /// The next frame of the client, or `None` at the end.
    pub(crate) async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        patient(self.io.read_exact(&mut head)).await.ok()?;
        assert_eq!(head[1] & 0x80, 0x80, "clients mask");
        let length = match head[1] & 0x7f {
            126 => u64::from(self.io.read_u16().await.ok()?),
            127 => self.io.read_u64().await.ok()?,
            short => u64::from(short),
        };
        let mut mask = [0; 4];
        self.io.read_exact(&mut mask).await.ok()?;
        let mut payload = vec![0; usize::try_from(length).expect("a length")];
        self.io.read_exact(&mut payload).await.ok()?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        Some((head[0] & 0x0f, payload))
    }

    /// The next text that is no heartbeat.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            let (opcode, payload) = self.frame().await.expect("an open connection");
            assert_eq!(opcode, TEXT);
            let text = String::from_utf8(payload).expect("text");
            if text != "ping" {
                return text;
            }
            self.say("pong").await;
        }
    }

    /// Reads one spot command and acknowledges its topics.
    pub(crate) async fn acknowledge(&mut self) -> (String, Vec<String>) {
        let command: serde_json::Value = serde_json::from_str(&self.text().await).expect("JSON");
        let operation = command["op"].as_str().expect("a spot command").to_owned();
        let topics: Vec<String> = command["args"]
            .as_array()
            .expect("args")
            .iter()
            .map(|topic| topic.as_str().expect("text").to_owned())
            .collect();
        for topic in &topics {
            self.say(&format!(r#"{{"event":"{operation}","topic":"{topic}"}}"#)).await;
        }
        (operation, topics)
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.send(true, TEXT, text.as_bytes()).await;
    }

    pub(crate) async fn send(&mut self, fin: bool, opcode: u8, payload: &[u8]) {
        self.raw(&frame(fin, opcode, payload)).await;
    }

    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        patient(self.io.write_all(bytes)).await.expect("a client that reads");
    }
}

/// A server frame as bytes.
pub(crate) fn frame(fin: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![u8::from(fin) << 7 | opcode];
    match payload.len() {
        length @ 0..126 => bytes.push(u8::try_from(length).expect("short")),
        length @ 126..65_536 => {
            bytes.push(126);
            bytes.extend(u16::try_from(length).expect("medium").to_be_bytes());
        }
        length => {
            bytes.push(127);
            bytes.extend(u64::try_from(length).expect("long").to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}

/// A subscription without a driver: what it asks for comes out at the other end of `commands`.
pub(crate) fn subscription<T>(
    topic: Topic<T>,
    reader: Reader<T>,
    commands: mpsc::Sender<Command>,
) -> Subscription<T> {
    let limits = Limits::of(Dialect::Spot, Access::Public);
    let pace = Pace::new(&limits, 1);
    let session = Session::resume(Dialect::Spot, Access::Public, limits, pace);
    let roster = Arc::<Roster>::default();
    let seat = roster.open(&topic.name().into(), 1).expect("room");
    let handle = Handle {
        commands,
        signals: Arc::default(),
        roster,
        refusal: Refusal::default(),
        heard: Arc::default(),
        status: watch::channel(session.status()).1,
    };
    Subscription::new(topic, 1, reader, handle, seat)
}

/// Waits in virtual time, so that a missing event fails the test instead of hanging it.
pub(crate) async fn patient<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it did not happen")
}
