//! The `CONNECT` and SOCKS5 handshakes.

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

/// Requests a connection to `target` from the proxy at the other end of `stream`. Reads no byte
/// beyond the proxy's response.
pub(crate) async fn connect(
    proxy: &Proxy,
    stream: Stream,
    target: &Target,
) -> Result<Stream, ConnectError> {
    let transcript = Transcript::default();
    let recording = RecordingStream { stream, transcript: transcript.clone() };
    let connection = EstablishedConnection(Some(TokioIo::new(recording)));
    let (address, host) = (uri(&proxy.target)?, uri(target)?);
    let result = match proxy.protocol {
        Protocol::Http | Protocol::Https => {
            let mut tunnel = Tunnel::new(address, connection);
            if let Some(header) = &proxy.basic_auth {
                tunnel = tunnel.with_auth(header.clone());
            }
            tunnel.call(host).await.map_err(|error| transcript.tunnel_error().with_source(error))
        }
        Protocol::Socks5 | Protocol::Socks5h => {
            let mut socks = SocksV5::new(address, connection);
            if let Some((user, password)) = &proxy.login {
                socks = socks.with_auth(user.clone(), password.clone());
            }
            let authenticates = proxy.login.is_some();
            socks
                .call(host)
                .await
                .map_err(|error| transcript.socks_error(authenticates).with_source(error))
        }
    };
    let stream = result.map_err(|error| error.with_address(proxy.to_string()))?.into_inner().stream;
    if matches!(proxy.protocol, Protocol::Http | Protocol::Https) && transcript.is_html() {
        let error = ConnectError::new(Hop::ProxyHandshake, ConnectErrorKind::HtmlPage);
        return Err(error.with_address(proxy.to_string()));
    }
    Ok(stream)
}

/// A connector that returns an open connection.
struct EstablishedConnection(Option<TokioIo<RecordingStream>>);

impl Service<Uri> for EstablishedConnection {
    type Response = TokioIo<RecordingStream>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<RecordingStream>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

/// Reads one byte at a time, so that bytes of the host after the proxy's response stay in the stream,
/// and records what it reads.
struct RecordingStream {
    stream: Stream,
    transcript: Transcript,
}

impl AsyncRead for RecordingStream {
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
        self.transcript.push(one.filled());
        buffer.put_slice(one.filled());
        read
    }
}

impl AsyncWrite for RecordingStream {
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

/// The bytes of the proxy's response, to classify failures. hyper-util's errors lack the details.
#[derive(Clone, Default)]
struct Transcript(Arc<Mutex<Vec<u8>>>);

/// hyper-util's limit for a response head.
const MAX_HEAD: usize = 8192;

impl Transcript {
    fn push(&self, bytes: &[u8]) {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.len() + bytes.len() <= MAX_HEAD {
            recorded.extend_from_slice(bytes);
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Classifies a failed `CONNECT`.
    fn tunnel_error(&self) -> ConnectError {
        let bytes = self.bytes();
        let text = String::from_utf8_lossy(&bytes);
        let kind = match status(&text) {
            Some(407) => ConnectErrorKind::Unauthorized,
            Some(_) if !has_complete_head(&text) => ConnectErrorKind::Closed,
            Some(200) => ConnectErrorKind::Protocol,
            Some(code) => ConnectErrorKind::Rejected { code },
            None if is_http_prefix(&text) => ConnectErrorKind::Closed,
            None => ConnectErrorKind::Protocol,
        };
        ConnectError::new(Hop::ProxyHandshake, kind)
    }

    /// Whether the response is an HTML page. With status 200 it is a captive portal, not a tunnel.
    fn is_html(&self) -> bool {
        let text = String::from_utf8_lossy(&self.bytes()).to_ascii_lowercase();
        text.lines().any(|line| {
            let value = line.strip_prefix("content-type:").map(str::trim_start);
            value.is_some_and(|value| value.starts_with("text/html"))
        })
    }

    /// Classifies a failed SOCKS5 handshake.
    fn socks_error(&self, authenticates: bool) -> ConnectError {
        let bytes = self.bytes();
        let kind = match (bytes.as_slice(), authenticates) {
            ([] | [5], _) => ConnectErrorKind::Closed,
            ([version, ..], _) if *version != 5 => ConnectErrorKind::Protocol,
            // The proxy accepts no offered method, or selected one that was not offered.
            ([_, 0xff | 2, ..], false) | ([_, 0xff | 0, ..], true) => {
                ConnectErrorKind::Unauthorized
            }
            ([_, 2] | [_, 2, 1] | [_, 2, 1, 0] | [_, 2, 1, 0, 5], true)
            | ([_, 0] | [_, 0, 5], false) => ConnectErrorKind::Closed,
            ([_, 2, 1, status, ..], true) if *status != 0 => ConnectErrorKind::Unauthorized,
            ([_, 2, 1, _, 5, code, ..], true) | ([_, 0, 5, code, ..], false) => {
                classify_reply(*code)
            }
            _ => ConnectErrorKind::Protocol,
        };
        ConnectError::new(Hop::ProxyHandshake, kind)
    }
}

/// Classifies the reply code of a SOCKS5 proxy (RFC 1928, section 6).
fn classify_reply(code: u8) -> ConnectErrorKind {
    match code {
        // Success, but the connection ended before the reply was complete.
        0 => ConnectErrorKind::Closed,
        1..=8 => ConnectErrorKind::Rejected { code: code.into() },
        _ => ConnectErrorKind::Protocol,
    }
}

/// The status code of an HTTP response.
fn status(text: &str) -> Option<u16> {
    let (version, rest) = text.split_once(' ')?;
    let number = rest.get(..3).filter(|_| version == "HTTP/1.1" || version == "HTTP/1.0")?;
    number.parse().ok().filter(|status| (100..600).contains(status))
}

fn has_complete_head(text: &str) -> bool {
    text.contains("\r\n\r\n") || text.contains("\n\n")
}

/// Whether the text may be the beginning of an HTTP response.
fn is_http_prefix(text: &str) -> bool {
    let start = "HTTP/1.";
    start.starts_with(text) || text.starts_with(start) && !text.contains('\n')
}
