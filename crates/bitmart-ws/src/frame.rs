//! From socket bytes to whole messages.

#[cfg(test)]
mod tests;

use bytes::BytesMut;
use fastwebsockets::{Frame, OpCode, Payload, WebSocketError, WebSocketRead};
use futures_util::stream::{self, Stream};
use tokio::io::AsyncRead;

use crate::reason::ReconnectReason;

/// Largest message, compressed or not, over all of its fragments: 1 MiB. The largest documented
/// frame is about 10 KiB.
pub(crate) const MESSAGE_BYTES: usize = 1 << 20;

/// A whole message.
#[derive(Debug, PartialEq)]
pub(crate) enum Message {
    /// UTF-8 is checked by whoever reads it.
    Text(BytesMut),
    Binary(BytesMut),
    Ping(BytesMut),
    Pong,
    Close(Option<u16>),
}

/// Puts fragments together and bounds their sum, which fastwebsockets does not.
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
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                Ok(Some(Message::Close(code)))
            }
            OpCode::Text | OpCode::Binary if self.partial.is_some() => {
                Err("a message began inside another")
            }
            OpCode::Text | OpCode::Binary if fin => Ok(Some(whole(opcode, payload))),
            OpCode::Text | OpCode::Binary => {
                self.partial = Some((opcode, payload));
                Ok(None)
            }
            OpCode::Continuation => {
                let (opcode, mut message) =
                    self.partial.take().ok_or("a fragment without a beginning")?;
                if message.len() + payload.len() > MESSAGE_BYTES {
                    return Err("a fragmented message is larger than 1 MiB");
                }
                message.extend_from_slice(&payload);
                if fin {
                    return Ok(Some(whole(opcode, message)));
                }
                self.partial = Some((opcode, message));
                Ok(None)
            }
        }
    }
}

fn whole(opcode: OpCode, payload: BytesMut) -> Message {
    if opcode == OpCode::Text { Message::Text(payload) } else { Message::Binary(payload) }
}

/// The messages of a socket, up to and including the first failure.
///
/// Reading a frame is not cancel-safe in fastwebsockets: it takes the header out of its buffer
/// before it waits for the payload, and a read dropped in between loses it. Here the half-done read
/// lives inside the stream, so `next` on the stream may be dropped at any time.
pub(crate) fn messages<R>(
    mut reader: WebSocketRead<R>,
) -> impl Stream<Item = Result<Message, ReconnectReason>> + Send
where
    R: AsyncRead + Unpin + Send + 'static,
{
    reader.set_auto_close(false);
    reader.set_auto_pong(false);
    // The limit is exclusive there.
    reader.set_max_message_size(MESSAGE_BYTES + 1);
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
    // Never called, because nothing is answered automatically.
    let mut answer = |_: Frame<'_>| std::future::ready(Ok::<(), std::io::Error>(()));
    loop {
        let frame = reader.read_frame(&mut answer).await.map_err(failure)?;
        let payload = match frame.payload {
            Payload::Bytes(bytes) => bytes,
            other => BytesMut::from(&*other),
        };
        let message = assembler
            .push(frame.fin, frame.opcode, payload)
            .map_err(|detail| ReconnectReason::Protocol { detail: detail.to_owned() })?;
        if let Some(message) = message {
            return Ok(message);
        }
    }
}

fn failure(error: WebSocketError) -> ReconnectReason {
    match error {
        WebSocketError::UnexpectedEOF | WebSocketError::ConnectionClosed => {
            ReconnectReason::Closed { code: None }
        }
        // A server that drops a TLS connection without its farewell.
        WebSocketError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            ReconnectReason::Closed { code: None }
        }
        WebSocketError::IoError(error) => ReconnectReason::Lost { detail: error.to_string() },
        other => ReconnectReason::Protocol { detail: other.to_string() },
    }
}
