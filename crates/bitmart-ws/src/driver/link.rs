//! The socket in its three conditions.

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

use crate::connect::{Connector, Halves, ReadAt};
use crate::frame::{self, Message};
use crate::reason::ReconnectReason;

/// How long one write may take. A peer that does not read for this long is given up.
const WRITE_WITHIN: Duration = Duration::from_secs(5);

/// How long the correction of a clock may take.
const CORRECT_WITHIN: Duration = Duration::from_secs(10);

/// How long the farewell may take.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);

type Connecting = Pin<Box<dyn Future<Output = Result<Halves, ReconnectReason>> + Send>>;
type Messages = Pin<Box<dyn Stream<Item = Result<Message, ReconnectReason>> + Send>>;
type Writer = WebSocketWrite<WriteHalf<TokioIo<Upgraded>>>;

/// A connection that is not there, on its way, or open.
pub(crate) enum Link {
    Down,
    Connecting(Connecting),
    Up {
        messages: Messages,
        writer: Writer,
        /// When there was nothing to read last.
        quiet: Option<Instant>,
        /// When bytes were read last.
        read_at: ReadAt,
    },
}

/// What a link reports.
pub(super) enum Happening {
    Connected,
    Received(Message),
    /// The link is down now.
    Ended(ReconnectReason),
}

impl Link {
    /// Connects after `delay`. A doubted clock may correct itself first.
    pub(super) fn connect(
        connector: Connector,
        delay: Duration,
        doubted: Option<Arc<dyn Clock>>,
    ) -> Self {
        Self::Connecting(Box::pin(async move {
            if let Some(clock) = doubted {
                // Corrected or not, the next login says what the time is worth.
                let _ = tokio::time::timeout(CORRECT_WITHIN, clock.correct()).await;
            }
            connector.connect(delay).await
        }))
    }

    /// The next thing to happen; never, while the link is down. May be dropped at any time: what is
    /// half-done stays in the link.
    pub(super) async fn next(&mut self) -> Happening {
        match self {
            Self::Down => std::future::pending().await,
            Self::Connecting(connecting) => match connecting.await {
                Ok((reader, writer, read_at)) => {
                    let messages = Box::pin(frame::messages(reader));
                    *self = Self::Up { messages, writer, quiet: None, read_at };
                    Happening::Connected
                }
                Err(reason) => self.ended(reason),
            },
            Self::Up { messages, quiet, .. } => match read(messages, quiet).await {
                Some(Ok(message)) => Happening::Received(message),
                Some(Err(reason)) => self.ended(reason),
                None => self.ended(ReconnectReason::closed()),
            },
        }
    }

    /// When there was nothing to read last: everything that had arrived by then was handed out.
    pub(super) fn quiet(&self) -> Option<Instant> {
        match self {
            Self::Up { quiet, .. } => *quiet,
            Self::Down | Self::Connecting(_) => None,
        }
    }

    /// When the last bytes of the message at hand were read.
    pub(super) fn read_at(&self) -> Option<Instant> {
        match self {
            Self::Up { read_at, .. } => read_at.get(),
            Self::Down | Self::Connecting(_) => None,
        }
    }

    fn ended(&mut self, reason: ReconnectReason) -> Happening {
        *self = Self::Down;
        Happening::Ended(reason)
    }

    /// Sends a text frame. After an error the link is down.
    pub(super) async fn send_text(&mut self, text: String) -> Result<(), ReconnectReason> {
        self.send(Frame::text(Payload::Owned(text.into_bytes())), WRITE_WITHIN).await
    }

    pub(super) async fn send_pong(&mut self, payload: BytesMut) -> Result<(), ReconnectReason> {
        self.send(Frame::pong(Payload::Bytes(payload)), WRITE_WITHIN).await
    }

    /// Says goodbye if there is anybody, and drops the socket or the attempt.
    pub(super) async fn close(&mut self) {
        // The socket is dropped either way, so a failed farewell changes nothing.
        let _ = self.send(Frame::close(1000, b""), CLOSE_WITHIN).await;
        *self = Self::Down;
    }

    async fn send(
        &mut self,
        frame: Frame<'static>,
        within: Duration,
    ) -> Result<(), ReconnectReason> {
        let Self::Up { writer, .. } = self else {
            return Ok(());
        };
        let write = async {
            writer.write_frame(frame).await?;
            writer.flush().await
        };
        let reason = match tokio::time::timeout(within, write).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(WebSocketError::IoError(error))) => {
                ReconnectReason::Lost { detail: error.to_string() }
            }
            Ok(Err(error)) => ReconnectReason::Lost { detail: error.to_string() },
            Err(_) => {
                ReconnectReason::Lost { detail: format!("a write took longer than {within:?}") }
            }
        };
        // A frame may be half-written: nothing can follow it.
        *self = Self::Down;
        Err(reason)
    }
}

/// The next message. Notes when there is none to read.
async fn read(
    messages: &mut Messages,
    quiet: &mut Option<Instant>,
) -> Option<Result<Message, ReconnectReason>> {
    std::future::poll_fn(|context| {
        let message = messages.poll_next_unpin(context);
        // A task that used up its budget is told that there is nothing, which may not be true.
        if message.is_pending() && tokio::task::coop::has_budget_remaining() {
            *quiet = Some(super::now());
        }
        message
    })
    .await
}
