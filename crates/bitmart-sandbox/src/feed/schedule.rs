//! Schedules of channels.

/// The times at which a public channel is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Schedule {
    /// With every trade: all trades of a symbol since the last push in one frame.
    Trades,
    /// With every change of the book, after a snapshot.
    Book,
    /// Every `steps` steps, if the value has changed.
    Changes {
        steps: u64,
        /// Whether a subscription starts with the current value.
        has_first: bool,
    },
    /// Every `steps` steps.
    Always { steps: u64 },
}
