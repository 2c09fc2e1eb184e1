//! A transport that plays a script.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use bytes::Bytes;

use super::{Expect, Reply, SentRequest};
use crate::transport::{Transport, TransportFuture};

/// An exchange without a network, for tests: see the [module](super).
///
/// Clones share the script. Requests at once are taken in the order in which they are sent.
///
/// A request that is not the expected one panics where it is sent, with what was expected, what
/// came and what differs. If that is in a task whose panic nobody sees, [`finish`](Self::finish)
/// and the drop of the last clone panic with the same words; so they do when an expected request
/// has not come. A drop while a panic unwinds stays silent.
#[derive(Clone)]
pub struct ScriptedTransport(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Responses whatever the script does not expect.
    otherwise: Option<Box<Otherwise>>,
}

type Otherwise = dyn Fn(&SentRequest) -> Reply + Send + Sync;

#[derive(Default)]
struct State {
    script: VecDeque<(Expect, Reply)>,
    sent: Vec<SentRequest>,
    /// The first failure, until it is told.
    failure: Option<String>,
}

impl Default for ScriptedTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl ScriptedTransport {
    /// Expects nothing yet.
    pub fn new() -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), otherwise: None }))
    }

    /// Takes any request and responses by a function.
    ///
    /// ```
    /// use bitmart_rest::testing::{Reply, ScriptedTransport};
    ///
    /// let exchange = ScriptedTransport::response(|request| match request.path() {
    ///     "/system/time" => Reply::data(r#"{"server_time":1700000000000}"#),
    ///     _ => Reply::error(50000, "Bad Request"),
    /// });
    /// ```
    pub fn response(response: impl Fn(&SentRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), otherwise: Some(Box::new(response)) }))
    }

    /// Takes any request and gives the same response.
    pub fn always(reply: Reply) -> Self {
        Self::response(move |_| reply.clone())
    }

    /// Expects this request next, after those that were expected before, and responses it like that.
    ///
    /// What comes after all that is expected fails, unless the transport was made with
    /// [`response`](Self::response) or [`always`](Self::always).
    #[must_use = "it is the transport"]
    pub fn expect(self, expected: Expect, reply: Reply) -> Self {
        self.0.state().script.push_back((expected, reply));
        self
    }

    /// Like [`expect`](Self::expect), the same so many times in a row.
    #[must_use = "it is the transport"]
    pub fn expect_times(self, count: usize, expected: &Expect, reply: &Reply) -> Self {
        let step = (expected.clone(), reply.clone());
        self.0.state().script.extend(std::iter::repeat_n(step, count));
        self
    }

    /// All requests so far, in their order.
    pub fn requests(&self) -> Vec<SentRequest> {
        self.0.state().sent.clone()
    }

    /// Paths of all requests so far, in their order.
    pub fn paths(&self) -> Vec<String> {
        self.0.state().sent.iter().map(|request| request.path().to_owned()).collect()
    }

    /// How many requests have come.
    pub fn count(&self) -> usize {
        self.0.state().sent.len()
    }

    /// Checks that everything that was expected has come, and nothing else.
    ///
    /// # Panics
    /// With what is missing, or what came unexpectedly.
    #[track_caller]
    pub fn finish(&self) {
        if let Some(failure) = self.0.verdict() {
            panic!("{failure}");
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request; the failure if it is not the expected one.
    fn take(&self, request: &SentRequest) -> Result<Reply, String> {
        let mut state = self.state();
        state.sent.push(request.clone());
        let number = state.sent.len();
        let failure = match (state.script.pop_front(), &self.otherwise) {
            (None, Some(response)) => {
                drop(state);
                return Ok(response(request));
            }
            (None, None) => {
                format!("request {number} is one too many\n  expected: none\n      came: {request}")
            }
            (Some((expected, reply)), _) => {
                let differences = expected.differences(request);
                if differences.is_empty() {
                    return Ok(reply);
                }
                let lines = differences.join("\n  ");
                format!(
                    "request {number} is not the expected one\n  expected: {expected}\n      \
                     came: {request}\n  {lines}"
                )
            }
        };
        state.failure.get_or_insert_with(|| failure.clone());
        Err(failure)
    }

    /// What is wrong, told once.
    fn verdict(&self) -> Option<String> {
        let mut state = self.state();
        let missing = std::mem::take(&mut state.script);
        if let Some(failure) = state.failure.take() {
            return Some(failure);
        }
        let lines: Vec<_> =
            missing.iter().map(|(expected, _)| format!("\n  expected: {expected}")).collect();
        let (came, missing) = (state.sent.len(), missing.len());
        (missing > 0).then(|| {
            format!("{missing} requests did not come, after {came} that did{}", lines.concat())
        })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        if let Some(failure) = self.verdict() {
            panic!("{failure}");
        }
    }
}

impl Transport for ScriptedTransport {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        match self.0.take(&SentRequest::new(&request)) {
            Ok(reply) => Box::pin(reply.play()),
            // The lock is free again.
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
