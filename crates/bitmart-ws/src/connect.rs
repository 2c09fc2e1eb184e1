//! Opening a socket: TCP, TLS and the WebSocket handshake, each bounded in time and size.

mod address;
mod gate;
mod handshake;
mod refusal;
mod stamped;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bitmart_net::{Connect, ConnectError, Target};
use fastwebsockets::{Role, WebSocketRead, WebSocketWrite, after_handshake_split};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::reason::{ReconnectReason, bounded};

pub(crate) use address::Address;
pub(crate) use gate::Gate;
use handshake::Failure;
#[cfg(any(test, feature = "testing"))]
pub(crate) use handshake::accept_key;
pub(crate) use stamped::ReadAt;
use stamped::Stamped;

/// How long TCP, TLS and handshake together may take, unless told otherwise.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

type Upgrade = TokioIo<Upgraded>;

/// Both halves of an open WebSocket, and when the reader read last.
pub(crate) type Halves =
    (WebSocketRead<Stamped<ReadHalf<Upgrade>>>, WebSocketWrite<WriteHalf<Upgrade>>, ReadAt);

/// Knows one address and how to open WebSockets there.
#[derive(Clone)]
pub(crate) struct Connector {
    address: Arc<Address>,
    connect: Arc<dyn Connect>,
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
        connect: Arc<dyn Connect>,
        tls: Option<Arc<ClientConfig>>,
        gate: Arc<Gate>,
        within: Duration,
    ) -> Self {
        Self { address: Arc::new(address), connect, tls, gate, within }
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
        // Half of the time; the rest is for TLS and handshake.
        let target =
            Target::new(address.host(), address.port, address.tls).with_timeout(CONNECT_WITHIN / 2);
        let io = self.connect.connect(&target).await.map_err(|error| unreached(address, &error))?;
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

fn unreached(address: &Address, error: &ConnectError) -> ReconnectReason {
    ReconnectReason::Unreached {
        hop: error.hop(),
        kind: error.kind(),
        detail: bounded(&format!("cannot reach {address}: {}", chain(error))),
    }
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

fn lost(detail: String) -> ReconnectReason {
    ReconnectReason::Lost { detail }
}
