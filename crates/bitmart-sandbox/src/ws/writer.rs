//! The writing half of a connection. Queued frames are sent in one write.

use std::time::Duration;

use fastwebsockets::OpCode;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::timeout,
};

/// Timeout of a write, after which the client counts as disconnected.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Number of buffered bytes above which the buffer is flushed.
const BATCH: usize = 64 << 10;

/// Buffers frames, and writes them.
#[derive(Debug)]
pub(super) struct Writer<W> {
    io: W,
    /// Frames that are not written yet.
    waiting: Vec<u8>,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub(super) fn new(io: W) -> Self {
        Self { io, waiting: Vec::new() }
    }

    /// Buffers a frame. Frames of a server are not masked (RFC 6455, section 5.2).
    pub(super) fn add(&mut self, code: OpCode, payload: &[u8]) {
        self.waiting.push(0x80 | code as u8);
        match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
            (Ok(length), _) if length < 126 => self.waiting.push(length),
            (_, Ok(length)) => {
                self.waiting.push(126);
                self.waiting.extend_from_slice(&length.to_be_bytes());
            }
            _ => {
                self.waiting.push(127);
                self.waiting.extend_from_slice(&(payload.len() as u64).to_be_bytes());
            }
        }
        self.waiting.extend_from_slice(payload);
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= BATCH
    }

    /// Writes the buffer. Returns false if the client has disconnected.
    pub(super) async fn flush(&mut self) -> bool {
        let write = async {
            self.io.write_all(&self.waiting).await?;
            // TLS has a buffer of its own, which it does not send after a write that had to wait for the client.
            self.io.flush().await
        };
        let written = timeout(WRITE_TIMEOUT, write).await;
        self.waiting.clear();
        matches!(written, Ok(Ok(())))
    }

    /// Tells the client that nothing follows. It may still send.
    pub(super) async fn shutdown(&mut self) {
        // An error means that the client has disconnected already.
        let _ = timeout(WRITE_TIMEOUT, self.io.shutdown()).await;
    }
}

#[cfg(test)]
mod tests {
    use fastwebsockets::{Role, WebSocket};
    use futures_util::FutureExt as _;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn a_flush_also_empties_a_buffer_below() {
        let (server, mut client) = tokio::io::duplex(64);
        let mut writer = Writer::new(tokio::io::BufWriter::new(server));
        writer.add(OpCode::Text, b"pong");
        assert!(writer.flush().await);
        let mut frame = [0; 64];
        let read = client.read(&mut frame).now_or_never().expect("it is sent").expect("read");
        assert_eq!(frame[..read], *b"\x81\x04pong");
    }

    #[tokio::test]
    async fn frames_of_every_length_arrive_complete_and_in_order() {
        let (server, client) = tokio::io::duplex(1 << 18);
        let mut writer = Writer::new(server);
        let lengths = [0, 1, 125, 126, 65_535, 65_536];
        for length in lengths {
            writer.add(OpCode::Binary, &vec![7; length]);
        }
        assert!(writer.is_full() && writer.flush().await && !writer.is_full());
        let mut client = WebSocket::after_handshake(client, Role::Client);
        for length in lengths {
            let frame = client.read_frame().await.expect("a frame");
            assert_eq!((frame.fin, frame.opcode), (true, OpCode::Binary));
            assert_eq!(frame.payload.to_vec(), vec![7; length]);
        }
    }
}
