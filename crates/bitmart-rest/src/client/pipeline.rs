//! The request pipeline. Every request takes the same steps:
//!
//! 1. `prepare`: validate the parameters and encode them once;
//! 2. `attempt`: refresh the clock if it is stale, wait for a rate-limit permit;
//! 3. `exchange`: reserve a connection, sign with the current time, send, read the body within the
//!    deadline and the size limit;
//! 4. settle the permit with the rate-limit headers and open the envelope: its code decides between
//!    data and error;
//! 5. `decode`: the data into the endpoint's response type.
//!
//! Everything before the last step works on bytes, so that it is compiled once and not per endpoint.
//! `call` repeats steps 2 to 4 for reads if a retry policy is set, and never for writes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bitmart_types::{Clock, Timestamp};
use http::uri::PathAndQuery;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::client::limit::{Delay, Limiter, MAX_PAUSE, Permit};
use crate::client::observe::{self, Call, Metrics};
use crate::drift::{Drift, DriftReport};
use crate::error::Error;
use crate::protocol::endpoint::{Auth, Endpoint, Metadata};
use crate::protocol::payload::Payload;
use crate::protocol::rate_limit::{RateLimitState, Throttled};
use crate::protocol::request::{Encoder, encode, path, runtime_path};
use crate::protocol::response::{SuccessEnvelope, inflated};
use crate::transport::{Reservation, Transport, TransportError, TransportErrorKind};

use super::builder::ClientBuilder;
use super::detailed::{CompleteResponse, Detailed, detailed};
use super::retry::RetryPolicy;
use super::retry_after::retry_after;
use super::synced_clock::{ClockEstimate, SyncedClock};
use super::timers::Timers;

/// A REST client. Cheap to clone; clones share connections, rate limits and clock.
///
/// Needs a tokio runtime with time and, for the default transport, I/O enabled: with a transport of your
/// own, too, because deadlines and waits for rate limits are tokio's.
///
/// # Panics
/// All methods that send panic when they are awaited outside of such a runtime.
///
/// Nothing that has an effect is ever sent twice: repeating a failed request is up to the caller,
/// who checks [`Error::outcome`] first. Reads are sent again only if
/// [`ClientBuilder::retry_reads`] says so.
#[derive(Clone)]
pub struct Client(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) encoder: Encoder,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: SyncedClock,
    pub(super) limiter: Limiter,
    /// Index of the API key in the limiter.
    pub(super) user: Option<usize>,
    pub(super) retry: Option<RetryPolicy>,
    /// In milliseconds.
    pub(super) recv_window: Option<Duration>,
    pub(super) timeout: Duration,
    /// How long a request waits for a connection: short enough that there is time to open one.
    pub(super) reserve_timeout: Duration,
    pub(super) timers: Timers,
    pub(super) max_body: usize,
    pub(super) drift: Option<Drift>,
    pub(super) metrics: Metrics,
}

impl Client {
    /// A builder with default settings: the live exchange, no credentials.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Sends a request and returns the data of the response.
    ///
    /// # Errors
    /// [`Error::outcome`] says whether the request took effect. On
    /// [`Outcome::Unknown`](crate::Outcome::Unknown) query before sending a write again.
    ///
    /// # Cancel safety
    /// Nothing is sent before the first poll. Dropping the future later abandons the request, which
    /// may take effect all the same: its outcome is unknown.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled, whatever the transport. The default transport
    /// needs I/O enabled as well.
    pub async fn send<E: Endpoint>(&self, request: E) -> Result<E::Response, Error> {
        Ok(self.send_detailed(request).await?.data)
    }

    /// Like [`send`](Self::send), but also returns status, rate-limit state, timing and raw body.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    ///
    /// # Panics
    /// As [`send`](Self::send).
    pub async fn send_detailed<E: Endpoint>(
        &self,
        request: E,
    ) -> Result<Detailed<E::Response>, Error> {
        let metadata = const { &E::METADATA };
        let mut call = self.begin(metadata);
        let response = match self.prepare(request) {
            Ok(payload) => self.call_in_span(&mut call, metadata, path::<E>(), payload).await,
            Err(error) => Err(error),
        };
        let response = response.and_then(|(complete, envelope)| {
            let data = self.decode(metadata, &complete, &envelope)?;
            Ok((data, complete, envelope))
        });
        detailed(call, response)
    }

