//! The error of decoding a frame or an entry.

use std::borrow::Cow;
use std::sync::Arc;
use std::{error, fmt};

use bitmart_types::RowFault;
use bitmart_types::json::JsonFault;
use serde_json::error::Category;
use smol_str::SmolStr;

/// Largest number of bytes that a [`DecodeError`] keeps of the undecodable entry or frame.
pub const MAX_RAW_BYTES: usize = 4096;

/// Longest reason in characters.
const MAX_REASON_CHARS: usize = 160;

/// A data frame, or one entry of it, could not be decoded.
///
/// Contains the channel, the path, the reason and the undecodable text. `Display` and `Debug` may be
/// logged: they omit that text, except that the reason may quote a value of a public channel. Cheap to
/// clone.
#[derive(Clone, PartialEq, Eq)]
pub struct DecodeError(Arc<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: DecodeErrorKind,
    channel: Option<SmolStr>,
    entry: Option<usize>,
    symbol: Option<SmolStr>,
    path: String,
    reason: String,
    line: usize,
    column: usize,
    raw: Box<[u8]>,
    raw_length: usize,
}

/// The kind of a [`DecodeError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// Not valid JSON.
    Syntax,
    /// JSON that ends early.
    Truncated,
    /// Valid JSON, but an essential member is missing or has the wrong type.
    Shape,
    /// The bytes do not inflate, or are not UTF-8.
    Encoding,
    /// Bytes follow the end of the compressed stream. The text before them was processed.
    Trailing,
}

impl DecodeError {
    pub(super) fn new(frame: &str, path: String, error: serde_json::Error) -> Self {
        let kind = match error.classify() {
            Category::Eof => DecodeErrorKind::Truncated,
            Category::Data => DecodeErrorKind::Shape,
            Category::Syntax | Category::Io => DecodeErrorKind::Syntax,
        };
        let channel = crate::peek::frame_name(frame);
        let (line, column) = (error.line(), error.column());
        let reason = if channel.is_some_and(is_public) {
            let text = error.to_string();
            let text = text.rfind(" at line ").map_or(&*text, |end| &text[..end]);
            text.chars().take(MAX_REASON_CHARS).collect()
        } else {
            JsonFault::from(error).reason().to_owned()
        };
        Self(Arc::new(Inner {
            kind,
            channel: channel.map(SmolStr::new),
            entry: None,
            symbol: None,
            path,
            reason,
            line,
            column,
            raw: truncated(frame.as_bytes()),
            raw_length: frame.len(),
        }))
    }

    /// Returns the fault of one row of a list in an entry.
    pub(crate) fn from_row(frame: &str, path: &str, fault: RowFault) -> Self {
        let dot = if fault.path.is_empty() || fault.path.starts_with('[') { "" } else { "." };
        Self(Arc::new(Inner {
            kind: DecodeErrorKind::Shape,
            channel: crate::peek::frame_name(frame).map(SmolStr::new),
            entry: Some(fault.index),
            symbol: None,
            path: format!("{path}{dot}{}", fault.path),
            reason: fault.reason,
            line: 0,
            column: 0,
            raw: truncated(fault.raw.as_bytes()),
            raw_length: fault.raw.len(),
        }))
    }

    /// Returns the fault of bytes that are not text.
    #[cfg(feature = "client")]
    pub(crate) fn from_bytes(kind: DecodeErrorKind, reason: &str, bytes: &[u8]) -> Self {
        Self(Arc::new(Inner {
            kind,
            channel: None,
            entry: None,
            symbol: None,
            path: String::new(),
            reason: reason.to_owned(),
            line: 0,
            column: 0,
            raw: truncated(bytes),
            raw_length: bytes.len(),
        }))
    }

