//! The record of one request. It is complete when its capture is dropped, so that a request whose client disconnects
//! is recorded as well.

use std::{borrow::Cow, sync::Arc, time::Instant};

use hyper::{HeaderMap, Method, Request};

use super::{
    ACCEPTED, Excerpt, Traffic, Weighed, now_ms, redact,
    text::{Part, Text},
};
use crate::{fault::Fault, generated::Host};

/// Bytes of a recorded path or query.
const MAX_PATH: usize = 2 << 10;

/// A request and its response.
#[derive(Debug)]
pub(crate) struct RequestRecord {
    /// Arrival of its head, in milliseconds since 1970 by the machine's clock.
    pub(crate) at_ms: u64,
    pub(crate) host: Host,
    pub(crate) method: Method,
    /// The account of its key.
    pub(crate) account: Option<u32>,
    /// HTTP status; `None` without a response.
    pub(crate) status: Option<u16>,
    /// Code of the envelope, as far as the sandbox chose one.
    pub(crate) code: Option<u32>,
    /// The reason of its rejection.
    pub(crate) reason: Option<String>,
    /// Fault that struck it.
    pub(crate) fault: Option<Fault>,
    /// From its head to its response, in microseconds.
    pub(crate) micros: u64,
    /// Whether path and query are recorded completely.
    pub(crate) has_whole_target: bool,
    text: Text,
    /// Whole lengths of the bodies in bytes.
    body_length: usize,
    response_length: usize,
}

impl RequestRecord {
    pub(crate) fn path(&self) -> Cow<'_, str> {
        self.text.lossy(Part::Path)
    }

    /// The query, without secrets.
    pub(crate) fn query(&self) -> Cow<'_, str> {
        self.text.lossy(Part::Query)
    }

    /// Path and query.
    pub(crate) fn target(&self) -> String {
        match self.query() {
            query if query.is_empty() => self.path().into_owned(),
            query => format!("{}?{query}", self.path()),
        }
    }

    /// The headers of the request as lines, without secrets.
    pub(crate) fn headers(&self) -> Cow<'_, str> {
        self.text.lossy(Part::Headers)
    }

    /// The body, without secrets.
    pub(crate) fn body(&self) -> Excerpt<'_> {
        Excerpt { bytes: self.text.get(Part::Body), length: self.body_length }
    }

    /// The headers of the response as lines, without secrets.
    pub(crate) fn response_headers(&self) -> Cow<'_, str> {
        self.text.lossy(Part::ResponseHeaders)
    }

    pub(crate) fn response(&self) -> Excerpt<'_> {
        Excerpt { bytes: self.text.get(Part::Response), length: self.response_length }
    }

    /// Everything of the request and the response that is in memory.
    #[cfg(test)]
    pub(super) fn recorded(&self) -> &[u8] {
        self.text.all()
    }

    /// Whether it was refused, or got no response.
    pub(crate) fn is_refused(&self) -> bool {
        self.status.is_none_or(|status| status >= 400)
            || self.code.is_some_and(|code| code != ACCEPTED)
    }
}

impl Weighed for RequestRecord {
    fn weight(&self) -> usize {
        size_of::<Self>() + self.text.weight() + self.reason.as_ref().map_or(0, String::len)
    }
}

/// The record of a request in progress. The task of the request owns it, so that it needs no lock.
#[derive(Debug)]
pub(crate) struct Capture {
    traffic: Arc<Traffic>,
    started: Instant,
    /// `None` once it was recorded.
    record: Option<RequestRecord>,
}

impl Capture {
    /// Starts the record of a request.
    pub(crate) fn start<B>(traffic: &Arc<Traffic>, host: Host, request: &Request<B>) -> Self {
        let mut text = Text::new();
        let uri = request.uri();
        text.write(Part::Path, |bytes| bytes.extend_from_slice(start_of(uri.path()).as_bytes()));
        let query = start_of(uri.query().unwrap_or_default());
        text.write(Part::Query, |bytes| redact::query(query, bytes));
        text.write(Part::Headers, |bytes| redact::headers(request.headers(), bytes));
        let record = RequestRecord {
            at_ms: now_ms(),
            host,
            method: request.method().clone(),
            account: None,
            status: None,
            code: None,
            reason: None,
            fault: None,
            micros: 0,
            has_whole_target: uri.path().len() <= MAX_PATH
                && uri.query().is_none_or(|query| query.len() <= MAX_PATH),
            text,
            body_length: 0,
            response_length: 0,
        };
        Self { traffic: Arc::clone(traffic), started: Instant::now(), record: Some(record) }
    }

    fn change(&mut self, change: impl FnOnce(&mut RequestRecord)) {
        if let Some(record) = &mut self.record {
            change(record);
        }
    }

    pub(crate) fn body(&mut self, body: &[u8]) {
        let shown = redact::body(body);
        let shown = Excerpt::cut(shown.as_deref().unwrap_or(body));
        self.change(|record| {
            record.body_length = body.len();
            record.text.write(Part::Body, |bytes| bytes.extend_from_slice(shown));
        });
    }

    pub(crate) fn account(&mut self, account: Option<u32>) {
        self.change(|record| record.account = account);
    }

    pub(crate) fn fault(&mut self, fault: Option<Fault>) {
        self.change(|record| record.fault = fault);
    }

    /// The outcome before any fault changes the response.
    pub(crate) fn outcome(&mut self, code: u32, reason: Option<&str>) {
        self.change(|record| {
            record.code = Some(code);
            record.reason = reason.map(ToOwned::to_owned);
        });
    }

    pub(crate) fn response_body(&mut self, body: &[u8]) {
        self.change(|record| {
            record.response_length = body.len();
            record.text.write(Part::Response, |bytes| bytes.extend_from_slice(Excerpt::cut(body)));
        });
    }

    /// Completes the record with the head of the response.
    pub(crate) fn finish(mut self, status: u16, headers: &HeaderMap) {
        self.change(|record| {
            record.status = Some(status);
            record.text.write(Part::ResponseHeaders, |bytes| redact::headers(headers, bytes));
        });
    }
}

/// The recorded start of a path or query.
fn start_of(text: &str) -> &str {
    let longest = text.len().min(MAX_PATH);
    (0..=longest).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

impl Drop for Capture {
    fn drop(&mut self) {
        if let Some(mut record) = self.record.take() {
            record.micros = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.traffic.add(record);
        }
    }
}
