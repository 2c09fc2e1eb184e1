//! The error of a request, and whether the request took effect.

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use bitmart_types::Timestamp;
use bitmart_types::json::JsonFault;

use crate::code::{self, Category, ClockFault, RetryAdvice};
use crate::protocol::endpoint::{Effect, Endpoint, Metadata};
#[cfg(feature = "client")]
use crate::protocol::rate_limit::Throttled;
use crate::protocol::rate_limit::{RateLimitState, ThrottleReason};
use crate::protocol::response::advice;
use crate::protocol::validate::ValidationError;
use crate::transport::{TransportError, TransportErrorKind};

mod kind;
mod retry_class;
mod text;

pub use self::kind::{ApiError, DecodeError, ErrorKind, Unexpected};
pub use self::retry_class::RetryClass;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// Maximum size of the response body in an error, in bytes.
const BODY_KEPT: usize = 16 * 1024;

/// Whether a failed request took effect.
///
/// A read changes nothing and can be sent again, whatever its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The request did not leave this machine. It had no effect.
    NotSent,
    /// The exchange rejected the request with a code that proves it. It had no effect.
    Rejected,
    /// The request may have taken effect. Never send an order again after this outcome: query it by
    /// its client order id first. For a transfer or withdrawal, check its history first.
    ///
    /// *Not found* right after this outcome proves nothing: the request may still be in transit. The
    /// exchange accepts a signature for 60 seconds, so query again after that. Do not wait much
    /// longer: an API order that was canceled without a fill can be queried for 20 minutes only. The
    /// module `reconcile` of the feature `client` does all of this.
    Unknown,
}

/// The error of a failed request.
///
/// `Display` describes what failed, at which endpoint, and what to do. Neither `Display` nor `Debug`
/// contains keys or bodies; the only parameter they contain is one that failed validation.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    outcome: Outcome,
    endpoint: &'static str,
    effect: Effect,
    response: Option<ResponseInfo>,
    retry_after: Option<Duration>,
    /// End of the ban that was in force when the response arrived.
    ban_end: Option<Timestamp>,
    /// Detail of an unexpected response: the target of a redirect, or the encoding.
    detail: Option<String>,
    source: Option<BoxError>,
}

/// The part of a failed response that an error keeps.
pub(crate) struct ResponseInfo {
    pub(crate) status: StatusCode,
    pub(crate) rate_limit: Option<RateLimitState>,
    pub(crate) body: Bytes,
}

