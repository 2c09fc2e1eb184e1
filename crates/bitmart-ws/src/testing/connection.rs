//! One open connection, seen from the server.

use std::fmt;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::{ClientCommand, with_timeout};
use crate::dialect::{self, Market};

/// Opcode of a text frame.
const TEXT: u8 = 1;
/// Opcode of a binary frame.
const BINARY: u8 = 2;
/// Opcode of a close frame.
const CLOSE: u8 = 8;
/// Opcode of a ping.
const PING: u8 = 9;
/// Opcode of a pong.
const PONG: u8 = 10;
/// Largest accepted frame.
const MAX_FRAME_BYTES: u64 = 1 << 20;

/// The server's end of an open connection. Dropping it cuts the connection.
///
/// Its methods wait for the client and panic if they receive something else than expected. Heartbeats
/// are answered while one of them reads; without such a call the server is unresponsive.
pub struct ServerConnection {
    io: DuplexStream,
}

/// A frame of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// The opcode: 1 is text, 2 binary, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// The unmasked payload.
    pub payload: Vec<u8>,
}

impl ServerConnection {
    pub(super) fn new(io: DuplexStream) -> Self {
        Self { io }
    }

    /// Reads the next frame; `None` if the client has ended the connection. Heartbeats are not answered.
    ///
    /// # Panics
    /// If no frame arrives, or it is not masked or larger than 1 MiB.
    ///
    /// # Cancel safety
    /// A partly read frame is lost if the future is dropped.
    pub async fn next_frame(&mut self) -> Option<Frame> {
        let mut head = [0; 2];
        with_timeout("a frame", self.io.read_exact(&mut head)).await.ok()?;
        assert_eq!(head[1] & 0x80, 0x80, "client frames must be masked");
        let length = match head[1] & 0x7f {
            126 => u64::from(self.io.read_u16().await.ok()?),
            127 => self.io.read_u64().await.ok()?,
            short => u64::from(short),
        };
        assert!(length <= MAX_FRAME_BYTES, "a frame of {length} bytes");
        let mut mask = [0; 4];
        self.io.read_exact(&mut mask).await.ok()?;
        let mut payload = vec![0; usize::try_from(length).unwrap_or_default()];
        self.io.read_exact(&mut payload).await.ok()?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        Some(Frame { opcode: head[0] & 0x0f, payload })
    }

    /// Reads the next text that is not a heartbeat. Heartbeats before it are answered.
    ///
    /// # Panics
    /// If the client ends the connection or sends anything else.
    ///
    /// # Cancel safety
    /// As [`next_frame`](Self::next_frame).
    pub async fn next_text(&mut self) -> String {
        loop {
            let Some(Frame { opcode, payload }) = self.next_frame().await else {
                panic!("the client ended the connection")
            };
            if opcode == PING {
                self.send_frame(PONG, &payload).await;
                continue;
            }
            assert_eq!(opcode, TEXT, "a text frame was expected");
            let Ok(text) = String::from_utf8(payload) else { panic!("a text that is not UTF-8") };
            match heartbeat_response(&text) {
                Some(response) => self.push(response).await,
                None => return text,
            }
        }
    }

    /// Reads the next command without acknowledging it.
    ///
    /// # Panics
    /// If something else arrives, or nothing.
    ///
    /// # Cancel safety
    /// As [`next_frame`](Self::next_frame).
    pub async fn next_command(&mut self) -> ClientCommand {
        let text = self.next_text().await;
        match ClientCommand::parse(&text) {
            Some(command) => command,
            // Not shown, because it may contain a login.
            None => panic!("a text of {} bytes is not a command", text.len()),
        }
    }

    /// Acknowledges the next command, which must subscribe to exactly these topics, in any order.
    ///
    /// # Panics
    /// If another command arrives. The message shows both.
    ///
    /// # Cancel safety
    /// As [`next_frame`](Self::next_frame).
    pub async fn expect_subscribe(&mut self, topics: &[&str]) {
        self.expect("subscribe", topics).await;
    }

