//! Where a stream of TLS stands.

/// Where a stream of TLS records stands. A record is five bytes of head, of which the last two are
/// the length of what follows (RFC 8446, section 5.1).
#[derive(Debug, Default)]
pub(crate) struct Records {
    head: [u8; 5],
    head_length: usize,
    left: usize,
}

impl Records {
    pub(crate) fn count(&mut self, mut bytes: &[u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let taken = self.left.min(bytes.len());
                self.left -= taken;
                bytes = bytes.get(taken..).unwrap_or_default();
                continue;
            }
            bytes = rest;
            if let Some(place) = self.head.get_mut(self.head_length) {
                *place = first;
            }
            self.head_length += 1;
            if self.head_length == self.head.len() {
                self.left = usize::from(u16::from_be_bytes([self.head[3], self.head[4]]));
                self.head_length = 0;
            }
        }
    }

    /// Whether a record has begun and not ended.
    pub(crate) fn is_amid(&self) -> bool {
        self.left > 0 || self.head_length > 0
    }
}

#[cfg(test)]
mod tests {
    use super::Records;

    #[test]
    fn records_are_counted_however_they_are_cut() {
        let stream = [&[23, 3, 3, 0, 3, 1, 2, 3, 22, 3, 3, 0, 0, 23, 3, 3, 1, 4][..], &[0; 260]];
        let stream = stream.concat();
        let ends = [8, 13, stream.len()];
        for piece in 1..20 {
            let mut records = Records::default();
            let mut seen = 0;
            for bytes in stream.chunks(piece) {
                records.count(bytes);
                seen += bytes.len();
                assert_eq!(records.is_amid(), !ends.contains(&seen), "{seen} in pieces of {piece}");
            }
        }
    }
}
