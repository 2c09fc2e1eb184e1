//! A byte stream below TLS.

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

/// What can carry a connection: anything that reads and writes bytes.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// A byte stream to a host, below TLS.
pub struct Stream {
    inner: Inner,
    /// Counts what is read as TLS records.
    records: Option<Records>,
    /// Every read is one that misses nothing.
    arrived: bool,
}

enum Inner {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    /// TLS with a proxy.
    Tls(Box<TlsStream<Stream>>),
    Other(Box<dyn Io>),
}

impl Stream {
    /// Hand a TCP or a Unix stream in as it is, not wrapped: the REST client asks the operating system
    /// itself whether bytes have arrived on it.
    pub fn new(io: impl Io) -> Self {
        Self { inner: Inner::of(io), records: None, arrived: false }
    }

    /// For TLS with a proxy, which carries the client's: what has arrived must be seen here as well.
    pub(crate) fn below_tls(mut self) -> Self {
        self.arrived = true;
        self.count_records();
        self
    }

    pub(crate) fn over_tls(tls: TlsStream<Self>) -> Self {
        Self { inner: Inner::Tls(Box::new(tls)), records: None, arrived: false }
    }

    /// Whether the operating system can be asked what has arrived: the stream is a TCP or a Unix
    /// socket, or one that this crate made of them. Of others it is known what they tell.
    pub fn is_socket(&self) -> bool {
        !matches!(self.inner, Inner::Other(_))
    }

    /// From here on takes what is read for TLS records: see
    /// [`is_amid_record`](Self::is_amid_record).
    pub fn count_records(&mut self) {
        self.records = Some(Records::default());
    }

    /// Whether a TLS record has begun to arrive and not ended. It holds bytes that TLS cannot show
    /// yet.
    pub fn is_amid_record(&self) -> bool {
        let below = match &self.inner {
            Inner::Tls(tls) => tls.get_ref().0.is_amid_record(),
            _ => false,
        };
        below || self.records.as_ref().is_some_and(Records::is_amid)
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

    /// Reads as [`poll_read`](AsyncRead::poll_read) does, but misses nothing that has arrived: before
    /// it says that there is nothing, it asks the operating system instead of what the runtime was
    /// told, and it is not held back by the runtime's budget. Costs a call of the operating system
    /// for each time that there is nothing.
    pub fn poll_read_arrived(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = self.read_arrived(cx, buffer);
        if let Some(records) = &mut self.records {
            records.count(buffer.filled().get(before..).unwrap_or_default());
        }
        read
    }

    fn read_arrived(
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
        // The waker is registered: whatever arrives from here on wakes the task.
        match &self.inner {
            Inner::Tcp(tcp) => read_now(&SockRef::from(tcp), buffer),
            #[cfg(unix)]
            Inner::Unix(unix) => read_now(&SockRef::from(unix), buffer),
            Inner::Tls(_) | Inner::Other(_) => read,
        }
    }
}

impl Inner {
    fn of(io: impl Io) -> Self {
        let mut place = Some(io);
        let any: &mut dyn Any = &mut place;
        if let Some(tcp) = any.downcast_mut::<Option<TcpStream>>().and_then(Option::take) {
            return Self::Tcp(tcp);
        }
        #[cfg(unix)]
        if let Some(unix) = any.downcast_mut::<Option<UnixStream>>().and_then(Option::take) {
            return Self::Unix(unix);
        }
        // It is still there: it was taken only if the function has returned.
        place.map_or_else(
            || Self::Other(Box::new(tokio::io::empty())),
            |io| Self::Other(Box::new(io)),
        )
    }
}

/// Reads without asking the runtime whether there is anything.
fn read_now(socket: &SockRef<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    // Looking costs less than clearing a buffer for bytes that are seldom there.
    match socket.peek(&mut [MaybeUninit::uninit()]) {
        Err(error) if is_nothing(&error) => return Poll::Pending,
        Err(error) => return Poll::Ready(Err(error)),
        Ok(_) => {}
    }
    match (&**socket).read(buffer.initialize_unfilled()) {
        Ok(count) => {
            buffer.advance(count);
            Poll::Ready(Ok(()))
        }
        Err(error) if is_nothing(&error) => Poll::Pending,
        Err(error) => Poll::Ready(Err(error)),
    }
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.arrived {
            return self.poll_read_arrived(cx, buffer);
        }
        self.io().poll_read(cx, buffer)
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
