//! A raw client with hyper, fastwebsockets and HMAC, which only uses the wire format of the sandbox.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::{io::Read, time::Duration};

use bitmart_sandbox::{ApiKey, Config, HostUrls, Sandbox};
use bytes::Bytes;
use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocket};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// Timeout of every operation of the tests.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Status, headers and body of a response.
#[derive(Debug)]
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl ApiResponse {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn code(&self) -> u64 {
        // Some samples of affiliates have it as text.
        let code = &self.json()["code"];
        code.as_u64().or_else(|| code.as_str()?.parse().ok()).expect("a code")
    }

    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().expect("a message").to_owned()
    }

    /// The reason of a rejection, which is in a header; empty without one.
    pub(crate) fn reason(&self) -> &str {
        let value = self.headers.get("x-sandbox-reason");
        value.map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// The `data` of a successful response.
    pub(crate) fn data(&self) -> Value {
        assert_eq!((self.status, self.code()), (200, 1000), "{}", self.text);
        self.json()["data"].clone()
    }
}

pub(crate) async fn start(config: Config) -> Sandbox {
    Sandbox::start(config).await.expect("starts")
}

pub(crate) fn authority(url: &str) -> &str {
    let rest = url.split_once("://").expect("a scheme").1;
    rest.split('/').next().expect("an authority")
}

pub(crate) fn sign(key: &ApiKey, timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.secret.as_bytes()).expect("any length");
    mac.update(format!("{timestamp}#{}#{body}", key.memo).as_bytes());
    let digits: Vec<String> =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// Sends a request on a new connection; `None` if the connection closes without a response.
pub(crate) async fn send(host: &HostUrls, request: Request<Full<Bytes>>) -> Option<ApiResponse> {
    send_to(&host.rest, request).await
}

/// Sends a request to an address such as `http://127.0.0.1:8801`.
pub(crate) async fn send_to(url: &str, request: Request<Full<Bytes>>) -> Option<ApiResponse> {
    let stream = TcpStream::connect(authority(url)).await.expect("connects");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("handshake");
    let driver = tokio::spawn(connection);
    let sent = timeout(DEADLINE, sender.send_request(request)).await.expect("in time");
    let (head, body) = sent.ok()?.into_parts();
    let body = timeout(DEADLINE, body.collect()).await.expect("in time").ok()?.to_bytes();
    driver.abort();
    let text = String::from_utf8(body.to_vec()).expect("text");
    Some(ApiResponse { status: head.status.as_u16(), headers: head.headers, text })
}

/// A call of the admin API, with the token of a ready line.
pub(crate) fn admin_call(
    ready: &Value,
    method: &str,
    path: &str,
    body: &str,
) -> Request<Full<Bytes>> {
    let token = ready["admin_token"].as_str().expect("a token");
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("authorization", format!("Bearer {token}"));
    request.body(Full::from(body.to_owned())).expect("a request")
}

/// Sends a call to the admin API of a ready line.
pub(crate) async fn call_admin(ready: &Value, method: &str, path: &str, body: &str) -> ApiResponse {
    let url = ready["admin"].as_str().expect("an address");
    send_to(url, admin_call(ready, method, path, body)).await.expect("a response")
}

/// A client with a key.
pub(crate) struct Client<'a> {
    pub(crate) host: &'a HostUrls,
    pub(crate) key: &'a ApiKey,
    pub(crate) now_ms: u64,
}

impl<'a> Client<'a> {
    pub(crate) fn spot(sandbox: &'a Sandbox) -> Self {
        Self { host: sandbox.spot(), key: sandbox.credentials(), now_ms: sandbox.now_ms() }
    }

    pub(crate) fn futures(sandbox: &'a Sandbox) -> Self {
        Self { host: sandbox.futures(), ..Self::spot(sandbox) }
    }

    pub(crate) async fn get(&self, path: &str) -> ApiResponse {
        let request = Request::get(path)
            .header("host", "sandbox")
            .header("x-bm-key", &self.key.key)
            .body(Full::default())
            .expect("a request");
        send(self.host, request).await.expect("a response")
    }

    pub(crate) fn signed(&self, path: &str, body: &Value) -> Request<Full<Bytes>> {
        let (body, timestamp) = (body.to_string(), self.now_ms.to_string());
        Request::post(path)
            .header("host", "sandbox")
            .header("content-type", "application/json")
            .header("x-bm-key", &self.key.key)
            .header("x-bm-timestamp", &timestamp)
            .header("x-bm-sign", sign(self.key, &timestamp, &body))
            .body(Full::from(body))
            .expect("a request")
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> ApiResponse {
        send(self.host, self.signed(path, &body)).await.expect("a response")
    }

    /// Places a spot order and returns its id.
    pub(crate) async fn order(&self, body: Value) -> String {
        let data = self.post("/spot/v2/submit_order", body).await.data();
        data["order_id"].as_str().expect("a string id").to_owned()
    }
}

/// A message or event that a socket received.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Received {
    Text(String),
    /// A binary frame, inflated.
    Binary(String),
    /// A binary frame that does not inflate.
    Garbage,
    Ping,
    /// A pong frame with its payload.
    Pong(Vec<u8>),
    Close(u16),
    /// The connection ended without a close frame.
    Gone,
}

/// A raw WebSocket.
pub(crate) struct Socket(WebSocket<TcpStream>);

impl Socket {
    pub(crate) async fn connect(url: &str) -> Self {
        Self::handshake(TcpStream::connect(authority(url)).await.expect("connects"), url).await
    }

