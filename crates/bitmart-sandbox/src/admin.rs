//! The admin API: control of a running sandbox by HTTP, on a separate port.

mod access;
mod help;
mod problem;

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, combinators::UnsyncBoxBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Frame, Incoming},
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

pub(crate) use self::access::{Token, is_local};
use self::{access::Access, problem::Problem};
#[cfg(feature = "console")]
use crate::console::{self, Console};
use crate::{
    http::MonitoredStream,
    operator::{Call, Operator, calls},
    shared::Shared,
    shutdown::stopped,
    slots::{Capacity, Slot, Slots, TrackedBody},
};

/// Connections at the same time.
const CAPACITY: Capacity = Capacity { heads: 32, served: 64 };
/// Largest request body: a scenario of 48 KiB in a form, which may encode each byte as three.
const MAX_BODY: usize = 160 << 10;
/// Bytes of a larger body that are read and discarded. A client that is still sending would not read the response.
const MAX_DISCARDED: usize = 8 << 20;
/// Maximum time for a body, and for which a connection may be idle.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The state that the handlers of the admin API share.
struct Service {
    shared: Arc<Shared>,
    access: Access,
    #[cfg(feature = "console")]
    console: Option<Arc<Console>>,
}

/// Accepts connections until the sandbox stops.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    listener: TcpListener,
    token: Token,
    #[cfg(feature = "console")] console: Option<Arc<Console>>,
) {
    let access = Access { token, exposed: shared.config.expose_admin };
    let service = Arc::new(Service {
        shared: Arc::clone(&shared),
        access,
        #[cfg(feature = "console")]
        console,
    });
    let mut control = shared.control.subscribe();
    let slots = Slots::new(CAPACITY);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut control) => return,
        };
        // An error concerns one connection, or too many open files. Neither is a reason to stop.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let slot = slots.acquire();
        tokio::spawn(connection(Arc::clone(&service), stream, slot));
    }
}

async fn connection(admin: Arc<Service>, stream: TcpStream, slot: Arc<Slot>) {
    let mut control = admin.shared.control.subscribe();
    // Small responses must not wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let admin = Arc::clone(&admin);
        let busy = slot.begin_request();
        async move {
            let response = match busy {
                Some(_) => handle(&admin, request).await,
                None => respond(Err(Problem::too_many_connections())),
            };
            Ok::<_, Infallible>(response.map(|body| TrackedBody::new(body, busy)))
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(TIMEOUT)
        .serve_connection(TokioIo::new(MonitoredStream::new(stream, Arc::clone(&slot))), service);
    tokio::pin!(served);
    // An error means that the client violated the protocol or disconnected.
    tokio::select! {
        _ = served.as_mut() => {}
        _ = slot.wait_for_end() => {}
        () = stopped(&mut control) => {
            // `POST /stop` gets its response before the connection closes.
            served.as_mut().graceful_shutdown();
            let _ = served.await;
        }
    }
}

/// The content type and the body of a response.
type Reply = (&'static str, Vec<u8>);

const JSON: &str = "application/json";

type Body = UnsyncBoxBody<Bytes, Infallible>;

async fn handle(admin: &Service, request: Request<Incoming>) -> Response<Body> {
    let Service { shared, access, .. } = admin;
    let (head, body) = request.into_parts();
    // The body is read in any case, so that the connection stays usable.
    let body = tokio::time::timeout(TIMEOUT, read(body)).await.unwrap_or_else(|_| {
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long"))
    });
    let (method, path) = (head.method.as_str(), head.uri.path());
    #[cfg(feature = "console")]
    if let Some(response) = console(admin, &head, &body).await {
        return response;
    }
    // The description needs no token: it contains nothing secret, and a browser cannot send the token.
    if (method, path) == ("GET", "/help") {
        return respond(access.check_source(&head).map(|()| help::page(&head.headers)));
    }
    let result = match access.check(&head).and(body) {
        Err(problem) => Err(problem),
        Ok(_) if head.uri.query().is_some() => Err(Problem::bad("no call takes a query")),
        Ok(body) => call(shared, method, path, body).await,
    };
    // A response may only report what is stored.
    let result = if shared.wait_until_stored().await { result } else { Err(Problem::not_stored()) };
    respond(result.map(|text| (JSON, text)))
}

/// Reads a body to its end, and keeps at most [`MAX_BODY`] bytes of it.
async fn read(body: Incoming) -> Result<Bytes, Problem> {
    let mut body = Limited::new(body, MAX_DISCARDED);
    let (mut kept, mut length) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(part)) => {
                length += part.len();
                if length <= MAX_BODY {
                    kept.extend_from_slice(&part);
                }
            }
            Ok(Err(_)) => {}
            Err(cause) if cause.is::<LengthLimitError>() => {
                length = MAX_DISCARDED;
                break;
            }
            Err(_) => return Err(Problem::bad("the body is malformed or incomplete")),
        }
    }
    if length > MAX_BODY {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is over 160 KiB"));
    }
    Ok(kept.into())
}

