//! Assembling of frames into messages.

use super::*;

fn push(
    assembler: &mut Assembler,
    is_final: bool,
    opcode: OpCode,
    payload: &[u8],
) -> Result<Option<Message>, &'static str> {
    assembler.push(is_final, opcode, BytesMut::from(payload))
}

#[test]
fn assembles_fragments_with_control_frames_in_between() {
    let mut assembler = Assembler::default();
    assert_eq!(push(&mut assembler, false, OpCode::Text, b"one "), Ok(None));
    assert_eq!(
        push(&mut assembler, true, OpCode::Ping, b"x"),
        Ok(Some(Message::Ping(BytesMut::from("x"))))
    );
    assert_eq!(push(&mut assembler, false, OpCode::Continuation, b"and "), Ok(None));
    let message = push(&mut assembler, true, OpCode::Continuation, b"two");
    assert_eq!(message, Ok(Some(Message::Text(BytesMut::from("one and two")))));
    let single = push(&mut assembler, true, OpCode::Binary, b"\x01");
    assert_eq!(single, Ok(Some(Message::Binary(BytesMut::from("\x01")))));
}

#[test]
fn rejects_fragments_beyond_the_maximum_size() {
    let mut assembler = Assembler::default();
    let half = vec![0; MAX_MESSAGE_BYTES / 2];
    assert_eq!(push(&mut assembler, false, OpCode::Binary, &half), Ok(None));
    assert_eq!(push(&mut assembler, false, OpCode::Continuation, &half), Ok(None));
    assert!(push(&mut assembler, false, OpCode::Continuation, b"x").is_err());
}

#[test]
fn rejects_fragments_out_of_order() {
    assert!(push(&mut Assembler::default(), true, OpCode::Continuation, b"x").is_err());
    let mut assembler = Assembler::default();
    assert_eq!(push(&mut assembler, false, OpCode::Text, b"x"), Ok(None));
    assert!(push(&mut assembler, true, OpCode::Text, b"y").is_err());
}

#[test]
fn parses_and_sanitizes_close_frames() {
    let close = |payload: &[u8]| push(&mut Assembler::default(), true, OpCode::Close, payload);
    let text = Some("x\u{fffd}".to_owned());
    assert_eq!(close(&[0x03, 0xf1, b'x', 0x1b]), Ok(Some(Message::Close(Some(1009), text))));
    assert_eq!(close(&[0x03, 0xf1]), Ok(Some(Message::Close(Some(1009), None))));
    assert_eq!(close(&[]), Ok(Some(Message::Close(None, None))));
    let Ok(Some(Message::Close(_, Some(text)))) = close(&[b'a'; 10_000]) else { panic!("a text") };
    assert_eq!(text.len(), 300);
}
