//! Errors of collectors and of connecting to a fleet.

use std::fmt;

/// An error of a collector, or of connecting to a fleet. Its text contains no credentials.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The options contradict each other or those of the collectors that are running.
    Config,
    /// NATS cannot be reached, or rejected the credentials.
    Unreachable,
    /// No collector has set up the fleet on this server.
    NotSetUp,
    /// Another collector of the fleet, or publisher of the account, with the same id is alive.
    IdInUse,
    /// `JetStream` rejected an operation or did not answer.
    JetStream,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    pub(crate) fn jetstream(what: &str, error: impl fmt::Display) -> Self {
        Self::new(ErrorKind::JetStream, format!("{what}: {error}"))
    }

    /// Returns the kind of this error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
