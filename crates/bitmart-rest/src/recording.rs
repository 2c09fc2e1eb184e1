//! Recorded traffic in files, without account data.
//!
//! - [`Recording`] is a REST request with its response. [`Redaction`] replaces the account data in it, and
//!   in frames of WebSocket channels.
//! - [`frames`] is the file format for WebSocket frames, with a reader and a writer.
//! - [`Json`] is a JSON tree that keeps the order of members and the digits of numbers.
//!
//! The program `bitmart` writes these files with `bitmart probe` and `bitmart record`. The transports that
//! record and replay are in `testing`.

mod call;
pub mod frames;
mod json;
mod redaction;
mod redactor;

pub use self::call::{Recording, RecordingError};
pub use self::json::{Json, JsonError};
pub use self::redaction::Redaction;
