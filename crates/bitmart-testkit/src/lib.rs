//! Benchmark harness and test helpers of this workspace. Not published.

pub mod bench;
pub mod canary;
pub mod capture;

use std::io::Write as _;

use flate2::{Compression, write::DeflateEncoder};

/// Deflates bytes without a header, as the exchange does with frames of market data.
///
/// # Panics
/// Never: writing to memory does not fail.
pub fn deflate(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes.as_ref()).and_then(|()| encoder.finish()).expect("memory does not fail")
}
