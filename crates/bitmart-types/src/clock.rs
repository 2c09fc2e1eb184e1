//! Clocks for signatures.

use std::{fmt, pin::Pin, time::SystemTime};

use crate::Timestamp;

/// A source of Unix time. Signed requests and logins carry its time; the exchange rejects those
/// that are more than a minute off, or more than their `recvWindow`.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// The exchange rejected a signature, maybe for its time. A clock that can query what time it is at
    /// the exchange does so now; the next signature waits for it. By default nothing happens.
    fn correct(&self) -> Correction<'_> {
        Box::pin(std::future::ready(()))
    }
}

/// What [`Clock::correct`] returns. Dropping it leaves the clock as it was.
pub type Correction<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}
