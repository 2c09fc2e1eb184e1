//! One request from its head to its answer.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{HeaderMap, Method as HttpMethod, Request, body::Incoming, header};
use serde_json::{Map, Value};

use super::{
    Call, Handler, HandlerResult,
    answer::{Reply, envelope, html, reply},
    body::{drip, gzip, half, null_rows, without_newest},
    family::Family,
    handler, is_made_up,
    limits::Usage,
    params::{Params, RECV_WINDOW},
    repeated,
};
use crate::{
    auth::{Caller, Proof, check_recv_window},
    exchange::{
        AccountId, Exchange,
        refusal::{Refusal, refuse},
    },
    fault::Fault,
    generated::{Auth, Envelope, Host, Method, Route, Scope, routes},
    hints,
    input::{self, Input},
    keys::Permission,
    number, reasons,
    shared::Shared,
};

/// Largest request body.
const BODY: usize = 1 << 20;
/// How long a client may take to send its body.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Smallest answer that is compressed for who asks for it, in bytes.
const WORTH_GZIP: usize = 1024;

/// Paths that BitMart has taken down, as its change log says.
const REMOVED: &[&str] = &[
    "/account/sub-account/sub/v1/sub-to-sub",
    "/account/v1/deposit-withdraw/history",
    "/spot/v1/batch_orders",
    "/spot/v1/cancel_order",
    "/spot/v1/cancel_orders",
    "/spot/v1/steps",
    "/spot/v1/submit_order",
    "/spot/v1/symbols/book",
    "/spot/v1/symbols/kline",
    "/spot/v1/symbols/trades",
    "/spot/v1/ticker",
    "/spot/v1/ticker_detail",
    "/spot/v2/batch_orders",
    "/spot/v2/cancel_order",
    "/spot/v2/order_detail",
    "/spot/v2/ticker",
    "/spot/v2/trades",
    "/spot/v3/orders",
];

/// The connection is to be closed without an answer.
#[derive(Debug)]
pub(super) struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is dropped on purpose")
    }
}

impl std::error::Error for Dropped {}

/// Answers a request, with the faults that are switched on for its path. `reset` is set when the
/// connection is to be reset, not closed, at its end.
pub(super) async fn answer(
    shared: &Shared,
    host: Host,
    peer: IpAddr,
    reset: &AtomicBool,
    mut request: Request<Incoming>,
) -> Result<Reply, Dropped> {
    let path = request.uri().path().to_owned();
    let takes_gzip = takes_gzip(request.headers());
    let fault = shared.faults().strike(&path, |_| true);
    match fault {
        Some(Fault::DropBefore) => return Err(Dropped),
        Some(Fault::Html(status)) => return Ok(html(status)),
        Some(Fault::LateHistory(behind)) => drop(request.extensions_mut().insert(Behind(behind))),
        Some(Fault::HoldBefore) => shared.hold(&path).await,
        _ => {}
    }
    let method = request.method().clone();
    let outcome = match fault.and_then(refused) {
        Some(code) => turned_away(host, request, code).await,
        None => process(shared, host, peer, request).await,
    };
    let why = outcome.answer.as_ref().err().and_then(|refusal| {
        let why = refusal.why.as_deref()?;
        shared.reasons.tell(&format!("{method} {path}"), &refusal.code.to_string(), why);
        reasons::header(why)
    });
    let (status, mut body) = envelope(&path, outcome.around, outcome.answer, &shared.trace());
    match fault {
        Some(Fault::DropAfter) => return Err(Dropped),
        Some(Fault::HtmlAfter(status)) => return Ok(html(status)),
        Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
        Some(Fault::HoldAfter) => shared.hold(&path).await,
        Some(Fault::TruncatedJson) => body.truncate(body.len() / 2),
        Some(Fault::NullRows) => body = null_rows(&body),
        // Of lists that know no window.
        Some(Fault::LateHistory(behind)) => {
            body = without_newest(&body, newest(shared, behind));
        }
        _ => {}
    }
    let mut reply = reply(status, body.clone(), outcome.usage, outcome.made_up);
    if let Some(why) = why {
        reply.headers_mut().insert("x-sandbox-reason", why);
    }
    match fault {
        None if takes_gzip && body.len() >= WORTH_GZIP => {
            let packed = gzip(reply.headers_mut(), &body);
            *reply.body_mut() = packed;
        }
        Some(Fault::ResetMidBody) => {
            reset.store(true, Ordering::Relaxed);
            let half = half(reply.headers_mut(), &body);
            *reply.body_mut() = half;
        }
        Some(Fault::SlowDrip(time)) => {
            let drip = drip(reply.headers_mut(), body, time);
            *reply.body_mut() = drip;
        }
        _ => {}
    }
    Ok(reply)
}

