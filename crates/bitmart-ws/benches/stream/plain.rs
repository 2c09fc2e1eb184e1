//! The lower bound: the least work of a program on the same libraries.

use std::hint::black_box;
use std::sync::Arc;

use bitmart_net::TlsOptions;
use bitmart_ws::event::Event as _;
use fastwebsockets::{Frame, OpCode, Payload, WebSocketError};
use flate2::{Decompress, FlushDecompress};
use http_body_util::Empty;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::BoxError;
use crate::server::Server;
use bitmart_ws::spot;

/// Connects, subscribes and receives all frames.
pub(crate) async fn receive(server: &Server, frames: u64) -> Result<(), BoxError> {
    let (address, roots) = crate::roots(server);
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let config = TlsOptions::default().client_config(&roots, &[b"http/1.1"])?;
    let name = ServerName::try_from(address.ip().to_string())?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let request = http::Request::get(format!("/blast?frames={frames}"))
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
    let subscribe = br#"{"op":"subscribe","args":["spot/depth/increase100:S0_USDT"]}"#;
    socket.write_frame(Frame::text(Payload::Borrowed(subscribe))).await?;
    let mut inflate = Decompress::new(false);
    let mut text = Vec::with_capacity(64 << 10);
    let mut entries: Vec<spot::DepthIncrease> = Vec::new();
    let mut received = 0;
    while received < frames {
        let frame = socket.read_frame().await?;
        if frame.opcode != OpCode::Binary {
            continue;
        }
        inflate.reset(false);
        text.clear();
        inflate.decompress_vec(&frame.payload, &mut text, FlushDecompress::None)?;
        entries.clear();
        spot::DepthIncrease::decode(std::str::from_utf8(&text)?, &mut entries)?;
        black_box(&entries);
        received += 1;
    }
    socket.write_frame(Frame::close(1000, b"")).await.or_else(|error| match error {
        WebSocketError::ConnectionClosed => Ok(()),
        other => Err(other.into()),
    })
}
