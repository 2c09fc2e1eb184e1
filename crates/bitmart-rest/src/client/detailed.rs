//! An answer with everything that is known about it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use crate::rate::RateLimitState;

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
    /// From handing the request to the transport until the answer was complete.
    pub latency: Duration,
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
            .field("raw_bytes", &self.raw.len())
            .finish()
    }
}
