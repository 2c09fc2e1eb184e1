//! What a client sends: whole messages, control frames, and whether it is alive.

use fastwebsockets::{OpCode, WebSocketError, WebSocketRead};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::ReadHalf;

use crate::generated::Host;

/// A whole message of the client, or why there is none.
#[derive(Debug)]
pub(super) enum Received {
    Message(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    /// With the code of the client, if it gave one that may be sent back.
    Closed(Option<u16>),
    TooBig,
    Broken,
}

/// Whether protocol pings get pongs and count as life, as RFC 6455 demands, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pings {
    Accepted,
    Ignored,
}

impl Pings {
    /// The setting is about spot: futures accept them in any case, as observed.
    pub(super) fn of(host: Host, spot_accepts: bool) -> Self {
        if host == Host::Spot && !spot_accepts { Self::Ignored } else { Self::Accepted }
    }
}

impl Received {
    /// Whether the client counts as alive because of it. An unsolicited pong is a heartbeat, too
    /// (RFC 6455, section 5.5.3).
    pub(super) fn keeps_alive(&self, pings: Pings) -> bool {
        match self {
            Self::Message(_) => true,
            Self::Ping(_) | Self::Pong => pings == Pings::Accepted,
            Self::Closed(_) | Self::TooBig | Self::Broken => false,
        }
    }
}

/// Reads one whole message, put together from its fragments. `part` holds what came before a control
/// frame in between.
pub(super) async fn read(
    reader: &mut WebSocketRead<ReadHalf<TokioIo<Upgraded>>>,
    part: &mut Vec<u8>,
    max_length: usize,
) -> Received {
    loop {
        let frame = match reader.read_frame::<_, WebSocketError>(&mut |_| async { Ok(()) }).await {
            Ok(frame) => frame,
            Err(WebSocketError::FrameTooLarge) => return Received::TooBig,
            Err(_) => return Received::Broken,
        };
        match frame.opcode {
            OpCode::Close => return Received::Closed(close_code(&frame.payload)),
            OpCode::Ping => return Received::Ping(frame.payload.to_vec()),
            OpCode::Pong => return Received::Pong,
            OpCode::Text | OpCode::Binary | OpCode::Continuation => {}
        }
        part.extend_from_slice(&frame.payload);
        if part.len() > max_length {
            return Received::TooBig;
        }
        if frame.fin {
            return Received::Message(std::mem::take(part));
        }
    }
}

/// The code of a close frame, when it is one that a frame may carry (RFC 6455, section 7.4).
fn close_code(payload: &[u8]) -> Option<u16> {
    let code = u16::from_be_bytes(*payload.first_chunk()?);
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_and_pongs_are_life_unless_spot_ignores_them() {
        let message = || Received::Message(b"ping".to_vec());
        for received in [Received::Ping(Vec::new()), Received::Pong] {
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
        for received in [Received::Closed(None), Received::TooBig, Received::Broken] {
            assert!(!received.keeps_alive(Pings::Accepted), "{received:?}");
        }
    }

    #[test]
    fn only_codes_that_a_frame_may_carry_are_sent_back() {
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
