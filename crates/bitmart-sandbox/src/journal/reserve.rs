//! The reserve: the entries that wait while the disk is full.
//!
//! It has two halves, which are written alternately, so that a power failure during a write leaves the content before
//! it. Each half begins with a header: sequence number, length of the content, and SHA-256 of the sequence number and
//! the content. The complete half with the higher number counts.
//!
//! Formerly the reserve had one part, with a header of length and SHA-256 of the content. That is still read.

use std::io;

use sha2::{Digest, Sha256};

use super::storage::Storage;

/// Size of the reserve in bytes: many times the size of the entries that wait at the same time. Unit tests copy it
/// often.
pub(super) const RESERVE_BYTES: usize = if cfg!(test) { 256 << 10 } else { 4 << 20 };
/// Size of a half in bytes.
pub(super) const HALF_BYTES: usize = RESERVE_BYTES / 2;
/// Size of the header of a half: sequence number, length and hash.
pub(super) const HEADER_BYTES: usize = 8 + 8 + 32;

/// The position in the reserve.
#[derive(Debug)]
pub(super) struct Reserve {
    /// The sequence number of the next write. Its lowest bit selects the half.
    next_number: u64,
}

impl Reserve {
    /// Reads the newest complete content, which is empty if there is none.
    pub(super) fn read(storage: &impl Storage) -> io::Result<(Self, Vec<u8>)> {
        let bytes = storage.read_reserve()?;
        let halves = [bytes.get(..HALF_BYTES), bytes.get(HALF_BYTES..)];
        let halves = halves.into_iter().flatten().filter_map(read_half);
        let Some((number, content)) = halves.max_by_key(|(number, _)| *number) else {
            // The next write must not touch the header of the former format, so it is to the second half.
            return Ok((
                Self { next_number: 1 },
                former_content(&bytes).unwrap_or_default().to_vec(),
            ));
        };
        Ok((Self { next_number: number.wrapping_add(1) }, content.to_vec()))
    }

    /// Replaces the content. When this returns, it survives a power failure; until then, the former content does.
    pub(super) fn write(&mut self, storage: &impl Storage, content: &[u8]) -> io::Result<()> {
        if content.len() > HALF_BYTES - HEADER_BYTES {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let (number, length) =
            (self.next_number.to_le_bytes(), (content.len() as u64).to_le_bytes());
        let bytes = [&number[..], &length, &hash(number, content), content].concat();
        let at = if self.next_number.is_multiple_of(2) { 0 } else { HALF_BYTES };
        storage.write_reserve(at, &bytes)?;
        self.next_number = self.next_number.wrapping_add(1);
        Ok(())
    }
}

fn hash(number: [u8; 8], content: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(number).chain_update(content).finalize().into()
}

/// The sequence number and the content of a complete half.
fn read_half(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (expected, rest) = rest.split_first_chunk::<32>()?;
    let content = rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    (hash(*number, content) == *expected).then_some((u64::from_le_bytes(*number), content))
}

/// The content of a reserve of the former format.
fn former_content(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (expected, rest) = rest.split_first_chunk::<32>()?;
    let content = rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    (Sha256::digest(content)[..] == expected[..]).then_some(content)
}
