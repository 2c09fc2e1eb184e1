//! The socket below TLS and HTTP. It makes sure that what has arrived is seen before a request is
//! written.
//!
//! A response that nobody asked for must not be taken for the response to the next request. hyper
//! looks for such bytes right before it writes a request to an idle connection, and hands the request
//! back when it finds any. But it can only find what a read gives, and two kinds of bytes are missing
//! there:
//! - Bytes that the operating system holds and the runtime has not been told of. Reads here therefore
//!   ask the operating system itself before they say that there is nothing. A stream that is no
//!   socket cannot be asked; the runtime gets a turn to hear of what is below it instead.
//! - The first part of a TLS record, which gives no text before the rest has come. Reads here
//!   therefore count records, and an idle connection that holds a part of one fails.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bitmart_net::{Connect, ConnectError, Stream, Target};
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

/// Whether a connection waits for its next request: its last response was read to the end, and
/// nothing has been written since.
#[derive(Clone, Debug)]
pub(super) struct Idle {
    resting: Arc<AtomicBool>,
    /// The operating system can be asked what has arrived.
    is_socket: bool,
}

impl Idle {
    pub(super) fn set(&self, idle: bool) {
        self.resting.store(idle, Ordering::Release);
    }

    /// Lets the runtime hear what has arrived. A stream that is no socket can only tell what the
    /// runtime was told of whatever is below it.
    pub(super) async fn listen(&self) {
        if !self.is_socket {
            tokio::task::yield_now().await;
        }
    }

    fn get(&self) -> bool {
        self.resting.load(Ordering::Acquire)
    }
}

/// A stream whose reads miss nothing that has arrived.
pub(super) struct Socket {
    stream: Stream,
    idle: Idle,
}

impl Socket {
    fn new(mut stream: Stream, tls: bool) -> Self {
        if tls {
            stream.count_records();
        }
        let idle = Idle { is_socket: stream.is_socket(), resting: Arc::default() };
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
        let read = self.stream.poll_read_arrived(cx, buffer);
        if read.is_pending() && self.idle.get() && self.stream.is_amid_record() {
            let text = "a part of a TLS record came while no response was expected";
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
        self.idle.set(false);
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.idle.set(false);
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
    /// How long an attempt may take.
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
        let target = Target::new(host, port, tls).with_limit(self.limit);
        let connect = Arc::clone(&self.connect);
        Box::pin(async move {
            let stream = connect.connect(&target).await?;
            Ok(TokioIo::new(Socket::new(stream, tls)))
        })
    }
}
