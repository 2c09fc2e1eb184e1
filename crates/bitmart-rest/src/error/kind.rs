//! The kinds of errors.

use http::StatusCode;

use super::Outcome;
use crate::code::{self, Category, ClockFault, ErrorCode};
use crate::protocol::endpoint::Host;
use crate::protocol::rate_limit::Throttled;
use crate::protocol::validate::ValidationError;
use crate::transport::TransportErrorKind;

/// The kinds of [`Error`](super::Error).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A parameter violates one of the exchange's rules; nothing was sent.
    Validation(ValidationError),
    /// The parameters could not be encoded; nothing was sent.
    Encode,
    /// The endpoint needs credentials and the client has none; nothing was sent.
    MissingCredentials,
    /// The environment lacks this host, such as the spot host in the futures demo; nothing was sent.
    MissingHost(Host),
    /// The client held the request back to keep a rate limit; nothing was sent.
    Throttled(Throttled),
    /// No complete response arrived.
    Transport(TransportErrorKind),
    /// The exchange returned an error code.
    Api(ApiError),
    /// The exchange reported success, but the data could not be decoded.
    Decode(DecodeError),
    /// The response does not come from the exchange, for example a page of a proxy.
    Unexpected(Unexpected),
}

/// An error response of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// HTTP status. The code is more reliable: some errors have status 200.
    pub status: StatusCode,
    /// The exchange's error code; `None` if the response has a text in its place, with which `message`
    /// then begins.
    pub code: Option<i64>,
    /// The exchange's message, unchanged, 256 characters at most.
    pub message: String,
    /// The exchange's id of the request, to quote to its support.
    pub trace: Option<String>,
}

impl ApiError {
    /// The category of the code; `None` for an undocumented code.
    pub fn category(&self) -> Option<Category> {
        code::category(self.code?)
    }
    /// The catalogue's entry for the code; `None` for an undocumented code.
    pub fn known(&self) -> Option<&'static ErrorCode> {
        code::lookup(self.code?)
    }
    /// The kind of clock error, if it is one.
    pub fn clock_fault(&self) -> Option<ClockFault> {
        code::clock_fault(self.code?, &self.message)
    }
    /// Only a documented code proves that the request was rejected.
    pub(super) fn outcome(&self) -> Outcome {
        match self.known() {
            Some(known) if known.proves_rejection() => Outcome::Rejected,
            _ => Outcome::Unknown,
        }
    }
}

/// Data that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeError {
    /// Where in the response: `data.orders[3].price`.
    pub path: String,
}

/// Why a response cannot be one of the exchange's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unexpected {
    /// There is no body.
    Empty,
    /// The body is an HTML page, as proxies send. The status narrows it down: 5xx if the proxy cannot
    /// reach the exchange, 403 if it blocks the request, 2xx or 511 if a network requires a login.
    Html,
    /// The body ends too early.
    Truncated,
    /// The body is not JSON, or its members have the wrong types.
    NotJson,
    /// The body is JSON without a code.
    NoCode,
    /// The code reports success but the HTTP status does not.
    StatusContradictsCode,
    /// The code reports success, but the message does not and there is no data.
    MessageContradictsCode,
    /// A code or success flag is repeated with another value.
    CodesDiffer,
    /// The response is a redirect. Redirects are never followed, because a signed request is meant for
    /// the exchange alone. The error's text names host and path.
    Redirect,
    /// A page that checks for a browser, such as Cloudflare's "Just a moment…".
    Challenge,
    /// A proxy blocks this IP address or program, such as Cloudflare's `error code: 1020`.
    Blocked,
    /// The region of this IP address is blocked (HTTP 451, or a page that says so).
    Region,
    /// The body has another encoding than `gzip` or `deflate`, more than one, or is corrupt. The error's
    /// text names the encoding.
    Encoding,
}
