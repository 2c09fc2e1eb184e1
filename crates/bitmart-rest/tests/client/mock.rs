//! Transports that need no network.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bitmart_rest::transport::{Body, Chunks, Transport, TransportFuture};
use bitmart_rest::{Clock, TransportError};
use bitmart_types::Timestamp;
use bytes::Bytes;

/// Keeps what it is asked to send and answers every request with the same body.
#[derive(Clone)]
pub(crate) struct Recorder {
    pub(crate) sent: Arc<Mutex<Vec<http::Request<Bytes>>>>,
    body: &'static str,
    headers: &'static [(&'static str, &'static str)],
}

impl Recorder {
    pub(crate) fn new(body: &'static str) -> Self {
        Self { sent: Arc::default(), body, headers: &[] }
    }
    pub(crate) fn with_headers(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }
}

impl Transport for Recorder {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        self.sent.lock().unwrap().push(request);
        let mut response = http::Response::builder();
        for (name, value) in self.headers {
            response = response.header(*name, *value);
        }
        Box::pin(async { Ok(response.body(Body::from(Bytes::from(self.body))).unwrap()) })
    }
}

/// Never comes to an answer.
pub(crate) struct Silent;

impl Transport for Silent {
    fn send(&self, _: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(std::future::pending())
    }
}

/// Answers with the same piece again and again, so many times, and then nothing.
pub(crate) struct Pieces {
    pub(crate) piece: &'static [u8],
    pub(crate) count: usize,
    /// What follows the pieces.
    pub(crate) end: fn() -> Poll<Option<Result<Bytes, TransportError>>>,
}

impl Transport for Pieces {
    fn send(&self, _: http::Request<Bytes>) -> TransportFuture<'_> {
        let Self { piece, count, end } = *self;
        let body = Body::chunks(PieceBody { piece, left: count, end });
        Box::pin(async { Ok(http::Response::new(body)) })
    }
}

struct PieceBody {
    piece: &'static [u8],
    left: usize,
    end: fn() -> Poll<Option<Result<Bytes, TransportError>>>,
}

impl Chunks for PieceBody {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        if self.left == 0 {
            return (self.end)();
        }
        self.left -= 1;
        Poll::Ready(Some(Ok(Bytes::from_static(self.piece))))
    }
}

/// A clock that stands still.
#[derive(Debug)]
pub(crate) struct Stopped(pub(crate) i64);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0)
    }
}

/// An answer for a [`Script`].
#[expect(clippy::unnecessary_wraps, reason = "other scripts fail")]
pub(crate) fn answer(
    status: u16,
    headers: &[(&'static str, &str)],
    body: impl AsRef<[u8]>,
) -> Result<http::Response<Body>, TransportError> {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Ok(response.body(Body::from(Bytes::copy_from_slice(body.as_ref()))).unwrap())
}

type Answer =
    dyn Fn(&http::Request<Bytes>) -> Result<http::Response<Body>, TransportError> + Send + Sync;

type Sent = (tokio::time::Instant, http::Request<Bytes>);

/// Answers by a function, after a while, and keeps what was asked and when.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) sent: Arc<Mutex<Vec<Sent>>>,
    latency: Duration,
    answer: Arc<Answer>,
}

impl Script {
    pub(crate) fn new(
        answer: impl Fn(&http::Request<Bytes>) -> Result<http::Response<Body>, TransportError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { sent: Arc::default(), latency: Duration::ZERO, answer: Arc::new(answer) }
    }
    pub(crate) fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }
    /// Paths that were asked for, in order.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.sent.lock().unwrap().iter().map(|(_, request)| request.uri().path().into()).collect()
    }
}

impl Transport for Script {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async move {
            tokio::time::sleep(self.latency).await;
            let answer = (self.answer)(&request);
            self.sent.lock().unwrap().push((tokio::time::Instant::now(), request));
            answer
        })
    }
}

/// When paused time starts, in milliseconds.
pub(crate) const NOW: i64 = 1_700_000_000_000;

/// A clock that is off by so many milliseconds from paused time's, which starts at [`NOW`].
#[derive(Debug)]
pub(crate) struct Off {
    pub(crate) start: tokio::time::Instant,
    pub(crate) by: i64,
}

impl Clock for Off {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.start.elapsed().as_millis()).unwrap();
        Timestamp::from_millis(NOW + passed + self.by)
    }
}
