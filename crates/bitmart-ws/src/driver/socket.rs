//! The socket of a driver: disconnected, connecting or connected.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitmart_types::Clock;
use bytes::BytesMut;
use fastwebsockets::{Frame, Payload, WebSocketError, WebSocketWrite};
use futures_core::Stream;
use futures_util::StreamExt as _;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::WriteHalf;

use super::drained::Drained;
use crate::connect::{Connector, LastRead, WebSocketHalves};
use crate::frame::{self, Message};
use crate::reason::ReconnectReason;

/// How long one write may take. A peer that does not read for this long counts as lost.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the correction of a clock may take.
const CLOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long sending the close frame may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

type Connecting = Pin<Box<dyn Future<Output = Result<WebSocketHalves, ReconnectReason>> + Send>>;
type Messages = Pin<Box<dyn Stream<Item = Result<Message, ReconnectReason>> + Send>>;
type Writer = WebSocketWrite<WriteHalf<TokioIo<Upgraded>>>;

pub(crate) enum Socket {
    Disconnected,
    Connecting(Connecting),
    Connected { messages: Messages, writer: Writer, drained: Drained, last_read: LastRead },
}

pub(super) enum SocketEvent {
    Connected,
    Message(Message),
    /// The connection was lost, or the attempt failed.
    Disconnected(ReconnectReason),
}

impl Socket {
    /// Connects after `delay`. A clock that may be wrong can correct itself first.
    pub(super) fn connect(
        connector: Connector,
        delay: Duration,
        clock_to_correct: Option<Arc<dyn Clock>>,
    ) -> Self {
        Self::Connecting(Box::pin(async move {
            if let Some(clock) = clock_to_correct {
                // If the correction fails, the exchange rejects the next login as well.
                let _ = tokio::time::timeout(CLOCK_TIMEOUT, clock.correct()).await;
            }
            connector.connect(delay).await
        }))
    }

    /// Waits for the next event; forever while disconnected.
    ///
    /// The future may be dropped at any time: a half-made connection or half-read frame stays in the
    /// socket.
    pub(super) async fn next_event(&mut self) -> SocketEvent {
        match self {
            Self::Disconnected => std::future::pending().await,
            Self::Connecting(connecting) => match connecting.await {
                Ok((reader, writer, last_read)) => {
                    let messages = Box::pin(frame::messages(reader));
                    let drained = Drained::new(super::now());
                    *self = Self::Connected { messages, writer, drained, last_read };
                    SocketEvent::Connected
                }
                Err(reason) => self.disconnected(reason),
            },
            Self::Connected { messages, drained, .. } => {
                match next_message(messages, drained).await {
                    Some(Ok(message)) => SocketEvent::Message(message),
                    Some(Err(reason)) => self.disconnected(reason),
                    None => self.disconnected(ReconnectReason::closed()),
                }
            }
        }
    }

    /// When there was nothing left to read: every message that had arrived by then was returned.
    pub(super) fn drained_at(&self) -> Option<Instant> {
        match self {
            Self::Connected { drained, .. } => drained.at(),
            Self::Disconnected | Self::Connecting(_) => None,
        }
    }

    /// When the last bytes of the current message were read.
    pub(super) fn last_read(&self) -> Option<Instant> {
        match self {
            Self::Connected { last_read, .. } => last_read.get(),
            Self::Disconnected | Self::Connecting(_) => None,
        }
    }

    fn disconnected(&mut self, reason: ReconnectReason) -> SocketEvent {
        *self = Self::Disconnected;
        SocketEvent::Disconnected(reason)
    }

    /// Sends a text frame. After an error the socket is disconnected.
    pub(super) async fn send_text(&mut self, text: String) -> Result<(), ReconnectReason> {
        self.send(Frame::text(Payload::Owned(text.into_bytes())), WRITE_TIMEOUT).await
    }

    pub(super) async fn send_pong(&mut self, payload: BytesMut) -> Result<(), ReconnectReason> {
        self.send(Frame::pong(Payload::Bytes(payload)), WRITE_TIMEOUT).await
    }

    /// Sends a close frame if connected, and drops the connection or the attempt.
    pub(super) async fn close(&mut self) {
        // The connection is dropped either way, so a failed write changes nothing.
        let _ = self.send(Frame::close(1000, b""), CLOSE_TIMEOUT).await;
        *self = Self::Disconnected;
    }

    async fn send(
        &mut self,
        frame: Frame<'static>,
        timeout: Duration,
    ) -> Result<(), ReconnectReason> {
        let Self::Connected { writer, .. } = self else {
            return Ok(());
        };
        let write = async {
            writer.write_frame(frame).await?;
            writer.flush().await
        };
        let reason = match tokio::time::timeout(timeout, write).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(WebSocketError::IoError(error))) => ReconnectReason::lost(error),
            Ok(Err(error)) => ReconnectReason::lost(error),
            Err(_) => ReconnectReason::lost(format_args!("a write took longer than {timeout:?}")),
        };
        // A frame may be half-written, so no other can be sent.
        *self = Self::Disconnected;
        Err(reason)
    }
}

/// Waits for the next message. Records when there was none to read.
async fn next_message(
    messages: &mut Messages,
    drained: &mut Drained,
) -> Option<Result<Message, ReconnectReason>> {
    std::future::poll_fn(|context| {
        let runtime_is_current = drained.runtime_is_current(context, super::now());
        let message = messages.poll_next_unpin(context);
        // Without cooperative budget, tokio returns `Pending` although there may be bytes to read.
        if message.is_pending() && runtime_is_current && tokio::task::coop::has_budget_remaining() {
            drained.record(super::now());
        }
        message
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tokio::io::{AsyncRead as _, ReadBuf};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_that_arrived_while_the_process_was_stopped_are_after_the_watermark() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let mut messages: Messages = Box::pin(futures_util::stream::poll_fn(move |context| {
            let mut bytes = [0; 8];
            let read = Pin::new(&mut stream).poll_read(context, &mut ReadBuf::new(&mut bytes));
            read.map(|_| Some(Ok(Message::Pong)))
        }));
        let mut drained = Drained::new(super::super::now());
        let poll = |messages: &mut Messages, drained: &mut Drained| {
            let next = next_message(messages, drained);
            futures_util::FutureExt::now_or_never(next).is_some()
        };
        // Until the runtime has noticed that nothing is there.
        while drained.at().is_none() {
            assert!(!poll(&mut messages, &mut drained));
            tokio::task::yield_now().await;
        }
        let before = super::super::now();

        tokio::time::advance(Duration::from_secs(30)).await;
        peer.write_all(b"x").unwrap();
        // The task continues before the runtime asks the system.
        assert!(!poll(&mut messages, &mut drained), "the bytes are not noticed yet");
        assert!(drained.at() <= Some(before), "{:?}", drained.at());

        assert!(next_message(&mut messages, &mut drained).await.is_some());
        assert!(drained.at() <= Some(before), "the message is after the watermark");
    }
}
