//! The checks of a transport.

use std::future::poll_fn;
use std::io::Write as _;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::CONTENT_ENCODING;
use http::{Method, Request, Response, StatusCode};

use super::CheckFuture;
use super::server::{Act, Arrived, ENDLESS, Server};
use crate::transport::{Body, ReservationProbe, Transport, TransportError, TransportErrorKind};

/// Maximum size of a response body.
const LIMIT: usize = 1 << 20;
/// Repetitions of a check that depends on timing.
const ROUNDS: usize = 20;

type Check = fn(&dyn Transport) -> CheckFuture<'_>;
type Checked = Result<(), String>;

/// Names and checks, in order.
pub(super) const ALL: &[(&str, Check)] = &[
    ("a request arrives unchanged", |transport| Box::pin(request(transport))),
    ("an error status is returned without a retry", |transport| Box::pin(statuses(transport))),
    ("a redirect is not followed", |transport| Box::pin(redirects(transport))),
    ("a connection closed before the response", |transport| Box::pin(closed(transport, 0))),
    ("a reused connection closed before the response", |transport| Box::pin(closed(transport, 1))),
    ("a connection closed after the response", |transport| Box::pin(closed_idle(transport))),
    ("a connection closed within a response", |transport| Box::pin(truncated(transport))),
    ("a response that is not HTTP", |transport| Box::pin(not_http(transport))),
    ("an interim response is skipped", |transport| Box::pin(interim(transport))),
    ("a compressed body stays compressed", |transport| Box::pin(compressed(transport))),
    ("a body in slow pieces is read completely", |transport| Box::pin(slow(transport))),
    ("an extra response is not taken for the next one", |transport| {
        Box::pin(extra_response(transport))
    }),
    ("the response to an abandoned request is discarded", |transport| {
        Box::pin(abandoned(transport))
    }),
    ("an endless body is not collected", |transport| Box::pin(endless(transport))),
    ("a refused connection is an error", |transport| Box::pin(refused(transport))),
    ("`reserve` is forwarded", |transport| Box::pin(reserved(transport))),
];

/// A body with spaces and escapes that a JSON encoder would write differently.
const REQUEST_BODY: &[u8] = "{ \"size\" : \"0.10\",\"note\":\"\\u00e4 ä\\/\" }".as_bytes();

fn post(server: &Server, path: &str) -> Request<Bytes> {
    let mut request = Request::new(Bytes::from_static(REQUEST_BODY));
    *request.method_mut() = Method::POST;
    // Always a valid URI.
    *request.uri_mut() = format!("http://{}{path}", server.address).parse().unwrap_or_default();
    let headers = request.headers_mut();
    headers.insert("content-type", http::HeaderValue::from_static("application/json"));
    headers.insert("x-bm-sign", http::HeaderValue::from_static("signature"));
    request
}

fn response(body: &[u8]) -> Vec<u8> {
    response_with("200 OK", "", body)
}

