//! A proxy between a client and the sandbox's WebSocket that applies faults to frames.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const PING: u8 = 9;

/// A frame from the server to the client.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.payload).unwrap_or_default()
    }

    /// Encodes the frame without fragmentation.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        encode(true, self.opcode, &self.payload)
    }
}

/// Encodes a server frame.
pub(crate) fn encode(fin: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![u8::from(fin) << 7 | opcode];
    match payload.len() {
        length @ 0..126 => bytes.push(u8::try_from(length).unwrap_or_default()),
        length @ 126..65_536 => {
            bytes.push(126);
            bytes.extend(u16::try_from(length).unwrap_or_default().to_be_bytes());
        }
        length => {
            bytes.push(127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}

/// What the proxy does with a frame.
pub(crate) enum Action {
    Forward,
    /// Sends these bytes instead.
    Replace(Vec<u8>),
    /// Sends these bytes and closes the connection.
    Disconnect(Vec<u8>),
    /// Stops forwarding and keeps the connection open.
    Freeze,
}

type Rule = Box<dyn FnMut(&Frame) -> Action + Send>;

/// Forwards everything except the frames that its rule selects.
pub(crate) struct FaultyProxy {
    address: String,
    shared: Arc<Shared>,
    _serving: JoinSet<()>,
}

struct Shared {
    rule: Mutex<Rule>,
    connections: Mutex<usize>,
}

impl Shared {
    fn apply_rule(&self, frame: &Frame) -> Action {
        (self.rule.lock().unwrap_or_else(PoisonError::into_inner))(frame)
    }
}

impl FaultyProxy {
    /// Starts a proxy to `upstream`, a WebSocket address without TLS.
    pub(crate) async fn start(
        upstream: &str,
        rule: impl FnMut(&Frame) -> Action + Send + 'static,
    ) -> io::Result<Self> {
        let rest = upstream.trim_start_matches("ws://");
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("ws://{}/{path}", listener.local_addr()?);
        let shared =
            Arc::new(Shared { rule: Mutex::new(Box::new(rule)), connections: Mutex::new(0) });
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, host.to_owned(), shared.clone()));
        Ok(Self { address, shared, _serving: serving })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(listener: TcpListener, host: String, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        *shared.connections.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        let (host, shared) = (host.clone(), shared.clone());
        // Errors show at the client.
        connections.spawn(async move { drop(forward(client, &host, &shared).await) });
    }
}

async fn forward(client: TcpStream, host: &str, shared: &Shared) -> io::Result<()> {
    let server = TcpStream::connect(host).await?;
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    tokio::select! {
        result = tokio::io::copy(&mut from_client, &mut to_server) => result.map(drop),
        result = forward_frames(from_server, to_client, shared) => result,
    }
}

async fn forward_frames(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(from.read_u8().await?);
    }
    to.write_all(&head).await?;
    loop {
        let frame = read_frame(&mut from).await?;
        match shared.apply_rule(&frame) {
            Action::Forward => to.write_all(&frame.bytes()).await?,
            Action::Replace(bytes) => to.write_all(&bytes).await?,
            Action::Disconnect(bytes) => {
                to.write_all(&bytes).await?;
                return Ok(());
            }
            Action::Freeze => std::future::pending().await,
        }
    }
}

async fn read_frame(from: &mut OwnedReadHalf) -> io::Result<Frame> {
    let opcode = from.read_u8().await? & 0x0f;
    let length = match from.read_u8().await? & 0x7f {
        126 => u64::from(from.read_u16().await?),
        127 => from.read_u64().await?,
        short => u64::from(short),
    };
    let mut payload = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    from.read_exact(&mut payload).await?;
    Ok(Frame { opcode, payload })
}
