//! The admin API: control of a running sandbox by HTTP, on a port of its own.

mod access;
mod calls;
mod faults;
mod operate;

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

pub(crate) use self::access::{Token, is_local};
use self::{access::Access, calls::Problem};
use crate::{
    http::Watched,
    shared::Shared,
    shutdown::stopped,
    slots::{Capacity, Held, Slot, Slots},
};

/// Connections at the same time.
const CAPACITY: Capacity = Capacity { heads: 32, served: 64 };
/// Largest request body.
const BODY: usize = 64 << 10;
/// How long a client may take for a body, and stay idle.
const TIME: Duration = Duration::from_secs(10);

/// Every call there is.
const CALLS: &[(&str, &str)] = &[
    ("GET", "/ledger"),
    ("GET", "/book/{symbol}"),
    ("GET", "/snapshot"),
    ("POST", "/accounts"),
    ("POST", "/accounts/freeze"),
    ("POST", "/addresses"),
    ("POST", "/keys"),
    ("POST", "/balances"),
    ("POST", "/deposits"),
    ("POST", "/currencies"),
    ("POST", "/networks"),
    ("POST", "/clock/advance"),
    ("POST", "/market/hold"),
    ("POST", "/market/halt"),
    ("POST", "/market/delist"),
    ("POST", "/market/step"),
    ("GET", "/faults"),
    ("POST", "/faults"),
    ("DELETE", "/faults"),
    ("POST", "/sockets/kill"),
    ("POST", "/stop"),
];

/// Calls that change nothing that is stored.
const UNSTORED: [&str; 3] = ["/faults", "/sockets/kill", "/stop"];

/// Accepts connections until the sandbox stops.
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener, token: Token) {
    let access = Arc::new(Access { token, exposed: shared.config.expose_admin });
    let mut control = shared.control.subscribe();
    let slots = Slots::new(CAPACITY);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut control) => return,
        };
        // An error here is one of a single connection (or of too many files): go on.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (shared, access) = (Arc::clone(&shared), Arc::clone(&access));
        let slot = slots.enter();
        tokio::spawn(connection(shared, access, stream, slot));
    }
}

async fn connection(shared: Arc<Shared>, access: Arc<Access>, stream: TcpStream, slot: Arc<Slot>) {
    let mut control = shared.control.subscribe();
    // Small answers must not wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let (shared, access) = (Arc::clone(&shared), Arc::clone(&access));
        let busy = slot.head_is_complete();
        async move {
            let response = match busy {
                Some(_) => answer(&shared, &access, request).await,
                None => respond(Err(Problem::crowded())),
            };
            Ok::<_, Infallible>(response.map(|body| Held::new(body, busy)))
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(TIME)
        .serve_connection(TokioIo::new(Watched::new(stream, Arc::clone(&slot))), service);
    tokio::pin!(served);
    // An error is the client's: it broke the protocol or went away.
    tokio::select! {
        _ = served.as_mut() => {}
        _ = slot.end() => {}
        () = stopped(&mut control) => {
            // Who asked for the stop gets an answer.
            served.as_mut().graceful_shutdown();
            let _ = served.await;
        }
    }
}

async fn answer(
    shared: &Shared,
    access: &Access,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    // The body is read in any case, so that the connection stays usable.
    let body = match tokio::time::timeout(TIME, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is over 64 KiB")),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly")),
    };
    let answered = match access.check(&head).and(body) {
        Err(problem) => Err(problem),
        Ok(_) if head.uri.query().is_some() => Err(Problem::bad("no call takes a query")),
        Ok(body) => call(shared, &head.method, head.uri.path(), &body).await,
    };
    // What the answer tells of must not be lost.
    let answered = if shared.settled().await { answered } else { Err(Problem::unstored()) };
    respond(answered)
}

fn respond(answered: Result<Vec<u8>, Problem>) -> Response<Full<Bytes>> {
    let (status, text) = match answered {
        Ok(text) => (StatusCode::OK, text),
        Err(problem) => (problem.status, line(&json!({ "error": problem.words }))),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

async fn call(
    shared: &Shared,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Result<Vec<u8>, Problem> {
    if method == Method::POST && !UNSTORED.contains(&path) && !shared.takes_inputs() {
        return Err(Problem::unstored());
    }
    let value = match (method.as_str(), path) {
        ("GET", "/snapshot") => return calls::snapshot(shared, body),
        ("GET", "/") => json!({ "calls": listed() }),
        ("GET", "/ledger") => calls::ledger(shared, body)?,
        ("POST", "/accounts") => calls::create_account(shared, body)?,
        ("POST", "/accounts/freeze") => operate::freeze(shared, body)?,
        ("POST", "/addresses") => operate::save_address(shared, body)?,
        ("POST", "/keys") => calls::create_key(shared, body)?,
        ("POST", "/balances") => calls::set_balance(shared, body)?,
        ("POST", "/deposits") => calls::deposit(shared, body)?,
        ("POST", "/currencies") => operate::open_currency(shared, body)?,
        ("POST", "/clock/advance") => calls::advance(shared, body)?,
        ("POST", "/market/hold") => calls::hold(shared, body)?,
        ("POST", "/market/halt") => calls::halt(shared, body)?,
        ("POST", "/market/delist") => operate::delist(shared, body)?,
        ("POST", "/market/step") => calls::step(shared, body).await?,
        ("GET", "/faults") => faults::held(shared, body)?,
        ("POST", "/networks") => operate::set_network(shared, body)?,
        ("POST", "/faults") => faults::inject(shared, body)?,
        ("DELETE", "/faults") => faults::clear(shared, body)?,
        ("POST", "/sockets/kill") => calls::kill_sockets(shared, body)?,
        ("POST", "/stop") => calls::stop(shared, body)?,
        (method, path) => match path.strip_prefix("/book/").filter(|_| method == "GET") {
            Some(symbol) => calls::book(shared, symbol, body)?,
            None => return Err(unknown(method, path)),
        },
    };
    Ok(line(&value))
}

fn listed() -> Vec<String> {
    CALLS.iter().map(|(method, path)| format!("{method} {path}")).collect()
}

/// There is no such call: with another method perhaps.
fn unknown(method: &str, path: &str) -> Problem {
    let is = |described: &str| match described.strip_suffix("{symbol}") {
        Some(start) => path.starts_with(start),
        None => path == described,
    };
    let methods: Vec<&str> = CALLS.iter().filter(|row| is(row.1)).map(|row| row.0).collect();
    if methods.is_empty() {
        let words = format!("there is no {path}; there is {}", listed().join(", "));
        Problem::new(StatusCode::NOT_FOUND, words)
    } else {
        let words = format!("{path} takes {}, not {method}", methods.join(" and "));
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, words)
    }
}

/// One line of JSON.
fn line(value: &Value) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}
