//! The queue of a fan-in and its overflow policy.

const DEFAULT_CAPACITY: usize = 1 << 14;

/// The queue capacity of a [`FanIn`](super::FanIn), and what happens when it is exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "options do nothing until a stream is opened with them"]
pub struct FanInOptions {
    pub(super) capacity: usize,
    pub(super) overflow: OverflowPolicy,
}

/// What a [`FanIn`](super::FanIn) does when its reader is too slow. Streams of private topics always
/// [end](Self::End).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OverflowPolicy {
    /// When the queue is full, drop the oldest event of the topic with the most queued updates, so that
    /// a busy topic does not cost a quiet one its events. The default.
    #[default]
    DropOldest,
    /// Queue only the newest [`Update::Data`](crate::Update::Data) of each topic: it replaces an older
    /// one. For channels whose events are states, such as tickers and full book snapshots.
    Conflate,
    /// When the queue is full, end the stream after the queued updates with an error of the kind
    /// [`Overflow`](crate::ErrorKind::Overflow).
    End,
}

impl FanInOptions {
    /// Creates the default options: 16,384 updates, and the oldest are dropped.
    pub fn new() -> Self {
        Self { capacity: DEFAULT_CAPACITY, overflow: OverflowPolicy::default() }
    }

    /// Sets how many updates of all topics together are queued. Each topic needs a capacity of four;
    /// more topics are rejected. Default: 16,384, enough for 4,096 topics.
    pub fn capacity(mut self, updates: usize) -> Self {
        self.capacity = updates;
        self
    }

    /// Sets what happens when the reader is too slow. Default: [`OverflowPolicy::DropOldest`].
    pub fn overflow_policy(mut self, policy: OverflowPolicy) -> Self {
        self.overflow = policy;
        self
    }
}

impl Default for FanInOptions {
    fn default() -> Self {
        Self::new()
    }
}
