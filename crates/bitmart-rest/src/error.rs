//! What went wrong, and whether the request took effect.

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use bitmart_types::Timestamp;
use bitmart_types::json::JsonFault;

use crate::client::rate::{RateLimitState, Throttled};
use crate::code::{self, Category, ClockFault, ErrorCode, TryAgain};
use crate::transport::{TransportError, TransportErrorKind};
use crate::wire::endpoint::{Effect, Endpoint, Host, Metadata};
use crate::wire::response::advice;
use crate::wire::validate::ValidationError;

mod retry_class;
mod text;

pub use self::retry_class::RetryClass;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// Longest copy of an answer's body that an error keeps, in bytes.
const BODY_KEPT: usize = 16 * 1024;

/// Whether a failed request took effect.
///
/// For a read it does not matter: whatever the outcome, nothing changed and it can be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The request did not leave this machine. It had no effect.
    NotSent,
    /// The exchange refused the request with a code that says so. It had no effect.
    Rejected,
    /// The request may have taken effect. Never send an order again on this outcome: query it by
    /// its client order id first. A transfer or withdrawal: look at its history first.
    ///
    /// *Not found* right after this outcome is no proof: the request may still be on its way. The
    /// exchange takes a signature for 60 seconds; ask again when they have passed. But do not leave
    /// it at that: an API order that was cancelled without a fill can be queried for 20 minutes
    /// only. The module `reconcile` of the feature `client` does all of this.
    Unknown,
}

/// A request that failed.
///
/// `Display` says what failed, where and what to do. Neither it nor `Debug` contains keys or bodies,
/// and of the parameters only the one that breaks a rule.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    outcome: Outcome,
    endpoint: &'static str,
    effect: Effect,
    answer: Option<Answer>,
    retry_after: Option<Duration>,
    /// End of the ban that was in force when the response arrived.
    ban_end: Option<Timestamp>,
    /// What an unexpected answer says of itself: where it points, which encoding it has.
    detail: Option<String>,
    source: Option<BoxError>,
}

/// What is kept of an answer that was not a success.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) rate_limit: Option<RateLimitState>,
    pub(crate) body: Bytes,
}

/// What kind of failure it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A parameter breaks one of the exchange's rules; nothing was sent.
    Validation(ValidationError),
    /// The parameters do not encode; nothing was sent.
    Encode,
    /// The endpoint needs credentials and there are none; nothing was sent.
    MissingCredentials,
    /// The environment has no such host, as the futures demo has no spot side; nothing was sent.
    MissingHost(Host),
    /// The client held the request back to keep a rate limit; nothing was sent.
    Throttled(Throttled),
    /// No complete answer arrived.
    Transport(TransportErrorKind),
    /// The exchange answered with an error code.
    Api(ApiError),
    /// The exchange reported success but the answer's data is not what it should be.
    Decode(DecodeError),
    /// The answer is not one of the exchange's, for example a page of a proxy.
    Unexpected(Unexpected),
}

/// An error answer of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// HTTP status. It says less than the code: some errors come with 200.
    pub status: StatusCode,
    /// The exchange's error code; 0 where the answer has a word for it, which `message` begins with.
    pub code: i64,
    /// The exchange's text, as sent, 256 characters at most.
    pub message: String,
    /// The exchange's id of the request, to quote to its support.
    pub trace: Option<String>,
}

impl ApiError {
    /// What kind of trouble the code stands for; `None` for a code that is not documented.
    pub fn category(&self) -> Option<Category> {
        code::category(self.code)
    }
    /// What is known about the code; `None` for a code that is not documented.
    pub fn known(&self) -> Option<&'static ErrorCode> {
        code::lookup(self.code)
    }
    /// Which fault of time it was, if it was one.
    pub fn clock_fault(&self) -> Option<ClockFault> {
        code::clock_fault(self.code, &self.message)
    }
    /// A code proves a refusal only if it is known as one.
    fn outcome(&self) -> Outcome {
        match self.known() {
            Some(known) if known.proves_refusal() => Outcome::Rejected,
            _ => Outcome::Unknown,
        }
    }
}

/// Data that did not decode.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeError {
    /// Where in the answer: `data.orders[3].price`.
    pub path: String,
}

