//! HTTP and WebSocket connections to the sandbox, with only what the measurements need.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Failure;

/// A connection and its unread bytes.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub(crate) async fn connect(authority: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(1 << 16) })
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.stream.write_all(bytes).await?)
    }

    async fn receive(&mut self) -> Result<(), Failure> {
        if self.stream.read_buf(&mut self.received).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(())
    }

    /// Sends a request and returns the body of the response.
    pub(crate) async fn request(&mut self, request: &[u8]) -> Result<Vec<u8>, Failure> {
        self.write(request).await?;
        loop {
            if let Some((head, end)) = head(&self.received) {
                let length = content_length(head)?;
                if self.received.len() >= end + length {
                    let body = self.received[end..end + length].to_vec();
                    self.received.drain(..end + length);
                    return Ok(body);
                }
            }
            self.receive().await?;
        }
    }

    /// Upgrades the connection to a WebSocket.
    pub(crate) async fn upgrade(&mut self, path: &str) -> Result<(), Failure> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: load\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: bG9hZCBvZiB0aGUgc2FuZA==\r\n\r\n"
        );
        self.write(request.as_bytes()).await?;
        loop {
            if let Some((head, end)) = head(&self.received) {
                if !head.starts_with("HTTP/1.1 101") {
                    return Err(head.to_owned().into());
                }
                self.received.drain(..end);
                return Ok(());
            }
            self.receive().await?;
        }
    }

    /// Waits for bytes and removes all complete frames. Returns the number of those that are no pong, and whether one
    /// was a pong.
    pub(crate) async fn frames(&mut self) -> Result<(u64, bool), Failure> {
        self.receive().await?;
        let (mut at, mut count, mut has_pong) = (0, 0, false);
        while let Some((from, to)) = frame(&self.received[at..]) {
            let (code, payload) = (self.received[at] & 15, &self.received[at + from..at + to]);
            match code {
                8 => return Err("the sandbox closed a connection".into()),
                // Spot sends the text `pong`, futures a group with `pong+` and an id.
                1 if payload == b"pong"
                    || payload.windows(5).take(40).any(|five| five == b"pong+") =>
                {
                    has_pong = true;
                }
                _ => count += 1,
            }
            at += to;
        }
        self.received.drain(..at);
        Ok((count, has_pong))
    }
}

/// A text frame of a client. Its mask is zero, so that the payload stays as it is.
pub(crate) fn text_frame(text: &str) -> Vec<u8> {
    let length = text.len();
    let mut bytes = vec![0x81];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => bytes.push(0x80 | short),
        (_, Ok(long)) => {
            bytes.push(0x80 | 0x7e);
            bytes.extend(long.to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    bytes
}

/// Start and end of the payload of a server's frame; `None` if bytes are missing.
fn frame(bytes: &[u8]) -> Option<(usize, usize)> {
    let (from, length) = match bytes.get(1)? & 127 {
        126 => (4, u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        short => (2, u64::from(short)),
    };
    let to = from + usize::try_from(length).ok()?;
    (bytes.len() >= to).then_some((from, to))
}

/// The head of a response, and where it ends; `None` if it is incomplete.
fn head(bytes: &[u8]) -> Option<(&str, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, end))
}

fn content_length(head: &str) -> Result<usize, Failure> {
    let value = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    Ok(value.ok_or("a response without a length")?.parse()?)
}