/// How far the history is behind that answers a request.
#[derive(Debug, Clone, Copy)]
struct Behind(Duration);

/// The time of the newest row of a history that is so far behind.
fn newest(shared: &Shared, behind: Duration) -> u64 {
    let behind = u64::try_from(behind.as_millis()).unwrap_or(u64::MAX);
    shared.state().clock.now_ms().saturating_sub(behind)
}

/// Whether the client asked for gzip, weights aside.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let asked = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut names = asked.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    names.any(|name| name.trim().eq_ignore_ascii_case("gzip"))
}

/// The code of a fault that refuses a request without looking at it.
fn refused(fault: Fault) -> Option<u32> {
    match fault {
        Fault::Unavailable => Some(30014),
        Fault::Maintenance => Some(30016),
        Fault::RateLimited => Some(30013),
        Fault::Banned => Some(30017),
        _ => None,
    }
}

/// Refuses a request that was not looked at. The limit that it is said to exceed is that of its
/// route.
async fn turned_away(host: Host, request: Request<Incoming>, code: u32) -> Outcome {
    let (head, body) = request.into_parts();
    // Read in any case, so that the connection stays usable.
    drop(read(body).await);
    let limit = find(host, head.uri.path(), &head.method).ok().and_then(|route| route.limit);
    let exceeded = limit.filter(|_| [30013, 30017].contains(&code));
    let usage = exceeded.map(|limit| Usage { used: limit.count.saturating_add(1), limit });
    Outcome { answer: Err(refuse(code)), around: Envelope::Standard, usage, made_up: false }
}

/// What came of a request.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) answer: HandlerResult,
    around: Envelope,
    usage: Option<Usage>,
    /// No source says what the answer holds.
    pub(super) made_up: bool,
}

impl Outcome {
    fn refused(refusal: Refusal) -> Self {
        Self { answer: Err(refusal), around: Envelope::Standard, usage: None, made_up: false }
    }
}

async fn process(shared: &Shared, host: Host, peer: IpAddr, request: Request<Incoming>) -> Outcome {
    let (head, body) = request.into_parts();
    let found = find(host, head.uri.path(), &head.method);
    // The body is read in any case, so that the connection stays usable.
    let body = read(body).await;
    match (found, body) {
        (Ok(route), Ok(body)) => {
            let outcome = serve(shared, route, peer, &head, &body);
            // What the answer tells of must not be lost.
            if shared.settled().await { outcome } else { Outcome::refused(unstored()) }
        }
        (Err(refusal), _) | (_, Err(refusal)) => Outcome::refused(refusal),
    }
}

fn unstored() -> Refusal {
    let message =
        "Internal Server Error: the data folder of the sandbox cannot be written to".into();
    Refusal { status: 503, code: 50000, message, why: None }
}

/// Checks a whole request and answers it.
pub(super) fn serve(
    shared: &Shared,
    route: &'static Route,
    peer: IpAddr,
    head: &hyper::http::request::Parts,
    body: &[u8],
) -> Outcome {
    let mut usage = None;
    let answer = checked(shared, route, peer, head, body, &mut usage).and_then(|asked| {
        let (caller, mut params) = asked;
        if let Some(Behind(behind)) = head.extensions.get() {
            params.list_until(newest(shared, *behind));
        }
        let handler = handler(route.path).ok_or_else(|| refuse(30000))?;
        let input = route.changes.then(|| input(route, caller.as_ref(), body, shared));
        run(shared, handler, input, caller.as_ref(), params, shared.config.lenient)
    });
    let answer = answer.map_err(|refusal| about_symbol(refusal, shared, route, head, body));
    let made_up = answer.is_ok() && is_made_up(route.path);
    Outcome { answer, around: route.envelope, usage, made_up }
}

/// Adds what was probably meant to the refusal of a symbol that is not known.
fn about_symbol(
    refusal: Refusal,
    shared: &Shared,
    route: &Route,
    head: &hyper::http::request::Parts,
    body: &[u8],
) -> Refusal {
    if ![50001, 70002, 40034].contains(&refusal.code) || refusal.why.is_some() {
        return refusal;
    }
    let Ok(params) = params(route, head, body) else { return refusal };
    let symbol = params.raw("symbol").and_then(Value::as_str).unwrap_or_default();
    match hints::symbol(route.host, symbol, &shared.state().exchange) {
        Some(why) => refusal.because(why),
        None => refusal,
    }
}

