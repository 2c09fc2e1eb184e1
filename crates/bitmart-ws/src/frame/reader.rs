//! Reads the frames of a socket (RFC 6455, section 5.2).
//!
//! The reader of fastwebsockets keeps 8 KiB for each connection, takes a header out of its buffer before it waits for
//! the payload, so that it must not be interrupted, and drops the bytes of text that is not UTF-8.

use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use fastwebsockets::{OpCode, WebSocketError};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::MAX_MESSAGE_BYTES;

/// Room for a read when nothing is buffered.
const READ_BYTES: usize = 8 << 10;

/// Largest payload of a close frame, a ping or a pong (RFC 6455, section 5.5).
const MAX_CONTROL_BYTES: usize = 125;

/// A frame of the server, which masks none.
#[derive(Debug)]
pub(super) struct Frame {
    /// It ends its message.
    pub(super) is_final: bool,
    pub(super) opcode: OpCode,
    pub(super) payload: BytesMut,
}

/// Why no further frame can be read.
#[derive(Debug)]
pub(super) enum FrameError {
    /// A rule of RFC 6455 for which fastwebsockets has no error.
    Violation(&'static str),
    Other(WebSocketError),
}

impl From<WebSocketError> for FrameError {
    fn from(error: WebSocketError) -> Self {
        Self::Other(error)
    }
}

#[derive(Debug)]
pub(super) struct FrameReader<R> {
    io: R,
    /// What was read behind the last frame.
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(super) fn new(io: R) -> Self {
        Self { io, buffer: BytesMut::new() }
    }

    /// Returns the next frame. A frame of which a part was read stays in the buffer.
    pub(super) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Frame, FrameError>> {
        loop {
            let missing = match Header::parse(&self.buffer)? {
                Some(header) if header.frame_length() <= self.buffer.len() => {
                    return Poll::Ready(Ok(header.take_frame(&mut self.buffer)));
                }
                Some(header) => header.frame_length() - self.buffer.len(),
                None => MAX_HEADER_BYTES,
            };
            let is_empty = self.buffer.is_empty();
            self.buffer.reserve(if is_empty { READ_BYTES } else { missing });
            let read = pin!(self.io.read_buf(&mut self.buffer)).poll(context);
            if read.is_pending() && is_empty {
                // An idle connection holds no buffer, and there may be many of them.
                self.buffer = BytesMut::new();
            }
            if ready!(read).map_err(WebSocketError::from)? == 0 {
                return Poll::Ready(Err(WebSocketError::UnexpectedEOF.into()));
            }
        }
    }
}

/// Two bytes, and eight for the longest form of a length.
const MAX_HEADER_BYTES: usize = 10;

struct Header {
    is_final: bool,
    opcode: OpCode,
    /// The length of the header itself.
    length: usize,
    payload_length: usize,
}

impl Header {
    /// Parses the header at the start of `bytes`; `None` if it is incomplete. Accepts a length that is written in more
    /// bytes than it needs: that is a fault of the server, but harmless.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, FrameError> {
        let Some(([first, second], rest)) = bytes.split_first_chunk() else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(WebSocketError::ReservedBitsNotZero.into());
        }
        let (is_final, opcode) = (first & 0x80 != 0, OpCode::try_from(first & 0x0f)?);
        if second & 0x80 != 0 {
            // Only clients do (section 5.1).
            return Err(FrameError::Violation("the server masked a frame"));
        }
        let (length, payload_length) = match second & 0x7f {
            126 => (4, rest.first_chunk().map(|bytes| u64::from(u16::from_be_bytes(*bytes)))),
            127 => (10, rest.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))),
            short => (2, Some(u64::from(short))),
        };
        let Some(payload_length) = payload_length else { return Ok(None) };
        let payload_length = usize::try_from(payload_length).unwrap_or(usize::MAX);
        let is_control = matches!(opcode, OpCode::Close | OpCode::Ping | OpCode::Pong);
        if is_control && !is_final {
            return Err(WebSocketError::ControlFrameFragmented.into());
        }
        if is_control && payload_length > MAX_CONTROL_BYTES {
            return Err(FrameError::Violation("a control frame is longer than 125 bytes"));
        }
        if payload_length > MAX_MESSAGE_BYTES {
            return Err(WebSocketError::FrameTooLarge.into());
        }
        Ok(Some(Self { is_final, opcode, length, payload_length }))
    }

    fn frame_length(&self) -> usize {
        self.length + self.payload_length
    }

    /// Takes the frame, which is complete, out of the buffer.
    fn take_frame(self, buffer: &mut BytesMut) -> Frame {
        let Self { is_final, opcode, length, payload_length } = self;
        buffer.advance(length);
        Frame { is_final, opcode, payload: buffer.split_to(payload_length) }
    }
}

