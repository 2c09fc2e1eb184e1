//! Which fault of time an error stands for.

/// Why the exchange did not accept the time of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClockFault {
    /// The timestamp is more than a minute off the exchange's clock: synchronise.
    Timestamp,
    /// The request arrived later than its `recvWindow` allows, or its timestamp lies more than a
    /// second ahead: synchronise, or widen the window.
    RecvWindow,
    /// `recvWindow` is not a whole number of milliseconds.
    RecvWindowType,
    /// `recvWindow` is not between 0 and 60000 milliseconds.
    RecvWindowRange,
}

impl ClockFault {
    /// Code 30007 stands for all four, told apart by the text only. Futures endpoints have codes of
    /// their own for a clock that is off.
    pub(super) fn of(code: i64, message: &str) -> Option<Self> {
        match code {
            30007 if message.contains("must be long") => Some(Self::RecvWindowType),
            30007 if message.contains("less than") => Some(Self::RecvWindowRange),
            30007 if message.contains("recvWindow") => Some(Self::RecvWindow),
            30007 | 40013 | 40039 => Some(Self::Timestamp),
            _ => None,
        }
    }

    /// Whether it helps to synchronise the clock.
    pub fn is_clock_off(self) -> bool {
        matches!(self, Self::Timestamp | Self::RecvWindow)
    }

    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Timestamp => "The timestamp is more than a minute off; synchronise the clock.",
            Self::RecvWindow => {
                "The request took longer than its recvWindow or the clock is off; synchronise the \
                 clock or widen the window."
            }
            Self::RecvWindowType => "recvWindow must be a whole number of milliseconds.",
            Self::RecvWindowRange => "recvWindow must lie between 0 and 60000 milliseconds.",
        }
    }
}
