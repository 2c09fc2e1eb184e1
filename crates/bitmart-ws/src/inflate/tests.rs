//! Compressed frames: independent of each other, bounded, and cut off.

use std::io::Write as _;

use bitmart_testkit::deflate;
use flate2::{Compression, write::DeflateEncoder};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::{InflateError, Inflater};

#[test]
fn frames_are_independent_in_any_order() {
    // Similar bodies, so that a window left over from the last frame would change the result.
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
            // 7 and 50 are coprime: each round visits all bodies in another order.
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
fn inflates_empty_and_stored_streams() {
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
fn rejects_a_bomb_without_allocating_its_size() {
    let bomb = deflate(vec![b' '; 64 << 20]);
    let mut inflater = Inflater::with_limit(1 << 20);
    assert_eq!(inflater.inflate(&bomb), Err(InflateError::TooLarge { limit: 1 << 20 }));
    assert!(inflater.output.capacity() <= (1 << 20) + 64, "{}", inflater.output.capacity());
    assert_eq!(inflater.inflate(&deflate(b"next")), Ok("next"));
}

#[test]
fn remains_usable_after_an_error() {
    let good = deflate(br#"{"table":"spot/trade","data":[]}"#);
    let mut inflater = Inflater::new();
    let rejected: [(&[u8], InflateError); 5] = [
        (&[0xff; 40], InflateError::Corrupt),
        (&[], InflateError::Truncated),
        (&good[..good.len() - 1], InflateError::Truncated),
        (&good[..1], InflateError::Truncated),
        (&deflate([0xc3, 0x28]), InflateError::NotText),
    ];
    for (frame, expected) in rejected {
        assert_eq!(inflater.inflate(frame), Err(expected));
        assert_eq!(inflater.inflate(&good), Ok(r#"{"table":"spot/trade","data":[]}"#));
    }
}

#[test]
fn counts_bytes_after_the_stream() {
    let mut inflater = Inflater::new();
    for (trailing, count) in [(&[][..], 0), (&[0, 0, 0xff, 0xff], 0), (b"x", 1), (&[0; 9], 9)] {
        let frame = [&deflate(b"text"), trailing].concat();
        assert_eq!(inflater.inflate(&frame), Ok("text"));
        assert_eq!(inflater.trailing(), count);
    }
    assert_eq!(inflater.inflate(&deflate(b"next")), Ok("next"));
    assert_eq!(inflater.trailing(), 0, "of the last frame only");
}

/// Compresses with a sync flush instead of a final block.
fn flushed(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).and_then(|()| encoder.flush()).expect("memory does not fail");
    let frame = encoder.get_ref().clone();
    assert!(frame.ends_with(&[0, 0, 0xff, 0xff]));
    frame
}

#[test]
fn accepts_frames_that_end_with_a_flush_with_or_without_its_tail() {
    let text = r#"{"table":"spot/ticker","data":[]}"#.repeat(40);
    let mut inflater = Inflater::new();
    for level in [Compression::none(), Compression::fast(), Compression::best()] {
        for body in ["", "x", text.as_str()] {
            let frame = flushed(body.as_bytes(), level);
            assert_eq!(inflater.inflate(&frame), Ok(body));
            assert_eq!(inflater.inflate(&frame[..frame.len() - 4]), Ok(body));
            assert_eq!(inflater.trailing(), 0);
        }
    }
    let bomb = flushed(&vec![b' '; 1 << 20], Compression::best());
    let mut small = Inflater::with_limit(1000);
    assert_eq!(small.inflate(&bomb), Err(InflateError::TooLarge { limit: 1000 }));
    assert_eq!(small.inflate(&bomb[..bomb.len() - 4]), Err(InflateError::TooLarge { limit: 1000 }));
}

#[test]
fn rejects_a_flushed_frame_that_is_truncated_anywhere() {
    let text = r#"{"table":"spot/ticker","data":[{"last_price":"67000.01"}]}"#.repeat(8);
    let frame = flushed(text.as_bytes(), Compression::default());
    let mut inflater = Inflater::new();
    // The last four bytes contain no text.
    for cut in 0..frame.len() - 4 {
        let read = inflater.inflate(&frame[..cut]);
        assert!(read.is_err(), "cut at {cut}: {read:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_inflate_without_panic(frames in proptest::collection::vec(any::<Vec<u8>>(), 1..8)) {
        let mut inflater = Inflater::with_limit(1 << 16);
        for frame in frames {
            prop_assert!(inflater.inflate(&frame).is_err() || inflater.output.len() <= 1 << 16);
        }
        prop_assert_eq!(inflater.inflate(&deflate(b"still works")), Ok("still works"));
    }

    #[test]
    fn inflates_any_text(texts in proptest::collection::vec("\\PC{0,400}", 1..6)) {
        let mut inflater = Inflater::new();
        for text in texts {
            prop_assert_eq!(inflater.inflate(&deflate(text.as_bytes())), Ok(text.as_str()));
        }
    }
}
