//! Assembles the frames of a socket into messages.

#[cfg(test)]
mod tests;

use bytes::BytesMut;
use fastwebsockets::{Frame, OpCode, Payload, WebSocketError, WebSocketRead};
use futures_util::stream::{self, Stream};
use tokio::io::AsyncRead;

use crate::reason::{ReconnectReason, sanitize};

/// Largest message, compressed or not, with all of its fragments: 1 MiB. The largest documented frame
/// is about 10 KiB.
pub(crate) const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// A complete message.
#[derive(Debug, PartialEq)]
pub(crate) enum Message {
    /// Not yet checked for UTF-8.
    Text(BytesMut),
    /// A text frame that is not UTF-8. fastwebsockets drops its bytes.
    InvalidText,
    Binary(BytesMut),
    Ping(BytesMut),
    Pong,
    Close(Option<u16>, Option<String>),
}

/// Assembles fragments and bounds their total size, which fastwebsockets does not.
#[derive(Debug, Default)]
struct Assembler {
    partial: Option<(OpCode, BytesMut)>,
}

impl Assembler {
    fn push(
        &mut self,
        fin: bool,
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
            OpCode::Text | OpCode::Binary if fin => Ok(Some(complete(opcode, payload))),
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
                if fin {
                    return Ok(Some(complete(opcode, message)));
                }
                self.partial = Some((opcode, message));
                Ok(None)
            }
        }
    }
}

impl Assembler {
    /// Handles a text frame that is not UTF-8.
    fn invalid_text(&self) -> Result<Message, &'static str> {
        match self.partial {
            Some(_) => Err("a message began inside another"),
            None => Ok(Message::InvalidText),
        }
    }
}

fn complete(opcode: OpCode, payload: BytesMut) -> Message {
    if opcode == OpCode::Text { Message::Text(payload) } else { Message::Binary(payload) }
}

/// Returns the messages of a socket, up to and including the first error.
///
/// Reading a frame is not cancel-safe in fastwebsockets: it takes the header out of its buffer before
/// it waits for the payload, so a read that is dropped in between loses it. Here the read in progress
/// is part of the stream, so `next` on the stream may be dropped at any time.
pub(crate) fn messages<R>(
    mut reader: WebSocketRead<R>,
) -> impl Stream<Item = Result<Message, ReconnectReason>> + Send
where
    R: AsyncRead + Unpin + Send + 'static,
{
    reader.set_auto_close(false);
    reader.set_auto_pong(false);
    // The limit is exclusive there.
    reader.set_max_message_size(MAX_MESSAGE_BYTES + 1);
    stream::unfold(Some((reader, Assembler::default())), |state| async move {
        let (mut reader, mut assembler) = state?;
        match read(&mut reader, &mut assembler).await {
            Ok(message) => Some((Ok(message), Some((reader, assembler)))),
            Err(reason) => Some((Err(reason), None)),
        }
    })
}

async fn read<R>(
    reader: &mut WebSocketRead<R>,
    assembler: &mut Assembler,
) -> Result<Message, ReconnectReason>
where
    R: AsyncRead + Unpin,
{
    // Never called, because automatic responses are off.
    let mut respond = |_: Frame<'_>| std::future::ready(Ok::<(), std::io::Error>(()));
    loop {
        let mut frame = match reader.read_frame(&mut respond).await {
            Ok(frame) => frame,
            // The frame was read to its end, so the next one can be read.
            Err(WebSocketError::InvalidUTF8) => {
                return assembler.invalid_text().map_err(violation);
            }
            Err(error) => return Err(failure(error)),
        };
        if is_masked(&mut frame) {
            return Err(violation("the server masked a frame"));
        }
        let payload = match frame.payload {
            Payload::Bytes(bytes) => bytes,
            other => BytesMut::from(&*other),
        };
        let message = assembler.push(frame.fin, frame.opcode, payload).map_err(violation)?;
        if let Some(message) = message {
            return Ok(message);
        }
    }
}

/// Whether the frame is masked, which only client frames may be (RFC 6455, section 5.1). fastwebsockets
/// reveals that only in the encoded header.
fn is_masked(frame: &mut Frame<'_>) -> bool {
    let mut head = [0; 16];
    frame.fmt_head(&mut head);
    head[1] & 0x80 != 0
}

fn violation(detail: &str) -> ReconnectReason {
    ReconnectReason::Protocol { detail: detail.to_owned() }
}

fn failure(error: WebSocketError) -> ReconnectReason {
    match error {
        WebSocketError::UnexpectedEOF | WebSocketError::ConnectionClosed => {
            ReconnectReason::closed()
        }
        // The server dropped a TLS connection without `close_notify`.
        WebSocketError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            ReconnectReason::closed()
        }
        WebSocketError::IoError(error) => ReconnectReason::lost(error),
        other => ReconnectReason::Protocol { detail: sanitize(&other.to_string()) },
    }
}
