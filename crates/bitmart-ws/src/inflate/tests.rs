use std::io::Write as _;

use flate2::{Compression, write::DeflateEncoder};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::{InflateError, Inflater};

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory does not fail")
}

#[test]
fn frames_are_independent_in_any_order() {
    // Bodies that resemble each other, so that a window kept from the last frame would show.
    let bodies: Vec<String> = (0..50_usize)
        .map(|n| {
            format!(
                r#"{{"table":"spot/ticker","data":[{{"n":{n}}}],"pad":"{}"}}"#,
                "ab".repeat(n * n * 20)
            )
        })
        .collect();
    let frames: Vec<Vec<u8>> = bodies.iter().map(|body| deflate(body.as_bytes())).collect();
    let mut inflater = Inflater::new();
    for round in 0..20_usize {
        for step in 0..bodies.len() {
            // 7 and 50 share no divisor: each round visits all in another order.
            let index = (step * 7 + round * 13) % bodies.len();
            assert_eq!(
                inflater.inflate(&frames[index]),
                Ok(bodies[index].as_str()),
                "{round} {step}"
            );
        }
    }
}

#[test]
fn empty_and_stored_streams_are_fine() {
    let mut inflater = Inflater::new();
    assert_eq!(inflater.inflate(&deflate(b"")), Ok(""));
    let mut stored = DeflateEncoder::new(Vec::new(), Compression::none());
    stored.write_all(b"pong").expect("memory does not fail");
    assert_eq!(inflater.inflate(&stored.finish().expect("memory does not fail")), Ok("pong"));
}

#[test]
fn the_limit_is_exact() {
    let mut inflater = Inflater::with_limit(100_000);
    let fits = "x".repeat(100_000);
    assert_eq!(inflater.inflate(&deflate(fits.as_bytes())), Ok(fits.as_str()));
    let over = "x".repeat(100_001);
    assert_eq!(
        inflater.inflate(&deflate(over.as_bytes())),
        Err(InflateError::TooLarge { limit: 100_000 })
    );
    assert_eq!(inflater.inflate(&deflate(fits.as_bytes())), Ok(fits.as_str()));
}

#[test]
fn a_bomb_is_refused_without_taking_its_memory() {
    let bomb = deflate(&vec![b' '; 64 << 20]);
    let mut inflater = Inflater::with_limit(1 << 20);
    assert_eq!(inflater.inflate(&bomb), Err(InflateError::TooLarge { limit: 1 << 20 }));
    assert!(inflater.output.capacity() <= (1 << 20) + 64, "{}", inflater.output.capacity());
    assert_eq!(inflater.inflate(&deflate(b"next")), Ok("next"));
}

#[test]
fn refused_frames_leave_the_inflater_usable() {
    let good = deflate(br#"{"table":"spot/trade","data":[]}"#);
    let mut inflater = Inflater::new();
    let refused: [(&[u8], InflateError); 5] = [
        (&[0xff; 40], InflateError::Corrupt),
        (&[], InflateError::Truncated),
        (&good[..good.len() - 1], InflateError::Truncated),
        (&good[..1], InflateError::Truncated),
        (&deflate(&[0xc3, 0x28]), InflateError::NotText),
    ];
    for (frame, expected) in refused {
        assert_eq!(inflater.inflate(frame), Err(expected));
        assert_eq!(inflater.inflate(&good), Ok(r#"{"table":"spot/trade","data":[]}"#));
    }
}

#[test]
fn bytes_after_the_stream_are_ignored() {
    let mut frame = deflate(b"text");
    frame.extend_from_slice(&[0, 0, 0xff, 0xff]);
    assert_eq!(Inflater::new().inflate(&frame), Ok("text"));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(frames in proptest::collection::vec(any::<Vec<u8>>(), 1..8)) {
        let mut inflater = Inflater::with_limit(1 << 16);
        for frame in frames {
            prop_assert!(inflater.inflate(&frame).is_err() || inflater.output.len() <= 1 << 16);
        }
        prop_assert_eq!(inflater.inflate(&deflate(b"still works")), Ok("still works"));
    }

    #[test]
    fn any_text_comes_back(texts in proptest::collection::vec("\\PC{0,400}", 1..6)) {
        let mut inflater = Inflater::new();
        for text in texts {
            prop_assert_eq!(inflater.inflate(&deflate(text.as_bytes())), Ok(text.as_str()));
        }
    }
}
