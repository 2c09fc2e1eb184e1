//! An answer with everything that is known about it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::client::observe::Call;
use crate::client::rate::RateLimitState;
use crate::error::Error;
use crate::wire::endpoint::Metadata;
use crate::wire::response::{Opened, Received};

/// The data of an answer and what came with it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Detailed<T> {
    /// The decoded data.
    pub data: T,
    /// HTTP status.
    pub status: StatusCode,
    /// State of the rate limit, if the answer told it.
    pub rate_limit: Option<RateLimitState>,
    /// The exchange's id of the request, to quote to its support.
    pub trace: Option<String>,
    /// From handing the request to the transport until the answer was complete: of the last attempt,
    /// where a read was [sent again](crate::RetryPolicy). A connection that has to be opened counts.
    pub latency: Duration,
    /// Time before sending: in the rate limiter and for a place on a connection, all attempts
    /// together. Neither in it nor in `latency` are earlier attempts and the pauses after them.
    pub waited: Duration,
    /// From the call to the decoded response. For one attempt it is `waited` and `latency` and the
    /// time that encoding, signing and decoding took, and a
    /// [synchronisation of the clock](crate::ClientBuilder::sync_clock) that had to come first; with
    /// several attempts also the earlier ones and their pauses. So it is never less than `waited` and
    /// `latency` together.
    pub total: Duration,
    /// The answer's body, inflated where it arrived compressed.
    pub raw: Bytes,
}

/// Shows the size of the body only.
impl<T: fmt::Debug> fmt::Debug for Detailed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detailed")
            .field("data", &self.data)
            .field("status", &self.status)
            .field("rate_limit", &self.rate_limit)
            .field("trace", &self.trace)
            .field("latency", &self.latency)
            .field("waited", &self.waited)
            .field("total", &self.total)
            .field("raw_bytes", &self.raw.len())
            .finish()
    }
}

/// An answer that arrived completely.
pub(super) struct Arrived {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) rate_limit: Option<RateLimitState>,
    /// Inflated.
    pub(super) body: Bytes,
}

impl Arrived {
    pub(super) fn received(&self, metadata: &'static Metadata) -> Received<'_> {
        Received::new(metadata, self.status, &self.headers, self.rate_limit, &self.body)
    }
}

/// The end of a call.
pub(super) fn detailed<T>(
    call: Call,
    answer: Result<(T, Arrived, Opened), Error>,
) -> Result<Detailed<T>, Error> {
    let timing = call.end(answer.as_ref().map(|(_, arrived, _)| arrived.status));
    let (data, arrived, opened) = answer?;
    Ok(Detailed {
        data,
        status: arrived.status,
        rate_limit: arrived.rate_limit,
        trace: opened.trace,
        latency: timing.latency,
        waited: timing.waited,
        total: timing.total,
        raw: arrived.body,
    })
}
