//! What the examples share.

/// What an example returns.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;
