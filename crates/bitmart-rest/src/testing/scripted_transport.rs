//! A transport that follows a script.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use bytes::Bytes;

use super::{ExpectedRequest, ScriptedResponse, SentRequest};
use crate::transport::{Transport, TransportFuture};

/// A transport that simulates the exchange for tests: see the [module](super).
///
/// Clones share the script. Concurrent requests are matched in the order in which they are sent.
///
/// An unexpected request panics where it is sent, with the expected request and the differences. If
/// that happens in a task whose panic is not observed, [`finish`](Self::finish) and dropping the last
/// clone panic with the same message. They also panic if an expected request was not sent. Dropping
/// during a panic does not panic again.
#[derive(Clone)]
pub struct ScriptedTransport(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Responds to requests after the end of the script.
    fallback: Option<Box<Fallback>>,
}

type Fallback = dyn Fn(&SentRequest) -> ScriptedResponse + Send + Sync;

#[derive(Default)]
struct State {
    script: VecDeque<(ExpectedRequest, ScriptedResponse)>,
    sent: Vec<SentRequest>,
    /// The first failure, until it was reported.
    failure: Option<String>,
}

impl Default for ScriptedTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl ScriptedTransport {
    /// A transport with an empty script.
    pub fn new() -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), fallback: None }))
    }

    /// A transport that calls a function for every request.
    ///
    /// ```
    /// use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport};
    ///
    /// let exchange = ScriptedTransport::from_fn(|request| match request.path() {
    ///     "/system/time" => ScriptedResponse::data(r#"{"server_time":1700000000000}"#),
    ///     _ => ScriptedResponse::error(50000, "Bad Request"),
    /// });
    /// ```
    pub fn from_fn(
        respond: impl Fn(&SentRequest) -> ScriptedResponse + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), fallback: Some(Box::new(respond)) }))
    }

    /// A transport that returns the same response to every request.
    pub fn always(response: ScriptedResponse) -> Self {
        Self::from_fn(move |_| response.clone())
    }

    /// Appends an expected request and its response to the script.
    ///
    /// Requests after the end of the script panic, unless the transport was created with
    /// [`from_fn`](Self::from_fn) or [`always`](Self::always).
    #[must_use = "it returns the transport"]
    pub fn expect(self, expected: ExpectedRequest, response: ScriptedResponse) -> Self {
        self.0.state().script.push_back((expected, response));
        self
    }

    /// Like [`expect`](Self::expect), `count` times in a row.
    #[must_use = "it returns the transport"]
    pub fn expect_times(
        self,
        count: usize,
        expected: &ExpectedRequest,
        response: &ScriptedResponse,
    ) -> Self {
        let step = (expected.clone(), response.clone());
        self.0.state().script.extend(std::iter::repeat_n(step, count));
        self
    }

    /// All requests so far, in order.
    pub fn requests(&self) -> Vec<SentRequest> {
        self.0.state().sent.clone()
    }

    /// The paths of all requests so far, in order.
    pub fn paths(&self) -> Vec<String> {
        self.0.state().sent.iter().map(|request| request.path().to_owned()).collect()
    }

    /// The number of requests so far.
    pub fn count(&self) -> usize {
        self.0.state().sent.len()
    }

    /// Checks that all expected requests were sent, and no others.
    ///
    /// # Panics
    /// If a request is missing or was not expected.
    #[track_caller]
    pub fn finish(&self) {
        if let Some(failure) = self.0.take_failure() {
            panic!("{failure}");
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Matches a request against the script.
    fn respond(&self, request: &SentRequest) -> Result<ScriptedResponse, String> {
        let mut state = self.state();
        state.sent.push(request.clone());
        let number = state.sent.len();
        let failure = match (state.script.pop_front(), &self.fallback) {
            (None, Some(respond)) => {
                drop(state);
                return Ok(respond(request));
            }
            (None, None) => {
                format!("request {number} is unexpected\n  expected: none\n      sent: {request}")
            }
            (Some((expected, response)), _) => {
                let differences = expected.differences(request);
                if differences.is_empty() {
                    return Ok(response);
                }
                let lines = differences.join("\n  ");
                format!(
                    "request {number} is not the expected one\n  expected: {expected}\n      \
                     sent: {request}\n  {lines}"
                )
            }
        };
        state.failure.get_or_insert_with(|| failure.clone());
        Err(failure)
    }

    /// The failure, returned once.
    fn take_failure(&self) -> Option<String> {
        let mut state = self.state();
        let missing = std::mem::take(&mut state.script);
        if let Some(failure) = state.failure.take() {
            return Some(failure);
        }
        let lines: Vec<_> =
            missing.iter().map(|(expected, _)| format!("\n  expected: {expected}")).collect();
        let (sent, missing) = (state.sent.len(), missing.len());
        (missing > 0).then(|| {
            format!(
                "{missing} expected requests were not sent, after {sent} that were{}",
                lines.concat()
            )
        })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        if let Some(failure) = self.take_failure() {
            panic!("{failure}");
        }
    }
}

impl Transport for ScriptedTransport {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        match self.0.respond(&SentRequest::new(&request)) {
            Ok(response) => Box::pin(response.respond()),
            // The lock is no longer held.
            Err(failure) => panic!("{failure}"),
        }
    }
}

impl fmt::Debug for ScriptedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state();
        f.debug_struct("ScriptedTransport")
            .field("sent", &state.sent.len())
            .field("expected", &state.script.len())
            .finish_non_exhaustive()
    }
}