    /// Sends parameters that are already encoded and returns the data as raw JSON: for tools that
    /// handle any endpoint of the [`catalog`](crate::catalog).
    ///
    /// ```no_run
    /// # async fn run(client: bitmart_rest::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use bitmart_rest::endpoint::Method;
    /// use bitmart_rest::catalog;
    ///
    /// let entry = catalog::find_route(Method::Get, "/spot/quotation/v3/ticker").expect("described");
    /// let payload = entry.encode_request(r#"{"symbol": "BTC_USDT"}"#)?;
    /// println!("{}", client.send_raw(&entry.metadata, payload).await?.data);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send); the data is not decoded.
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    ///
    /// # Panics
    /// As [`send`](Self::send).
    pub async fn send_raw(
        &self,
        metadata: &'static Metadata,
        payload: Payload,
    ) -> Result<Detailed<Box<RawValue>>, Error> {
        let mut call = self.begin(metadata);
        let response = match runtime_path(metadata) {
            Ok(path) => self.call_in_span(&mut call, metadata, path, payload).await,
            Err(error) => Err(error),
        };
        let response = response.and_then(|(complete, envelope)| {
            let data = complete.parts(metadata).data(&envelope.data)?;
            Ok((data, complete, envelope))
        });
        detailed(call, response)
    }

    /// Differences between responses and the API description so far. Empty unless
    /// [`ClientBuilder::watch_drift`] is set. Clones of a client share the counts.
    pub fn drift(&self) -> DriftReport {
        self.0.drift.as_ref().map(Drift::report).unwrap_or_default()
    }

    fn decode<T: DeserializeOwned>(
        &self,
        metadata: &'static Metadata,
        complete: &CompleteResponse,
        envelope: &SuccessEnvelope,
    ) -> Result<T, Error> {
        let decode = || complete.parts(metadata).data(&envelope.data);
        match &self.0.drift {
            Some(drift) => drift.watch(metadata, &complete.body, decode),
            None => decode(),
        }
    }

    /// The current time of this client's clock, which signatures carry.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The latest time that a request of this client or of its clones can carry so far: the current time,
    /// or a later one if the clock was set back since. None of them takes effect later than
    /// [`SETTLED_AFTER`](crate::reconcile::SETTLED_AFTER) after it, by the exchange's clock.
    pub fn last_signature_time(&self) -> Timestamp {
        self.0.clock.last_signature_time()
    }

    /// This client's clock, to share with other clients that sign with the same credentials.
    pub fn clock(&self) -> SyncedClock {
        self.0.clock.clone()
    }

    /// Requests the exchange's time three times and sets this client's clock by the fastest
    /// response. Clones share the clock.
    ///
    /// # Errors
    /// If no request for the time succeeds. The clock is then unchanged.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the clock as it was.
    ///
    /// # Panics
    /// As [`send`](Self::send).
    pub async fn sync_clock(&self) -> Result<ClockEstimate, Error> {
        self.0.clock.sync(self).await
    }

    fn prepare<E: Endpoint>(&self, mut request: E) -> Result<Payload, Error> {
        if let Some(window) = self.0.recv_window {
            request.default_recv_window(window);
        }
        encode(&request)
    }

    fn begin(&self, metadata: &'static Metadata) -> Call {
        Call::begin(&self.0.metrics, metadata, || self.0.encoder.server(metadata))
    }

    /// Sends within the tracing span of the call.
    async fn call_in_span(
        &self,
        call: &mut Call,
        metadata: &'static Metadata,
        path: PathAndQuery,
        payload: Payload,
    ) -> Result<(CompleteResponse, SuccessEnvelope), Error> {
        let span = call.span();
        self.call(call, metadata, path, payload).instrument(span).await
    }

