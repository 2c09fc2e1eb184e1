//! The client: encodes, sends and decodes, with a time limit and a size limit.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bitmart_types::{Clock, Timestamp};
use http::uri::PathAndQuery;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::client::limit::{LONGEST_REST, Later, Limiter, Permit};
use crate::client::observe::{self, Call, Meters};
use crate::client::rate::{RateLimitState, Throttled};
use crate::error::Error;
use crate::transport::{Reservation, Transport, TransportError, TransportErrorKind};
use crate::wire::drift::{Drift, DriftReport};
use crate::wire::endpoint::{Auth, Effect, Endpoint, Metadata};
use crate::wire::payload::Payload;
use crate::wire::request::{Encoder, encode, path, runtime_path};
use crate::wire::response::{Opened, inflated};

use super::builder::ClientBuilder;
use super::detailed::{Arrived, Detailed, detailed};
use super::retry::RetryPolicy;
use super::retry_after::retry_after;
use super::synced_clock::{ClockEstimate, SyncedClock};

/// A REST client. Cheap to clone; clones share connections, rate limits and clock.
///
/// Needs a tokio runtime with time and, for the default transport, I/O enabled: with a transport of your
/// own, too, because deadlines and waits for rate limits are tokio's.
///
/// # Panics
/// All methods that send panic when they are awaited outside of such a runtime.
///
/// Nothing that has an effect is ever sent twice: a request that fails is the caller's to repeat,
/// after a look at [`Error::outcome`]. Reads are sent again only if
/// [`ClientBuilder::retry_reads`] says so.
#[derive(Clone)]
pub struct Client(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) encoder: Encoder,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: SyncedClock,
    pub(super) limiter: Limiter,
    /// The owner of the credentials, as the limiter knows it.
    pub(super) user: Option<usize>,
    pub(super) retry: Option<RetryPolicy>,
    /// In milliseconds.
    pub(super) recv_window: Option<u32>,
    pub(super) timeout: Duration,
    pub(super) max_body: usize,
    pub(super) drift: Option<Drift>,
    pub(super) meters: Meters,
}

impl Client {
    /// A builder with default settings: the live exchange, no credentials.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Sends a request and returns the data of its answer.
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

