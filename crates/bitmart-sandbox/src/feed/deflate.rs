//! Compression of frames with raw deflate.

use flate2::{Compress, Compression, FlushCompress, Status};

/// A compressor that is reset for every frame, because clients inflate each binary frame separately.
#[derive(Debug)]
pub(super) struct Deflater(Compress);

impl Deflater {
    pub(super) fn new() -> Self {
        Self(Compress::new(Compression::fast(), false))
    }

    pub(super) fn compress(&mut self, text: &[u8]) -> Vec<u8> {
        self.0.reset();
        let mut compressed = Vec::with_capacity(text.len() / 2 + 64);
        loop {
            let done = usize::try_from(self.0.total_in()).unwrap_or(text.len()).min(text.len());
            match self.0.compress_vec(&text[done..], &mut compressed, FlushCompress::Finish) {
                Ok(Status::StreamEnd) | Err(_) => return compressed,
                Ok(_) => compressed.reserve(text.len() / 2 + 64),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn every_frame_inflates_separately() {
        let mut deflater = Deflater::new();
        for text in ["", "{}", &"abc".repeat(5_000)] {
            let compressed = deflater.compress(text.as_bytes());
            let mut back = String::new();
            flate2::read::DeflateDecoder::new(&compressed[..])
                .read_to_string(&mut back)
                .expect("raw deflate");
            assert_eq!(back, text);
        }
    }
}
