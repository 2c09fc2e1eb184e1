//! One open connection, seen from the server.

use std::fmt;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::Instant;

use super::{ClientCommand, patient};
use crate::dialect::Dialect;

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
/// Largest frame of a client.
const LARGEST_FRAME: u64 = 1 << 20;

/// The server's end of an open connection. Dropping it cuts the connection.
///
/// Its methods wait for the client and panic when what comes is not what they are named after.
/// Heartbeats are answered while one of them reads; a connection that nobody reads from is silent,
/// as one that hangs.
pub struct ServerConnection {
    io: DuplexStream,
}

/// A frame of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// 1 is text, 2 binary, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// Unmasked.
    pub payload: Vec<u8>,
}

impl ServerConnection {
    pub(super) fn new(io: DuplexStream) -> Self {
        Self { io }
    }

    /// The next frame, or `None` when the client has ended the connection. Heartbeats are not
    /// answered.
    ///
    /// # Panics
    /// When nothing comes, or a frame that is not masked or larger than 1 MiB.
    ///
    /// # Cancel safety
    /// What was read of a frame is lost when the future is dropped.
    pub async fn next_frame(&mut self) -> Option<Frame> {
        let mut head = [0; 2];
        patient("a frame", self.io.read_exact(&mut head)).await.ok()?;
        assert_eq!(head[1] & 0x80, 0x80, "clients mask");
        let length = match head[1] & 0x7f {
            126 => u64::from(self.io.read_u16().await.ok()?),
            127 => self.io.read_u64().await.ok()?,
            short => u64::from(short),
        };
        assert!(length <= LARGEST_FRAME, "a frame of {length} bytes");
        let mut mask = [0; 4];
        self.io.read_exact(&mut mask).await.ok()?;
        let mut payload = vec![0; usize::try_from(length).unwrap_or_default()];
        self.io.read_exact(&mut payload).await.ok()?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        Some(Frame { opcode: head[0] & 0x0f, payload })
    }

    /// The next text that is no heartbeat. Heartbeats before it are answered.
    ///
    /// # Panics
    /// When the client ends the connection or sends anything else.
    ///
    /// # Cancel safety
    /// As [`next_frame`](Self::next_frame).
    pub async fn next_text(&mut self) -> String {
        loop {
            let Some(Frame { opcode, payload }) = self.next_frame().await else {
                panic!("the client ended the connection")
            };
            if opcode == PING {
                self.send_frame(true, PONG, &payload).await;
                continue;
            }
            assert_eq!(opcode, TEXT, "a text frame was expected");
            let Ok(text) = String::from_utf8(payload) else { panic!("a text that is no UTF-8") };
            match heartbeat_answer(&text) {
                Some(answer) => self.push(answer).await,
                None => return text,
            }
        }
    }

    /// The next command, which is not answered yet.
    ///
    /// # Panics
    /// When something else comes, or nothing.
    ///
    /// # Cancel safety
    /// As [`next_frame`](Self::next_frame).
    pub async fn next_command(&mut self) -> ClientCommand {
        let text = self.next_text().await;
        match ClientCommand::read(&text) {
            Some(command) => command,
            // A login may stand in it.
            None => panic!("a text of {} bytes is no command", text.len()),
        }
    }

    /// Takes the next command, which must subscribe to exactly these topics in any order, and
    /// acknowledges it.
    ///
    /// # Panics
    /// When another command comes, with what was expected and what came.
    ///
    /// # Cancel safety
    /// As [`next_frame`](Self::next_frame).
    pub async fn expect_subscribe(&mut self, topics: &[&str]) {
        self.expect("subscribe", topics).await;
    }

