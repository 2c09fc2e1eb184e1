//! Encoded parameters of a request: a query string or a JSON body.

use std::fmt::{self, Write as _};

use bitmart_types::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

/// Everything but RFC 3986's unreserved characters is escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Bytes reserved for a body before the first one is written. A typical order takes 120 to 200;
/// timestamp and signature (77) follow in the same allocation.
const BODY_RESERVE: usize = 320;

/// Where an [`Endpoint`](crate::endpoint::Endpoint) writes its parameters.
#[derive(Clone, Default)]
pub struct Payload {
    query: String,
    body: Vec<u8>,
    sign_until: Option<Timestamp>,
}

impl Payload {
    /// A payload without parameters.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds a query parameter; name and value are percent-encoded.
    ///
    /// ```
    /// let mut payload = bitmart_rest::endpoint::Payload::new();
    /// payload.query("symbol", "BTC_USDT");
    /// payload.query("note", "a b&c");
    /// assert_eq!(payload.query_text(), "symbol=BTC_USDT&note=a%20b%26c");
    /// ```
    pub fn query(&mut self, name: &str, value: impl fmt::Display) {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.extend(utf8_percent_encode(name, ESCAPED));
        self.query.push('=');
        // Writing into a String fails only if the value's own Display does.
        let _ = write!(Escape(&mut self.query), "{value}");
    }
    /// Sets the body to the JSON text of `value`.
    ///
    /// # Errors
    /// When `value` does not serialize.
    pub fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.body.clear();
        self.body.reserve(BODY_RESERVE);
        serde_json::to_writer(&mut self.body, value)
            .map_err(|error| EncodeError(Fault::Json(error)))
    }
    /// Sets the body to these bytes, unchanged, whether they are JSON or not: for tools that send a recorded request
    /// again.
    ///
    /// ```
    /// let mut payload = bitmart_rest::endpoint::Payload::new();
    /// payload.raw_body("{ \"symbol\": ");
    /// assert_eq!(payload.body(), b"{ \"symbol\": ");
    /// ```
    pub fn raw_body(&mut self, body: impl Into<Vec<u8>>) {
        self.body = body.into();
    }
    /// Sets the latest time that the signature may carry. A request that would carry a later one, because it
    /// waited for a rate limit or a connection, or because the machine slept, is not sent: its outcome is
    /// [`NotSent`](crate::Outcome::NotSent).
    ///
    /// Store `latest` before sending to know, also after a restart, when the request can no longer take effect:
    /// [`SETTLED_AFTER`](crate::reconcile::SETTLED_AFTER) later, by the exchange's clock.
    pub fn sign_until(&mut self, latest: Timestamp) {
        self.sign_until = Some(latest);
    }
    /// Whether a signature may carry this time.
    #[cfg(feature = "client")]
    pub(crate) fn allows_signature_at(&self, time: Timestamp) -> bool {
        self.sign_until.is_none_or(|latest| time <= latest)
    }
    /// The query string so far, without the question mark.
    pub fn query_text(&self) -> &str {
        &self.query
    }
    /// The body so far.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
    /// The body to send. Without parameters it is `{}`, which BitMart requires and signs.
    pub(crate) fn into_body(mut self) -> Vec<u8> {
        if self.body.is_empty() {
            self.body.extend_from_slice(b"{}");
        }
        self.body
    }
}

/// Shows sizes only: parameters may be addresses and amounts.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("query_bytes", &self.query.len())
            .field("body_bytes", &self.body.len())
            .field("sign_until", &self.sign_until)
            .finish()
    }
}

/// Percent-encodes what is written through it.
struct Escape<'a>(&'a mut String);

impl fmt::Write for Escape<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(utf8_percent_encode(text, ESCAPED));
        Ok(())
    }
}

/// A request that could not be encoded.
#[derive(Debug)]
pub struct EncodeError(Fault);

#[derive(Debug)]
enum Fault {
    Json(serde_json::Error),
    BodyOfGet,
}

impl EncodeError {
    /// Parameters in the body of a request that is sent without one.
    pub(crate) fn body_of_get() -> Self {
        Self(Fault::BodyOfGet)
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Fault::Json(_) => "the request does not encode as JSON",
            Fault::BodyOfGet => {
                "a GET request is sent without a body: its parameters belong into the query"
            }
        })
    }
}

impl std::error::Error for EncodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Fault::Json(error) => Some(error),
            Fault::BodyOfGet => None,
        }
    }
}