#[cfg(test)]
mod comparison_tests;
#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::FutureExt as _;
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn a_frame_is_read_whole_however_its_bytes_arrive() {
        let long = vec![7; 300];
        let frames = [&[0x81, 2, b'h', b'i'][..], &[0x82, 126, 1, 44], &long, &[0x8a, 0]].concat();
        for step in 1..=frames.len() {
            let (mut peer, io) = tokio::io::duplex(1 << 10);
            let (mut reader, mut read) = (FrameReader::new(io), Vec::new());
            for bytes in frames.chunks(step) {
                peer.write_all(bytes).await.expect("written");
                while let Some(frame) = poll_fn(|context| reader.poll_frame(context)).now_or_never()
                {
                    let Frame { is_final, opcode, payload } = frame.expect("a frame");
                    read.push((is_final, opcode, payload.to_vec()));
                }
            }
            let expected = [
                (true, OpCode::Text, b"hi".to_vec()),
                (true, OpCode::Binary, long.clone()),
                (true, OpCode::Pong, Vec::new()),
            ];
            assert_eq!(read, expected, "{step} bytes at a time");
            assert_eq!(reader.buffer.capacity(), 0, "an idle connection holds no buffer");
        }
    }

    const LONG_CONTROL_FRAME: &str = "Violation(\"a control frame is longer than 125 bytes\")";

    #[test]
    fn invalid_headers_are_errors_before_their_payload() {
        let error = |bytes: &[u8]| Header::parse(bytes).err().map(|error| format!("{error:?}"));
        for (bytes, expected) in [
            (&[0xc1, 0][..], "Other(ReservedBitsNotZero)"),
            (&[0x83, 0], "Other(InvalidValue)"),
            (&[0x81, 0x80], "Violation(\"the server masked a frame\")"),
            (&[0x09, 0], "Other(ControlFrameFragmented)"),
            (&[0x88, 126, 0, 126], LONG_CONTROL_FRAME),
            (&[0x89, 126, 0, 126], LONG_CONTROL_FRAME),
            (&[0x8a, 127, 0, 0, 0, 0, 0, 0, 0, 126], LONG_CONTROL_FRAME),
            (&[0x82, 127, 0, 0, 0, 0, 0, 16, 0, 1], "Other(FrameTooLarge)"),
            (&[0x82, 127, 255, 0, 0, 0, 0, 0, 0, 0], "Other(FrameTooLarge)"),
        ] {
            assert_eq!(error(bytes).as_deref(), Some(expected), "{bytes:?}");
        }
        assert_eq!(error(&[0x82, 127, 0, 0, 0, 0, 0, 16, 0, 0]), None, "the largest frame");
    }

    #[tokio::test]
    async fn the_end_of_the_stream_is_an_error() {
        let mut reader = FrameReader::new(&[0x81, 2, b'h'][..]);
        let error = poll_fn(|context| reader.poll_frame(context)).await.expect_err("it ends early");
        assert!(matches!(error, FrameError::Other(WebSocketError::UnexpectedEOF)), "{error:?}");
    }
}
