//! Responses of a scripted transport.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use crate::recording::Json;
use crate::transport::{Body, Chunks, TransportError, TransportErrorKind};

/// How a [`ScriptedTransport`](super::ScriptedTransport) responds to a request.
#[derive(Clone, Debug)]
#[must_use = "pass it to a `ScriptedTransport`"]
pub struct ScriptedResponse {
    kind: Kind,
    delay: Duration,
}

#[derive(Clone, Debug)]
enum Kind {
    Response { status: u16, headers: Vec<(String, String)>, body: Bytes, end: End },
    Failure { kind: TransportErrorKind, may_have_been_sent: bool },
    Never,
}

/// What happens after the body.
#[derive(Clone, Copy, Debug)]
enum End {
    Complete,
    Disconnect,
    Stall,
}

impl ScriptedResponse {
    /// A success: status 200, with this JSON in an envelope.
    ///
    /// ```
    /// use bitmart_rest::testing::ScriptedResponse;
    ///
    /// let response = ScriptedResponse::data(r#"{"order_id":"7"}"#);
    /// ```
    pub fn data(json: impl fmt::Display) -> Self {
        let text = format!(r#"{{"code":1000,"message":"OK","trace":"scripted","data":{json}}}"#);
        Self::raw(text)
    }

    /// An error of the exchange in an envelope, with status 400 unless [`status`](Self::status) is set.
    pub fn error(code: i64, message: &str) -> Self {
        let message = Json::from(message);
        let text =
            format!(r#"{{"code":{code},"message":{message},"trace":"scripted","data":{{}}}}"#);
        Self::raw(text).status(400)
    }

    /// Status 200 with this body.
    pub fn raw(body: impl Into<Bytes>) -> Self {
        let (body, headers) = (body.into(), Vec::new());
        Self::new(Kind::Response { status: 200, headers, body, end: End::Complete })
    }

    /// A transport error: the request was certainly not sent.
    pub fn not_sent(kind: TransportErrorKind) -> Self {
        Self::new(Kind::Failure { kind, may_have_been_sent: false })
    }

    /// A transport error: the request may have been sent.
    pub fn maybe_sent(kind: TransportErrorKind) -> Self {
        Self::new(Kind::Failure { kind, may_have_been_sent: true })
    }

    /// Neither a response nor an error: the client times out.
    pub fn never() -> Self {
        Self::new(Kind::Never)
    }

    fn new(kind: Kind) -> Self {
        Self { kind, delay: Duration::ZERO }
    }

    /// Sets the HTTP status.
    ///
    /// # Panics
    /// If `status` is invalid, or if this is not a response.
    pub fn status(mut self, status: u16) -> Self {
        assert!(StatusCode::from_u16(status).is_ok(), "{status} is not an HTTP status");
        *self.response().0 = status;
        self
    }

    /// Adds a header.
    ///
    /// # Panics
    /// If name or value are invalid, or if this is not a response.
    pub fn header(mut self, name: &str, value: impl fmt::Display) -> Self {
        let value = value.to_string();
        let is_valid = http::HeaderName::try_from(name).is_ok()
            && http::HeaderValue::try_from(value.as_str()).is_ok();
        assert!(is_valid, "{name:?}: {value:?} is not a valid header");
        self.response().1.push((name.to_owned(), value));
        self
    }

    /// Breaks the connection after the body, before the response is complete.
    ///
    /// # Panics
    /// If this is not a response.
    pub fn then_disconnect(mut self) -> Self {
        *self.response().2 = End::Disconnect;
        self
    }

    /// Leaves the response incomplete: no more bytes and no end arrive after the body.
    ///
    /// # Panics
    /// If this is not a response.
    pub fn then_stall(mut self) -> Self {
        *self.response().2 = End::Stall;
        self
    }

    /// Delays the response by tokio's clock, which takes no time while the clock is paused.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn response(&mut self) -> (&mut u16, &mut Vec<(String, String)>, &mut End) {
        match &mut self.kind {
            Kind::Response { status, headers, end, .. } => (status, headers, end),
            other => panic!("only a response has a status, headers and a body, not {other:?}"),
        }
    }

    /// Waits for the delay and returns the response.
    pub(super) async fn respond(self) -> Result<http::Response<Body>, TransportError> {
        if self.delay > Duration::ZERO {
            tokio::time::sleep(self.delay).await;
        }
        let (status, headers, body, end) = match self.kind {
            Kind::Never => return std::future::pending().await,
            Kind::Failure { kind, may_have_been_sent: true } => {
                return Err(TransportError::maybe_sent(kind));
            }
            Kind::Failure { kind, .. } => return Err(TransportError::not_sent(kind)),
            Kind::Response { status, headers, body, end } => (status, headers, body, end),
        };
        let body = match end {
            End::Complete => Body::from(body),
            _ => Body::chunks(IncompleteBody { body: Some(body), end }),
        };
        let mut response = http::Response::builder().status(status);
        for (name, value) in &headers {
            response = response.header(name, value);
        }
        response.body(body).map_err(|error| {
            TransportError::maybe_sent(TransportErrorKind::Other).with_source(error)
        })
    }
}

/// A body without an end.
struct IncompleteBody {
    body: Option<Bytes>,
    end: End,
}

impl Chunks for IncompleteBody {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        match (self.body.take(), self.end) {
            (Some(body), _) => Poll::Ready(Some(Ok(body))),
            (None, End::Stall) => Poll::Pending,
            (None, _) => {
                let error = TransportError::maybe_sent(TransportErrorKind::Interrupted);
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}
