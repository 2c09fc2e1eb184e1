//! Tracking of TLS record boundaries.

/// Tracks the position in a stream of TLS records. A record has a header of five bytes, of which the
/// last two are the length of its payload (RFC 8446, section 5.1).
#[derive(Debug, Default)]
pub(crate) struct Records {
    header: [u8; 5],
    header_length: usize,
    remaining: usize,
}

impl Records {
    pub(crate) fn advance(&mut self, mut bytes: &[u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            if self.remaining > 0 {
                let skipped = self.remaining.min(bytes.len());
                self.remaining -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            bytes = rest;
            if let Some(byte) = self.header.get_mut(self.header_length) {
                *byte = first;
            }
            self.header_length += 1;
            if self.header_length == self.header.len() {
                self.remaining = usize::from(u16::from_be_bytes([self.header[3], self.header[4]]));
                self.header_length = 0;
            }
        }
    }

    /// Whether the stream is inside a record.
    pub(crate) fn is_mid_record(&self) -> bool {
        self.remaining > 0 || self.header_length > 0
    }
}

#[cfg(test)]
mod tests {
    use super::Records;

    #[test]
    fn finds_record_boundaries_for_any_chunk_size() {
        let stream = [&[23, 3, 3, 0, 3, 1, 2, 3, 22, 3, 3, 0, 0, 23, 3, 3, 1, 4][..], &[0; 260]];
        let stream = stream.concat();
        let ends = [8, 13, stream.len()];
        for size in 1..20 {
            let mut records = Records::default();
            let mut seen = 0;
            for bytes in stream.chunks(size) {
                records.advance(bytes);
                seen += bytes.len();
                assert_eq!(
                    records.is_mid_record(),
                    !ends.contains(&seen),
                    "{seen} in chunks of {size}"
                );
            }
        }
    }
}
