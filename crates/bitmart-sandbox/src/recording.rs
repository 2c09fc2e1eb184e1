//! Recorded frames: the format, a writer and a reader. See `docs/recording.md`.
//!
//! A recording is lines of JSON in gzip members that follow each other: `zcat FILE` shows it. The first line
//! says what it is, every other one is a frame as it came (after inflate), or something that happened to a
//! subscription. A member is finished and synced by [`Writer::flush`]: a program that dies loses what came
//! after the last one, and the reader takes every whole line before the tear.
//!
//! ```
//! use bitmart_sandbox::recording::{Entry, Header, Reader, Writer};
//!
//! let mut file = Vec::new();
//! let mut writer = Writer::new(&mut file, &Header::new("live", ["spot/trade:BTC_USDT"]))?;
//! let frame = r#"{"table":"spot/trade","data":[]}"#;
//! writer.write(&Entry::frame(1_700_000_000_000_000, "spot/trade:BTC_USDT", frame))?;
//! writer.finish()?;
//!
//! let reader = Reader::new(file.as_slice())?;
//! assert_eq!(reader.header().source, "live");
//! let entries: Result<Vec<_>, _> = reader.collect();
//! assert_eq!(entries?[0].frame.as_deref(), Some(frame));
//! # Ok::<(), bitmart_sandbox::recording::RecordingError>(())
//! ```

mod reader;
mod writer;

use std::{error, fmt, io};

use serde::{Deserialize, Serialize};

pub use self::{reader::Reader, writer::Writer};

/// What the first line says the file is.
const FORMAT: &str = "bitmart-recording";
const VERSION: u32 = 1;
/// Longest line that is read, in bytes.
pub const LONGEST_LINE: usize = 4 << 20;

/// The first line of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Header {
    format: String,
    version: u32,
    /// Where the frames come from, as `live` or `sandbox`.
    pub source: String,
    /// The topics that were asked for, as on the wire.
    pub topics: Vec<String>,
}

impl Header {
    /// The header of a new recording.
    pub fn new<T: Into<String>>(
        source: impl Into<String>,
        topics: impl IntoIterator<Item = T>,
    ) -> Self {
        let topics = topics.into_iter().map(Into::into).collect();
        Self { format: FORMAT.to_owned(), version: VERSION, source: source.into(), topics }
    }
}

/// A line of a recording: a frame, or something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// When it came, in microseconds since 1970 by the recorder's clock.
    pub at: u64,
    /// The topic it came for, as it was subscribed: `spot/ticker:BTC_USDT`.
    pub topic: String,
    /// The text of the frame, character by character; inflated where the exchange deflates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<String>,
    /// What happened instead: `subscribed`, `reconnecting`, `resynced`, `lagged` and so on. Between
    /// `reconnecting` and `resynced`, and at `lagged`, frames are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Words about the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Entry {
    /// A frame of a topic.
    pub fn frame(at: u64, topic: impl Into<String>, text: impl Into<String>) -> Self {
        let frame = Some(text.into());
        Self { at, topic: topic.into(), frame, event: None, detail: None }
    }

    /// Something that happened to the subscription of a topic.
    pub fn event(
        at: u64,
        topic: impl Into<String>,
        event: impl Into<String>,
        detail: Option<String>,
    ) -> Self {
        Self { at, topic: topic.into(), frame: None, event: Some(event.into()), detail }
    }
}

/// Why a recording cannot be written or read.
#[derive(Debug)]
pub struct RecordingError(Problem);

#[derive(Debug)]
enum Problem {
    Io(io::Error),
    NoRecording,
    Version(u32),
    Line { number: u64, error: serde_json::Error },
    TooLong(u64),
}

impl From<io::Error> for RecordingError {
    fn from(error: io::Error) -> Self {
        Self(Problem::Io(error))
    }
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Problem::Io(_) => f.write_str("the recording cannot be written or read"),
            Problem::NoRecording => f.write_str("this is no recording"),
            Problem::Version(version) => {
                write!(f, "a recording of version {version}; this program reads {VERSION}")
            }
            Problem::Line { number, .. } => write!(f, "line {number} of the recording is broken"),
            Problem::TooLong(number) => write!(f, "line {number} of the recording is too long"),
        }
    }
}

impl error::Error for RecordingError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.0 {
            Problem::Io(error) => Some(error),
            Problem::Line { error, .. } => Some(error),
            Problem::NoRecording | Problem::Version(_) | Problem::TooLong(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
