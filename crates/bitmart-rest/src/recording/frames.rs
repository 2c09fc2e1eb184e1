//! Recordings of WebSocket frames: the file format, a writer and a reader. See `docs/recording.md`.
//!
//! A recording is lines of JSON, compressed as consecutive gzip members: `zcat FILE` prints it. The first
//! line is a header. Every other line is a frame as received (after inflating), or a subscription event.
//! [`Writer::flush`] finishes a member: a process that is killed loses what came after the last flush, and
//! the reader returns every complete line before that point.
//!
//! ```
//! use bitmart_rest::recording::frames::{Entry, Header, Reader, Writer};
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
//! # Ok::<(), bitmart_rest::recording::frames::Error>(())
//! ```

mod reader;
mod writer;

use std::{fmt, io};

use serde::{Deserialize, Serialize};

pub use self::{reader::Reader, writer::Writer};

/// The value of `format` in the header.
const FORMAT: &str = "bitmart-recording";
const VERSION: u32 = 1;
/// Maximum length of a line that is read, in bytes.
pub const MAX_LINE: usize = 4 << 20;

/// The first line of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Header {
    format: String,
    version: u32,
    /// The environment that sent the frames, such as `live` or `sandbox`.
    pub source: String,
    /// The subscribed topics by their names on the wire.
    pub topics: Vec<String>,
}

impl Header {
    /// Creates the header of a new recording.
    pub fn new<T: Into<String>>(
        source: impl Into<String>,
        topics: impl IntoIterator<Item = T>,
    ) -> Self {
        let topics = topics.into_iter().map(Into::into).collect();
        Self { format: FORMAT.to_owned(), version: VERSION, source: source.into(), topics }
    }
}

/// A line of a recording: a frame or a subscription event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// Time of receipt in microseconds since 1970, by the clock of the recording machine.
    pub at: u64,
    /// The subscribed topic, such as `spot/ticker:BTC_USDT`.
    pub topic: String,
    /// The text of the frame, unchanged apart from inflating.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<String>,
    /// The subscription event: `subscribed`, `reconnecting`, `resynced`, `lagged` and so on. Frames are
    /// missing between `reconnecting` and `resynced`, and at `lagged`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Details of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Entry {
    /// Creates an entry for a frame of a topic.
    pub fn frame(at: u64, topic: impl Into<String>, text: impl Into<String>) -> Self {
        let frame = Some(text.into());
        Self { at, topic: topic.into(), frame, event: None, detail: None }
    }

    /// Creates an entry for an event of a topic's subscription.
    pub fn event(
        at: u64,
        topic: impl Into<String>,
        event: impl Into<String>,
        detail: Option<String>,
    ) -> Self {
        Self { at, topic: topic.into(), frame: None, event: Some(event.into()), detail }
    }
}

/// A recording that cannot be written or read.
#[derive(Debug)]
pub struct Error(Problem);

#[derive(Debug)]
enum Problem {
    Io(io::Error),
    NotARecording,
    Version(u32),
    Malformed { line: u64, error: serde_json::Error },
    TooLong { line: u64 },
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self(Problem::Io(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Problem::Io(_) => f.write_str("the recording cannot be written or read"),
            Problem::NotARecording => f.write_str("this is not a recording"),
            Problem::Version(version) => {
                write!(
                    f,
                    "the recording has version {version}; only version {VERSION} is supported"
                )
            }
            Problem::Malformed { line, .. } => {
                write!(f, "line {line} of the recording is malformed")
            }
            Problem::TooLong { line } => write!(f, "line {line} of the recording is too long"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Problem::Io(error) => Some(error),
            Problem::Malformed { error, .. } => Some(error),
            Problem::NotARecording | Problem::Version(_) | Problem::TooLong { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
