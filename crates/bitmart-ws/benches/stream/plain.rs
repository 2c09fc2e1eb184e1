//! The lower bound: the least work of a program on the same libraries.

use std::hint::black_box;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

use bitmart_net::TlsOptions;
use bitmart_types::Roots;
use bitmart_ws::event::Event as _;
use fastwebsockets::{Frame, OpCode, Payload, WebSocket, WebSocketError};
use flate2::{Decompress, FlushDecompress};
use http_body_util::Empty;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::BoxError;
use crate::server::Server;
use bitmart_ws::spot;

type Socket = WebSocket<TokioIo<Upgraded>>;

/// Connects to this path and subscribes these topics.
async fn connect(
    (address, roots): (SocketAddr, Roots),
    path: &str,
    topics: Range<usize>,
) -> Result<Socket, BoxError> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let config = TlsOptions::default().client_config(&roots, &[b"http/1.1"])?;
    let name = ServerName::try_from(address.ip().to_string())?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let request = http::Request::get(path)
        .header("host", address.to_string())
        .header("upgrade", "websocket")
        .header("connection", "upgrade")
        .header("sec-websocket-key", fastwebsockets::handshake::generate_key())
        .header("sec-websocket-version", "13")
        .body(Empty::<bytes::Bytes>::new())?;
    let (mut socket, _) =
        fastwebsockets::handshake::client(&TokioExecutor::new(), request, stream).await?;
    socket.set_auto_close(false);
    socket.set_auto_pong(false);
    let names = topics.map(|number| format!(r#""spot/depth/increase100:S{number}_USDT""#));
    let names = names.collect::<Vec<_>>().join(",");
    let subscribe = format!(r#"{{"op":"subscribe","args":[{names}]}}"#);
    socket.write_frame(Frame::text(Payload::Borrowed(subscribe.as_bytes()))).await?;
    Ok(socket)
}

/// Decodes frames with reused memory.
#[derive(Default)]
struct Decoder {
    text: Vec<u8>,
    entries: Vec<spot::DepthUpdate>,
}

impl Decoder {
    /// Returns the books in a frame; none in an acknowledgement.
    fn decode(
        &mut self,
        frame: &Frame<'_>,
        inflate: &mut Decompress,
    ) -> Result<&[spot::DepthUpdate], BoxError> {
        self.entries.clear();
        if frame.opcode != OpCode::Binary {
            return Ok(&self.entries);
        }
        inflate.reset(false);
        self.text.clear();
        self.text.reserve(64 << 10);
        inflate.decompress_vec(&frame.payload, &mut self.text, FlushDecompress::None)?;
        spot::DepthUpdate::decode(std::str::from_utf8(&self.text)?, &mut self.entries)?;
        Ok(&self.entries)
    }
}

/// Connects, subscribes and receives all frames.
pub(crate) async fn receive(server: &Server, frames: u64) -> Result<(), BoxError> {
    let mut socket =
        connect(crate::roots(server), &format!("/blast?frames={frames}"), 0..1).await?;
    let (mut decoder, mut inflate) = (Decoder::default(), Decompress::new(false));
    let mut received = 0;
    while received < frames {
        let frame = socket.read_frame().await?;
        let books = decoder.decode(&frame, &mut inflate)?;
        received += black_box(books).len() as u64;
    }
    socket.write_frame(Frame::close(1000, b"")).await.or_else(|error| match error {
        WebSocketError::ConnectionClosed => Ok(()),
        other => Err(other.into()),
    })
}

/// Subscribes these topics on one connection and hands each book to `reader` until it is aborted.
pub(crate) async fn read_paced(
    server: (SocketAddr, Roots),
    path: &str,
    topics: Range<usize>,
    mut reader: impl FnMut(&spot::DepthUpdate),
) -> Result<(), BoxError> {
    let mut socket = connect(server, path, topics).await?;
    let (mut decoder, mut inflate) = (Decoder::default(), Decompress::new(false));
    loop {
        let frame = socket.read_frame().await?;
        decoder.decode(&frame, &mut inflate)?.iter().for_each(&mut reader);
    }
}
