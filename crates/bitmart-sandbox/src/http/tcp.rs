//! The TCP connection below HTTP: how it ends, and when bytes arrive.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    sync::Semaphore,
    time::timeout,
};

use crate::slots::Slot;

/// Maximum time for a client to read the last response. Bytes that it sends meanwhile are discarded.
const LINGER: Duration = Duration::from_secs(1);
/// Maximum number of bytes that are discarded. Unread bytes would reset the connection before the response is read, and
/// a client that writes before it reads has to get rid of all of a message that is too big. Nothing is stored, and
/// `LINGER` ends it as well.
const MAX_DISCARDED: u64 = 64 << 20;

/// Connections of a listener that are kept open for [`LINGER`] at the same time. They count against no other limit;
/// further ones are closed at once.
const MAX_LINGERING: usize = 256;

/// The connections of a listener that are kept open after their end.
#[derive(Debug, Clone)]
pub(super) struct Lingering(Arc<Semaphore>);

impl Default for Lingering {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_LINGERING)))
    }
}

/// The end of a connection. By default it is closed normally.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// Whether it is reset.
    pub(super) reset: AtomicBool,
    /// Whether bytes of the client are read for a moment, so that they do not reset the connection before the response
    /// is read.
    pub(super) linger: AtomicBool,
    /// HTTP status of a final response without a body; 0 for none.
    status: AtomicU16,
}

impl Ending {
    /// Sets the status of a final response.
    pub(super) fn set_status(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    pub(super) fn status(&self) -> u16 {
        self.status.load(Ordering::Relaxed)
    }
}

/// A TCP connection that ends as configured.
#[derive(Debug)]
pub(super) struct Connection {
    /// `None` only after the drop.
    stream: Option<TcpStream>,
    ending: Arc<Ending>,
    lingering: Lingering,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, ending: Arc<Ending>, lingering: Lingering) -> Self {
        Self { stream: Some(stream), ending, lingering }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        if self.ending.reset.load(Ordering::Relaxed) {
            // If this fails, the connection is closed instead, which is a similar fault.
            let _ = stream.set_zero_linger();
            return;
        }
        let status = self.ending.status();
        let lingers = status != 0 || self.ending.linger.load(Ordering::Relaxed);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if lingers && let Ok(permit) = Arc::clone(&self.lingering.0).try_acquire_owned() {
            runtime.spawn(async move {
                let _permit = permit;
                let _ = timeout(LINGER, finish(stream, status)).await;
            });
        }
    }
}

/// Sends the final response, if there is one, and waits until the client has closed. An error means that the client has
/// disconnected already.
async fn finish(mut stream: TcpStream, status: u16) {
    let response = StatusCode::from_u16(status).map_or(String::new(), |status| {
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    });
    if stream.write_all(response.as_bytes()).await.is_ok() {
        // After a response of hyper the stream is shut down already.
        let _ = stream.shutdown().await;
        let _ = tokio::io::copy(&mut stream.take(MAX_DISCARDED), &mut tokio::io::sink()).await;
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream()?.poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }
}

/// A stream that notifies the slot of its connection when bytes arrive.
#[derive(Debug)]
pub(crate) struct MonitoredStream<S> {
    stream: S,
    slot: Arc<Slot>,
}

impl<S> MonitoredStream<S> {
    pub(crate) fn new(stream: S, slot: Arc<Slot>) -> Self {
        Self { stream, slot }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for MonitoredStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.slot.bytes_arrived();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for MonitoredStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn only_so_many_connections_linger_after_their_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let lingering = Lingering(Arc::new(Semaphore::new(2)));
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(TcpStream::connect(address).await.expect("connected"));
            let (stream, _) = listener.accept().await.expect("accepted");
            let ending = Arc::new(Ending::default());
            ending.set_status(408);
            drop(Connection::new(stream, ending, lingering.clone()));
        }
        let mut responses = Vec::new();
        for client in &mut clients {
            let mut response = String::new();
            client.read_to_string(&mut response).await.expect("an end");
            responses.push(response.starts_with("HTTP/1.1 408"));
        }
        assert_eq!(responses, [true, true, false], "the third is closed at once");
        drop(clients);
        let all = lingering.0.acquire_many(2).await;
        assert!(all.is_ok(), "the places are free again");
    }
}