/// Why an answer is not one of the exchange's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unexpected {
    /// There is no body.
    Empty,
    /// The body is an HTML page, as a proxy sends it. The status says more: 5xx where the proxy does
    /// not reach the exchange, 403 where it refuses the request, 2xx or 511 where a network asks to
    /// log in.
    Html,
    /// The body ends too early.
    Truncated,
    /// The body is not JSON, or its members have the wrong types.
    NotJson,
    /// The body is JSON without a code.
    NoCode,
    /// The code says success but the HTTP status does not.
    StatusContradictsCode,
    /// The code says success, but the message does not and there is no data.
    MessageContradictsCode,
    /// A code, or a flag of success, is there twice with two values.
    CodesDiffer,
    /// The answer points to another address. Redirects are never followed: a signed request is for
    /// the exchange alone. The error's text names host and path.
    Redirect,
    /// A page that wants a browser to prove itself, such as Cloudflare's "Just a moment…".
    Challenge,
    /// A proxy's refusal of this address or program, such as Cloudflare's `error code: 1020`.
    Blocked,
    /// A refusal for the region of this address (HTTP 451, or a page that says so).
    Region,
    /// The body is compressed otherwise than by `gzip` or `deflate`, more than once, or is corrupt. The
    /// error's text names the encoding.
    Encoding,
}

impl Error {
    fn new(metadata: &'static Metadata, kind: ErrorKind, outcome: Outcome) -> Self {
        Self(Box::new(Inner {
            kind,
            outcome,
            endpoint: metadata.id,
            effect: metadata.effect,
            answer: None,
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
    pub(crate) fn throttled(metadata: &'static Metadata, throttled: Throttled) -> Self {
        Self::new(metadata, ErrorKind::Throttled(throttled), Outcome::NotSent)
    }
    pub(crate) fn transport(metadata: &'static Metadata, error: TransportError) -> Self {
        let outcome = if error.may_have_been_sent() { Outcome::Unknown } else { Outcome::NotSent };
        let mut this = Self::new(metadata, ErrorKind::Transport(error.kind()), outcome);
        // The kind already says what the transport's error says; only its cause is news.
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
    /// Until when the limiter holds requests back after this refusal.
    #[cfg(feature = "client")]
    pub(crate) fn held_back(mut self, throttled: Throttled) -> Self {
        self.0.retry_after = Some(throttled.retry_after);
        self.0.ban_end = (throttled.reason == crate::client::rate::ThrottleReason::Banned)
            .then_some(throttled.until);
        self
    }
    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }
    pub(crate) fn with_answer(mut self, mut answer: Answer) -> Self {
        if answer.body.len() > BODY_KEPT {
            // A copy, so that the whole body is not kept alive.
            answer.body = Bytes::copy_from_slice(&answer.body[..BODY_KEPT]);
        }
        self.0.answer = Some(answer);
        self
    }

    /// The failure of your own HTTP stack while carrying a request of type `E`.
    ///
    /// ```
    /// # use bitmart_rest::{Endpoint, EncodeError, Host, Metadata, Method, Payload};
    /// use bitmart_rest::{Error, Outcome, TransportError, TransportErrorKind};
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
    /// What kind of failure it was.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }
    /// Id of the endpoint, as in its [`Metadata`].
    pub fn endpoint(&self) -> &'static str {
        self.0.endpoint
    }
    /// The exchange's error answer, if that is what it was.
    pub fn api_error(&self) -> Option<&ApiError> {
        match &self.0.kind {
            ErrorKind::Api(error) => Some(error),
            _ => None,
        }
    }
    /// The exchange's error code.
    pub fn code(&self) -> Option<i64> {
        self.api_error().map(|error| error.code)
    }
    /// The exchange's error text.
    pub fn message(&self) -> Option<&str> {
        self.api_error().map(|error| error.message.as_str())
    }
    /// The exchange's id of the request, to quote to its support.
    pub fn trace(&self) -> Option<&str> {
        self.api_error()?.trace.as_deref()
    }
    /// What kind of trouble the exchange's code stands for.
    pub fn category(&self) -> Option<Category> {
        self.api_error()?.category()
    }
    /// Whether the exchange's code lets the same request be sent again; `None` for other failures
    /// and for codes that are not documented.
    pub fn try_again(&self) -> Option<TryAgain> {
        Some(self.api_error()?.known()?.try_again)
    }
    /// Which fault of time the exchange found, if it found one. Code 30007 stands for four.
    pub fn clock_fault(&self) -> Option<ClockFault> {
        self.api_error()?.clock_fault()
    }
    /// For how long requests to this endpoint have to wait, after a refusal for a rate limit by the
    /// exchange or by the client, or after any other failure whose answer asks for it
    /// (`Retry-After`). An hour at most; after a ban a minute at least and a day at most.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0.kind {
            ErrorKind::Throttled(throttled) => Some(throttled.retry_after),
            _ => self.0.retry_after,
        }
    }
    /// HTTP status of the answer, if one arrived completely.
    pub fn status(&self) -> Option<StatusCode> {
        Some(self.0.answer.as_ref()?.status)
    }
    /// State of the rate limit, if the answer told it.
    pub fn rate_limit(&self) -> Option<RateLimitState> {
        self.0.answer.as_ref()?.rate_limit
    }
    /// The first 16 KiB of the answer's body. It may hold account data: think before logging it.
    pub fn body(&self) -> Option<&[u8]> {
        Some(&self.0.answer.as_ref()?.body)
    }

    /// What to do about it, in a sentence.
    pub fn advice(&self) -> Option<&'static str> {
        match &self.0.kind {
            ErrorKind::Api(error) => code::advice_for(self.0.effect, error.code, &error.message),
            ErrorKind::MissingCredentials => {
                Some("This endpoint needs an API key: give key, secret and memo.")
            }
            ErrorKind::MissingHost(_) => {
                Some("Choose an environment that has this side of the exchange.")
            }
            ErrorKind::Transport(TransportErrorKind::Connect) => {
                Some("Check the network and the address of the environment.")
            }
            ErrorKind::Transport(TransportErrorKind::Tls) => {
                Some("Check the machine's clock and, for a private host, its root certificate.")
            }
            ErrorKind::Transport(TransportErrorKind::HeadTooLarge) => {
                Some("A proxy on the way may add headers: see what answers at this address.")
            }
            ErrorKind::Decode(_) => Some("The answer's format may have changed; please report it."),
            ErrorKind::Unexpected(reason) => advice(*reason, self.status()),
            _ => None,
        }
    }