    /// Connects with a small receive buffer, so that the server soon has to wait for the reader.
    pub(crate) async fn connect_with_small_buffer(url: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a small buffer");
        let address = authority(url).parse().expect("an address");
        Self::handshake(socket.connect(address).await.expect("connects"), url).await
    }

    async fn handshake(mut stream: TcpStream, url: &str) -> Self {
        stream.set_nodelay(true).expect("no delay");
        let path = url.split_once("://").and_then(|rest| rest.1.split_once('/')).expect("a path").1;
        let head = format!(
            "GET /{path} HTTP/1.1\r\nHost: sandbox\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Extensions: permessage-deflate\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("writes");
        let mut response = Vec::new();
        while !response.ends_with(b"\r\n\r\n") {
            response
                .push(timeout(DEADLINE, stream.read_u8()).await.expect("in time").expect("a byte"));
        }
        let response = String::from_utf8(response).expect("text");
        assert!(response.starts_with("HTTP/1.1 101"), "{response}");
        assert!(response.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{response}");
        assert!(!response.to_lowercase().contains("extensions"), "{response}");
        let mut socket = WebSocket::after_handshake(stream, Role::Client);
        socket.set_auto_close(false);
        socket.set_auto_pong(false);
        Self(socket)
    }

    pub(crate) async fn send(&mut self, text: &str) {
        let frame = Frame::text(Payload::Owned(text.as_bytes().to_vec()));
        self.0.write_frame(frame).await.expect("writes");
    }

    pub(crate) async fn json(&mut self, value: Value) {
        self.send(&value.to_string()).await;
    }

    pub(crate) async fn binary_frame(&mut self, payload: &[u8]) {
        self.unfragmented_frame(OpCode::Binary, payload).await;
    }

    pub(crate) async fn ping_frame(&mut self, payload: &[u8]) {
        self.unfragmented_frame(OpCode::Ping, payload).await;
    }

    pub(crate) async fn pong_frame(&mut self, payload: &[u8]) {
        self.unfragmented_frame(OpCode::Pong, payload).await;
    }

    pub(crate) async fn close_frame(&mut self, code: u16) {
        self.unfragmented_frame(OpCode::Close, &code.to_be_bytes()).await;
    }

    pub(crate) async fn close_frame_with_reason(&mut self, code: u16, reason: &str) {
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        self.unfragmented_frame(OpCode::Close, &payload).await;
    }

    async fn unfragmented_frame(&mut self, code: OpCode, payload: &[u8]) {
        let frame = Frame::new(true, code, None, Payload::Owned(payload.to_vec()));
        self.0.write_frame(frame).await.expect("writes");
    }

    pub(crate) async fn receive(&mut self) -> Received {
        timeout(DEADLINE, self.read()).await.expect("a message in time")
    }

    /// Receives a close frame with its reason.
    pub(crate) async fn close(&mut self) -> (u16, String) {
        let read = timeout(DEADLINE, self.0.read_frame()).await.expect("in time");
        let frame = read.expect("a frame");
        assert_eq!(frame.opcode, OpCode::Close);
        let (code, reason) = frame.payload.split_first_chunk().expect("a code");
        (u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).expect("text"))
    }

    /// The error with which the connection ended after a close frame; `None` if the server has closed it normally.
    pub(crate) async fn end(self) -> Option<std::io::ErrorKind> {
        let mut rest = Vec::new();
        let mut stream = self.0.into_inner();
        let read = timeout(DEADLINE, stream.read_to_end(&mut rest)).await.expect("in time");
        read.err().map(|error| error.kind())
    }

    async fn read(&mut self) -> Received {
        let Ok(frame) = self.0.read_frame().await else { return Received::Gone };
        match frame.opcode {
            OpCode::Binary => {
                let mut text = String::new();
                match flate2::read::DeflateDecoder::new(&frame.payload[..])
                    .read_to_string(&mut text)
                {
                    Ok(_) => Received::Binary(text),
                    Err(_) => Received::Garbage,
                }
            }
            OpCode::Close => {
                let code = frame.payload.first_chunk().map_or(0, |code| u16::from_be_bytes(*code));
                Received::Close(code)
            }
            OpCode::Ping => Received::Ping,
            OpCode::Pong => Received::Pong(frame.payload.to_vec()),
            _ => Received::Text(String::from_utf8(frame.payload.to_vec()).expect("text")),
        }
    }

    /// The next text frame as JSON.
    pub(crate) async fn text(&mut self) -> Value {
        match self.receive().await {
            Received::Text(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            other => panic!("expected a text frame, received {other:?}"),
        }
    }

    /// The next compressed frame as JSON.
    pub(crate) async fn binary(&mut self) -> Value {
        match self.receive().await {
            Received::Binary(text) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("expected a binary frame, received {other:?}"),
        }
    }

    pub(crate) async fn log_in_spot(&mut self, sandbox: &Sandbox) {
        let (key, now) = (sandbox.credentials(), sandbox.now_ms().to_string());
        self.json(
            json!({ "op": "login", "args": [key.key, now, sign(key, &now, "bitmart.WebSocket")] }),
        )
        .await;
        assert_eq!(self.text().await, json!({ "event": "login" }));
    }

    pub(crate) async fn subscribe_spot(&mut self, topic: &str) {
        self.json(json!({ "op": "subscribe", "args": [topic] })).await;
        assert_eq!(self.text().await, json!({ "event": "subscribe", "topic": topic }));
    }
}
