//! Writing a recording.

use std::io::{self, Write};

use flate2::{Compression, write::GzEncoder};
use serde::Serialize;

use super::{Entry, Header, RecordingError};

/// Bytes of lines after which a member is finished by itself.
const MEMBER: usize = 256 << 10;

/// Writes a recording to a file or anything else.
///
/// What was written since the last [`flush`](Self::flush) is lost when the program dies; call it every
/// second or so. [`finish`](Self::finish) ends the recording; dropping the writer does not.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    /// The lines of the member that is not finished yet.
    lines: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a recording.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(out: W, header: &Header) -> Result<Self, RecordingError> {
        let mut writer = Self { out, lines: Vec::new() };
        writer.line(header)?;
        writer.flush()?;
        Ok(writer)
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, entry: &Entry) -> Result<(), RecordingError> {
        self.line(entry)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), RecordingError> {
        serde_json::to_writer(&mut self.lines, value).map_err(io::Error::from)?;
        self.lines.push(b'\n');
        if self.lines.len() >= MEMBER { self.flush() } else { Ok(()) }
    }

    /// Finishes the present member: what was written so far outlives the program. For a file that is to
    /// outlive the machine too, sync it then ([`get_ref`](Self::get_ref)).
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> Result<(), RecordingError> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let mut member = GzEncoder::new(Vec::new(), Compression::default());
        member.write_all(&self.lines)?;
        // In one piece, so that the tear of a program that dies is seldom within a member.
        self.out.write_all(&member.finish()?)?;
        self.out.flush()?;
        self.lines.clear();
        Ok(())
    }

    /// What is written to.
    pub fn get_ref(&self) -> &W {
        &self.out
    }

    /// Ends the recording and gives back what was written to.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<W, RecordingError> {
        self.flush()?;
        Ok(self.out)
    }
}