    /// Returns the fault of an unknown text frame. `None` if it is valid JSON.
    #[cfg(feature = "client")]
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
        Some(Self::new(text, String::new(), error))
    }

    /// Turns the fault of a frame into that of one entry.
    pub(super) fn into_entry(
        self,
        index: usize,
        path: String,
        raw: &str,
        symbol: Option<SmolStr>,
    ) -> Self {
        let inner = Arc::unwrap_or_clone(self.0);
        // The position refers to a frame with this entry alone.
        let (line, column) = (0, 0);
        let (raw, raw_length) = (truncated(raw.as_bytes()), raw.len());
        let entry = Some(index);
        Self(Arc::new(Inner { entry, symbol, path, line, column, raw, raw_length, ..inner }))
    }

    /// Turns the fault of a frame into one that stands for all further faults of its entries.
    pub(super) fn into_last_fault(self) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        inner.reason.push_str("; too many entries cannot be decoded, only the first are reported");
        Self(Arc::new(inner))
    }

    /// Returns the kind of error.
    pub fn kind(&self) -> DecodeErrorKind {
        self.0.kind
    }

    /// Returns the name of the frame, the value of its `"table"` or `"group"`, if it has one: the channel, on futures
    /// with the symbol.
    pub fn channel(&self) -> Option<&str> {
        self.0.channel.as_deref()
    }

    /// Returns the index in `data` of the undecodable entry; the other entries are delivered. `None` if
    /// the frame as a whole is undecodable.
    pub fn entry(&self) -> Option<usize> {
        self.0.entry
    }

    /// Returns the pair or contract of the undecodable entry, if it contains one.
    pub fn symbol(&self) -> Option<&str> {
        self.0.symbol.as_deref()
    }

    /// Returns the path in the frame, such as `data[0].price`. Empty if unknown.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// Returns the reason, such as `expected a decimal`. It quotes the found value for public channels
    /// only.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Returns line and column, from 1, at which decoding of the frame stopped. `(0, 0)` if unknown.
    pub fn position(&self) -> (usize, usize) {
        (self.0.line, self.0.column)
    }

    /// Returns the first [`MAX_RAW_BYTES`] bytes of the undecodable entry or frame. Do not log it: on
    /// private channels it is account data.
    pub fn raw(&self) -> &[u8] {
        &self.0.raw
    }

    /// Returns [`raw`](Self::raw) as text, with replacement characters for invalid UTF-8.
    pub fn raw_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0.raw)
    }

    /// Returns the full length of the undecodable entry or frame in bytes.
    pub fn raw_length(&self) -> usize {
        self.0.raw_length
    }
}

fn truncated(raw: &[u8]) -> Box<[u8]> {
    raw.get(..MAX_RAW_BYTES).unwrap_or(raw).into()
}

/// Whether a frame with this name is of a channel that is known to be public. The reasons of other errors quote no
/// values.
fn is_public(frame_name: &str) -> bool {
    use crate::dialect::Market::{Futures, Spot};
    let channel_of = |market| crate::catalog::channel(market, frame_name);
    channel_of(Spot).or_else(|| channel_of(Futures)).is_some_and(|channel| !channel.private)
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, path, reason, line, column, .. } = &*self.0;
        f.write_str(if self.0.entry.is_some() { "an entry of " } else { "" })?;
        match self.channel() {
            Some(channel) => write!(f, "frame {channel}")?,
            None => f.write_str("frame without a channel")?,
        }
        f.write_str(match kind {
            DecodeErrorKind::Syntax => " is not valid JSON",
            DecodeErrorKind::Truncated => " ends too early",
            DecodeErrorKind::Shape => " does not fit the type of its events",
            DecodeErrorKind::Encoding => " cannot be read",
            DecodeErrorKind::Trailing => " has bytes behind its end",
        })?;
        if path.is_empty() {
            write!(f, ": {reason}")?;
        } else {
            write!(f, ": {path}: {reason}")?;
        }
        if *line > 0 {
            write!(f, " (line {line}, column {column})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeError")
            .field("kind", &self.0.kind)
            .field("channel", &self.0.channel)
            .field("entry", &self.0.entry)
            .field("path", &self.0.path)
            .field("reason", &self.0.reason)
            .field("raw_length", &self.0.raw_length)
            .finish_non_exhaustive()
    }
}

impl error::Error for DecodeError {}
