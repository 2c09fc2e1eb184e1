//! Reading a recording.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

use super::{Entry, FORMAT, Header, LONGEST_LINE, Problem, RecordingError, VERSION};

/// The entries of a recording, one by one.
///
/// A tail that was torn off, by a program that died or a copy that broke off, is no error: the entries before
/// it come, and then [`is_torn`](Self::is_torn) says so. A line takes at most [`LONGEST_LINE`] bytes of
/// memory.
#[derive(Debug)]
pub struct Reader<R: Read> {
    lines: BufReader<MultiGzDecoder<R>>,
    header: Header,
    number: u64,
    torn: bool,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the first line.
    ///
    /// # Errors
    /// When it cannot be read, is no recording, or is one of another version.
    pub fn new(input: R) -> Result<Self, RecordingError> {
        let header = Header::new("", [""; 0]);
        let lines = BufReader::new(MultiGzDecoder::new(input));
        let mut reader = Self { lines, header, number: 0, torn: false, ended: false };
        let line = match reader.line() {
            Ok(Some(line)) => line,
            Ok(None) => return Err(RecordingError(Problem::NoRecording)),
            Err(RecordingError(Problem::Io(error))) if is_tear(&error) => {
                return Err(RecordingError(Problem::NoRecording));
            }
            Err(error) => return Err(error),
        };
        let header: Header =
            serde_json::from_slice(&line).map_err(|_| RecordingError(Problem::NoRecording))?;
        if header.format != FORMAT {
            return Err(RecordingError(Problem::NoRecording));
        }
        if header.version != VERSION {
            return Err(RecordingError(Problem::Version(header.version)));
        }
        reader.header = header;
        Ok(reader)
    }

    /// What the first line says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whether the end of the recording is missing; known when the last entry has come.
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    /// The next whole line; none at the end and at a tear.
    fn line(&mut self) -> Result<Option<Vec<u8>>, RecordingError> {
        let mut line = Vec::new();
        self.number += 1;
        let longest = LONGEST_LINE as u64 + 1;
        match Read::take(&mut self.lines, longest).read_until(b'\n', &mut line) {
            Ok(0) => Ok(None),
            Ok(_) if line.last() == Some(&b'\n') => Ok(Some(line)),
            Ok(_) if line.len() > LONGEST_LINE => {
                Err(RecordingError(Problem::TooLong(self.number)))
            }
            Ok(_) => {
                self.torn = true;
                Ok(None)
            }
            Err(error) if is_tear(&error) && self.number > 1 => {
                self.torn = true;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The stream ends within a member, or what follows the last one is none.
fn is_tear(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData
    )
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Entry, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.line().and_then(|line| {
            let Some(line) = line else { return Ok(None) };
            let number = self.number;
            let broken = |error| RecordingError(Problem::Line { number, error });
            serde_json::from_slice(&line).map(Some).map_err(broken)
        });
        // Behind an error nothing can be trusted.
        self.ended = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}
