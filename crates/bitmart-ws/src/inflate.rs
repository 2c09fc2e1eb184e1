//! Decompression of binary frames.

#[cfg(feature = "client")]
mod shared;

use std::{error, fmt, str};

use flate2::{Decompress, FlushDecompress, Status};

#[cfg(feature = "client")]
pub(crate) use shared::Inflaters;

/// Largest text that a default [`Inflater`] gives out: 4 MiB. A book of 100 levels a side takes
/// under 10 KiB.
pub const DEFAULT_LIMIT: usize = 4 << 20;

/// Enough for every documented frame, so that steady operation does not grow the buffer.
const FIRST_CAPACITY: usize = 16 << 10;

/// The bytes that close a sync flush: the length of a stored block of no bytes.
const FLUSH: [u8; 4] = [0, 0, 0xff, 0xff];

/// A final stored block of no bytes.
const LAST: [u8; 5] = [1, 0, 0, 0xff, 0xff];

/// Inflates binary frames: each is one raw deflate stream of its own, without header or checksum.
///
/// Holds one decompressor (about 47 KiB) and one output buffer, both used again for each frame.
/// Frames do not depend on each other; a refused frame leaves the inflater as good as new.
pub struct Inflater {
    decompress: Decompress,
    output: Vec<u8>,
    limit: usize,
    trailing: usize,
}

impl Inflater {
    /// An inflater that refuses frames of more than [`DEFAULT_LIMIT`] bytes of text.
    pub fn new() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }

    /// An inflater that refuses frames of more than `limit` bytes of text.
    pub fn with_limit(limit: usize) -> Self {
        // One byte above the limit must be expressible.
        Self {
            decompress: Decompress::new(false),
            output: Vec::new(),
            limit: limit.min(usize::MAX - 1),
            trailing: 0,
        }
    }

    /// The text of one frame. It may end by a sync flush instead of a final block, with or without
    /// the four bytes that close the flush. Bytes after the end of the compressed stream are not
    /// read; [`trailing`](Self::trailing) says how many there were.
    ///
    /// # Errors
    ///
    /// The bytes are not deflate, end early, hold more than the limit or are not UTF-8.
    pub fn inflate(&mut self, frame: &[u8]) -> Result<&str, InflateError> {
        self.decompress.reset(false);
        self.output.clear();
        self.trailing = 0;
        // The output may grow to one byte above the limit: what reaches it is too large.
        self.output.reserve_exact(FIRST_CAPACITY.min(self.limit + 1));
        match self.feed(frame)? {
            Some(rest) if rest != FLUSH => self.trailing = rest.len(),
            Some(_) => {}
            None => self.end_flushed(frame)?,
        }
        str::from_utf8(&self.output).map_err(|_| InflateError::NotText)
    }

    /// How many bytes of the last frame came after the end of its compressed stream. The closing
    /// bytes of a flush do not count: they hold nothing.
    pub fn trailing(&self) -> usize {
        self.trailing
    }

    /// Inflates these bytes. Gives what is left of them if the stream ends within.
    fn feed<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<&'a [u8]>, InflateError> {
        let mut rest = bytes;
        loop {
            let before = self.decompress.total_in();
            let status = self
                .decompress
                .decompress_vec(rest, &mut self.output, FlushDecompress::None)
                .map_err(|_| InflateError::Corrupt)?;
            let consumed =
                usize::try_from(self.decompress.total_in() - before).unwrap_or(usize::MAX);
            rest = rest.get(consumed..).unwrap_or_default();
            if self.output.len() > self.limit {
                return Err(InflateError::TooLarge { limit: self.limit });
            }
            if status == Status::StreamEnd {
                return Ok(Some(rest));
            }
            if self.output.len() < self.output.capacity() {
                return Ok(None);
            }
            let more = self.output.len().min(self.limit + 1 - self.output.len());
            self.output.reserve_exact(more);
        }
    }

    /// Whether a stream without a final block ends at the border of a block, where a flush leaves it.
    /// A final block of no bytes then fits behind it, and nowhere else.
    fn end_flushed(&mut self, frame: &[u8]) -> Result<(), InflateError> {
        let length = self.output.len();
        let mut feed = |bytes| match self.feed(bytes) {
            Ok(rest) => Ok(rest),
            Err(InflateError::TooLarge { limit }) => Err(InflateError::TooLarge { limit }),
            Err(_) => Err(InflateError::Truncated),
        };
        if !frame.ends_with(&FLUSH) && feed(&FLUSH)?.is_some() {
            return Err(InflateError::Truncated);
        }
        let ended = feed(&LAST)? == Some(&[]);
        if ended && self.output.len() == length { Ok(()) } else { Err(InflateError::Truncated) }
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// Why a binary frame was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InflateError {
    /// Not a raw deflate stream.
    Corrupt,
    /// The stream ends within a block.
    Truncated,
    /// More text than allowed: a broken peer or a decompression bomb.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The content is not UTF-8.
    NotText,
}

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt => f.write_str("binary frame is not a raw deflate stream"),
            Self::Truncated => f.write_str("binary frame ends before its compressed stream does"),
            Self::TooLarge { limit } => {
                write!(f, "binary frame inflates to more than {limit} bytes")
            }
            Self::NotText => f.write_str("binary frame inflates to bytes that are not UTF-8"),
        }
    }
}

impl error::Error for InflateError {}

#[cfg(test)]
mod tests;
