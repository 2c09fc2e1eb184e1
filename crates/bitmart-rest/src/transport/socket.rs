//! The socket below TLS and HTTP. It makes sure that what has arrived is seen before a request is
//! written.
//!
//! A response that nobody asked for must not be taken for the response to the next request. hyper
//! looks for such bytes right before it writes a request to an idle connection, and hands the request
//! back when it finds any. But it can only find what a read gives, and two kinds of bytes are missing
//! there:
//! - Bytes that the operating system holds and the runtime has not been told of. Reads here therefore
//!   ask the operating system itself before they say that there is nothing.
//! - The first part of a TLS record, which gives no text before the rest has come. Reads here
//!   therefore count records, and an idle connection that holds a part of one fails.

use std::io::{self, Read as _};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower_service::Service;

/// Whether a connection waits for its next request: its last response was read to the end, and
/// nothing has been written since.
#[derive(Clone, Debug, Default)]
pub(super) struct Idle(Arc<AtomicBool>);

impl Idle {
    pub(super) fn set(&self, idle: bool) {
        self.0.store(idle, Ordering::Release);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A TCP stream whose reads miss nothing that has arrived.
pub(super) struct Socket {
    stream: TcpStream,
    /// Counts the records of a stream that carries TLS.
    records: Option<Records>,
    idle: Idle,
}

impl Socket {
    fn new(stream: TcpStream, tls: bool) -> Self {
        Self { stream, records: tls.then(Records::default), idle: Idle::default() }
    }

    pub(super) fn idle(&self) -> Idle {
        self.idle.clone()
    }

    /// Reads without asking the runtime whether there is anything.
    fn read_now(&self, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let socket = SockRef::from(&self.stream);
        // Looking costs less than clearing a buffer for bytes that are seldom there.
        match socket.peek(&mut [MaybeUninit::uninit()]) {
            Err(error) if is_nothing(&error) => return Poll::Pending,
            Err(error) => return Poll::Ready(Err(error)),
            Ok(_) => {}
        }
        match (&*socket).read(buffer.initialize_unfilled()) {
            Ok(count) => {
                buffer.advance(count);
                Poll::Ready(Ok(()))
            }
            Err(error) if is_nothing(&error) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let mut read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_pending() && buffer.remaining() > 0 {
            // The waker is registered: whatever arrives from here on wakes the task.
            read = self.read_now(buffer);
        }
        let idle = self.idle.get();
        if let Some(records) = &mut self.records {
            records.count(buffer.filled().get(before..).unwrap_or_default());
            if read.is_pending() && idle && records.is_amid() {
                let text = "a part of a TLS record came while no response was expected";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, text)));
            }
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
        self.stream.connected()
    }
}

/// Where a stream of TLS records stands. A record is five bytes of head, of which the last two are
/// the length of what follows (RFC 8446, section 5.1).
#[derive(Debug, Default)]
struct Records {
    head: [u8; 5],
    head_length: usize,
    left: usize,
}

impl Records {
    fn count(&mut self, mut bytes: &[u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let taken = self.left.min(bytes.len());
                self.left -= taken;
                bytes = bytes.get(taken..).unwrap_or_default();
                continue;
            }
            bytes = rest;
            if let Some(place) = self.head.get_mut(self.head_length) {
                *place = first;
            }
            self.head_length += 1;
            if self.head_length == self.head.len() {
                self.left = usize::from(u16::from_be_bytes([self.head[3], self.head[4]]));
                self.head_length = 0;
            }
        }
    }

    /// Whether a record has begun and not ended.
    fn is_amid(&self) -> bool {
        self.left > 0 || self.head_length > 0
    }
}

/// Opens TCP connections.
#[derive(Clone)]
pub(super) struct Dial(HttpConnector);

impl Dial {
    pub(super) fn new() -> Self {
        let mut connector = HttpConnector::new();
        // TLS is put on top of it.
        connector.enforce_http(false);
        // Without this a request may wait 40 ms for the acknowledgement of the one before.
        connector.set_nodelay(true);
        Self(connector)
    }
}

type DialError = <HttpConnector as Service<Uri>>::Error;

impl Service<Uri> for Dial {
    type Response = TokioIo<Socket>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let tls = address.scheme() == Some(&Scheme::HTTPS);
        let dialing = self.0.call(address);
        Box::pin(async move {
            let stream = dialing.await?.into_inner();
            Ok(TokioIo::new(Socket::new(stream, tls)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Records;

    #[test]
    fn records_are_counted_however_they_are_cut() {
        let stream = [&[23, 3, 3, 0, 3, 1, 2, 3, 22, 3, 3, 0, 0, 23, 3, 3, 1, 4][..], &[0; 260]];
        let stream = stream.concat();
        let ends = [8, 13, stream.len()];
        for piece in 1..20 {
            let mut records = Records::default();
            let mut seen = 0;
            for bytes in stream.chunks(piece) {
                records.count(bytes);
                seen += bytes.len();
                assert_eq!(records.is_amid(), !ends.contains(&seen), "{seen} in pieces of {piece}");
            }
        }
    }
}
