//! Clocks for signatures.

use std::{fmt, pin::Pin, time::SystemTime};

use crate::Timestamp;

/// A source of Unix time for signed requests and logins. The exchange rejects a timestamp that is
/// more than a minute off, or older than the request's `recvWindow`.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Returns the current time.
    fn now(&self) -> Timestamp;

    /// Corrects the clock after the exchange rejected a signature, possibly for its timestamp. A clock
    /// that can query the exchange's time does so; the next signature waits for it. Does nothing by
    /// default.
    fn correct(&self) -> Correction<'_> {
        Box::pin(std::future::ready(()))
    }
}

/// The future of [`Clock::correct`]. Dropping it leaves the clock unchanged.
pub type Correction<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}
