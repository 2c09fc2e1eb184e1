//! Asking a proxy for a connection to a host.

use std::future::{Ready, ready};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

use super::{Protocol, Proxy};
use crate::direct::uri;
use crate::{ConnectError, ConnectErrorKind, Hop, Stream, Target};

/// Asks the proxy at the end of `stream` for a connection to `target`. Not a byte of what comes after
/// its consent is read.
pub(crate) async fn connect(
    proxy: &Proxy,
    stream: Stream,
    target: &Target,
) -> Result<Stream, ConnectError> {
    let heard = Heard::default();
    let connection = Given(Some(TokioIo::new(Careful { stream, heard: heard.clone() })));
    let (address, host) = (uri(&proxy.target)?, uri(target)?);
    let answer = match proxy.protocol {
        Protocol::Http | Protocol::Https => {
            let mut tunnel = Tunnel::new(address, connection);
            if let Some(basic) = &proxy.basic {
                tunnel = tunnel.with_auth(basic.clone());
            }
            tunnel.call(host).await.map_err(|error| heard.tunnel().with_source(error))
        }
        Protocol::Socks5 | Protocol::Socks5h => {
            let mut socks = SocksV5::new(address, connection);
            if let Some((user, password)) = &proxy.user {
                socks = socks.with_auth(user.clone(), password.clone());
            }
            let authenticates = proxy.user.is_some();
            socks.call(host).await.map_err(|error| heard.socks(authenticates).with_source(error))
        }
    };
    let stream = answer.map_err(|error| error.at(proxy.to_string()))?.into_inner().stream;
    if matches!(proxy.protocol, Protocol::Http | Protocol::Https) && heard.is_page() {
        let error = ConnectError::new(Hop::ProxyHandshake, ConnectErrorKind::Page);
        return Err(error.at(proxy.to_string()));
    }
    Ok(stream)
}

/// Hands out a connection that is open already.
struct Given(Option<TokioIo<Careful>>);

impl Service<Uri> for Given {
    type Response = TokioIo<Careful>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<Careful>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

/// Reads one byte at a time, so that what the host says after the proxy's consent stays where it is,
/// and remembers what it read.
struct Careful {
    stream: Stream,
    heard: Heard,
}

impl AsyncRead for Careful {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut one);
        self.heard.push(one.filled());
        buffer.put_slice(one.filled());
        read
    }
}

impl AsyncWrite for Careful {
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
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What a proxy answered. hyper-util's errors do not tell it.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

/// hyper-util reads no longer head than this.
const MOST: usize = 8192;

impl Heard {
    fn push(&self, bytes: &[u8]) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.len() + bytes.len() <= MOST {
            heard.extend_from_slice(bytes);
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why `CONNECT` failed.
    fn tunnel(&self) -> ConnectError {
        let bytes = self.bytes();
        let text = String::from_utf8_lossy(&bytes);
        let kind = match status(&text) {
            Some(407) => ConnectErrorKind::Unauthorized,
            Some(_) if !is_whole(&text) => ConnectErrorKind::Closed,
            Some(200) => ConnectErrorKind::Protocol,
            Some(code) => ConnectErrorKind::Denied { code },
            None if starts_like(&text) => ConnectErrorKind::Closed,
            None => ConnectErrorKind::Protocol,
        };
        ConnectError::new(Hop::ProxyHandshake, kind)
    }

    /// A proxy that consents and describes a page does not mean it: it is the login page of a network.
    fn is_page(&self) -> bool {
        let text = String::from_utf8_lossy(&self.bytes()).to_ascii_lowercase();
        text.lines().any(|line| {
            let value = line.strip_prefix("content-type:").map(str::trim_start);
            value.is_some_and(|value| value.starts_with("text/html"))
        })
    }

    /// Why SOCKS5 failed.
    fn socks(&self, authenticates: bool) -> ConnectError {
        let bytes = self.bytes();
        let kind = match (bytes.as_slice(), authenticates) {
            ([] | [5], _) => ConnectErrorKind::Closed,
            ([version, ..], _) if *version != 5 => ConnectErrorKind::Protocol,
            // No method that was offered, or one that was not.
            ([_, 0xff | 2, ..], false) | ([_, 0xff | 0, ..], true) => {
                ConnectErrorKind::Unauthorized
            }
            ([_, 2] | [_, 2, 1] | [_, 2, 1, 0] | [_, 2, 1, 0, 5], true)
            | ([_, 0] | [_, 0, 5], false) => ConnectErrorKind::Closed,
            ([_, 2, 1, refused, ..], true) if *refused != 0 => ConnectErrorKind::Unauthorized,
            ([_, 2, 1, _, 5, code, ..], true) | ([_, 0, 5, code, ..], false) => reply(*code),
            _ => ConnectErrorKind::Protocol,
        };
        ConnectError::new(Hop::ProxyHandshake, kind)
    }
}

/// The reply of a SOCKS5 proxy to the question for a connection (RFC 1928, section 6).
fn reply(code: u8) -> ConnectErrorKind {
    match code {
        // It consented, but what followed broke off.
        0 => ConnectErrorKind::Closed,
        1..=8 => ConnectErrorKind::Denied { code: code.into() },
        _ => ConnectErrorKind::Protocol,
    }
}

/// The status of an HTTP answer.
fn status(text: &str) -> Option<u16> {
    let (version, rest) = text.split_once(' ')?;
    let number = rest.get(..3).filter(|_| version == "HTTP/1.1" || version == "HTTP/1.0")?;
    number.parse().ok().filter(|status| (100..600).contains(status))
}

fn is_whole(text: &str) -> bool {
    text.contains("\r\n\r\n") || text.contains("\n\n")
}

/// Whether it could have become an HTTP answer.
fn starts_like(text: &str) -> bool {
    let start = "HTTP/1.";
    start.starts_with(text) || text.starts_with(start) && !text.contains('\n')
}
