//! Kinds of clock errors.

/// Why the exchange rejected the timestamp of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClockFault {
    /// The timestamp is more than a minute off the exchange's clock: synchronize.
    Timestamp,
    /// The request arrived later than its `recvWindow` allows, or its timestamp lies more than a
    /// second ahead: synchronize, or widen the window.
    RecvWindow,
    /// `recvWindow` is not a whole number of milliseconds.
    RecvWindowType,
    /// `recvWindow` is not between 0 and 60000 milliseconds.
    RecvWindowRange,
}

impl ClockFault {
    /// Code 30007 covers all four; only its message distinguishes them. Futures endpoints have separate
    /// codes for a wrong clock.
    pub(super) fn from_code(code: i64, message: &str) -> Option<Self> {
        match code {
            30007 if message.contains("must be long") => Some(Self::RecvWindowType),
            30007 if message.contains("less than") => Some(Self::RecvWindowRange),
            30007 if message.contains("recvWindow") => Some(Self::RecvWindow),
            30007 | 40013 | 40039 => Some(Self::Timestamp),
            _ => None,
        }
    }

    /// Whether synchronizing the clock helps.
    pub fn is_clock_off(self) -> bool {
        matches!(self, Self::Timestamp | Self::RecvWindow)
    }

    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Timestamp => "The timestamp is more than a minute off; synchronize the clock.",
            Self::RecvWindow => {
                "The request took longer than its recvWindow or the clock is off; synchronize the \
                 clock or widen the window."
            }
            Self::RecvWindowType => "recvWindow must be a whole number of milliseconds.",
            Self::RecvWindowRange => "recvWindow must lie between 0 and 60000 milliseconds.",
        }
    }
}
