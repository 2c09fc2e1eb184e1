//! Writing a recording.

use std::io::{self, Write};

use flate2::{Compression, write::GzEncoder};
use serde::Serialize;

use super::{Entry, Error, Header};

/// Size of the buffered lines at which a member is finished automatically, in bytes.
const MEMBER: usize = 256 << 10;

/// Writes a recording.
///
/// Entries written since the last [`flush`](Self::flush) are lost if the process is killed, so call it about
/// once a second. [`finish`](Self::finish) ends the recording; dropping the writer does not.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    /// The lines of the current gzip member.
    lines: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Starts a recording and writes its header.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn new(out: W, header: &Header) -> Result<Self, Error> {
        let mut writer = Self { out, lines: Vec::new() };
        writer.line(header)?;
        writer.flush()?;
        Ok(writer)
    }

    /// Writes an entry.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn write(&mut self, entry: &Entry) -> Result<(), Error> {
        self.line(entry)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), Error> {
        serde_json::to_writer(&mut self.lines, value).map_err(io::Error::from)?;
        self.lines.push(b'\n');
        if self.lines.len() >= MEMBER { self.flush() } else { Ok(()) }
    }

    /// Finishes the current gzip member, so that all entries so far survive the process. To survive a
    /// crash of the machine as well, sync the file afterwards through [`get_ref`](Self::get_ref).
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let mut member = GzEncoder::new(Vec::new(), Compression::default());
        member.write_all(&self.lines)?;
        // In one write, so that a killed process rarely leaves half a member.
        self.out.write_all(&member.finish()?)?;
        self.out.flush()?;
        self.lines.clear();
        Ok(())
    }

    /// Returns the output.
    pub fn get_ref(&self) -> &W {
        &self.out
    }

    /// Ends the recording and returns the output.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn finish(mut self) -> Result<W, Error> {
        self.flush()?;
        Ok(self.out)
    }
}
