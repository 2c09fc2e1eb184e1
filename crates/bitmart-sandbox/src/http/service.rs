//! Processes one request, from its head to its response.

use std::{net::IpAddr, sync::atomic::AtomicBool, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{HeaderMap, Request, body::Incoming, header, http::request::Parts};
use serde_json::Value;

use super::{
    body::gzip,
    checks::{check, params},
    injection::{self, Dropped},
    response::{HttpResponse, envelope, response},
    routing::find,
};
use crate::{
    auth::Caller,
    generated::{Host, Route},
    hints,
    rate_limits::Usage,
    reasons,
    shared::Shared,
    traffic::Capture,
    wire::{
        Call, HandlerResult,
        dispatch::{handler, is_invented},
        engine::Engine,
        error::{ErrorFamily, WireError, error, rejection_error},
        params::Params,
    },
};

/// Largest request body.
const MAX_BODY: usize = 1 << 20;
/// Timeout for the body of a request.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Smallest response that is compressed for a client that accepts it, in bytes.
const MIN_GZIP: usize = 1024;

/// Responds to a request and applies the active fault of its path. Sets `reset` if the connection has to end with a
/// reset.
pub(super) async fn respond(
    shared: &Shared,
    host: Host,
    peer: IpAddr,
    reset: &AtomicBool,
    mut request: Request<Incoming>,
    mut capture: Option<&mut Capture>,
) -> Result<HttpResponse, Dropped> {
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let accepts_gzip = accepts_gzip(request.headers());
    let fault = shared.faults().take(&path, |_| true);
    if let Some(capture) = &mut capture {
        capture.fault(fault);
    }
    if let Some(response) = injection::before(fault, shared, &mut request).await? {
        return Ok(response);
    }
    let outcome = match fault.and_then(injection::rejection) {
        Some(code) => reject(host, request, code, capture.as_deref_mut()).await,
        None => process(shared, host, peer, request, capture.as_deref_mut()).await,
    };
    if let Some(capture) = &mut capture {
        match &outcome.result {
            Ok(_) => capture.outcome(1000, None),
            Err(error) => capture.outcome(error.code, error.reason.as_deref()),
        }
    }
    let reason = outcome.result.as_ref().err().and_then(|error| {
        let reason = error.reason.as_deref()?;
        shared.reasons.report(&format!("{method} {path}"), &error.code.to_string(), reason);
        reasons::header(reason)
    });
    let (status, mut body) = envelope(outcome.route, outcome.result, &shared.trace());
    if let Some(response) = injection::after(fault, shared, &path, &mut body).await? {
        return Ok(response);
    }
    if let Some(capture) = &mut capture {
        capture.response_body(&body);
    }
    let mut response = response(status, body.clone(), outcome.usage, outcome.invented);
    if let Some(reason) = reason {
        response.headers_mut().insert("x-sandbox-reason", reason);
    }
    if fault.is_none() && accepts_gzip && body.len() >= MIN_GZIP {
        let compressed = gzip(response.headers_mut(), &body);
        *response.body_mut() = compressed;
    }
    injection::send(fault, &mut response, body, reset);
    Ok(response)
}

/// Whether the client accepts gzip. A weight of zero rejects it, others do not matter.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings =
        accepted.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().trim_start_matches("q=").trim_matches(['0', '.']);
        let is_rejected = coding.contains(';') && weight.is_empty();
        name.trim().eq_ignore_ascii_case("gzip") && !is_rejected
    })
}

/// Rejects a request without processing it. For a code about rate limits, the headers are those of an exceeded limit
/// of the route.
async fn reject(
    host: Host,
    request: Request<Incoming>,
    code: u32,
    capture: Option<&mut Capture>,
) -> Outcome {
    let (head, body) = request.into_parts();
    // The body is read in any case, so that the connection stays usable.
    let body = read_body(body).await;
    if let (Some(capture), Ok(body)) = (capture, &body) {
        capture.body(body);
    }
    let limit = find(host, head.uri.path(), &head.method).ok().and_then(|route| route.limit);
    let exceeded = limit.filter(|_| [30013, 30017].contains(&code));
    let usage = exceeded.map(|limit| Usage { used: limit.count.saturating_add(1), limit });
    Outcome { usage, ..Outcome::error(error(code)) }
}