    /// As [`expect_subscribe`](Self::expect_subscribe), for a command that unsubscribes.
    ///
    /// # Panics
    /// As [`expect_subscribe`](Self::expect_subscribe).
    ///
    /// # Cancel safety
    /// As [`next_frame`](Self::next_frame).
    pub async fn expect_unsubscribe(&mut self, topics: &[&str]) {
        self.expect("unsubscribe", topics).await;
    }

    async fn expect(&mut self, operation: &str, topics: &[&str]) {
        let command = self.next_command().await;
        let mut expected: Vec<_> = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let mut received = if command.is_login() { Vec::new() } else { command.arguments.clone() };
        expected.sort();
        received.sort();
        assert!(
            command.operation == operation && expected == received,
            "unexpected command\n  expected: {operation} {expected:?}\n  received: {} {received:?}",
            command.operation
        );
        self.acknowledge(&command).await;
    }

    /// Acknowledges the next command, which must be a login. Its arguments contain the key and the
    /// signature.
    ///
    /// # Panics
    /// If something else arrives, or nothing.
    ///
    /// # Cancel safety
    /// As [`next_frame`](Self::next_frame).
    pub async fn expect_login(&mut self) -> ClientCommand {
        let command = self.next_command().await;
        assert!(command.is_login(), "a login was expected, not {}", command.operation);
        self.acknowledge(&command).await;
        command
    }

    /// Acknowledges the next command, whatever it is.
    ///
    /// # Panics
    /// If something else arrives, or nothing.
    ///
    /// # Cancel safety
    /// As [`next_frame`](Self::next_frame).
    pub async fn accept_command(&mut self) -> ClientCommand {
        let command = self.next_command().await;
        self.acknowledge(&command).await;
        command
    }

