//! Why a store of budgets does not work.

use std::fmt;

use redis::{ErrorKind, RedisError};

/// Why Redis could not count a permit. Requests then fail with
/// [`ThrottleReason::BudgetUnavailable`](bitmart_rest::limit::ThrottleReason::BudgetUnavailable), and the error is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// No connection, or it broke, or the server returned an error. The text is for humans and contains neither
    /// the password nor an API key.
    Failed(String),
    /// No reply within the time limit.
    Timeout,
    /// The server cannot be used; the text says why.
    Unsuitable(&'static str),
    /// Other processes use this setting with another value. The text names both.
    SettingsDiffer(String),
}

impl StoreError {
    pub(super) fn new(error: &RedisError) -> Self {
        if error.kind() == ErrorKind::Io {
            return Self::Failed(error.to_string());
        }
        // Not the whole text of errors about settings: they may repeat the password.
        let mut text = error.category().to_owned();
        if let (ErrorKind::Server(_), Some(detail)) = (error.kind(), error.detail()) {
            text.push_str(": ");
            text.push_str(detail);
        }
        Self::Failed(text)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(text) => write!(f, "Redis failed: {text}"),
            Self::Timeout => f.write_str("Redis did not reply in time"),
            Self::Unsuitable(reason) => write!(f, "this Redis cannot be used: {reason}"),
            Self::SettingsDiffer(text) => write!(f, "other processes have other settings: {text}"),
        }
    }
}

impl std::error::Error for StoreError {}