/// The outcome of a request.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) result: HandlerResult,
    /// The account of the key.
    account: Option<u32>,
    /// `None` if no route was found.
    route: Option<&'static Route>,
    usage: Option<Usage>,
    /// Whether no source documents the content of the response.
    pub(super) invented: bool,
}

impl Outcome {
    fn error(error: WireError) -> Self {
        Self { result: Err(error), account: None, route: None, usage: None, invented: false }
    }
}

async fn process(
    shared: &Shared,
    host: Host,
    peer: IpAddr,
    request: Request<Incoming>,
    mut capture: Option<&mut Capture>,
) -> Outcome {
    let (head, body) = request.into_parts();
    let route = find(host, head.uri.path(), &head.method);
    // The body is read in any case, so that the connection stays usable.
    let body = read_body(body).await;
    if let (Some(capture), Ok(body)) = (&mut capture, &body) {
        capture.body(body);
    }
    match (route, body) {
        (Ok(route), Ok(body)) => {
            let outcome = handle(shared, route, peer, &head, &body);
            if let Some(capture) = capture {
                capture.account(outcome.account);
            }
            // A response may only report what is stored.
            if shared.wait_until_stored().await { outcome } else { Outcome::error(not_stored()) }
        }
        (Err(error), _) | (_, Err(error)) => Outcome::error(error),
    }
}

fn not_stored() -> WireError {
    let message =
        "Internal Server Error: the data folder of the sandbox cannot be written to".into();
    WireError { status: 503, code: 50000, message, reason: None }
}

/// Checks a request and runs its handler.
pub(super) fn handle(
    shared: &Shared,
    route: &'static Route,
    peer: IpAddr,
    head: &Parts,
    body: &[u8],
) -> Outcome {
    let (mut usage, mut account) = (None, None);
    let checked = check(shared, route, peer, head, body, &mut usage);
    let result = checked.and_then(|(caller, mut params)| {
        account = caller.as_ref().map(|caller| caller.account.0);
        if let Some(newest_ms) = injection::listed_until_ms(shared, head) {
            params.limit_to(newest_ms);
        }
        run(shared, route, caller.as_ref(), params)
    });
    let result = result.map_err(|error| explain_symbol(error, shared, route, head, body));
    let invented = result.is_ok() && is_invented(route.id);
    Outcome { result, account, route: Some(route), usage, invented }
}

/// Adds a hint to the error about an unknown symbol.
fn explain_symbol(
    error: WireError,
    shared: &Shared,
    route: &Route,
    head: &Parts,
    body: &[u8],
) -> WireError {
    if ![50001, 70002, 40034].contains(&error.code) || error.reason.is_some() {
        return error;
    }
    let Ok(params) = params(route, head, body) else { return error };
    let symbol = params.raw("symbol").and_then(Value::as_str).unwrap_or_default();
    match hints::symbol(route.host, symbol, &shared.state().exchange) {
        Some(reason) => error.with_reason(reason),
        None => error,
    }
}

fn run(shared: &Shared, route: &Route, caller: Option<&Caller>, params: Params) -> HandlerResult {
    if route.changes && !shared.is_writable() {
        return Err(not_stored());
    }
    let mut state = shared.state();
    let now_ms = state.clock.now_ms();
    let family = ErrorFamily::of(route);
    if route.changes {
        // Events that are due happen before the request. A read leaves them to the next step of the market, because
        // they change the state and are stored.
        if state.exchange.is_due(now_ms) {
            state.process_due();
        }
        if let Some(caller) = caller {
            // A frozen account is reported before any other error.
            let checked = state.exchange.check_frozen(caller.account);
            checked.map_err(|reject| rejection_error(&reject, family))?;
        }
    }
    let exchange = Engine::new(&mut state, family);
    let (keys, lenient) = (&shared.keys, shared.config.lenient);
    handler(route.id)(&mut Call { exchange, caller, keys, params, now_ms, lenient })
}

async fn read_body(body: Incoming) -> Result<Bytes, WireError> {
    let error = |status, message: &str| WireError {
        status,
        code: 50000,
        message: format!("Bad Request: {message}").into(),
        reason: None,
    };
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(cause)) if cause.is::<LengthLimitError>() => {
            Err(error(413, "the body is over 1 MiB"))
        }
        Ok(Err(_)) => Err(error(400, "the body is malformed or incomplete")),
        Err(_) => Err(error(408, "the body took too long")),
    }
}
