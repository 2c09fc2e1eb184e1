//! Paces the frames of a run, so that none is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Semaphore;

/// Most frames that were sent and not yet read by every reader. Fewer than the shortest queue on the way holds: 2,048
/// messages of a topic, in the client of NATS and in each reader.
const IN_FLIGHT: u64 = 1_000;

/// After so many frames a reader reports how far it is.
const BATCH: u64 = 100;

/// Lets the next frame be sent when the slowest reader has read another one. All topics of a run share it.
pub(crate) struct Pacer {
    /// Frames that may be sent now. None before [`start`](Self::start).
    credit: Semaphore,
    unsent: AtomicU64,
    readers: u64,
    /// How many readers have read the first batch, the second one, and so on.
    readers_done: Vec<AtomicU64>,
}

impl Pacer {
    /// A run of so many frames, over all topics, each of which all readers read.
    pub(crate) fn new(frames: u64, readers: u64) -> Arc<Self> {
        let batches = (0..frames / BATCH).map(|_| AtomicU64::new(0));
        Arc::new(Self {
            credit: Semaphore::new(0),
            unsent: AtomicU64::new(frames),
            readers,
            readers_done: batches.collect(),
        })
    }

    pub(crate) fn start(&self) {
        self.add_credit(IN_FLIGHT);
    }

    fn add_credit(&self, frames: u64) {
        self.credit.add_permits(usize::try_from(frames).unwrap_or(0));
    }

    /// Waits until a frame may be sent, and returns its number; `None` if all are sent. Cancel-safe.
    pub(crate) async fn send(&self) -> Option<u64> {
        self.credit.acquire().await.ok()?.forget();
        let less = |left: u64| left.checked_sub(1);
        self.unsent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok()
    }

    pub(crate) fn unsent(&self) -> u64 {
        self.unsent.load(Ordering::Relaxed)
    }

    /// To be called by each reader after each frame, with how many it has read.
    pub(crate) fn has_read(&self, frames: u64) {
        if !frames.is_multiple_of(BATCH) {
            return;
        }
        let batch = usize::try_from(frames / BATCH - 1).ok();
        let Some(done) = batch.and_then(|batch| self.readers_done.get(batch)) else { return };
        // A reader is done with the batches before, so batches are complete in their order.
        if done.fetch_add(1, Ordering::Relaxed) + 1 == self.readers {
            self.add_credit(BATCH);
        }
    }
}
