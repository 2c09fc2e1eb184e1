//! The socket below TLS and HTTP. It makes sure that received bytes are detected before a request is
//! written.
//!
//! An extra response must not be taken for the response to the next request. hyper checks for
//! unexpected bytes right before it writes a request to an idle connection, and returns the request if
//! it finds any. But it only finds bytes that a read returns, and two kinds of bytes are not returned:
//! - Bytes in the operating system's buffer of which the runtime has no notification yet. Unless a
//!   response is due, reads here therefore query the operating system before they return *pending*.
//!   Streams other than sockets cannot be queried; there the runtime gets a chance to process
//!   notifications first.
//! - The first part of a TLS record, which yields no plaintext before the rest has arrived. Reads here
//!   therefore track records, and an idle connection that holds an incomplete one fails.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bitmart_net::{Connect, ConnectError, Stream, Target};
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

/// The state of a connection, shared by its socket and the pool.
#[derive(Clone, Debug)]
pub(super) struct Idle {
    /// One of the constants below.
    state: Arc<AtomicU8>,
    /// Whether the operating system can be queried for received bytes.
    is_socket: bool,
}

/// No response was read yet.
const NEW: u8 = 0;
/// The last response was read completely, and nothing was written since.
const IDLE: u8 = 1;
/// A request was written after another response: what is read belongs to its response.
const BUSY: u8 = 2;

impl Idle {
    /// Marks the connection as idle.
    pub(super) fn set(&self) {
        self.state.store(IDLE, Ordering::Release);
    }

    /// Lets the runtime process notifications of received bytes, for streams that are not sockets.
    pub(super) async fn process_notifications(&self) {
        if !self.is_socket {
            tokio::task::yield_now().await;
        }
    }

    /// A request is being written.
    fn end(&self) {
        if self.get() == IDLE {
            self.state.store(BUSY, Ordering::Release);
        }
    }

    fn get(&self) -> u8 {
        self.state.load(Ordering::Acquire)
    }
}

/// A stream whose reads return all received bytes.
pub(super) struct Socket {
    stream: Stream,
    idle: Idle,
}

impl Socket {
    fn new(mut stream: Stream, tls: bool) -> Self {
        if tls {
            stream.track_tls_records();
        }
        let idle = Idle { is_socket: stream.is_socket(), state: Arc::new(AtomicU8::new(NEW)) };
        Self { stream, idle }
    }

    pub(super) fn idle(&self) -> Idle {
        self.idle.clone()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let state = self.idle.get();
        if state == BUSY {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let read = self.stream.poll_read_now(cx, buffer);
        if read.is_pending() && state == IDLE && self.stream.is_mid_tls_record() {
            let text = "received a part of a TLS record while no response was expected";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, text)));
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.idle.end();
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.idle.end();
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connection for Socket {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// Opens connections below TLS.
#[derive(Clone)]
pub(super) struct Dial {
    connect: Arc<dyn Connect>,
    /// Timeout of an attempt.
    limit: Duration,
}

impl Dial {
    pub(super) fn new(connect: Arc<dyn Connect>, limit: Duration) -> Self {
        Self { connect, limit }
    }
}

impl Service<Uri> for Dial {
    type Response = TokioIo<Socket>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let tls = address.scheme() == Some(&Scheme::HTTPS);
        let port = address.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let host = address.host().unwrap_or_default();
        let make_target = if tls { Target::tls } else { Target::plain_text };
        let target = make_target(host, port).with_timeout(self.limit);
        let connect = Arc::clone(&self.connect);
        Box::pin(async move {
            let stream = connect.connect(&target).await?;
            Ok(TokioIo::new(Socket::new(stream, tls)))
        })
    }
}
