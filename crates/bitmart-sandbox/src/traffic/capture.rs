//! The record of one request. It is complete when the last handle is dropped, so that a request whose client
//! disconnects is recorded as well.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use hyper::{HeaderMap, Method, Request};

use super::{Payload, Traffic, Weighed, now_ms, redact};
use crate::{fault::Fault, generated::Host};

/// Bytes of a recorded path or query.
const MAX_PATH: usize = 2 << 10;
/// Approximate size of a header of a response in bytes.
const HEADER_WEIGHT: usize = 96;

/// A request and its response.
#[derive(Debug)]
pub(crate) struct RequestRecord {
    /// When its head arrived, in milliseconds since 1970 by the machine's clock.
    pub(crate) at_ms: u64,
    pub(crate) host: Host,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Lines, without secrets.
    pub(crate) headers: String,
    pub(crate) body: Payload,
    /// The account of its key.
    pub(crate) account: Option<u32>,
    /// HTTP status; `None` without a response.
    pub(crate) status: Option<u16>,
    /// Code of the envelope, as far as the sandbox chose one.
    pub(crate) code: Option<u32>,
    /// Shown by [`RequestRecord::response_headers`]; rendering them for every request would take longer.
    response_headers: HeaderMap,
    pub(crate) response: Payload,
    /// Why it was refused.
    pub(crate) reason: Option<String>,
    /// Fault that struck it.
    pub(crate) fault: Option<Fault>,
    /// From its head to its response, in microseconds.
    pub(crate) micros: u64,
}

impl RequestRecord {
    /// The headers of the response as lines, without secrets.
    pub(crate) fn response_headers(&self) -> String {
        redact::headers(&self.response_headers)
    }

    /// Whether it was refused, or got no response.
    pub(crate) fn is_refused(&self) -> bool {
        self.status.is_none_or(|status| status >= 400) || self.code.is_some_and(|code| code != 1000)
    }
}

impl Weighed for RequestRecord {
    fn weight(&self) -> usize {
        size_of::<Self>()
            + self.path.len()
            + self.query.len()
            + self.headers.len()
            + self.body.bytes.len()
            + self.response_headers.len() * HEADER_WEIGHT
            + self.response.bytes.len()
            + self.reason.as_ref().map_or(0, String::len)
    }
}

/// A handle of the record of a request in progress.
#[derive(Debug, Clone)]
pub(crate) struct Capture(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    traffic: Arc<Traffic>,
    started: Instant,
    /// `None` once it was recorded.
    record: Mutex<Option<RequestRecord>>,
}

impl Capture {
    /// Starts the record of a request, and adds a handle to its extensions.
    pub(crate) fn start<B>(traffic: &Arc<Traffic>, host: Host, request: &mut Request<B>) -> Self {
        let uri = request.uri();
        let cut = |text: &str| text[..start_of(text)].to_owned();
        let record = RequestRecord {
            at_ms: now_ms(),
            host,
            method: request.method().clone(),
            path: cut(uri.path()),
            query: redact::query(&cut(uri.query().unwrap_or_default())),
            headers: redact::headers(request.headers()),
            body: Payload::default(),
            account: None,
            status: None,
            code: None,
            response_headers: HeaderMap::new(),
            response: Payload::default(),
            reason: None,
            fault: None,
            micros: 0,
        };
        let record = Mutex::new(Some(record));
        let inner = Inner { traffic: Arc::clone(traffic), started: Instant::now(), record };
        let capture = Self(Arc::new(inner));
        request.extensions_mut().insert(capture.clone());
        capture
    }

    fn change(&self, change: impl FnOnce(&mut RequestRecord)) {
        if let Some(record) = self.0.lock().as_mut() {
            change(record);
        }
    }

    pub(crate) fn body(&self, body: &Bytes) {
        // A copy, because the server reads into the memory of the body again.
        let body = Payload::copy(body);
        self.change(|record| record.body = body);
    }

    pub(crate) fn account(&self, account: u32) {
        self.change(|record| record.account = Some(account));
    }

    pub(crate) fn fault(&self, fault: Option<Fault>) {
        self.change(|record| record.fault = fault);
    }

    /// The outcome before any fault changes the response.
    pub(crate) fn outcome(&self, code: u32, reason: Option<&str>) {
        self.change(|record| {
            record.code = Some(code);
            record.reason = reason.map(ToOwned::to_owned);
        });
    }

    pub(crate) fn response_body(&self, body: &Bytes) {
        self.change(|record| record.response = Payload::new(body));
    }

    /// Completes the record with the head of the response.
    pub(crate) fn finish(self, status: u16, headers: &HeaderMap) {
        self.change(|record| {
            record.status = Some(status);
            record.response_headers = headers.clone();
        });
        self.0.complete();
    }
}

/// The length of the recorded start of a path.
fn start_of(text: &str) -> usize {
    let longest = text.len().min(MAX_PATH);
    (0..=longest).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Option<RequestRecord>> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn complete(&self) {
        let record = self.lock().take();
        if let Some(mut record) = record {
            record.micros = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.traffic.add(record);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.complete();
    }
}
