//! How a fan-in treats a slow reader.

/// Updates that wait for the reader of many topics, unless told otherwise.
const CAPACITY: usize = 1 << 14;

/// How much can wait in a [`FanIn`](super::FanIn), and what happens beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "options do nothing until a stream is opened with them"]
pub struct FanInOptions {
    pub(super) capacity: usize,
    pub(super) slow: SlowReader,
}

/// What a [`FanIn`](super::FanIn) does when its reader is too slow. Streams of private topics
/// always [end](Self::End).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlowReader {
    /// When the queue is full, the oldest event of the topic that has most waiting is dropped, so
    /// that a busy topic does not cost a quiet one its events. The default.
    #[default]
    DropOldest,
    /// Only the newest [`Update::Data`](crate::Update::Data) of each topic waits; it takes the
    /// place of an older one. For channels whose events are states, such as tickers and whole
    /// books.
    Conflate,
    /// When the queue is full, the stream ends with an error of the kind
    /// [`Overflow`](crate::ErrorKind::Overflow) after what waits.
    End,
}

impl FanInOptions {
    /// Room for 16,384 updates, beyond which the oldest are dropped.
    pub fn new() -> Self {
        Self { capacity: CAPACITY, slow: SlowReader::default() }
    }

    /// How many updates can wait, of all topics together. Each topic needs four places: more topics
    /// are refused. Default: 16,384, which is enough for 4,096 topics.
    pub fn capacity(mut self, updates: usize) -> Self {
        self.capacity = updates;
        self
    }

    /// What happens when the reader is too slow. Default: [`SlowReader::DropOldest`].
    pub fn slow_reader(mut self, slow: SlowReader) -> Self {
        self.slow = slow;
        self
    }
}

impl Default for FanInOptions {
    fn default() -> Self {
        Self::new()
    }
}
