//! Why a frame could not be decoded.

use std::{error, fmt};

use smol_str::SmolStr;

/// A data frame does not fit the type of its events.
///
/// Names the channel, the place and the reason. It holds nothing of the payload, so it may be
/// logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    kind: DecodeErrorKind,
    channel: Option<SmolStr>,
    path: String,
    line: usize,
    column: usize,
}

/// What is wrong with the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// Not valid JSON.
    Syntax,
    /// Ends in the middle.
    Truncated,
    /// Valid JSON, but a value is missing or of another type than the model says.
    Shape,
}

impl DecodeError {
    pub(super) fn new(frame: &str, path: String, error: &serde_json::Error) -> Self {
        let kind = match error.classify() {
            serde_json::error::Category::Eof => DecodeErrorKind::Truncated,
            serde_json::error::Category::Data => DecodeErrorKind::Shape,
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
                DecodeErrorKind::Syntax
            }
        };
        Self {
            kind,
            channel: crate::peek::channel(frame).map(SmolStr::new),
            path,
            line: error.line(),
            column: error.column(),
        }
    }

    /// What is wrong.
    pub fn kind(&self) -> DecodeErrorKind {
        self.kind
    }

    /// The channel of the frame, when the frame names one.
    pub fn channel(&self) -> Option<&str> {
        self.channel.as_deref()
    }

    /// Where in the frame, such as `data[0].price`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Line and column, from 1, at which decoding stopped.
    pub fn position(&self) -> (usize, usize) {
        (self.line, self.column)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.kind {
            DecodeErrorKind::Syntax => "is not valid JSON",
            DecodeErrorKind::Truncated => "ends too early",
            DecodeErrorKind::Shape => "does not fit the type of its events",
        };
        let channel = self.channel().unwrap_or("without a channel");
        write!(
            f,
            "frame {channel} {reason} at {} (line {}, column {})",
            self.path, self.line, self.column
        )
    }
}

impl error::Error for DecodeError {}
