//! Decompression of binary frames.

#[cfg(feature = "client")]
mod pool;

use std::{error, fmt, str};

use flate2::{Decompress, FlushDecompress, Status};

#[cfg(feature = "client")]
pub(crate) use pool::InflaterPool;

/// Default limit of an [`Inflater`]: 4 MiB of text. A book of 100 levels a side needs less than 10 KiB.
pub const DEFAULT_LIMIT: usize = 4 << 20;

/// Initial capacity of the output buffer, enough for every documented frame.
const INITIAL_CAPACITY: usize = 16 << 10;

/// The last four bytes of a sync flush: the length of an empty stored block, 0, and its complement (RFC 1951).
const SYNC_FLUSH: [u8; 4] = [0, 0, 0xff, 0xff];

/// An empty stored block that is marked as the final one (RFC 1951).
const FINAL_BLOCK: [u8; 5] = [1, 0, 0, 0xff, 0xff];

/// Decompresses binary frames. Each frame is an independent raw deflate stream without header or
/// checksum.
///
/// Contains a decompressor (about 47 KiB) and an output buffer, which are reused for each frame. After
/// an error the inflater remains usable.
pub struct Inflater {
    decompress: Decompress,
    output: Vec<u8>,
    limit: usize,
    /// See [`trailing`](Self::trailing).
    trailing: usize,
}

impl Inflater {
    /// Creates an inflater that rejects frames of more than [`DEFAULT_LIMIT`] bytes of text.
    pub fn new() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }

    /// Creates an inflater that rejects frames of more than `limit` bytes of text.
    pub fn with_limit(limit: usize) -> Self {
        // `limit + 1` must not overflow.
        Self {
            decompress: Decompress::new(false),
            output: Vec::new(),
            limit: limit.min(usize::MAX - 1),
            trailing: 0,
        }
    }

    /// Returns the text of one frame. The stream may end with a sync flush instead of a final block,
    /// with or without the last four bytes of the flush. Bytes after the end of the compressed stream
    /// are ignored; [`trailing`](Self::trailing) returns their number.
    ///
    /// # Errors
    ///
    /// The bytes are not deflate, end early, exceed the limit or are not UTF-8.
    pub fn inflate(&mut self, frame: &[u8]) -> Result<&str, InflateError> {
        self.decompress.reset(false);
        self.output.clear();
        self.trailing = 0;
        // The output may grow to one byte above the limit, which shows that a frame is too large.
        self.output.reserve_exact(INITIAL_CAPACITY.min(self.limit + 1));
        match self.feed(frame)? {
            Some(rest) if rest != SYNC_FLUSH => self.trailing = rest.len(),
            Some(_) => {}
            None => self.check_flushed(frame)?,
        }
        str::from_utf8(&self.output).map_err(|_| InflateError::NotText)
    }

    /// Returns the number of bytes that follow the compressed stream in the last frame. The last
    /// bytes of a sync flush do not count.
    pub fn trailing(&self) -> usize {
        self.trailing
    }

    /// Inflates bytes. If the compressed stream ends within them, returns those after its end.
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

    /// Checks that a stream without a final block ends at the end of a block, as after a sync flush, by appending an
    /// empty final block: anywhere else that fails or adds text.
    fn check_flushed(&mut self, frame: &[u8]) -> Result<(), InflateError> {
        let length = self.output.len();
        let mut feed = |bytes| match self.feed(bytes) {
            Ok(rest) => Ok(rest),
            Err(InflateError::TooLarge { limit }) => Err(InflateError::TooLarge { limit }),
            Err(_) => Err(InflateError::Truncated),
        };
        if !frame.ends_with(&SYNC_FLUSH) && feed(&SYNC_FLUSH)?.is_some() {
            return Err(InflateError::Truncated);
        }
        let ended = feed(&FINAL_BLOCK)? == Some(&[]);
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

/// The error of decompressing a binary frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InflateError {
    /// Not a raw deflate stream.
    Corrupt,
    /// The stream ends within a block.
    Truncated,
    /// More text than the limit: a faulty peer or a decompression bomb.
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