/// What makes a request happen again.
fn input(route: &Route, caller: Option<&Caller>, body: &[u8], shared: &Shared) -> input::Request {
    input::Request {
        path: route.path.to_owned(),
        caller: caller.map(|caller| (caller.account, caller.key.clone())),
        // It was read as JSON, so it is UTF-8.
        body: String::from_utf8_lossy(body).into_owned(),
        lenient: shared.config.lenient,
    }
}

/// Lets a request happen again that passed all checks before.
pub(crate) fn repeat(shared: &Shared, request: input::Request) {
    let input::Request { path, caller, body, lenient } = &request;
    let values = serde_json::from_str(body);
    // A path or body that this version does not know leaves no mark, which is found out.
    let (Some(handler), Ok(values)) = (handler(path), values) else { return };
    let caller =
        caller.clone().map(|(account, key)| Caller { account, key, permissions: Vec::new() });
    let (params, lenient) = (Params::new(values, Family::of(path)), *lenient);
    drop(run(shared, handler, Some(request), caller.as_ref(), params, lenient));
}

fn run(
    shared: &Shared,
    handler: Handler,
    input: Option<input::Request>,
    caller: Option<&Caller>,
    params: Params,
    lenient: bool,
) -> HandlerResult {
    if input.is_some() && !shared.takes_inputs() {
        return Err(unstored());
    }
    // What changes nothing a frozen account may ask.
    let barred =
        input.as_ref().zip(caller).map(|(request, caller)| (&*request.path, caller.account));
    let barred = barred.map(|(path, account)| (Family::of(path), account));
    shared.state().run(input.map(Input::Request), |exchange, now_ms| {
        if let Some((family, account)) = barred {
            check_frozen(exchange, family, account)?;
        }
        handler(&mut Call { exchange, caller, keys: &shared.keys, params, now_ms, lenient })
    })
}

/// What either host answers, whatever the documents name: ccxt 4.5.40 asks the futures host for the time
/// when it is set to futures, and the spot host for transfers to futures.
const ON_BOTH_HOSTS: [&str; 4] = [
    "/system/time",
    "/system/service",
    "/account/v1/transfer-contract",
    "/account/v1/transfer-contract-list",
];

/// Futures have no code of their own for a frozen account.
fn check_frozen(exchange: &Exchange, family: Family, account: AccountId) -> Result<(), Refusal> {
    if !exchange.decisions.is_frozen(account) {
        return Ok(());
    }
    let is_sub = exchange.accounts.get(&account).is_some_and(|owner| owner.main.is_some());
    Err(refuse(match family {
        Family::Spot | Family::Quotation => 53000,
        Family::Account | Family::Futures => {
            if is_sub {
                60029
            } else {
                60063
            }
        }
    }))
}

fn find(host: Host, path: &str, method: &HttpMethod) -> Result<&'static Route, Refusal> {
    let fits = |route: &Route| match route.method {
        Method::Get => method == HttpMethod::GET,
        Method::Post => method == HttpMethod::POST,
    };
    let mut known = false;
    let either = ON_BOTH_HOSTS.contains(&path);
    for route in routes().filter(|route| (either || route.host == host) && route.path == path) {
        known = true;
        if fits(route) {
            return Ok(route);
        }
    }
    let refusal = refuse(match (known, Family::of(path)) {
        (false, family) => gone(host, path, family),
        (true, Family::Account) => 60030,
        (true, _) => 57001,
    });
    Err(match hints::path(host, path, method) {
        Some(why) => refusal.because(why),
        None => refusal,
    })
}

/// What is answered on a path that there is not, or no longer. Futures were on the spot host before their
/// version 2 (BitMart's notice of 2024-11-11).
fn gone(host: Host, path: &str, family: Family) -> u32 {
    if host == Host::Spot && family == Family::Futures {
        30030
    } else if host == Host::Spot && REMOVED.contains(&path) {
        30031
    } else {
        30000
    }
}

async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    let too_much = || Refusal {
        status: 413,
        code: 50000,
        message: "Bad Request: the body is over 1 MiB".into(),
        why: None,
    };
    let too_slow = || Refusal {
        status: 408,
        code: 50000,
        message: "Bad Request: the body came too slowly".into(),
        why: None,
    };
    match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(too_much()),
        Err(_) => Err(too_slow()),
    }
}