    /// Whether the request changed nothing for sure: it was a read, was not sent or was rejected.
    pub fn is_without_effect(&self) -> bool {
        self.0.effect == Effect::Read || self.outcome() != Outcome::Unknown
    }
    /// Whether a time limit passed.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Transport(TransportErrorKind::Timeout)
    }
    /// Whether the exchange wants fewer requests, or has banned the caller: a code, or status 429
    /// or 418 from the proxy in front of it. Also when the client held the request back for it.
    pub fn is_rate_limited(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Throttled(_))
            || matches!(self.category(), Some(Category::RateLimited | Category::Banned))
            || self.status().is_some_and(|status| matches!(status.as_u16(), 429 | 418))
    }
    /// Whether key, signature, memo or permission are at fault.
    pub fn is_auth(&self) -> bool {
        matches!(self.category(), Some(Category::Authentication | Category::Permission))
            || self.0.kind == ErrorKind::MissingCredentials
    }
    /// Whether the clock is at fault.
    pub fn is_clock(&self) -> bool {
        self.category() == Some(Category::Clock)
    }
    /// Whether the wallet does not hold enough.
    pub fn is_insufficient_funds(&self) -> bool {
        self.category() == Some(Category::InsufficientFunds)
    }
    /// Whether the order is not known or no longer open: it may have been filled or cancelled. That is
    /// [`is_order_not_found`](Self::is_order_not_found) or
    /// [`is_order_finished`](Self::is_order_finished).
    pub fn is_order_not_open(&self) -> bool {
        self.is_order_not_found() || self.is_order_finished()
    }
    /// Whether no order has this id: a wrong one, or one of another symbol or account, or of an order
    /// that the exchange has forgotten.
    ///
    /// After an order whose outcome is [`Outcome::Unknown`] it is no proof that there will be none.
    pub fn is_order_not_found(&self) -> bool {
        self.category() == Some(Category::OrderNotFound)
    }
    /// Whether the order was filled or cancelled before, so that it cannot be changed or cancelled.
    pub fn is_order_finished(&self) -> bool {
        self.category() == Some(Category::OrderNotOpen)
    }
    /// Whether a parameter was refused, here or by the exchange.
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
