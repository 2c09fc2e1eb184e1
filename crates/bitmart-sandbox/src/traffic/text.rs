//! The texts of one record.

use std::{borrow::Cow, fmt, ops::Range};

/// Bytes that are reserved: enough for most requests and their responses. Common allocators keep what is at most
/// 1,032 bytes for the thread that frees it; more is taken from memory that the threads share, with a lock.
const RESERVED: usize = 1_000;

/// A text of a record.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Path,
    Query,
    Headers,
    Body,
    Response,
    ResponseHeaders,
}

/// All texts of a record in one allocation.
///
/// They are copies: sharing the memory of the server would be quicker for large bodies only, and would keep all of
/// the buffer into which a connection reads.
#[derive(Clone, Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    parts: [Range<usize>; 6],
}

impl Text {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::with_capacity(RESERVED), parts: Default::default() }
    }

    /// Sets a part to the bytes that `write` appends.
    pub(super) fn write(&mut self, part: Part, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        if let Some(range) = self.parts.get_mut(part as usize) {
            *range = start..self.bytes.len();
        }
    }

    pub(super) fn get(&self, part: Part) -> &[u8] {
        let range = self.parts.get(part as usize).cloned().unwrap_or_default();
        self.bytes.get(range).unwrap_or_default()
    }

    pub(super) fn lossy(&self, part: Part) -> Cow<'_, str> {
        String::from_utf8_lossy(self.get(part))
    }

    /// Its size in memory in bytes.
    pub(super) fn weight(&self) -> usize {
        self.bytes.capacity()
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text").finish_non_exhaustive()
    }
}
