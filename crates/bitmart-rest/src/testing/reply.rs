//! What a scripted transport responds.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use super::Json;
use crate::transport::{Body, Chunks, TransportError, TransportErrorKind};

/// How a [`ScriptedTransport`](super::ScriptedTransport) responses a request.
#[derive(Clone, Debug)]
#[must_use = "hand it to a `ScriptedTransport`"]
pub struct Reply {
    kind: Kind,
    delay: Duration,
}

#[derive(Clone, Debug)]
enum Kind {
    Response { status: u16, headers: Vec<(String, String)>, body: Bytes, end: End },
    Failure { kind: TransportErrorKind, may_have_been_sent: bool },
    Never,
}

/// What comes after the body.
#[derive(Clone, Copy, Debug)]
enum End {
    Complete,
    Cut,
    Silence,
}

impl Reply {
    /// A success: status 200 and an envelope around this JSON text.
    ///
    /// ```
    /// use bitmart_rest::testing::Reply;
    ///
    /// let placed = Reply::data(r#"{"order_id":"7"}"#);
    /// ```
    pub fn data(json: impl fmt::Display) -> Self {
        let text = format!(r#"{{"code":1000,"message":"OK","trace":"scripted","data":{json}}}"#);
        Self::raw(text)
    }

    /// An error of the exchange in its envelope, with status 400 unless [`status`](Self::status)
    /// says otherwise.
    pub fn error(code: i64, message: &str) -> Self {
        let message = Json::from(message);
        let text =
            format!(r#"{{"code":{code},"message":{message},"trace":"scripted","data":{{}}}}"#);
        Self::raw(text).status(400)
    }

    /// Status 200 and these bytes as the body.
    pub fn raw(body: impl Into<Bytes>) -> Self {
        let (body, headers) = (body.into(), Vec::new());
        Self::of(Kind::Response { status: 200, headers, body, end: End::Complete })
    }

    /// No response: the transport knows that nothing has left this machine.
    pub fn not_sent(kind: TransportErrorKind) -> Self {
        Self::of(Kind::Failure { kind, may_have_been_sent: false })
    }

    /// No response: the request may have arrived.
    pub fn maybe_sent(kind: TransportErrorKind) -> Self {
        Self::of(Kind::Failure { kind, may_have_been_sent: true })
    }

    /// No response and no failure: whoever waits meets his deadline.
    pub fn never() -> Self {
        Self::of(Kind::Never)
    }

    fn of(kind: Kind) -> Self {
        Self { kind, delay: Duration::ZERO }
    }

    /// With this HTTP status, of a response.
    ///
    /// # Panics
    /// When the number is no status, or this is no response.
    pub fn status(mut self, status: u16) -> Self {
        assert!(StatusCode::from_u16(status).is_ok(), "{status} is no HTTP status");
        *self.response().0 = status;
        self
    }

    /// With this header, of a response.
    ///
    /// # Panics
    /// When the texts cannot stand in a header, or this is no response.
    pub fn header(mut self, name: &str, value: impl fmt::Display) -> Self {
        let value = value.to_string();
        let is_fit = http::HeaderName::try_from(name).is_ok()
            && http::HeaderValue::try_from(value.as_str()).is_ok();
        assert!(is_fit, "{name:?}: {value:?} is no header");
        self.response().1.push((name.to_owned(), value));
        self
    }

    /// The connection breaks at the end of the body, before the response is complete.
    ///
    /// # Panics
    /// When this is no response.
    pub fn then_cut(mut self) -> Self {
        *self.response().2 = End::Cut;
        self
    }

    /// The body does not end: nothing comes behind it.
    ///
    /// # Panics
    /// When this is no response.
    pub fn then_silence(mut self) -> Self {
        *self.response().2 = End::Silence;
        self
    }

    /// After this time, by tokio's clock: under a paused clock it takes no time.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn response(&mut self) -> (&mut u16, &mut Vec<(String, String)>, &mut End) {
        match &mut self.kind {
            Kind::Response { status, headers, end, .. } => (status, headers, end),
            other => panic!("only a response has a status, headers and a body, not {other:?}"),
        }
    }

    /// Waits and responses.
    pub(super) async fn play(self) -> Result<http::Response<Body>, TransportError> {
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
            _ => Body::chunks(Broken { body: Some(body), end }),
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

/// A body that does not come to its end.
struct Broken {
    body: Option<Bytes>,
    end: End,
}

impl Chunks for Broken {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        match (self.body.take(), self.end) {
            (Some(body), _) => Poll::Ready(Some(Ok(body))),
            (None, End::Silence) => Poll::Pending,
            (None, _) => {
                let error = TransportError::maybe_sent(TransportErrorKind::Interrupted);
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}
