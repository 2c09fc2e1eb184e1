//! The lower bound: connections of bare hyper and fastwebsockets, requests written by hand, and serde into models with
//! exactly the fields that arrive. Without limits, retries, timeouts, reconnects and validation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use fastwebsockets::{Frame, OpCode, Payload};
use flate2::{Decompress, FlushDecompress};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use peers::envelope::{self, Envelope, Placed, Ticker};
use peers::{Failure, ORDER_PATH, Peer, Settings, TICKER_PATH, TOPIC};
use ring::hmac;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

type Connection = SendRequest<Full<Bytes>>;

const BODY: &str =
    r#"{"symbol":"BTC_USDT","side":"buy","type":"limit","size":"0.001","price":"50000"}"#;

#[derive(Clone)]
struct Bare(Arc<Inner>);

struct Inner {
    settings: Settings,
    key: hmac::Key,
    config: Arc<ClientConfig>,
    /// Idle connections by address.
    idle: Mutex<HashMap<String, Vec<Connection>>>,
}

impl Bare {
    fn new() -> Result<Self, Failure> {
        let settings = Settings::from_env()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, settings.keys.secret.as_bytes());
        let config = Settings::client_config()?;
        Ok(Self(Arc::new(Inner { settings, key, config, idle: Mutex::default() })))
    }

    fn idle(&self, base: &str) -> Option<Connection> {
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.get_mut(base).and_then(Vec::pop)
    }

    async fn connection(&self, base: &str) -> Result<Connection, Failure> {
        while let Some(mut connection) = self.idle(base) {
            // The server closes connections that were idle for long.
            if connection.ready().await.is_ok() {
                return Ok(connection);
            }
        }
        let uri: Uri = base.parse()?;
        let (host, port) = (uri.host().ok_or("no host")?, uri.port_u16().ok_or("no port")?);
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        if uri.scheme_str() == Some("https") {
            let name = ServerName::try_from(host.to_owned())?;
            let stream = TlsConnector::from(self.0.config.clone()).connect(name, stream).await?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            Ok(sender)
        } else {
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            Ok(sender)
        }
    }

    async fn send<T: DeserializeOwned>(
        &self,
        base: &str,
        request: Request<Full<Bytes>>,
    ) -> Result<T, Failure> {
        let mut connection = self.connection(base).await?;
        let response = connection.send_request(request).await?;
        let body = response.into_body().collect().await?.to_bytes();
        {
            let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
            match idle.get_mut(base) {
                Some(idle) => idle.push(connection),
                None => drop(idle.insert(base.to_owned(), vec![connection])),
            }
        }
        serde_json::from_slice::<Envelope<T>>(&body)?.data()
    }
}

fn authority(base: &str) -> &str {
    base.split_once("://").map_or(base, |(_, authority)| authority)
}

impl Peer for Bare {
    type Ticker = Ticker;
    type Book = envelope::Book;

    async fn order(&self, tls: bool) -> Result<(), Failure> {
        let Inner { settings, key, .. } = &*self.0;
        let (base, now) = (settings.orders(tls), Settings::now_ms()?);
        let text = format!("{now}#{}#{BODY}", settings.keys.memo);
        let signature = hex::encode(hmac::sign(key, text.as_bytes()));
        let request = Request::post(ORDER_PATH)
            .header("host", authority(base))
            .header("content-type", "application/json")
            .header("x-bm-key", &settings.keys.key)
            .header("x-bm-timestamp", now)
            .header("x-bm-sign", signature)
            .body(Full::new(Bytes::from_static(BODY.as_bytes())))?;
        let placed: Placed = self.send(base, request).await?;
        if placed.order_id.is_empty() { Err("no order id".into()) } else { Ok(()) }
    }

    async fn ticker(&self) -> Result<Ticker, Failure> {
        let base = &self.0.settings.market;
        let request =
            Request::get(TICKER_PATH).header("host", authority(base)).body(Full::default())?;
        self.send(base, request).await
    }

    async fn books(
        &self,
        url: &str,
        count: usize,
        mut each: impl FnMut(envelope::Book) + Send,
    ) -> Result<(), Failure> {
        let uri: Uri = url.parse()?;
        let (host, port) = (uri.host().ok_or("no host")?, uri.port_u16().ok_or("no port")?);
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let request = Request::get(url)
            .header("host", format!("{host}:{port}"))
            .header("upgrade", "websocket")
            .header("connection", "upgrade")
            .header("sec-websocket-key", fastwebsockets::handshake::generate_key())
            .header("sec-websocket-version", "13")
            .body(Empty::<Bytes>::new())?;
        let (mut socket, _) =
            fastwebsockets::handshake::client(&TokioExecutor::new(), request, stream).await?;
        socket.set_auto_close(false);
        let subscribe = format!(r#"{{"op":"subscribe","args":["{TOPIC}"]}}"#);
        socket.write_frame(Frame::text(Payload::Borrowed(subscribe.as_bytes()))).await?;
        let (mut inflate, mut text) = (Decompress::new(false), Vec::with_capacity(64 << 10));
        let mut received = 0;
        while received < count {
            let frame = socket.read_frame().await?;
            if frame.opcode != OpCode::Binary {
                continue;
            }
            inflate.reset(false);
            text.clear();
            inflate.decompress_vec(&frame.payload, &mut text, FlushDecompress::None)?;
            for book in serde_json::from_slice::<envelope::Frame>(&text)?.data {
                each(book);
            }
            received += 1;
        }
        socket.write_frame(Frame::close(1000, b"")).await?;
        Ok(())
    }
}

fn main() -> Result<(), Failure> {
    peers::run(Bare::new)
}