/// The response of the console; `None` for requests of the admin API.
#[cfg(feature = "console")]
async fn console(
    admin: &Service,
    head: &hyper::http::request::Parts,
    body: &Result<Bytes, Problem>,
) -> Option<Response<Body>> {
    let console = admin.console.as_ref()?;
    let accepts = head.headers.get_all(header::ACCEPT).iter();
    let mut accepts = accepts.filter_map(|value| value.to_str().ok());
    let is_browser = accepts.any(|value| value.contains("text/html"));
    let path = head.uri.path();
    let is_first_page = path == "/" && head.method == hyper::Method::GET && is_browser;
    if !Console::serves(path) && !is_first_page {
        return None;
    }
    Some(match (admin.access.check_host(head), body) {
        (Err(problem), _) => respond(Err(problem)),
        (Ok(()), _) if is_first_page => console::redirect_to_first_page(),
        // The program `bitmart` fetches a code with the token, to open the console in a browser.
        (Ok(()), _) if path == "/console/codes" => {
            let path = admin.access.check(head).and_then(|()| {
                console
                    .opening_path()
                    .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no random bytes"))
            });
            respond(path.map(|path| (JSON, format!("{}\n", json!({ "path": path })).into_bytes())))
        }
        (Ok(()), body) => {
            let body = body.clone().map_err(String::from);
            console.handle(&admin.access.token, head, body).await
        }
    })
}

fn respond(result: Result<Reply, Problem>) -> Response<Body> {
    let (status, (content, text)) = match result {
        Ok(reply) => (StatusCode::OK, reply),
        Err(problem) => {
            let text = format!("{}\n", json!({ "error": problem.text }));
            (problem.status, (JSON, text.into_bytes()))
        }
    };
    let mut response = Response::new(Full::from(text).boxed_unsync());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
    if content == help::HTML {
        let policy = HeaderValue::from_static(help::POLICY);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Runs an operator call.
pub(crate) async fn call(
    shared: &Arc<Shared>,
    method: &str,
    path: &str,
    body: Bytes,
) -> Result<Vec<u8>, Problem> {
    if (method, path) == ("GET", "/") {
        return Ok(format!("{}\n", json!({ "calls": routes() })).into_bytes());
    }
    let path = current_path(method, path);
    let call = calls().find(|call| call.method() == method && call.matches(path));
    let call = call.ok_or_else(|| unknown(method, path))?;
    let (shared, path) = (Arc::clone(shared), path.to_owned());
    // A call can take long, such as 10,000 steps of the market or a snapshot.
    let run = move || call.run(Operator::new(&shared), &path, &body);
    match tokio::task::spawn_blocking(run).await {
        Ok(result) => Ok(result?),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Problem::stopped()),
        },
    }
}

/// Former paths of calls that read. Scripts may still use them.
const FORMER_PATHS: [(&str, &str); 2] =
    [("/snapshot", "/snapshots/current"), ("/faults/active", "/faults")];

/// Returns the current path of a call, also for a former one.
fn current_path<'a>(method: &str, path: &'a str) -> &'a str {
    let renamed = FORMER_PATHS.iter().find(|(former, _)| method == "GET" && path == *former);
    renamed.map_or(path, |(_, current)| current)
}

fn routes() -> Vec<&'static str> {
    calls().map(Call::route).collect()
}

/// The error for an unknown call: 405 if the path exists with another method, otherwise 404.
fn unknown(method: &str, path: &str) -> Problem {
    let methods: Vec<&str> = calls().filter(|call| call.matches(path)).map(Call::method).collect();
    if methods.is_empty() {
        let text = format!("there is no {path}; there is {}", routes().join(", "));
        Problem::new(StatusCode::NOT_FOUND, text)
    } else {
        let text = format!("{path} takes {}, not {method}", methods.join(" and "));
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, text)
    }
}
