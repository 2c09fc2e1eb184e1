//! Reads messages and control frames of a client.

use fastwebsockets::{Frame, OpCode, WebSocketError, WebSocketRead};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::ReadHalf;

use crate::generated::Host;

/// Largest head of a frame in bytes: opcode, length and mask.
const MAX_HEAD: usize = 2 + 8 + 4;

/// A message or control frame of the client, or the end of the connection.
#[derive(Debug)]
pub(super) enum Received {
    /// The sandbox reads a binary message as text, as well.
    Message {
        bytes: Vec<u8>,
        is_binary: bool,
    },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// A close frame with its payload.
    Closed(Vec<u8>),
    /// A message over the limit, of which at least this number of bytes was sent.
    TooBig(usize),
    /// A text that is not UTF-8.
    NotUtf8,
    /// A frame that violates RFC 6455. What follows cannot be read.
    Malformed,
    /// The client has disconnected.
    Broken,
}

/// A message whose last fragment has not arrived.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    bytes: Vec<u8>,
    is_binary: bool,
}

/// Whether protocol pings get pongs and count as traffic, as RFC 6455 requires, or are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pings {
    Accepted,
    Ignored,
}

impl Pings {
    /// The setting is only about spot. Futures always accept pings, as observed.
    pub(super) fn of(host: Host, spot_accepts: bool) -> Self {
        if host == Host::Spot && !spot_accepts { Self::Ignored } else { Self::Accepted }
    }
}

impl Received {
    /// Whether this counts as traffic of the client. An unsolicited pong is a heartbeat as well (RFC 6455, section
    /// 5.5.3).
    pub(super) fn keeps_alive(&self, pings: Pings) -> bool {
        match self {
            Self::Message { .. } => true,
            Self::Ping(_) | Self::Pong(_) => pings == Pings::Accepted,
            Self::Closed(_) | Self::TooBig(_) | Self::NotUtf8 | Self::Malformed | Self::Broken => {
                false
            }
        }
    }
}

/// Reads a message and joins its fragments. If a control frame comes between fragments, `part` keeps the first ones.
/// A frame of `max_frame` bytes or more is not read.
pub(super) async fn read(
    reader: &mut WebSocketRead<ReadHalf<TokioIo<Upgraded>>>,
    part: &mut Fragments,
    max_frame: usize,
    max_length: usize,
) -> Received {
    loop {
        let mut frame =
            match reader.read_frame::<_, WebSocketError>(&mut |_| async { Ok(()) }).await {
                Ok(frame) => frame,
                Err(WebSocketError::FrameTooLarge) => return Received::TooBig(max_frame),
                Err(WebSocketError::InvalidUTF8) => return Received::NotUtf8,
                Err(
                    WebSocketError::UnexpectedEOF
                    | WebSocketError::ConnectionClosed
                    | WebSocketError::IoError(_),
                ) => return Received::Broken,
                Err(_) => return Received::Malformed,
            };
        if !is_masked(&mut frame) {
            return Received::Malformed;
        }
        match frame.opcode {
            OpCode::Close => return Received::Closed(frame.payload.to_vec()),
            OpCode::Ping => return Received::Ping(frame.payload.to_vec()),
            OpCode::Pong => return Received::Pong(frame.payload.to_vec()),
            OpCode::Text | OpCode::Binary => part.is_binary = frame.opcode == OpCode::Binary,
            OpCode::Continuation => {}
        }
        part.bytes.extend_from_slice(&frame.payload);
        if part.bytes.len() > max_length {
            return Received::TooBig(std::mem::take(part).bytes.len());
        }
        if frame.fin {
            let Fragments { bytes, is_binary } = std::mem::take(part);
            if !is_binary && std::str::from_utf8(&bytes).is_err() {
                return Received::NotUtf8;
            }
            return Received::Message { bytes, is_binary };
        }
    }
}

/// Whether the client has masked a frame, as it must (RFC 6455, section 5.1). The library does not check it, and tells
/// it only in the head of the frame.
fn is_masked(frame: &mut Frame<'_>) -> bool {
    let mut head = [0; MAX_HEAD];
    frame.fmt_head(&mut head);
    head[1] & 0x80 != 0
}

/// Code and reason of a close frame.
pub(super) fn close_parts(payload: &[u8]) -> (Option<u16>, String) {
    match payload.split_first_chunk() {
        Some((code, reason)) => {
            (Some(u16::from_be_bytes(*code)), String::from_utf8_lossy(reason).into_owned())
        }
        None => (None, String::new()),
    }
}

/// The code of a close frame, if a frame may contain it (RFC 6455, section 7.4).
pub(super) fn close_code(payload: &[u8]) -> Option<u16> {
    let code = close_parts(payload).0?;
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_and_pongs_count_as_traffic_unless_spot_ignores_them() {
        let message = || Received::Message { bytes: b"ping".to_vec(), is_binary: false };
        for received in [Received::Ping(Vec::new()), Received::Pong(Vec::new())] {
            for (host, spot_accepts, alive) in [
                (Host::Spot, true, true),
                (Host::Spot, false, false),
                (Host::Futures, true, true),
                (Host::Futures, false, true),
            ] {
                let pings = Pings::of(host, spot_accepts);
                assert_eq!(
                    received.keeps_alive(pings),
                    alive,
                    "{received:?} {host:?} {spot_accepts}"
                );
                assert!(message().keeps_alive(pings));
            }
        }
        for received in [
            Received::Closed(Vec::new()),
            Received::TooBig(1),
            Received::NotUtf8,
            Received::Malformed,
            Received::Broken,
        ] {
            assert!(!received.keeps_alive(Pings::Accepted), "{received:?}");
        }
    }

    #[test]
    fn only_valid_close_codes_are_sent_back() {
        let sent = |code: u16| close_code(&[&code.to_be_bytes()[..], b"bye"].concat());
        for code in [1000, 1001, 1011, 3000, 4999] {
            assert_eq!(sent(code), Some(code));
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert_eq!(sent(code), None, "{code}");
        }
        assert_eq!((close_code(b""), close_code(b"x")), (None, None));
    }
}