    /// Acknowledges a command: each of its topics, or the login.
    ///
    /// # Cancel safety
    /// Some topics may not be acknowledged if the future is dropped.
    pub async fn acknowledge(&mut self, command: &ClientCommand) {
        let operation = &command.operation;
        if command.is_login() {
            let text = match command.market {
                Market::Spot => r#"{"event":"login"}"#,
                Market::Futures => r#"{"action":"access","success":true}"#,
            };
            return self.push(text).await;
        }
        for topic in &command.arguments {
            let topic = Value::from(topic.as_str());
            let text = match command.market {
                Market::Spot => format!(r#"{{"event":"{operation}","topic":{topic}}}"#),
                Market::Futures => {
                    format!(r#"{{"action":"{operation}","group":{topic},"success":true}}"#)
                }
            };
            self.push(&text).await;
        }
    }

    /// Rejects a command. The rejection contains the code and no topic on spot, and the first topic of the
    /// command and no code on futures.
    ///
    /// # Cancel safety
    /// The rejection may be lost if the future is dropped.
    pub async fn reject(&mut self, command: &ClientCommand, code: u32, message: &str) {
        let (operation, message) = (&command.operation, Value::from(message));
        let text = match command.market {
            Market::Spot => format!(
                r#"{{"event":"{operation}","errorCode":"{code}","errorMessage":{message}}}"#
            ),
            Market::Futures => {
                let topics = if command.is_login() { &[][..] } else { &command.arguments };
                let group = topics
                    .first()
                    .map(|topic| format!(r#""group":{},"#, Value::from(topic.as_str())));
                let group = group.unwrap_or_default();
                format!(r#"{{"action":"{operation}",{group}"success":false,"error":{message}}}"#)
            }
        };
        self.push(&text).await;
    }

    /// Sends a text frame: data of a channel, or anything else.
    ///
    /// # Panics
    /// If the client is gone or does not read.
    ///
    /// # Cancel safety
    /// A part of the frame may be sent if the future is dropped.
    pub async fn push(&mut self, text: &str) {
        self.send_frame(TEXT, text.as_bytes()).await;
    }

    /// Sends a deflated text in a binary frame, as the exchange does with market data.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    ///
    /// # Cancel safety
    /// As [`push`](Self::push).
    pub async fn push_deflated(&mut self, text: &str) {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        // Writing to memory cannot fail.
        let packed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
        self.send_frame(BINARY, &packed.unwrap_or_default()).await;
    }

    /// Sends a ping and waits for its pong: the client has read everything that was sent before. Heartbeats
    /// in between are answered; other frames are discarded.
    ///
    /// # Panics
    /// As [`push`](Self::push), and if the client ends the connection.
    ///
    /// # Cancel safety
    /// As [`push`](Self::push).
    pub async fn ping(&mut self, payload: &[u8]) {
        self.send_frame(PING, payload).await;
        loop {
            let Some(frame) = self.next_frame().await else {
                panic!("the client ended the connection")
            };
            if frame.opcode == PONG && frame.payload == payload {
                return;
            }
            self.answer_heartbeat(&frame).await;
        }
    }

    /// Answers heartbeats for this long, by the tokio clock. Other frames are discarded.
    ///
    /// # Panics
    /// If the client ends the connection.
    ///
    /// # Cancel safety
    /// As [`next_frame`](Self::next_frame).
    pub async fn answer_heartbeats(&mut self, duration: Duration) {
        // `sleep` accepts any duration.
        let mut end = std::pin::pin!(tokio::time::sleep(duration));
        loop {
            let frame = tokio::select! {
                biased;
                frame = self.next_frame() => frame,
                () = &mut end => return,
            };
            let Some(frame) = frame else { panic!("the client ended the connection") };
            self.answer_heartbeat(&frame).await;
        }
    }

    async fn answer_heartbeat(&mut self, frame: &Frame) {
        if frame.opcode == PING {
            self.send_frame(PONG, &frame.payload).await;
        } else if let Some(response) =
            std::str::from_utf8(&frame.payload).ok().and_then(heartbeat_response)
        {
            self.push(response).await;
        }
    }

    /// Neither reads nor sends anything for this long, by the tokio clock. The connection stays open.
    ///
    /// # Cancel safety
    /// Cancel-safe: nothing is lost if the future is dropped.
    pub async fn stall(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// Sends a frame of any opcode, even an unknown one. It ends its message: opcode 0 ends one that
    /// [`send_fragment`](Self::send_fragment) began.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    ///
    /// # Cancel safety
    /// As [`push`](Self::push).
    pub async fn send_frame(&mut self, opcode: u8, payload: &[u8]) {
        self.send_bytes(&frame(true, opcode, payload)).await;
    }

    /// Sends a frame that does not end its message.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    ///
    /// # Cancel safety
    /// As [`push`](Self::push).
    pub async fn send_fragment(&mut self, opcode: u8, payload: &[u8]) {
        self.send_bytes(&frame(false, opcode, payload)).await;
    }

    /// Sends raw bytes.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    ///
    /// # Cancel safety
    /// As [`push`](Self::push).
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let sent = with_timeout("a client that reads", self.io.write_all(bytes)).await;
        assert!(sent.is_ok(), "the client is gone");
    }

    /// Closes the connection with a code and a reason, waits for the close frame of the client, and drops
    /// the connection.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    ///
    /// # Cancel safety
    /// The connection is cut if the future is dropped.
    pub async fn close(mut self, code: u16, reason: &str) {
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        self.send_frame(CLOSE, &payload).await;
        // If it were dropped at once, the client's close frame could meet a broken pipe before the client
        // has read this one.
        while self.next_frame().await.is_some_and(|frame| frame.opcode != CLOSE) {}
    }

    /// Cuts the connection without a close frame, as dropping it does.
    pub fn cut(self) {
        drop(self);
    }
}

impl fmt::Debug for ServerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConnection").finish_non_exhaustive()
    }
}

/// Returns the exchange's response to a heartbeat.
fn heartbeat_response(text: &str) -> Option<&'static str> {
    if text == dialect::ping_frame(Market::Spot) {
        Some("pong")
    } else if text == dialect::ping_frame(Market::Futures) {
        Some(r#"{"group":"System","data":"pong"}"#)
    } else {
        None
    }
}

/// Encodes a server frame.
pub(crate) fn frame(is_final: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![u8::from(is_final) << 7 | opcode];
    let length = payload.len();
    if let (0..126, Ok(short)) = (length, u8::try_from(length)) {
        bytes.push(short);
    } else if let Ok(medium) = u16::try_from(length) {
        bytes.push(126);
        bytes.extend(medium.to_be_bytes());
    } else {
        bytes.push(127);
        bytes.extend(u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
    }
    bytes.extend(payload);
    bytes
}
