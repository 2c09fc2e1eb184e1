//! The reader returns what that of fastwebsockets returns, for any frames in any pieces.

use std::future::poll_fn;

use fastwebsockets::{Role, WebSocket};
use futures_util::FutureExt as _;
use proptest::prelude::*;
use tokio::io::AsyncWriteExt as _;

use super::*;

/// A frame and how its header is encoded, validly or not.
#[derive(Clone, Debug)]
struct EncodedFrame {
    /// The first byte: end of the message, reserved bits and opcode.
    first: u8,
    is_masked: bool,
    length: usize,
    /// 0 for the shortest form of the length, or its number of bytes: 2 or 8.
    length_bytes: u8,
}

impl EncodedFrame {
    fn bytes(&self) -> Vec<u8> {
        let length = u64::try_from(self.length).expect("small");
        let mask_bit = u8::from(self.is_masked) << 7;
        let mut bytes = vec![self.first];
        match (self.length_bytes, self.length) {
            (0, 0..126) => bytes.push(mask_bit | u8::try_from(length).expect("below 126")),
            (0 | 2, 0..=0xffff) => {
                bytes.push(mask_bit | 0x7e);
                bytes.extend(u16::try_from(length).expect("two bytes").to_be_bytes());
            }
            _ => {
                bytes.push(mask_bit | 0x7f);
                bytes.extend(length.to_be_bytes());
            }
        }
        bytes.extend(std::iter::repeat_n(b'a', self.length));
        bytes
    }

    /// Whether fastwebsockets accepts what this reader rejects: a mask, and long control frames other than pings.
    fn is_rejected_here_alone(&self) -> bool {
        let is_long_control = matches!(self.first & 0x0f, 0x8 | 0xa) && self.length > 125;
        self.is_masked || is_long_control
    }
}

fn encoded_frame() -> impl Strategy<Value = EncodedFrame> {
    let opcode =
        prop_oneof![8 => proptest::sample::select(vec![0_u8, 1, 2, 8, 9, 10]), 1 => 0..16_u8];
    let high_bits =
        prop_oneof![6 => Just(0x80_u8), 3 => Just(0), 1 => (0..16_u8).prop_map(|bits| bits << 4)];
    let length = prop_oneof![
        4 => 0..8_usize,
        3 => proptest::sample::select(vec![124_usize, 125, 126, 127, 300]),
        1 => proptest::sample::select(vec![8_191_usize, 65_535, 65_536]),
    ];
    let length_bytes = prop_oneof![4 => Just(0_u8), 1 => Just(2), 1 => Just(8)];
    (opcode, high_bits, proptest::bool::weighted(0.05), length, length_bytes).prop_map(
        |(opcode, high_bits, is_masked, length, length_bytes)| EncodedFrame {
            first: high_bits | opcode,
            is_masked,
            length,
            length_bytes,
        },
    )
}

/// The frames before the first error, which is the end of the bytes at the latest, and that error.
type ReadResult = (Vec<(bool, OpCode, Vec<u8>)>, String);

fn read_with_fastwebsockets(bytes: &[u8]) -> ReadResult {
    let io = tokio::io::join(bytes, tokio::io::sink());
    let mut socket = WebSocket::after_handshake(io, Role::Client);
    socket.set_auto_close(false);
    socket.set_auto_pong(false);
    let mut frames = Vec::new();
    loop {
        match socket.read_frame().now_or_never().expect("ready") {
            Ok(frame) => frames.push((frame.fin, frame.opcode, frame.payload.to_vec())),
            Err(WebSocketError::PingFrameTooLarge) => {
                return (frames, "a control frame is longer than 125 bytes".to_owned());
            }
            Err(error) => return (frames, format!("{error:?}")),
        }
    }
}

/// Reads with this reader, in pieces of these lengths in turn.
fn read_in_pieces(bytes: &[u8], lengths: &[usize]) -> ReadResult {
    let (mut peer, io) = tokio::io::duplex(1 << 17);
    let (mut reader, mut frames) = (FrameReader::new(io), Vec::new());
    let mut read_available = || loop {
        match poll_fn(|context| reader.poll_frame(context)).now_or_never()? {
            Ok(Frame { is_final, opcode, payload }) => {
                frames.push((is_final, opcode, payload.to_vec()));
            }
            Err(FrameError::Other(error)) => return Some(format!("{error:?}")),
            Err(FrameError::Violation(detail)) => return Some(detail.to_owned()),
        }
    };
    let (mut rest, mut error) = (bytes, None);
    for length in lengths.iter().cycle() {
        if rest.is_empty() || error.is_some() {
            break;
        }
        let (piece, after) = rest.split_at((*length).min(rest.len()));
        peer.write_all(piece).now_or_never().expect("room").expect("open");
        rest = after;
        error = read_available();
    }
    drop(peer);
    let error = error.or_else(read_available).expect("the end of the bytes");
    (frames, error)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_frames_in_any_pieces_are_read_as_by_fastwebsockets(
        encoded_frames in proptest::collection::vec(encoded_frame(), 0..10),
        lengths in proptest::collection::vec(prop_oneof![1..4_usize, 1..70_000_usize], 1..6),
        missing_at_the_end in 0..4_usize,
    ) {
        let all: Vec<u8> = encoded_frames.iter().flat_map(EncodedFrame::bytes).collect();
        let common = encoded_frames.iter().take_while(|frame| !frame.is_rejected_here_alone());
        let common: Vec<u8> = common.flat_map(EncodedFrame::bytes).collect();
        if all.len() == common.len() {
            let bytes = &all[..all.len().saturating_sub(missing_at_the_end)];
            prop_assert_eq!(read_in_pieces(bytes, &lengths), read_with_fastwebsockets(bytes));
        } else {
            let (frames, error) = read_in_pieces(&all, &lengths);
            let (expected, common_error) = read_with_fastwebsockets(&common);
            prop_assert_eq!(frames, expected);
            if common_error == "UnexpectedEOF" {
                prop_assert_ne!(error, common_error, "the next frame is rejected");
            } else {
                prop_assert_eq!(error, common_error);
            }
        }
    }
}