    /// Like [`send`](Self::send), and returns what else is known about the answer.
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
        let answer = match self.prepare(request) {
            Ok(payload) => self.observed(&mut call, metadata, path::<E>(), payload).await,
            Err(error) => Err(error),
        };
        let answer = answer.and_then(|(arrived, opened)| {
            let data = self.data(metadata, &arrived, &opened)?;
            Ok((data, arrived, opened))
        });
        detailed(call, answer)
    }

    /// Sends parameters that are encoded already, and returns the data as the exchange wrote it: for
    /// tools that handle any endpoint, with what [`catalog`](crate::catalog) knows of it.
    ///
    /// ```no_run
    /// # async fn run(client: bitmart_rest::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use bitmart_rest::{Method, catalog};
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
        let answer = match runtime_path(metadata) {
            Ok(path) => self.observed(&mut call, metadata, path, payload).await,
            Err(error) => Err(error),
        };
        let answer = answer.and_then(|(arrived, opened)| {
            let data = arrived.received(metadata).data(&opened.data)?;
            Ok((data, arrived, opened))
        });
        detailed(call, answer)
    }

    /// How answers differed from their description so far: nothing, unless
    /// [`ClientBuilder::watch_drift`] is set. Clones of a client count together.
    pub fn drift(&self) -> DriftReport {
        self.0.drift.as_ref().map(Drift::report).unwrap_or_default()
    }

    fn data<T: DeserializeOwned>(
        &self,
        metadata: &'static Metadata,
        arrived: &Arrived,
        opened: &Opened,
    ) -> Result<T, Error> {
        let decode = || arrived.received(metadata).data(&opened.data);
        match &self.0.drift {
            Some(drift) => drift.watch(metadata, &arrived.body, decode),
            None => decode(),
        }
    }

    /// Time of this client's clock, which signatures carry.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// This client's clock, for others that sign with the same credentials.
    pub fn clock(&self) -> SyncedClock {
        self.0.clock.clone()
    }

    /// Asks the exchange for its time, three times, and corrects this client's clock by the answer
    /// that was fastest. All clones follow.
    ///
    /// # Errors
    /// When the exchange does not tell its time. The clock then stays as it was.
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
        if let Some(millis) = self.0.recv_window {
            request.default_recv_window(millis);
        }
        encode(&request)
    }

    fn begin(&self, metadata: &'static Metadata) -> Call {
        Call::begin(&self.0.meters, metadata, || self.0.encoder.server(metadata))
    }

    /// Sends within the span of the call. The same code for all endpoints.
    async fn observed(
        &self,
        call: &mut Call,
        metadata: &'static Metadata,
        path: PathAndQuery,
        payload: Payload,
    ) -> Result<(Arrived, Opened), Error> {
        let span = call.span();
        self.call(call, metadata, path, payload).instrument(span).await
    }

    /// Attempts as many as are allowed; one, for what has an effect.
    async fn call(
        &self,
        call: &mut Call,
        metadata: &'static Metadata,
        path: PathAndQuery,
        payload: Payload,
    ) -> Result<(Arrived, Opened), Error> {
        match self.0.retry {
            Some(policy) if metadata.effect == Effect::Read => {
                self.persist(call, policy, metadata, path, payload).await
            }
            _ => self.attempt(call, metadata, path, payload).await,
        }
    }

    async fn persist(
        &self,
        call: &mut Call,
        policy: RetryPolicy,
        metadata: &'static Metadata,
        path: PathAndQuery,
        payload: Payload,
    ) -> Result<(Arrived, Opened), Error> {
        let deadline = Instant::now() + policy.budget();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let answer = self.attempt(call, metadata, path.clone(), payload.clone());
            let error = match tokio::time::timeout_at(deadline, answer).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_) => return Err(Error::transport(metadata, timed_out())),
            };
            let clock_helps = self.0.clock.mends(error.clock_fault());
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(pause) = policy.pause(attempts, &error, clock_helps, left) else {
                return Err(error);
            };
            observe::sent_again(attempts, pause, &error);
            tokio::time::sleep(pause).await;
        }
    }

    /// Waits for a permit, signs, sends, and judges the answer.
    async fn attempt(
        &self,
        call: &mut Call,
        metadata: &'static Metadata,
        path: PathAndQuery,
        payload: Payload,
    ) -> Result<(Arrived, Opened), Error> {
        let Inner { limiter, clock, user, .. } = &*self.0;
        call.attempt();
        if metadata.auth == Auth::Signed && clock.is_stale() {
            Box::pin(clock.refresh(self)).await;
        }
        call.wait_begins();
        let mut permit = limiter.acquire(metadata, *user).await.map_err(|later| {
            call.refused();
            Error::throttled(metadata, self.throttled(later))
        })?;
        let arrived = self.exchange(call, metadata, path, payload, permit.as_mut()).await?;
        if let (Some(permit), Some(state)) = (&permit, arrived.rate_limit) {
            permit.settle(state);
        }
        match arrived.received(metadata).open() {
            Ok(opened) => Ok((arrived, opened)),
            Err(error) => {
                clock.distrust(error.clock_fault());
                let named = retry_after(&arrived.headers, clock.now());
                if !error.is_rate_limited() {
                    return Err(match named.filter(|named| !named.is_zero()) {
                        Some(named) => error.with_retry_after(named.min(LONGEST_REST)),
                        None => error,
                    });
                }
                observe::rate_limited(metadata.id, error.is_ban());
                let asked = named.or(arrived.rate_limit.map(|state| state.window));
                Err(match limiter.refused(permit.as_ref(), asked, error.is_ban()) {
                    Some(later) => error.held_back(self.throttled(later)),
                    None => error,
                })
            }
        }
    }

    fn throttled(&self, later: Later) -> Throttled {
        let retry_after = later.at.saturating_duration_since(Instant::now().into_std());
        let millis = i64::try_from(retry_after.as_millis()).unwrap_or(i64::MAX);
        let until = Timestamp::from_millis(self.now().as_millis().saturating_add(millis));
        Throttled { reason: later.reason, retry_after, until }
    }

    /// Signs, sends and waits for the whole answer.
    async fn exchange(
        &self,
        call: &mut Call,
        metadata: &'static Metadata,
        path: PathAndQuery,
        payload: Payload,
        mut permit: Option<&mut Permit>,
    ) -> Result<Arrived, Error> {
        let Inner { encoder, transport, clock, timeout, max_body, .. } = &*self.0;
        let begin = Instant::now();
        // Held until the response was read.
        let room = match encoder.authority(metadata) {
            // What is sent at the last moment cannot be answered in time: its outcome is unknown.
            Some(host) => tokio::time::timeout(*timeout / 10 * 9, transport.reserve(host)).await,
            None => Ok(Reservation::unlimited()),
        };
        call.reserved(begin);
        let _room = room.map_err(|_| Error::transport(metadata, no_room()))?;
        let request = encoder.request(metadata, path, payload, clock.now())?;
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
        let left = timeout.saturating_sub(start.saturating_duration_since(begin));
        let outcome = tokio::time::timeout(left, attempt).await;
        let latency = start.elapsed();
        call.sent(latency);
        let (head, body) = outcome
            // How far the transport had come is not known.
            .unwrap_or_else(|_| Err(timed_out()))
            .map_err(|error| {
                if let (false, Some(permit)) = (error.may_have_been_sent(), permit) {
                    permit.uncount();
                }
                observe::request_failed(error.kind(), latency);
                Error::transport(metadata, error)
            })?;
        observe::request_answered(head.status, body.len(), latency);
        Ok(Arrived {
            status: head.status,
            rate_limit: RateLimitState::from_headers(&head.headers),
            headers: head.headers,
            body,
        })
    }
}

fn timed_out() -> TransportError {
    TransportError::maybe_sent(TransportErrorKind::Timeout)
}

fn no_room() -> TransportError {
    TransportError::not_sent(TransportErrorKind::Timeout)
        .with_source("other requests used every connection to this host")
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
