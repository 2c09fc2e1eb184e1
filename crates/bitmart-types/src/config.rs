//! Configuration errors.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// An invalid setting of a client. The `build` methods of both clients return it, before anything is
/// connected or sent.
///
/// The [source](StdError::source) is the underlying error, if there is one.
#[derive(Debug)]
pub struct ConfigError {
    setting: &'static str,
    reason: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ConfigError {
    /// Creates the error for the setting `setting`. `reason` completes the sentence "`setting` …", such
    /// as "must be positive".
    pub fn new(setting: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { setting, reason: reason.into(), source: None }
    }

    /// Sets the underlying error.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Name of the setting: a method of the builder or a field of the
    /// [`Environment`](crate::Environment).
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.setting, self.reason)
    }
}

impl StdError for ConfigError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
