//! Assembles the frames of a socket into messages.

mod reader;
#[cfg(test)]
mod tests;

use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use fastwebsockets::{OpCode, WebSocketError};
use futures_util::stream::{self, Stream};
use tokio::io::AsyncRead;

use crate::reason::{ReconnectReason, sanitize};

use reader::{Frame, FrameError, FrameReader};

/// Largest message, compressed or not, with all of its fragments: 1 MiB. The largest documented frame
/// is about 10 KiB.
pub(crate) const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// A complete message.
#[derive(Debug, PartialEq)]
pub(crate) enum Message {
    /// Not yet checked for UTF-8.
    Text(BytesMut),
    Binary(BytesMut),
    Ping(BytesMut),
    Pong,
    /// With the code and the text, if the server sent them.
    Close(Option<u16>, Option<String>),
}

/// Assembles fragments and bounds their total size.
#[derive(Debug, Default)]
struct Assembler {
    /// The message of which only the first fragments have arrived.
    partial: Option<(OpCode, BytesMut)>,
}

impl Assembler {
    fn push(
        &mut self,
        is_final: bool,
        opcode: OpCode,
        payload: BytesMut,
    ) -> Result<Option<Message>, &'static str> {
        match opcode {
            OpCode::Ping => Ok(Some(Message::Ping(payload))),
            OpCode::Pong => Ok(Some(Message::Pong)),
            OpCode::Close => {
                let Some((code, text)) = payload.split_first_chunk() else {
                    return Ok(Some(Message::Close(None, None)));
                };
                let text = sanitize(&String::from_utf8_lossy(text));
                let text = Some(text).filter(|text| !text.is_empty());
                Ok(Some(Message::Close(Some(u16::from_be_bytes(*code)), text)))
            }
            OpCode::Text | OpCode::Binary if self.partial.is_some() => {
                Err("a message began inside another")
            }
            OpCode::Text | OpCode::Binary if is_final => Ok(Some(complete(opcode, payload))),
            OpCode::Text | OpCode::Binary => {
                self.partial = Some((opcode, payload));
                Ok(None)
            }
            OpCode::Continuation => {
                let (opcode, mut message) =
                    self.partial.take().ok_or("a fragment without a beginning")?;
                if message.len() + payload.len() > MAX_MESSAGE_BYTES {
                    return Err("a fragmented message is larger than 1 MiB");
                }
                message.extend_from_slice(&payload);
                if is_final {
                    return Ok(Some(complete(opcode, message)));
                }
                self.partial = Some((opcode, message));
                Ok(None)
            }
        }
    }
}

fn complete(opcode: OpCode, payload: BytesMut) -> Message {
    if opcode == OpCode::Text { Message::Text(payload) } else { Message::Binary(payload) }
}

/// Returns the messages of a socket, up to and including the first error. What was read of a frame is part of the
/// stream, so `next` on it may be dropped at any time.
pub(crate) fn messages<R>(reader: R) -> impl Stream<Item = Result<Message, ReconnectReason>> + Send
where
    R: AsyncRead + Unpin + Send + 'static,
{
    let mut state = Some((FrameReader::new(reader), Assembler::default()));
    stream::poll_fn(move |context| {
        let Some((reader, assembler)) = &mut state else { return Poll::Ready(None) };
        let message = ready!(poll_message(reader, assembler, context));
        if message.is_err() {
            state = None;
        }
        Poll::Ready(Some(message))
    })
}

fn poll_message<R: AsyncRead + Unpin>(
    reader: &mut FrameReader<R>,
    assembler: &mut Assembler,
    context: &mut Context<'_>,
) -> Poll<Result<Message, ReconnectReason>> {
    loop {
        let frame = ready!(reader.poll_frame(context)).map_err(failure)?;
        let Frame { is_final, opcode, payload } = frame;
        if let Some(message) = assembler.push(is_final, opcode, payload).map_err(violation)? {
            return Poll::Ready(Ok(message));
        }
    }
}

fn violation(detail: &str) -> ReconnectReason {
    ReconnectReason::Protocol { detail: detail.to_owned() }
}

fn failure(error: FrameError) -> ReconnectReason {
    let error = match error {
        FrameError::Violation(detail) => return violation(detail),
        FrameError::Other(error) => error,
    };
    match error {
        WebSocketError::UnexpectedEOF => ReconnectReason::closed(),
        // The server dropped a TLS connection without `close_notify`.
        WebSocketError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            ReconnectReason::closed()
        }
        WebSocketError::IoError(error) => ReconnectReason::lost(error),
        other => ReconnectReason::Protocol { detail: sanitize(&other.to_string()) },
    }
}
