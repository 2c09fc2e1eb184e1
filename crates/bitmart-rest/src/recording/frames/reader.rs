//! Reading a recording.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

use super::{Entry, Error, FORMAT, Header, MAX_LINE, Problem, VERSION};

/// Iterates over the entries of a recording.
///
/// A truncated file, left by a killed process or an interrupted copy, is not an error: all complete entries
/// are returned, and [`is_truncated`](Self::is_truncated) is true afterwards. A line takes at most
/// [`MAX_LINE`] bytes of memory.
#[derive(Debug)]
pub struct Reader<R: Read> {
    lines: BufReader<MultiGzDecoder<R>>,
    header: Header,
    /// Number of the last line that was read.
    number: u64,
    truncated: bool,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Opens a recording and reads its header.
    ///
    /// # Errors
    /// If the input cannot be read, is not a recording, or has an unsupported version.
    pub fn new(input: R) -> Result<Self, Error> {
        let header = Header::new("", [""; 0]);
        let lines = BufReader::new(MultiGzDecoder::new(input));
        let mut reader = Self { lines, header, number: 0, truncated: false, ended: false };
        let line = match reader.line() {
            Ok(Some(line)) => line,
            Ok(None) => return Err(Error(Problem::NotARecording)),
            Err(Error(Problem::Io(error))) if is_truncation(&error) => {
                return Err(Error(Problem::NotARecording));
            }
            Err(error) => return Err(error),
        };
        let header: Header =
            serde_json::from_slice(&line).map_err(|_| Error(Problem::NotARecording))?;
        if header.format != FORMAT {
            return Err(Error(Problem::NotARecording));
        }
        if header.version != VERSION {
            return Err(Error(Problem::Version(header.version)));
        }
        reader.header = header;
        Ok(reader)
    }

    /// Returns the header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whether the end of the recording is missing. Known once the last entry has been returned.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// The next complete line; `None` at the end and where the file is truncated.
    fn line(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut line = Vec::new();
        self.number += 1;
        let limit = MAX_LINE as u64 + 1;
        match Read::take(&mut self.lines, limit).read_until(b'\n', &mut line) {
            Ok(0) => Ok(None),
            Ok(_) if line.last() == Some(&b'\n') => Ok(Some(line)),
            Ok(_) if line.len() > MAX_LINE => Err(Error(Problem::TooLong { line: self.number })),
            Ok(_) => {
                self.truncated = true;
                Ok(None)
            }
            Err(error) if is_truncation(&error) && self.number > 1 => {
                self.truncated = true;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether the input ends within a gzip member, or is followed by something else.
fn is_truncation(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData
    )
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.line().and_then(|line| {
            let Some(line) = line else { return Ok(None) };
            let number = self.number;
            let malformed = |error| Error(Problem::Malformed { line: number, error });
            serde_json::from_slice(&line).map(Some).map_err(malformed)
        });
        // Lines after a malformed one cannot be trusted.
        self.ended = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}
