//! Extra responses over custom streams instead of sockets.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bitmart_net::{Stream, from_fn};
use bitmart_rest::ClientBuilder;
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_types::{Environment, Service};
use futures_util::FutureExt as _;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf,
};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::endpoints::client;
use crate::extra_responses::{
    EXTRA_OFFSET, IN_PART, LATER, LATER_IN_PART, MERGED, Numbered, SEPARATE, response, serve,
};

/// A socket that is not recognized as one.
struct Opaque(TcpStream);

impl AsyncRead for Opaque {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Opaque {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

fn opaque(builder: ClientBuilder) -> ClientBuilder {
    builder.connector(from_fn(|target| async move {
        let stream = TcpStream::connect((target.host(), target.port())).await?;
        stream.set_nodelay(true)?;
        Ok(Stream::new(Opaque(stream)))
    }))
}

#[tokio::test]
async fn no_request_on_an_opaque_stream_gets_a_response_that_arrived_before_it() {
    for tls in [false, true] {
        for plan in [MERGED, SEPARATE, IN_PART, LATER, LATER_IN_PART] {
            let server = serve(tls, move |_| plan, opaque);
            assert_eq!(server.foreign(100, plan).await, 0, "{plan:?}, TLS: {tls}");
        }
    }
}

/// Reads an order and responds to it.
async fn send_response(io: &mut DuplexStream, number: u32) {
    let mut text = Vec::new();
    while !text.ends_with(b"}") {
        text.push(io.read_u8().await.unwrap());
    }
    io.write_all(response(number).as_bytes()).await.unwrap();
}

#[tokio::test]
async fn no_request_on_an_in_memory_stream_gets_a_response_that_arrived_before_it() {
    let (sender, mut dialled) = mpsc::unbounded_channel();
    let connector = from_fn(move |_| {
        let (near, far) = tokio::io::duplex(4096);
        sender.send(far).unwrap();
        async { Ok(Stream::new(near)) }
    });
    let environment = Environment::custom("test").with(Service::SpotRest, "http://localhost");
    let client = client("")
        .environment(environment)
        .limiter(Limiter::new(LimitPolicy::Off))
        .connector(connector)
        .build()
        .unwrap();
    let mut open = Vec::new();
    for number in 0..200 {
        let mut sending = pin!(client.send(Numbered { number }));
        let dialling = tokio::time::timeout(Duration::from_secs(20), dialled.recv());
        let mut io: DuplexStream = tokio::select! {
            placed = &mut sending => panic!("{:?} was returned before the request was sent", placed),
            io = dialling => io.unwrap().unwrap(),
        };
        let (placed, ()) = tokio::join!(sending, send_response(&mut io, number));
        assert_eq!(placed.unwrap().order_id, number.to_string());
        // Written without yielding to the runtime; every second extra response only in part.
        let extra = response(EXTRA_OFFSET + number);
        let extra = &extra[..extra.len() / (1 + number as usize % 2)];
        io.write_all(extra.as_bytes()).now_or_never().unwrap().unwrap();
        open.push(io);
    }
}