impl Error {
    fn new(metadata: &'static Metadata, kind: ErrorKind, outcome: Outcome) -> Self {
        Self(Box::new(Inner {
            kind,
            outcome,
            endpoint: metadata.id,
            effect: metadata.effect,
            response: None,
            retry_after: None,
            ban_end: None,
            detail: None,
            source: None,
        }))
    }
    pub(crate) fn validation(metadata: &'static Metadata, error: ValidationError) -> Self {
        Self::new(metadata, ErrorKind::Validation(error), Outcome::NotSent)
    }
    pub(crate) fn encode(metadata: &'static Metadata, source: impl Into<BoxError>) -> Self {
        Self::new(metadata, ErrorKind::Encode, Outcome::NotSent).with_source(source)
    }
    pub(crate) fn missing_credentials(metadata: &'static Metadata) -> Self {
        Self::new(metadata, ErrorKind::MissingCredentials, Outcome::NotSent)
    }
    pub(crate) fn missing_host(metadata: &'static Metadata) -> Self {
        let kind = ErrorKind::MissingHost(metadata.host);
        Self::new(metadata, kind, Outcome::NotSent)
    }
    #[cfg(feature = "client")]
    pub(crate) fn throttled(
        metadata: &'static Metadata,
        throttled: crate::protocol::rate_limit::Throttled,
    ) -> Self {
        Self::new(metadata, ErrorKind::Throttled(throttled), Outcome::NotSent)
    }
    pub(crate) fn transport(metadata: &'static Metadata, error: TransportError) -> Self {
        let outcome = if error.may_have_been_sent() { Outcome::Unknown } else { Outcome::NotSent };
        let mut this = Self::new(metadata, ErrorKind::Transport(error.kind()), outcome);
        // The kind repeats the text of the transport's error; only its cause adds something.
        this.0.source = error.into_source();
        this
    }
    pub(crate) fn api(metadata: &'static Metadata, error: ApiError) -> Self {
        let outcome = error.outcome();
        Self::new(metadata, ErrorKind::Api(error), outcome)
    }
    pub(crate) fn decode(metadata: &'static Metadata, path: String, source: JsonFault) -> Self {
        let kind = ErrorKind::Decode(DecodeError { path });
        Self::new(metadata, kind, Outcome::Unknown).with_source(source)
    }
    pub(crate) fn unexpected(metadata: &'static Metadata, reason: Unexpected) -> Self {
        Self::new(metadata, ErrorKind::Unexpected(reason), Outcome::Unknown)
    }
    pub(crate) fn with_detail(mut self, detail: String) -> Self {
        self.0.detail = Some(detail);
        self
    }
    #[cfg(feature = "client")]
    pub(crate) fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }
    /// Adds how long the limiter holds requests back after this rejection.
    #[cfg(feature = "client")]
    pub(crate) fn held_back(mut self, throttled: Throttled) -> Self {
        self.0.retry_after = Some(throttled.retry_after);
        self.0.ban_end = (throttled.reason == ThrottleReason::Banned).then_some(throttled.until);
        self
    }
    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }
    pub(crate) fn with_response(mut self, mut response: ResponseInfo) -> Self {
        if response.body.len() > BODY_KEPT {
            // A copy, so that the whole body is not kept alive.
            response.body = Bytes::copy_from_slice(&response.body[..BODY_KEPT]);
        }
        self.0.response = Some(response);
        self
    }

    /// The error of your own HTTP stack for a request of type `E`.
    ///
    /// ```
    /// # use bitmart_rest::endpoint::{EncodeError, Endpoint, Host, Metadata, Method, Payload};
    /// use bitmart_rest::{Error, Outcome};
    /// use bitmart_rest::transport::{TransportError, TransportErrorKind};
    /// # struct SubmitOrder;
    /// # impl Endpoint for SubmitOrder {
    /// #     type Response = ();
    /// #     const METADATA: Metadata = Metadata::new("submit", Method::Post, Host::Spot, "/");
    /// #     fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> { Ok(()) }
    /// # }
    ///
    /// let reset = TransportError::maybe_sent(TransportErrorKind::Interrupted);
    /// let error = Error::from_transport::<SubmitOrder>(reset);
    /// assert_eq!(error.outcome(), Outcome::Unknown);
    /// ```
    pub fn from_transport<E: Endpoint>(error: TransportError) -> Self {
        Self::transport(const { &E::METADATA }, error)
    }

    /// Whether the request took effect.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }
    /// The kind of the error.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }
    /// Id of the endpoint, as in its [`Metadata`].
    pub fn endpoint(&self) -> &'static str {
        self.0.endpoint
    }
    /// The exchange's error response, for errors of the kind [`Api`](ErrorKind::Api).
    pub fn api_error(&self) -> Option<&ApiError> {
        match &self.0.kind {
            ErrorKind::Api(error) => Some(error),
            _ => None,
        }
    }
    /// The exchange's error code.
    pub fn code(&self) -> Option<i64> {
        self.api_error()?.code
    }
    /// The exchange's error text.
    pub fn message(&self) -> Option<&str> {
        self.api_error().map(|error| error.message.as_str())
    }
    /// The exchange's id of the request, to quote to its support.
    pub fn trace(&self) -> Option<&str> {
        self.api_error()?.trace.as_deref()
    }
    /// The category of the exchange's error code.
    pub fn category(&self) -> Option<Category> {
        self.api_error()?.category()
    }
    /// Whether the same request may be sent again, by the exchange's error code alone; `None` for other
    /// errors and for undocumented codes. [`retry_class`](Self::retry_class) covers all errors.
    pub fn retry_advice(&self) -> Option<RetryAdvice> {
        Some(self.api_error()?.known()?.retry)
    }
    /// The kind of clock error, if the exchange reported one. Code 30007 has four.
    pub fn clock_fault(&self) -> Option<ClockFault> {
        self.api_error()?.clock_fault()
    }
    /// How long to wait before the next request to this endpoint: after the exchange or the client
    /// enforced a rate limit, or if the response has a `Retry-After` header. An hour at most; after a
    /// ban between a minute and a day.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0.kind {
            ErrorKind::Throttled(throttled) => Some(throttled.retry_after),
            _ => self.0.retry_after,
        }
    }
    /// HTTP status of the response, if a complete one arrived.
    pub fn status(&self) -> Option<StatusCode> {
        Some(self.0.response.as_ref()?.status)
    }
    /// State of the rate limit, if the response's headers contain it.
    pub fn rate_limit(&self) -> Option<RateLimitState> {
        self.0.response.as_ref()?.rate_limit
    }
    /// The first 16 KiB of the response body. It may contain account data: do not log it carelessly.
    pub fn body(&self) -> Option<&[u8]> {
        Some(&self.0.response.as_ref()?.body)
    }

    /// What to do about the error, in a sentence.
    pub fn advice(&self) -> Option<&'static str> {
        match &self.0.kind {
            ErrorKind::Api(error) => code::advice_for(self.0.effect, error.code?, &error.message),
            ErrorKind::MissingCredentials => {
                Some("This endpoint needs an API key: give key, secret and memo.")
            }
            ErrorKind::MissingHost(_) => {
                Some("Choose an environment that has this side of the exchange.")
            }
            ErrorKind::Throttled(throttled)
                if throttled.reason == ThrottleReason::BudgetUnavailable =>
            {
                Some("Check the store of the shared budgets; the log says what failed.")
            }
            ErrorKind::Transport(TransportErrorKind::Connect) => {
                Some("Check the network and the address of the environment.")
            }
            ErrorKind::Transport(TransportErrorKind::Tls) => {
                Some("Check the machine's clock and, for a private host, its root certificate.")
            }
            ErrorKind::Transport(TransportErrorKind::HeadTooLarge) => {
                Some("A proxy may add headers: check which server responds at this address.")
            }
            ErrorKind::Decode(_) => {
                Some("The response's format may have changed; please report it.")
            }
            ErrorKind::Unexpected(reason) => advice(*reason, self.status()),
            _ => None,
        }
    }

    /// Whether the request certainly changed nothing: it was a read, was not sent or was rejected.
    pub fn is_without_effect(&self) -> bool {
        self.0.effect == Effect::Read || self.outcome() != Outcome::Unknown
    }
    /// Whether a timeout elapsed.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Transport(TransportErrorKind::Timeout)
    }
    /// Whether a rate limit or a ban is the cause: by the exchange's code, by status 429 or 418 from
    /// the proxy in front of it, or because the client held the request back.
    pub fn is_rate_limited(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Throttled(_))
            || matches!(self.category(), Some(Category::RateLimited | Category::Banned))
            || self.status().is_some_and(|status| matches!(status.as_u16(), 429 | 418))
    }
    /// Whether key, signature, memo or permission are the cause.
    pub fn is_auth(&self) -> bool {
        matches!(self.category(), Some(Category::Authentication | Category::Permission))
            || self.0.kind == ErrorKind::MissingCredentials
    }
    /// Whether the timestamp of the request is the cause.
    pub fn is_clock(&self) -> bool {
        self.category() == Some(Category::Clock)
    }
    /// Whether the wallet has insufficient funds.
    pub fn is_insufficient_funds(&self) -> bool {
        self.category() == Some(Category::InsufficientFunds)
    }
    /// Whether the order does not exist or is no longer open:
    /// [`is_order_not_found`](Self::is_order_not_found) or
    /// [`is_order_finished`](Self::is_order_finished).
    pub fn is_order_not_open(&self) -> bool {
        self.is_order_not_found() || self.is_order_finished()
    }
    /// Whether the exchange finds no order with this id: the id is wrong, belongs to another symbol or
    /// account, or the exchange no longer keeps the order.
    ///
    /// After [`Outcome::Unknown`] this does not prove that the order will not be placed.
    pub fn is_order_not_found(&self) -> bool {
        self.category() == Some(Category::OrderNotFound)
    }
    /// Whether the order was already filled or canceled, so that it cannot be changed or canceled.
    pub fn is_order_finished(&self) -> bool {
        self.category() == Some(Category::OrderNotOpen)
    }
    /// Whether a parameter was rejected, by validation or by the exchange.
    pub fn is_invalid_request(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Validation(_))
            || self.category() == Some(Category::InvalidRequest)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
