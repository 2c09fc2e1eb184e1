//! Responses, a transport and clocks for tests.

use std::pin::Pin;
use std::task::{Context, Poll};

use bitmart_rest::testing::ScriptedResponse;
use bitmart_rest::transport::TransportError;
use bitmart_rest::transport::{self, Body, Chunks, Transport};
use bitmart_rest::types::Clock;
use bitmart_types::Timestamp;
use bytes::Bytes;

/// A transport whose response body repeats `piece` `count` times and then ends with `end`.
pub(crate) fn pieces(
    piece: &'static [u8],
    count: usize,
    end: fn() -> Poll<Option<Result<Bytes, TransportError>>>,
) -> impl Transport {
    transport::from_fn(move |_| async move {
        Ok(http::Response::new(Body::chunks(PieceBody { piece, left: count, end })))
    })
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

/// A clock with a fixed time.
#[derive(Debug)]
pub(crate) struct FixedClock(pub(crate) i64);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0)
    }
}

/// A response with headers.
pub(crate) fn response(
    status: u16,
    headers: &[(&str, &str)],
    body: impl AsRef<[u8]>,
) -> ScriptedResponse {
    let response = ScriptedResponse::raw(Bytes::copy_from_slice(body.as_ref())).status(status);
    headers.iter().fold(response, |response, (name, value)| response.header(name, value))
}

/// What an [`OffsetClock`] without an offset shows when it is created, in milliseconds.
pub(crate) const START_MILLIS: i64 = 1_700_000_000_000;

/// A clock that shows [`START_MILLIS`] plus its offset at `start`, and runs with the paused time of tokio.
#[derive(Debug)]
pub(crate) struct OffsetClock {
    pub(crate) start: tokio::time::Instant,
    pub(crate) offset_millis: i64,
}

impl Clock for OffsetClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.start.elapsed().as_millis()).unwrap();
        Timestamp::from_millis(START_MILLIS + passed + self.offset_millis)
    }
}