/// `headers` consists of complete lines.
fn response_with(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

async fn start(
    script: impl Fn(usize, &Arrived) -> Act + Send + Sync + 'static,
) -> Result<Server, String> {
    Server::start(script).await.map_err(|error| format!("no server: {error}"))
}

/// Sends a request and reads the complete response.
async fn exchange(
    transport: &dyn Transport,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, TransportError> {
    let (head, body) = transport.send(request).await?.into_parts();
    Ok(Response::from_parts(head, body.collect(LIMIT).await?))
}

fn failed(error: &TransportError) -> String {
    let mut text = format!("failed: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn check(passed: bool, fault: impl FnOnce() -> String) -> Checked {
    if passed { Ok(()) } else { Err(fault()) }
}

fn arrived(server: &Server, times: usize) -> Checked {
    let count = server.arrived().len();
    check(count == times, || format!("{count} requests arrived, not {times}"))
}

fn maybe_sent(error: &TransportError) -> Checked {
    check(error.may_have_been_sent(), || {
        format!("the error claims that a request was not sent that has arrived ({})", failed(error))
    })
}

fn is_body(response: &Response<Bytes>, body: &[u8]) -> Checked {
    check(response.body().as_ref() == body, || {
        let text = String::from_utf8_lossy(response.body()).chars().take(80).collect::<String>();
        format!("the response has another body of {} bytes: {text:?}", response.body().len())
    })
}

async fn request(transport: &dyn Transport) -> Checked {
    let server = start(|_, _| Act::Write(response(b" {\"a\" : 1.10}\n\n"))).await?;
    let path = "/spot/v2/order?a=%20b%2Fc&b=~_-.&a=2";
    let response =
        exchange(transport, post(&server, path)).await.map_err(|error| failed(&error))?;
    is_body(&response, b" {\"a\" : 1.10}\n\n")?;
    arrived(&server, 1)?;
    let all = server.arrived();
    let Some(request) = all.first() else { return Ok(()) };
    check(request.target() == path, || format!("{} arrived, not {path}", request.target()))?;
    check(request.body == REQUEST_BODY, || "the body was changed".to_owned())?;
    let is_same = request.header("x-bm-sign") == Some("signature")
        && request.header("content-type") == Some("application/json");
    check(is_same, || "the headers were changed".to_owned())?;
    check(request.header("accept-encoding").is_none(), || {
        "the transport requested a compressed body".to_owned()
    })
}

async fn statuses(transport: &dyn Transport) -> Checked {
    for status in [400, 401, 408, 418, 421, 425, 429, 500, 502, 503, 504] {
        let server = start(move |_, _| {
            let line = format!("{status} x");
            Act::Write(response_with(&line, "Retry-After: 0\r\nX-Kept: 7\r\n", b"{}"))
        })
        .await?;
        let response = exchange(transport, post(&server, "/order")).await;
        let response = response.map_err(|error| format!("status {status} {}", failed(&error)))?;
        let received = response.status().as_u16();
        check(received == status, || format!("status {status} was returned as {received}"))?;
        check(response.headers().contains_key("x-kept"), || "a header is lost".to_owned())?;
        arrived(&server, 1).map_err(|fault| format!("status {status}: {fault}"))?;
    }
    Ok(())
}

async fn redirects(transport: &dyn Transport) -> Checked {
    for status in [301, 302, 303, 307, 308] {
        let server = start(move |_, _| {
            Act::Write(response_with(&format!("{status} x"), "Location: /elsewhere\r\n", b""))
        })
        .await?;
        let response = exchange(transport, post(&server, "/order")).await;
        arrived(&server, 1).map_err(|fault| format!("status {status}: {fault}"))?;
        let response = response.map_err(|error| format!("status {status} {}", failed(&error)))?;
        let received = response.status();
        check(received.as_u16() == status, || {
            format!("status {status} was returned as {received}")
        })?;
    }
    Ok(())
}

/// Closes the connection when a request has arrived, after `before` requests with a response.
async fn closed(transport: &dyn Transport, before: usize) -> Checked {
    let server = start(move |number, _| {
        if number <= before { Act::Write(response(b"{}")) } else { Act::WriteAndClose(Vec::new()) }
    })
    .await?;
    for _ in 0..before {
        let first = exchange(transport, post(&server, "/first")).await;
        first.map_err(|error| failed(&error))?;
    }
    let result = exchange(transport, post(&server, "/order")).await;
    arrived(&server, before + 1)?;
    match result {
        Ok(response) => Err(format!("a response was returned: {}", response.status())),
        Err(error) => maybe_sent(&error),
    }
}

/// Closes the connection without notice. The next request may be sent before that is detected.
async fn closed_idle(transport: &dyn Transport) -> Checked {
    let server = start(|_, _| Act::WriteAndClose(response(b"{}"))).await?;
    for _ in 0..ROUNDS {
        let before = server.arrived().len();
        let result = exchange(transport, post(&server, "/order")).await;
        let count = server.arrived().len() - before;
        match result {
            Ok(_) => check(count == 1, || format!("the request arrived {count} times"))?,
            Err(error) if count > 0 => maybe_sent(&error)?,
            Err(_) => {}
        }
        check(count <= 1, || format!("the request arrived {count} times"))?;
    }
    Ok(())
}

async fn truncated(transport: &dyn Transport) -> Checked {
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"code\":1",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"code\":1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le",
    ] {
        let server = start(move |_, _| Act::WriteAndClose(text.into())).await?;
        let result = exchange(transport, post(&server, "/order")).await;
        arrived(&server, 1)?;
        match result {
            Ok(_) => return Err("a truncated response was returned as complete".to_owned()),
            Err(error) => maybe_sent(&error)?,
        }
    }
    Ok(())
}

async fn not_http(transport: &dyn Transport) -> Checked {
    let server = start(|_, _| Act::WriteAndClose(b"SSH-2.0-other\r\n".to_vec())).await?;
    let result = exchange(transport, post(&server, "/order")).await;
    arrived(&server, 1)?;
    match result {
        Ok(response) => Err(format!("a response was returned: {}", response.status())),
        Err(error) => maybe_sent(&error),
    }
}

async fn interim(transport: &dyn Transport) -> Checked {
    let server = start(|_, _| {
        let interim = "HTTP/1.1 100 Continue\r\n\r\n\
                       HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
        Act::Write([interim.as_bytes(), &response(b"{\"final\":true}")].concat())
    })
    .await?;
    let response = exchange(transport, post(&server, "/order")).await;
    let response = response.map_err(|error| failed(&error))?;
    check(response.status() == StatusCode::OK, || {
        format!("status {} was returned", response.status())
    })?;
    is_body(&response, b"{\"final\":true}")?;
    arrived(&server, 1)
}

async fn compressed(transport: &dyn Transport) -> Checked {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(b"{\"code\":1000}").and_then(|()| encoder.finish());
    let packed = packed.map_err(|error| error.to_string())?;
    let body = packed.clone();
    let server =
        start(move |_, _| Act::Write(response_with("200 OK", "Content-Encoding: gzip\r\n", &body)))
            .await?;
    let response = exchange(transport, post(&server, "/order")).await;
    let response = response.map_err(|error| failed(&error))?;
    is_body(&response, &packed)?;
    let name = response.headers().get(CONTENT_ENCODING);
    check(name.is_some_and(|name| name == "gzip"), || "`Content-Encoding` is lost".to_owned())?;
    arrived(&server, 1)
}

async fn slow(transport: &dyn Transport) -> Checked {
    let server = start(|_, _| {
        let pieces = ["HTTP/1.1 200", " OK\r\nContent-Length: 9\r\n\r\n", "{\"a\"", ":", "true"];
        let pieces = pieces.iter().map(|piece| piece.as_bytes().to_vec());
        Act::WriteSlowly(pieces.collect(), Duration::from_millis(100))
    })
    .await?;
    let response = exchange(transport, post(&server, "/order")).await;
    is_body(&response.map_err(|error| failed(&error))?, b"{\"a\":true")?;
    arrived(&server, 1)
}

async fn extra_response(transport: &dyn Transport) -> Checked {
    let server = start(|_, request| {
        let own = response(request.target().as_bytes());
        Act::Write([own, response(b"extra")].concat())
    })
    .await?;
    for number in 0..ROUNDS {
        let path = format!("/order/{number}");
        let before = server.arrived().len();
        let result = exchange(transport, post(&server, &path)).await;
        let count = server.arrived().len() - before;
        check(count <= 1, || format!("the request arrived {count} times"))?;
        match result {
            Ok(response) => is_body(&response, path.as_bytes())?,
            Err(error) if count > 0 => maybe_sent(&error)?,
            Err(_) => {}
        }
    }
    Ok(())
}

async fn abandoned(transport: &dyn Transport) -> Checked {
    let server = start(|number, request| {
        let own = response(request.target().as_bytes());
        if number == 1 { Act::WriteLate(own) } else { Act::Write(own) }
    })
    .await?;
    {
        let mut first = pin!(exchange(transport, post(&server, "/abandoned")));
        let mut arrival = pin!(server.first_arrival());
        let early = poll_fn(|cx| match first.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => arrival.as_mut().poll(cx).map(|()| None),
        });
        if let Some(result) = early.await {
            let text = result.map_or_else(|error| failed(&error), |_| "was returned".to_owned());
            return Err(format!("a response that was not written yet {text}"));
        }
    }
    let response = exchange(transport, post(&server, "/second")).await;
    is_body(&response.map_err(|error| failed(&error))?, b"/second")?;
    arrived(&server, 2)
}

async fn endless(transport: &dyn Transport) -> Checked {
    let server = start(|_, _| Act::Endless).await?;
    let response = transport.send(post(&server, "/order")).await;
    let body: Body = response.map_err(|error| failed(&error))?.into_body();
    match body.collect(LIMIT).await {
        Ok(_) => return Err("a body of 64 MiB was collected within a limit of 1 MiB".to_owned()),
        Err(error) => check(error.kind() == TransportErrorKind::BodyTooLarge, || failed(&error))?,
    }
    let written = server.written();
    check(written < ENDLESS / 2, || {
        format!("{written} bytes were read before they were requested")
    })?;
    arrived(&server, 1)
}

async fn refused(transport: &dyn Transport) -> Checked {
    let server = start(|_, _| Act::Endless).await?;
    let request = post(&server, "/order");
    let address = server.address;
    drop(server);
    // The port is free once the listener's task has ended.
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    match exchange(transport, request).await {
        Ok(response) => Err(format!("a response was returned: {}", response.status())),
        Err(_) => Ok(()),
    }
}

/// Only a [`HyperTransport`](crate::transport::HyperTransport) reports that a request has no reservation.
async fn reserved(transport: &dyn Transport) -> Checked {
    let server = start(|_, _| Act::Write(response(b"{}"))).await?;
    let probe = ReservationProbe::default();
    let mut request = post(&server, "/order");
    request.extensions_mut().insert(probe.clone());
    let host = request.uri().authority().cloned().ok_or("no address")?;
    let reservation = transport.reserve(&host).await;
    exchange(transport, request).await.map_err(|error| failed(&error))?;
    drop(reservation);
    check(!probe.is_reservation_missing(), || {
        "the inner transport received a request without a reservation: `reserve` must call its \
         `reserve`"
            .to_owned()
    })
}
