//! Recorded WebSocket frames, which a sandbox plays in place of market data.

/// A recorded WebSocket frame, to be played with [`Config::replay`](crate::Config::replay).
///
/// Recordings are files of the clients: the crate `bitmart-rest` and the program `bitmart` read them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedFrame {
    /// Time of receipt in microseconds since 1970.
    pub at_us: u64,
    /// The subscribed topic, such as `spot/ticker:BTC_USDT`.
    pub topic: String,
    /// The text of the frame, inflated.
    pub text: String,
}

impl RecordedFrame {
    /// Creates a recorded frame.
    pub fn new(at_us: u64, topic: impl Into<String>, text: impl Into<String>) -> Self {
        Self { at_us, topic: topic.into(), text: text.into() }
    }
}
