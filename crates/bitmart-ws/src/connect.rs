//! Opens sockets: TCP, TLS and the WebSocket handshake, bounded in time and size.

mod address;
mod handshake;
mod rejection;
#[cfg(test)]
mod tests;
mod throttle;
mod timestamped_reader;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bitmart_net::{Connect, ConnectError, Target, error_chain};
use fastwebsockets::{Role, WebSocketWrite, after_handshake_split};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::reason::{ReconnectReason, sanitize};

pub(crate) use address::Address;
use handshake::HandshakeError;
#[cfg(any(test, feature = "testing"))]
pub(crate) use handshake::accept_key;
pub(crate) use throttle::ConnectThrottle;
pub(crate) use timestamped_reader::LastRead;
use timestamped_reader::TimestampedReader;

type UpgradedIo = TokioIo<Upgraded>;

/// Both halves of an open WebSocket, and when the reader last read.
pub(crate) type WebSocketHalves =
    (TimestampedReader<ReadHalf<UpgradedIo>>, WebSocketWrite<WriteHalf<UpgradedIo>>, LastRead);

/// Opens WebSockets at one address.
#[derive(Clone)]
pub(crate) struct Connector {
    address: Arc<Address>,
    dialer: Arc<dyn Connect>,
    tls: Option<Arc<ClientConfig>>,
    throttle: Arc<ConnectThrottle>,
    /// How long one attempt may take.
    timeout: Duration,
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
        dialer: Arc<dyn Connect>,
        tls: Option<Arc<ClientConfig>>,
        throttle: Arc<ConnectThrottle>,
        timeout: Duration,
    ) -> Self {
        Self { address: Arc::new(address), dialer, tls, throttle, timeout }
    }

    /// Waits for `delay` and for a permit of the throttle, then connects.
    pub(crate) async fn connect(self, delay: Duration) -> Result<WebSocketHalves, ReconnectReason> {
        tokio::time::sleep(delay).await;
        self.throttle.acquire().await;
        match tokio::time::timeout(self.timeout, self.open()).await {
            Ok(result) => {
                // `Retry-After` applies to all connections of this endpoint.
                if let Err(ReconnectReason::HandshakeRejected {
                    retry_after: Some(delay), ..
                }) = &result
                {
                    self.throttle.pause_for(*delay);
                }
                result
            }
            Err(_) => Err(ReconnectReason::connect_failed(format_args!(
                "no WebSocket connection to {} within {:?}",
                self.address, self.timeout
            ))),
        }
    }

    async fn open(&self) -> Result<WebSocketHalves, ReconnectReason> {
        let address = &*self.address;
        // The connector gets half of the time, TLS and the handshake the rest. An unreachable host must fail before
        // the whole attempt times out, because only the connector's error names the hop.
        let make_target = if address.tls { Target::tls } else { Target::plain_text };
        let target = make_target(address.host(), address.port).with_timeout(self.timeout / 2);
        let stream = self
            .dialer
            .connect(&target)
            .await
            .map_err(|error| unreachable_reason(address, &error))?;
        let upgraded = if address.tls {
            let config = self
                .tls
                .clone()
                .ok_or_else(|| ReconnectReason::connect_failed("no TLS configuration"))?;
            let name = ServerName::try_from(address.host().to_owned()).map_err(|_| {
                ReconnectReason::connect_failed(format_args!(
                    "{address} is not a valid server name for TLS"
                ))
            })?;
            let stream =
                TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
                    ReconnectReason::connect_failed(format_args!(
                        "TLS with {address} failed: {error}"
                    ))
                })?;
            open_websocket(address, stream).await?
        } else {
            open_websocket(address, stream).await?
        };
        let (reader, writer) = tokio::io::split(TokioIo::new(upgraded));
        let (reader, last_read) = TimestampedReader::new(reader);
        // fastwebsockets makes a writer only together with a reader. This reader gets no input: `frame::messages`
        // reads the frames.
        let (_, writer) = after_handshake_split(tokio::io::empty(), writer, Role::Client);
        Ok((reader, writer, last_read))
    }
}

async fn open_websocket<S>(address: &Address, stream: S) -> Result<Upgraded, ReconnectReason>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    handshake::perform(address, stream).await.map_err(|error| match error {
        HandshakeError::Rejected(reason) => reason,
        HandshakeError::Failed(detail) => ReconnectReason::connect_failed(format_args!(
            "WebSocket handshake with {address} failed: {detail}"
        )),
    })
}

fn unreachable_reason(address: &Address, error: &ConnectError) -> ReconnectReason {
    ReconnectReason::Unreachable {
        hop: error.hop(),
        kind: error.kind(),
        detail: sanitize(&format!("cannot reach {address}: {}", error_chain(error))),
    }
}
