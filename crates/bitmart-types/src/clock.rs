//! Where the time of a signature comes from.

use std::{fmt, time::SystemTime};

use crate::Timestamp;

/// A source of Unix time. Signed requests and logins carry its time; the exchange refuses those
/// that are more than a minute off, or more than their `recvWindow`.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}