/// The checks of the venue, in its order: address limit, key and signature, key limit, permission,
/// recvWindow, parameters.
fn checked(
    shared: &Shared,
    route: &'static Route,
    peer: IpAddr,
    head: &hyper::http::request::Parts,
    body: &[u8],
    usage: &mut Option<Usage>,
) -> Result<(Option<Caller>, Params), Refusal> {
    let clock = shared.state().clock;
    let now_ms = clock.now_ms();
    let limit = route.limit;
    let mut count = |who: &str| {
        let limit = limit?;
        let mut limits = shared.limits();
        let counted = limits.count(route.path, who, limit, now_ms);
        *usage = Some(counted);
        let code = match (limits.is_banned(who, now_ms), counted.exceeded()) {
            (true, _) => 30017,
            (false, true) => 30013,
            (false, false) => return None,
        };
        shared.config.rate_limits.then(|| refuse(code))
    };
    if limit.is_some_and(|limit| limit.scope == Scope::Ip) {
        count(&format!("ip {peer}")).map_or(Ok(()), Err)?;
    }
    let proof = proof(&head.headers, peer);
    let caller = match route.auth {
        Auth::None => None,
        Auth::Keyed => Some(shared.keys.keyed(proof, now_ms)?),
        Auth::Signed => {
            let signed = shared.keys.signed(proof, body, clock);
            Some(signed.map_err(|refusal| on_clock(refusal, route, proof, now_ms))?)
        }
    };
    if let (Some(caller), Some(limit)) = (&caller, limit) {
        let who = match limit.scope {
            Scope::Ip => None,
            Scope::Key => Some(format!("key {}", caller.key)),
            Scope::Uid => Some(format!("uid {}", caller.account.0)),
        };
        who.and_then(|who| count(&who)).map_or(Ok(()), Err)?;
    }
    permit(route, caller.as_ref())?;
    let params = params(route, head, body)?;
    if route.params.iter().any(|param| param.name == RECV_WINDOW) {
        check_recv_window(params.raw(RECV_WINDOW), proof.timestamp, clock)?;
    }
    if !shared.config.lenient {
        params.refuse_unknown(route.path, route.params)?;
        let twice = match route.method {
            Method::Get => repeated::in_query(head.uri.query().unwrap_or_default()),
            Method::Post => repeated::in_json(body),
        };
        if let Some(name) = twice {
            return Err(params.repeated(&name));
        }
        params.refuse_malformed(route.params)?;
    }
    Ok((caller, params))
}

/// Futures have codes of their own for a clock that is off, as clients report. None says which is for what:
/// here 40039 is for one that is behind, 40013 for one that is ahead.
fn on_clock(refusal: Refusal, route: &Route, proof: Proof<'_>, now_ms: u64) -> Refusal {
    if refusal.code != 30007 || Family::of(route.path) != Family::Futures {
        return refusal;
    }
    let sent = proof.timestamp.and_then(number::unsigned).unwrap_or(0);
    Refusal { why: refusal.why, ..refuse(if sent < now_ms { 40039 } else { 40013 }) }
}

fn proof(headers: &HeaderMap, peer: IpAddr) -> Proof<'_> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Proof {
        key: text("x-bm-key"),
        sign: text("x-bm-sign"),
        timestamp: text("x-bm-timestamp"),
        peer: Some(peer),
    }
}

fn permit(route: &Route, caller: Option<&Caller>) -> Result<(), Refusal> {
    let Some(needed) = route.permission.and_then(Permission::named) else { return Ok(()) };
    let allowed = caller.is_none_or(|caller| caller.permissions.contains(&needed));
    allowed.then_some(()).ok_or_else(|| refuse(30012))
}

fn params(
    route: &Route,
    head: &hyper::http::request::Parts,
    body: &[u8],
) -> Result<Params, Refusal> {
    let family = Family::of(route.path);
    if route.method == Method::Get {
        return Ok(Params::from_query(head.uri.query().unwrap_or_default(), family));
    }
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type
        .is_some_and(|text| !text.trim_start().to_ascii_lowercase().starts_with("application/json"))
    {
        return Err(refuse(if family == Family::Account { 60031 } else { 58001 }));
    }
    let values: Map<String, Value> = serde_json::from_slice(body).map_err(|_| refuse(30018))?;
    Ok(Params::new(values, family))
}
