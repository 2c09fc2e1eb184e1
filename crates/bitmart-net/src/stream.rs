//! The byte stream of a connection.

use std::any::Any;
use std::fmt;
use std::future::{Future as _, poll_fn};
use std::io::{self, IoSlice, Read as _};
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::client::TlsStream;

use crate::records::Records;

/// A type that can carry a connection: any asynchronous byte stream.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// A byte stream to a host, below TLS.
pub struct Stream {
    inner: Inner,
    /// Tracks the TLS records that are read.
    records: Option<Records>,
    /// Every read is a [`Stream::poll_read_now`].
    reads_now: bool,
}

enum Inner {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    /// A TLS connection to a proxy.
    Tls(Box<TlsStream<Stream>>),
    Other(Box<dyn Io>),
}

impl Stream {
    /// Wraps a byte stream. Pass a TCP or Unix stream as it is: the REST client then checks with the
    /// operating system whether bytes have arrived.
    pub fn new(io: impl Io) -> Self {
        Self { inner: Inner::new(io), records: None, reads_now: false }
    }

    /// Prepares the stream for TLS with a proxy, which must not miss bytes that have arrived either.
    pub(crate) fn below_tls(mut self) -> Self {
        self.reads_now = true;
        self.track_tls_records();
        self
    }

    pub(crate) fn over_tls(tls: TlsStream<Self>) -> Self {
        Self { inner: Inner::Tls(Box::new(tls)), records: None, reads_now: false }
    }

    /// Returns whether the stream is a TCP or Unix socket, possibly with TLS to a proxy. For sockets,
    /// [`poll_read_now`](Self::poll_read_now) checks with the operating system.
    pub fn is_socket(&self) -> bool {
        !matches!(self.inner, Inner::Other(_))
    }

    /// Starts tracking the TLS records in what is read, for
    /// [`is_mid_tls_record`](Self::is_mid_tls_record).
    pub fn track_tls_records(&mut self) {
        self.records = Some(Records::default());
    }

    /// Returns whether a TLS record has arrived in part. TLS cannot return its bytes yet.
    pub fn is_mid_tls_record(&self) -> bool {
        let in_outer_tls = match &self.inner {
            Inner::Tls(tls) => tls.get_ref().0.is_mid_tls_record(),
            _ => false,
        };
        in_outer_tls || self.records.as_ref().is_some_and(Records::is_mid_record)
    }

    fn io(&mut self) -> Pin<&mut dyn Io> {
        match &mut self.inner {
            Inner::Tcp(tcp) => Pin::new(tcp),
            #[cfg(unix)]
            Inner::Unix(unix) => Pin::new(unix),
            Inner::Tls(tls) => Pin::new(tls),
            Inner::Other(io) => Pin::new(io),
        }
    }

    /// Reads like [`poll_read`](AsyncRead::poll_read), but does not miss bytes that have arrived.
    ///
    /// Before it returns `Pending`, it checks with the operating system instead of relying on the
    /// runtime's readiness, and it ignores the runtime's cooperative budget. Costs one system call per
    /// `Pending`.
    pub fn poll_read_now(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = self.poll_inner_now(cx, buffer);
        self.track(buffer, before);
        read
    }

    /// Tracks the TLS records in what was read into `buffer` behind the first `before` bytes.
    fn track(&mut self, buffer: &ReadBuf<'_>, before: usize) {
        if let Some(records) = &mut self.records {
            records.advance(buffer.filled().get(before..).unwrap_or_default());
        }
    }

    fn poll_inner_now(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Inner::Other(io) = &mut self.inner {
            let reading = poll_fn(|cx| Pin::new(&mut *io).poll_read(cx, buffer));
            return pin!(tokio::task::unconstrained(reading)).poll(cx);
        }
        let read = self.io().poll_read(cx, buffer);
        if read.is_ready() || buffer.remaining() == 0 {
            return read;
        }
        // The waker is registered, so bytes that arrive from here on wake the task.
        match &self.inner {
            Inner::Tcp(tcp) => read_socket(&SockRef::from(tcp), buffer),
            #[cfg(unix)]
            Inner::Unix(unix) => read_socket(&SockRef::from(unix), buffer),
            Inner::Tls(_) | Inner::Other(_) => read,
        }
    }
}

impl Inner {
    fn new(io: impl Io) -> Self {
        let mut slot = Some(io);
        let any: &mut dyn Any = &mut slot;
        if let Some(tcp) = any.downcast_mut::<Option<TcpStream>>().and_then(Option::take) {
            return Self::Tcp(tcp);
        }
        #[cfg(unix)]
        if let Some(unix) = any.downcast_mut::<Option<UnixStream>>().and_then(Option::take) {
            return Self::Unix(unix);
        }
        // Never empty: `take` succeeds only before a return above.
        slot.map_or_else(
            || Self::Other(Box::new(tokio::io::empty())),
            |io| Self::Other(Box::new(io)),
        )
    }
}

/// Reads from the socket regardless of the runtime's readiness.
fn read_socket(socket: &SockRef<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    // Peeking is cheaper than zeroing the buffer, and usually nothing has arrived.
    match socket.peek(&mut [MaybeUninit::uninit()]) {
        Err(error) if is_would_block(&error) => return Poll::Pending,
        Err(error) => return Poll::Ready(Err(error)),
        Ok(_) => {}
    }
    match (&**socket).read(buffer.initialize_unfilled()) {
        Ok(count) => {
            buffer.advance(count);
            Poll::Ready(Ok(()))
        }
        Err(error) if is_would_block(&error) => Poll::Pending,
        Err(error) => Poll::Ready(Err(error)),
    }
}

fn is_would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.reads_now {
            return self.poll_read_now(cx, buffer);
        }
        let before = buffer.filled().len();
        let read = self.io().poll_read(cx, buffer);
        self.track(buffer, before);
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.io().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io().poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.inner {
            Inner::Tcp(tcp) => tcp.is_write_vectored(),
            #[cfg(unix)]
            Inner::Unix(unix) => unix.is_write_vectored(),
            Inner::Tls(tls) => tls.is_write_vectored(),
            Inner::Other(io) => io.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_shutdown(cx)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.inner {
            Inner::Tcp(_) => "Stream(TCP)",
            #[cfg(unix)]
            Inner::Unix(_) => "Stream(Unix)",
            Inner::Tls(_) => "Stream(TLS)",
            Inner::Other(_) => "Stream(other)",
        })
    }
}
