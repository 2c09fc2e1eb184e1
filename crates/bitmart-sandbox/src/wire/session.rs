//! Messages of WebSocket sessions: parsing of commands, and rendering of acknowledgements and errors.

pub(crate) mod futures;
pub(crate) mod spot;

use std::fmt;

/// The arguments of a login. Absent ones are empty.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) key: String,
    pub(crate) timestamp: String,
    pub(crate) sign: String,
}

// Without key and signature.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("timestamp", &self.timestamp).finish_non_exhaustive()
    }
}

impl Login {
    fn new(args: Vec<String>) -> Self {
        let mut args = args.into_iter();
        let mut next = || args.next().unwrap_or_default();
        Self { key: next(), timestamp: next(), sign: next() }
    }
}
