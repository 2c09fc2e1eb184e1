//! Requests received by a scripted transport.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use tokio::time::Instant;

use crate::protocol::endpoint::Auth;
use crate::recording::Json;

/// A request that a client passed to a [`ScriptedTransport`](super::ScriptedTransport).
#[derive(Clone)]
#[non_exhaustive]
pub struct SentRequest {
    /// `GET` or `POST`.
    pub method: Method,
    /// The absolute URI.
    pub uri: Uri,
    /// The headers, including key and signature.
    pub headers: HeaderMap,
    /// The signed body.
    pub body: Bytes,
    /// When it was sent, by tokio's clock.
    pub sent_at: Instant,
}

impl SentRequest {
    pub(super) fn new(request: &http::Request<Bytes>) -> Self {
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            body: request.body().clone(),
            sent_at: Instant::now(),
        }
    }

    /// The path, without the query: `/spot/v2/submit_order`.
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The decoded value of a query parameter.
    pub fn query(&self, name: &str) -> Option<String> {
        self.query_pairs().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The decoded names and values of the query, in order.
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        let text = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let query = self.uri.query().unwrap_or_default();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    /// The body as JSON; `None` if it is not JSON.
    pub fn json(&self) -> Option<Json> {
        Json::parse(std::str::from_utf8(&self.body).ok()?).ok()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How the request is authenticated, according to its headers.
    pub fn auth(&self) -> Auth {
        match (self.headers.contains_key("x-bm-sign"), self.headers.contains_key("x-bm-key")) {
            (true, _) => Auth::Signed,
            (false, true) => Auth::Keyed,
            (false, false) => Auth::None,
        }
    }
}

/// Shows no headers, parameters or body.
impl fmt::Debug for SentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentRequest")
            .field("method", &self.method)
            .field("path", &self.path())
            .field("auth", &self.auth())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// `POST /spot/v2/submit_order, signed`.
impl fmt::Display for SentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, {}", self.method, self.path(), auth_text(self.auth()))
    }
}

pub(super) fn auth_text(auth: Auth) -> &'static str {
    match auth {
        Auth::None => "unsigned",
        Auth::Keyed => "with the API key",
        Auth::Signed => "signed",
    }
}
