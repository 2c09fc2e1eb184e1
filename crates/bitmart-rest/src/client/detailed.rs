//! A response with its metadata: status, rate limit, timing and raw body.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::client::observe::Call;
use crate::error::Error;
use crate::protocol::endpoint::Metadata;
use crate::protocol::rate_limit::RateLimitState;
use crate::protocol::response::{ResponseParts, SuccessEnvelope};

/// The data of a response and its metadata.
#[derive(Clone)]
#[non_exhaustive]
pub struct Detailed<T> {
    /// The decoded data.
    pub data: T,
    /// HTTP status.
    pub status: StatusCode,
    /// State of the rate limit, if the response's headers contain it.
    pub rate_limit: Option<RateLimitState>,
    /// The exchange's id of the request, to quote to its support.
    pub trace: Option<String>,
    /// Duration of the last attempt, from the transport's start to the complete response, including
    /// opening a connection.
    pub latency: Duration,
    /// Time spent waiting for the rate limiter and for a connection, over all attempts.
    pub waited: Duration,
    /// Duration of the whole call, up to the decoded response: `waited`, `latency`, encoding, signing,
    /// decoding, [synchronizing the clock](crate::ClientBuilder::auto_sync_clock), and earlier attempts with
    /// their pauses if the read was [retried](crate::RetryPolicy). Never less than `waited` plus
    /// `latency`.
    pub total: Duration,
    /// The response body, inflated.
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

/// A response that was received completely.
pub(super) struct CompleteResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) rate_limit: Option<RateLimitState>,
    /// Inflated.
    pub(super) body: Bytes,
}

impl CompleteResponse {
    pub(super) fn parts(&self, metadata: &'static Metadata) -> ResponseParts<'_> {
        ResponseParts::new(metadata, self.status, &self.headers, self.rate_limit, &self.body)
    }
}

/// Ends the call's span and combines data and metadata.
pub(super) fn detailed<T>(
    call: Call,
    response: Result<(T, CompleteResponse, SuccessEnvelope), Error>,
) -> Result<Detailed<T>, Error> {
    let timing = call.end(response.as_ref().map(|(_, complete, _)| complete.status));
    let (data, complete, envelope) = response?;
    Ok(Detailed {
        data,
        status: complete.status,
        rate_limit: complete.rate_limit,
        trace: envelope.trace,
        latency: timing.latency,
        waited: timing.waited,
        total: timing.total,
        raw: complete.body,
    })
}
