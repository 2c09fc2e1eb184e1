//! The error of a sandbox that did not start.

use std::fmt;

use crate::journal;

/// A sandbox that did not start.
#[derive(Debug)]
pub struct StartError {
    pub(super) context: String,
    pub(super) source: Box<dyn std::error::Error + Send + Sync>,
}

impl StartError {
    /// Whether another sandbox is using the data folder.
    pub fn is_data_in_use(&self) -> bool {
        matches!(self.source.downcast_ref(), Some(journal::DataError::InUse))
    }

    /// Whether the data folder is the cause.
    pub fn is_about_data(&self) -> bool {
        self.source.is::<journal::DataError>()
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sandbox did not start: {}", self.context)
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}
