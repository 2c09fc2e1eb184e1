//! When channels are pushed.

/// When a public channel is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Schedule {
    /// With every trade: all trades of a symbol since the last push in one frame.
    Trades,
    /// With every change of the book, after a snapshot.
    Book,
    /// Every so many beats, if its value has changed.
    Changes {
        beats: u64,
        /// Whether a subscription starts with the present value.
        has_first: bool,
    },
    /// Every so many beats.
    Always { beats: u64 },
}