    /// As [`expect_subscribe`](Self::expect_subscribe), of a command that unsubscribes.
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
        let mut wanted: Vec<_> = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let mut came = if command.is_login() { Vec::new() } else { command.arguments.clone() };
        wanted.sort();
        came.sort();
        assert!(
            command.operation == operation && wanted == came,
            "another command came\n  expected: {operation} {wanted:?}\n      came: {} {came:?}",
            command.operation
        );
        self.acknowledge(&command).await;
    }

    /// Takes the next command, which must be a login, and lets it in. Its arguments hold the key
    /// and the signature.
    ///
    /// # Panics
    /// When something else comes, or nothing.
    ///
    /// # Cancel safety
    /// As [`next_frame`](Self::next_frame).
    pub async fn expect_login(&mut self) -> ClientCommand {
        let command = self.next_command().await;
        assert!(command.is_login(), "a login was expected, not {}", command.operation);
        self.acknowledge(&command).await;
        command
    }

    /// Takes the next command, whatever it is, and acknowledges it.
    ///
    /// # Panics
    /// When something else comes, or nothing.
    ///
    /// # Cancel safety
    /// As [`next_frame`](Self::next_frame).
    pub async fn accept_command(&mut self) -> ClientCommand {
        let command = self.next_command().await;
        self.acknowledge(&command).await;
        command
    }

    /// Says that a command is done: for each of its topics, or for the login.
    ///
    /// # Cancel safety
    /// Some topics may stay without an answer when the future is dropped.
    pub async fn acknowledge(&mut self, command: &ClientCommand) {
        let operation = &command.operation;
        if command.is_login() {
            let text = match command.dialect {
                Dialect::Spot => r#"{"event":"login"}"#,
                Dialect::Futures => r#"{"action":"access","success":true}"#,
            };
            return self.push(text).await;
        }
        for topic in &command.arguments {
            let topic = Value::from(topic.as_str());
            let text = match command.dialect {
                Dialect::Spot => format!(r#"{{"event":"{operation}","topic":{topic}}}"#),
                Dialect::Futures => {
                    format!(r#"{{"action":"{operation}","group":{topic},"success":true}}"#)
                }
            };
            self.push(&text).await;
        }
    }

    /// Says that a command is refused. Spot names a code and no topic; futures names the topic, the
    /// first one of the command, and no code.
    ///
    /// # Cancel safety
    /// The answer may be lost when the future is dropped.
    pub async fn refuse(&mut self, command: &ClientCommand, code: u32, message: &str) {
        let (operation, message) = (&command.operation, Value::from(message));
        let text = match command.dialect {
            Dialect::Spot => format!(
                r#"{{"event":"{operation}","errorCode":"{code}","errorMessage":{message}}}"#
            ),
            Dialect::Futures => {
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
    /// When the client has gone or does not read.
    ///
    /// # Cancel safety
    /// A part of the frame may be sent when the future is dropped.
    pub async fn push(&mut self, text: &str) {
        self.send_frame(true, TEXT, text.as_bytes()).await;
    }

    /// Sends a text deflated in a binary frame, as the exchange does with market data.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    ///
    /// # Cancel safety
    /// As [`push`](Self::push).
    pub async fn push_deflated(&mut self, text: &str) {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        // Memory takes all of it.
        let packed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
        self.send_frame(true, BINARY, &packed.unwrap_or_default()).await;
    }

    /// Sends a ping and waits for its pong. What the client sends in between is lost, but for
    /// heartbeats, which are answered: it has seen everything that was sent before.
    ///
    /// # Panics
    /// As [`push`](Self::push), and when the client ends the connection.
    ///
    /// # Cancel safety
    /// As [`push`](Self::push).
    pub async fn ping(&mut self, payload: &[u8]) {
        self.send_frame(true, PING, payload).await;
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

    /// Answers heartbeats for so long, by the tokio clock. What else the client sends is lost.
    ///
    /// # Panics
    /// When the client ends the connection.
    ///
    /// # Cancel safety
    /// As [`next_frame`](Self::next_frame).
    pub async fn answer_heartbeats(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(frame) = tokio::time::timeout_at(end, self.next_frame()).await {
            let Some(frame) = frame else { panic!("the client ended the connection") };
            self.answer_heartbeat(&frame).await;
        }
    }

    async fn answer_heartbeat(&mut self, frame: &Frame) {
        if frame.opcode == PING {
            self.send_frame(true, PONG, &frame.payload).await;
        } else if let Some(answer) =
            std::str::from_utf8(&frame.payload).ok().and_then(heartbeat_answer)
        {
            self.push(answer).await;
        }
    }

    /// Stays silent for so long, by the tokio clock, whatever the client sends: a connection that
    /// hangs. It stays open.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn stay_silent(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Sends a frame as it is told, which may be against the rules: parts of a message, unknown
    /// opcodes.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    ///
    /// # Cancel safety
    /// As [`push`](Self::push).
    pub async fn send_frame(&mut self, is_final: bool, opcode: u8, payload: &[u8]) {
        self.send_bytes(&frame(is_final, opcode, payload)).await;
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    ///
    /// # Cancel safety
    /// As [`push`](Self::push).
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let sent = patient("a client that reads", self.io.write_all(bytes)).await;
        assert!(sent.is_ok(), "the client has gone");
    }

    /// Closes the connection with a code and a reason, waits until the client has said that it
    /// closes as well, and drops it.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    ///
    /// # Cancel safety
    /// The connection is cut when the future is dropped.
    pub async fn close(mut self, code: u16, reason: &str) {
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        self.send_frame(true, CLOSE, &payload).await;
        // Dropped at once, the client's own close would meet a broken pipe before it has read this
        // one.
        while self.next_frame().await.is_some_and(|frame| frame.opcode != CLOSE) {}
    }

    /// Cuts the connection, without a word. So does dropping it.
    pub fn cut(self) {
        drop(self);
    }
}

impl fmt::Debug for ServerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConnection").finish_non_exhaustive()
    }
}

/// What the exchange says to a heartbeat.
fn heartbeat_answer(text: &str) -> Option<&'static str> {
    if text == Dialect::Spot.ping() {
        Some("pong")
    } else if text == Dialect::Futures.ping() {
        Some(r#"{"group":"System","data":"pong"}"#)
    } else {
        None
    }
}

/// A server frame as bytes.
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
