//! Opening a socket: TCP, TLS and the WebSocket handshake, each bounded in time and size.

mod address;
mod gate;
mod handshake;
mod refusal;
mod stamped;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fastwebsockets::{Role, WebSocketRead, WebSocketWrite, after_handshake_split};
use http::Uri;
use hyper::upgrade::Upgraded;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tower_service::Service;

use crate::reason::ReconnectReason;

pub(crate) use address::Address;
pub(crate) use gate::Gate;
use handshake::Failure;
#[cfg(test)]
pub(crate) use handshake::accept_key;
pub(crate) use stamped::ReadAt;
use stamped::Stamped;

/// How long TCP, TLS and handshake together may take, unless told otherwise.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

type Upgrade = TokioIo<Upgraded>;

/// A byte stream below TLS.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

type Dialing = Pin<Box<dyn Future<Output = io::Result<Box<dyn Io>>> + Send>>;

/// Opens a byte stream to an address. Everything above it is the same for every stream.
pub(crate) type Dial = Arc<dyn Fn(Arc<Address>) -> Dialing + Send + Sync>;

/// Dials over TCP, without the delay that collects small writes.
pub(crate) fn tcp() -> Dial {
    tcp_with(HttpConnector::new())
}

/// IPv6 and IPv4 addresses race, so that a family without a way out costs 300 ms and not the whole
/// attempt.
fn tcp_with<R>(mut connector: HttpConnector<R>) -> Dial
where
    R: Clone + Send + Sync + 'static,
    HttpConnector<R>: Service<Uri, Response = TokioIo<TcpStream>, Future: Send>,
    <HttpConnector<R> as Service<Uri>>::Error: std::error::Error,
{
    connector.set_nodelay(true);
    // Shared evenly by the addresses of a family; the rest of the time is for TLS and handshake.
    connector.set_connect_timeout(Some(CONNECT_WITHIN / 2));
    Arc::new(move |address| {
        // A connector keeps nothing between calls and is always ready.
        let dialing = connector.clone().call(address.peer());
        Box::pin(async move {
            let stream = dialing.await.map_err(|error| io::Error::other(chain(&error)))?;
            Ok(Box::new(stream.into_inner()) as Box<dyn Io>)
        })
    })
}

/// The error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Both halves of an open WebSocket, and when the reader read last.
pub(crate) type Halves =
    (WebSocketRead<Stamped<ReadHalf<Upgrade>>>, WebSocketWrite<WriteHalf<Upgrade>>, ReadAt);

/// Knows one address and how to open WebSockets there.
#[derive(Clone)]
pub(crate) struct Connector {
    address: Arc<Address>,
    dial: Dial,
    tls: Option<Arc<ClientConfig>>,
    gate: Arc<Gate>,
    /// How long one attempt may take.
    within: Duration,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("address", &self.address).finish_non_exhaustive()
    }
}

impl fmt::Display for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl Connector {
    pub(crate) fn new(
        address: Address,
        dial: Dial,
        tls: Option<Arc<ClientConfig>>,
        gate: Arc<Gate>,
        within: Duration,
    ) -> Self {
        Self { address: Arc::new(address), dial, tls, gate, within }
    }

    /// Waits for `delay` and for a turn at the gate, then connects.
    pub(crate) async fn connect(self, delay: Duration) -> Result<Halves, ReconnectReason> {
        tokio::time::sleep(delay).await;
        self.gate.pass().await;
        match tokio::time::timeout(self.within, self.open()).await {
            Ok(result) => {
                // The other connections of this side come from the same address.
                if let Err(ReconnectReason::HandshakeRefused { wait: Some(wait), .. }) = &result {
                    self.gate.close_for(*wait);
                }
                result
            }
            Err(_) => {
                Err(lost(format!("no connection to {} within {:?}", self.address, self.within)))
            }
        }
    }

    async fn open(&self) -> Result<Halves, ReconnectReason> {
        let address = &*self.address;
        let io = (self.dial)(self.address.clone())
            .await
            .map_err(|error| lost(format!("cannot reach {address}: {error}")))?;
        let upgraded = if address.tls {
            let config = self.tls.clone().ok_or_else(|| lost("no TLS configuration".to_owned()))?;
            let name = ServerName::try_from(address.host().to_owned())
                .map_err(|_| lost(format!("{address} is no name for TLS")))?;
            let tls = TlsConnector::from(config)
                .connect(name, io)
                .await
                .map_err(|error| lost(format!("TLS with {address} failed: {error}")))?;
            upgrade(address, tls).await?
        } else {
            upgrade(address, io).await?
        };
        let (reader, writer) = tokio::io::split(TokioIo::new(upgraded));
        let (reader, read_at) = Stamped::new(reader);
        let (reader, writer) = after_handshake_split(reader, writer, Role::Client);
        Ok((reader, writer, read_at))
    }
}

async fn upgrade<S>(address: &Address, io: S) -> Result<Upgraded, ReconnectReason>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    handshake::upgrade(address, io).await.map_err(|failure| match failure {
        Failure::Refused(reason) => reason,
        Failure::Broken(detail) => {
            lost(format!("WebSocket handshake with {address} failed: {detail}"))
        }
    })
}

fn lost(detail: String) -> ReconnectReason {
    ReconnectReason::Lost { detail }
}
