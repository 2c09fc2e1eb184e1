//! What could not be read.

use std::fmt;

use bitmart_types::RowFault;
use bitmart_ws::event::DecodeError;

/// Something that the exchange told and that could not be read, whole or in part.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Unread {
    /// A row of what REST told.
    Row(RowFault),
    /// A frame of a stream, or one entry of it.
    Frame(DecodeError),
    /// An event or a row that was read, but lacks what an account depends on, or says it with a word
    /// that this version does not know.
    Lacking {
        /// What it is about: `order 1234`, `position of BTCUSDT`.
        what: String,
        /// The member of the wire that is missing or not known.
        member: &'static str,
    },
}

impl Unread {
    pub(crate) fn lacking(what: impl fmt::Display, member: &'static str) -> Self {
        Self::Lacking { what: what.to_string(), member }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(fault) => {
                write!(f, "row {} at {:?}: {}", fault.index, fault.path, fault.reason)
            }
            Self::Frame(error) => error.fmt(f),
            Self::Lacking { what, member } => {
                write!(f, "{what}: {member} is missing or not known")
            }
        }
    }
}