    /// One attempt: waits for a permit, sends, and opens the envelope of the response.
    pub(super) async fn attempt(
        &self,
        call: &mut Call,
        metadata: &'static Metadata,
        path: PathAndQuery,
        payload: Payload,
    ) -> Result<(CompleteResponse, SuccessEnvelope), Error> {
        let Inner { limiter, clock, user, .. } = &*self.0;
        call.attempt();
        if metadata.auth == Auth::Signed && clock.is_stale() {
            Box::pin(clock.refresh(self, self.0.timeout / 4)).await;
        }
        call.wait_begins();
        let mut permit = limiter.acquire(metadata, *user).await.map_err(|delay| {
            call.throttled();
            Error::throttled(metadata, self.throttled(delay))
        })?;
        let complete = self.exchange(call, metadata, path, payload, permit.as_mut()).await?;
        if let (Some(permit), Some(state)) = (&permit, complete.rate_limit) {
            permit.settle(state);
        }
        match complete.parts(metadata).open() {
            Ok(envelope) => Ok((complete, envelope)),
            Err(error) => {
                clock.mark_stale(error.clock_fault());
                let requested = retry_after(&complete.headers, clock.now());
                if !error.is_rate_limited() {
                    return Err(match requested.filter(|wait| !wait.is_zero()) {
                        Some(wait) => error.with_retry_after(wait.min(MAX_PAUSE)),
                        None => error,
                    });
                }
                observe::rate_limited(metadata.id, error.is_ban());
                let wait = requested.or(complete.rate_limit.map(|state| state.window));
                Err(match limiter.rejected(permit.as_ref(), wait, error.is_ban()) {
                    Some(delay) => error.held_back(self.throttled(delay)),
                    None => error,
                })
            }
        }
    }

    fn throttled(&self, delay: Delay) -> Throttled {
        let retry_after = delay.at.saturating_duration_since(Instant::now().into_std());
        let millis = i64::try_from(retry_after.as_millis()).unwrap_or(i64::MAX);
        let until = Timestamp::from_millis(self.now().as_millis().saturating_add(millis));
        Throttled { reason: delay.reason, retry_after, until }
    }

    /// Reserves a connection, signs, sends and reads the complete response.
    async fn exchange(
        &self,
        call: &mut Call,
        metadata: &'static Metadata,
        path: PathAndQuery,
        payload: Payload,
        mut permit: Option<&mut Permit>,
    ) -> Result<CompleteResponse, Error> {
        let Inner { encoder, transport, clock, timeout, reserve_timeout, timers, max_body, .. } =
            &*self.0;
        let begin = Instant::now();
        // Held until the response was read.
        let reservation = match encoder.authority(metadata) {
            // A request whose connection is opened at the last moment would time out with an unknown outcome.
            Some(host) => tokio::time::timeout(*reserve_timeout, transport.reserve(host)).await,
            None => Ok(Reservation::unlimited()),
        };
        call.reserved(begin);
        let _reservation = reservation.map_err(|_| Error::transport(metadata, no_connection()))?;
        let time = clock.time_to_sign();
        if !payload.allows_signature_at(time) {
            return Err(Error::transport(metadata, signed_too_late()));
        }
        let request = encoder.request(metadata, path, payload, time)?;
        if let Some(permit) = permit.as_deref_mut() {
            permit.count();
        }
        let start = Instant::now();
        let attempt = async {
            let (head, body) = transport.send(request).await?.into_parts();
            let body = body.collect(*max_body).await?;
            let body = inflated(&head.headers, &body, *max_body)?;
            Ok((head, body))
        };
        let result = timers.timeout(begin, *timeout, attempt).await;
        let latency = start.elapsed();
        call.sent(latency);
        let (head, body) = result
            // The transport was dropped midway: the request may have been sent.
            .unwrap_or_else(|_| Err(timed_out()))
            .map_err(|error| {
                if let (false, Some(permit)) = (error.may_have_been_sent(), permit) {
                    permit.uncount();
                }
                observe::request_failed(error.kind(), latency);
                Error::transport(metadata, error)
            })?;
        observe::response_received(head.status, body.len(), latency);
        Ok(CompleteResponse {
            status: head.status,
            rate_limit: RateLimitState::from_headers(&head.headers),
            headers: head.headers,
            body,
        })
    }
}

pub(super) fn timed_out() -> TransportError {
    TransportError::maybe_sent(TransportErrorKind::Timeout)
}

fn no_connection() -> TransportError {
    TransportError::not_sent(TransportErrorKind::Timeout)
        .with_source("other requests used every connection to this host")
}

fn signed_too_late() -> TransportError {
    TransportError::not_sent(TransportErrorKind::Timeout)
        .with_source("it waited longer than its signature may be delayed")
}

/// Shows no secret.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("encoder", &self.0.encoder)
            .field("clock", &self.0.clock)
            .field("limiter", &self.0.limiter)
            .field("retry", &self.0.retry)
            .field("timeout", &self.0.timeout)
            .field("max_body", &self.0.max_body)
            .finish_non_exhaustive()
    }
}
