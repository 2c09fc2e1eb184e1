//! Why a frame, or an entry of one, could not be read.

use std::borrow::Cow;
use std::sync::Arc;
use std::{error, fmt};

use bitmart_types::RowFault;
use bitmart_types::json::JsonFault;
use serde_json::error::Category;
use smol_str::SmolStr;

/// Most bytes that a fault keeps of what could not be read.
pub const RAW_KEPT: usize = 4096;

/// Longest reason that is kept, in characters.
const REASON_KEPT: usize = 160;

/// Something arrived that does not fit: one entry of a data frame, or a frame as a whole.
///
/// Names the channel, the place and the reason, and keeps what came. `Display` and `Debug` hold
/// nothing of it, except that the reason repeats a value of public channels, so they may be logged.
/// Cheap to clone.
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

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// Not valid JSON.
    Syntax,
    /// Ends in the middle.
    Truncated,
    /// Valid JSON, but an essential member is missing or of another type than the model says.
    Shape,
    /// The bytes do not inflate, or are not UTF-8.
    Encoding,
    /// Bytes came after the end of the compressed stream. The text before them was read.
    Trailing,
}

impl DecodeError {
    pub(super) fn new(frame: &str, path: String, error: serde_json::Error) -> Self {
        let kind = match error.classify() {
            Category::Eof => DecodeErrorKind::Truncated,
            Category::Data => DecodeErrorKind::Shape,
            Category::Syntax | Category::Io => DecodeErrorKind::Syntax,
        };
        let channel = crate::peek::channel(frame);
        let (line, column) = (error.line(), error.column());
        let reason = if channel.is_some_and(is_public) {
            let text = error.to_string();
            let text = text.rfind(" at line ").map_or(&*text, |end| &text[..end]);
            text.chars().take(REASON_KEPT).collect()
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
            raw: kept(frame.as_bytes()),
            raw_length: frame.len(),
        }))
    }

    /// A row of a list in an entry. The others are as good as ever.
    pub(super) fn of_row(frame: &str, path: &str, fault: RowFault) -> Self {
        let dot = if fault.path.is_empty() || fault.path.starts_with('[') { "" } else { "." };
        Self(Arc::new(Inner {
            kind: DecodeErrorKind::Shape,
            channel: crate::peek::channel(frame).map(SmolStr::new),
            entry: Some(fault.index),
            symbol: None,
            path: format!("{path}{dot}{}", fault.path),
            reason: fault.reason,
            line: 0,
            column: 0,
            raw: kept(fault.raw.as_bytes()),
            raw_length: fault.raw.len(),
        }))
    }

    /// A frame, or a part of one, that never became text.
    #[cfg(feature = "client")]
    pub(crate) fn of_bytes(kind: DecodeErrorKind, reason: &str, bytes: &[u8]) -> Self {
        Self(Arc::new(Inner {
            kind,
            channel: None,
            entry: None,
            symbol: None,
            path: String::new(),
            reason: reason.to_owned(),
            line: 0,
            column: 0,
            raw: kept(bytes),
            raw_length: bytes.len(),
        }))
    }

    /// Text that is neither a data frame nor anything else that is known.
    #[cfg(feature = "client")]
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
        Some(Self::new(text, String::new(), error))
    }

    /// The same fault as one of an entry: where it stands in its frame, the entry as it came, and the
    /// symbol that it names.
    pub(super) fn in_entry(
        self,
        index: usize,
        path: String,
        raw: &str,
        symbol: Option<SmolStr>,
    ) -> Self {
        let inner = Arc::unwrap_or_clone(self.0);
        // The position would be one in the entry.
        let (line, column) = (0, 0);
        let (raw, raw_length) = (kept(raw.as_bytes()), raw.len());
        let entry = Some(index);
        Self(Arc::new(Inner { entry, symbol, path, line, column, raw, raw_length, ..inner }))
    }

    /// A fault of the frame that stands for all further ones of entries in it.
    pub(super) fn and_more(self) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        inner.reason.push_str("; so many entries cannot be read that only the first are told");
        Self(Arc::new(inner))
    }

    /// What is wrong.
    pub fn kind(&self) -> DecodeErrorKind {
        self.0.kind
    }

    /// The channel of the frame, when the frame names one.
    pub fn channel(&self) -> Option<&str> {
        self.0.channel.as_deref()
    }

    /// The index in `data` of the entry that is lost; the others arrive. `None` when the fault is one
    /// of the frame.
    pub fn entry(&self) -> Option<usize> {
        self.0.entry
    }

    /// The pair or contract that the lost entry names, when it names one.
    pub fn symbol(&self) -> Option<&str> {
        self.0.symbol.as_deref()
    }

    /// Where in the frame, such as `data[0].price`. Empty where there is no such place.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// What was expected there, such as `expected a decimal`. What was found stands in it for public
    /// channels only.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Line and column, from 1, at which decoding stopped: in the entry, or in the frame. 0 and 0
    /// where nothing was decoded.
    pub fn position(&self) -> (usize, usize) {
        (self.0.line, self.0.column)
    }

    /// What could not be read: the entry, or the frame as it came; the first [`RAW_KEPT`] bytes. On
    /// private channels it is data of the account: do not log it.
    pub fn raw(&self) -> &[u8] {
        &self.0.raw
    }

    /// [`raw`](Self::raw) as text, with replacements for what is not UTF-8.
    pub fn raw_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0.raw)
    }

    /// Length in bytes of what could not be read, kept or not.
    pub fn raw_length(&self) -> usize {
        self.0.raw_length
    }
}

fn kept(raw: &[u8]) -> Box<[u8]> {
    raw.get(..RAW_KEPT).unwrap_or(raw).into()
}

/// Whether a channel is known to be public. Of others errors repeat nothing.
fn is_public(channel: &str) -> bool {
    use crate::dialect::Dialect::{Futures, Spot};
    let known = |dialect| crate::catalog::channel(dialect, channel);
    known(Spot).or_else(|| known(Futures)).is_some_and(|channel| !channel.private)
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
