//! An exchange in this process, which passes frames of trades as fast as readers take them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bitmart_ws::event::RawEvent;
use bitmart_ws::source::{Feed, Source};
use bitmart_ws::topic::Topic;
use bitmart_ws::{Client, Market};
use tokio::sync::Semaphore;

/// Frames between exchange and readers. Less than any queue on the way holds, so nothing is lost.
const IN_FLIGHT: usize = 1_000;

/// What all topics of a run have in common.
pub(crate) struct Flow {
    /// Frames that may be sent. None before [`start`](Self::start).
    credit: Semaphore,
    unsent: AtomicU64,
    taken: AtomicU64,
    readers: u64,
}

impl Flow {
    /// So many frames, over all topics, each for so many readers.
    pub(crate) fn new(frames: u64, readers: u64) -> Arc<Self> {
        let (credit, unsent) = (Semaphore::new(0), AtomicU64::new(frames));
        Arc::new(Self { credit, unsent, taken: AtomicU64::new(0), readers })
    }

    pub(crate) fn start(&self) {
        self.credit.add_permits(IN_FLIGHT);
    }

    /// Readers have taken so many frames, or learned that they are lost.
    pub(crate) fn take(&self, frames: u64) {
        let before = self.taken.fetch_add(frames, Ordering::Relaxed);
        let complete = (before + frames) / self.readers - before / self.readers;
        self.credit.add_permits(usize::try_from(complete).unwrap_or(0));
    }

    /// Waits until a frame may be sent, and returns its number; `None` if all are sent.
    pub(crate) async fn send(&self) -> Option<u64> {
        self.credit.acquire().await.ok()?.forget();
        let less = |left: u64| left.checked_sub(1);
        self.unsent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok()
    }
}

/// The exchange: each topic sends as much as it gets of the flow.
struct Flood(Arc<Flow>);

impl Source for Flood {
    fn open(&self, mut feed: Feed) {
        let flow = Arc::clone(&self.0);
        tokio::spawn(async move {
            feed.connected();
            let symbol = feed.topic().rsplit(':').next().unwrap_or_default().to_owned();
            loop {
                tokio::select! {
                    request = feed.next_request() => if request.is_none() { return },
                    number = flow.send() => {
                        let Some(number) = number else { break };
                        let at = feed.now();
                        feed.frame(&frame(&symbol, number), at);
                    }
                }
            }
            while feed.next_request().await.is_some() {}
        });
    }
}

pub(crate) fn exchange(flow: &Arc<Flow>) -> Client {
    let source = Flood(Arc::clone(flow));
    Client::builder().source(source).queue_capacity(1 << 16).build().expect("a client")
}

/// A frame of one trade, as the exchange sends them.
pub(crate) fn frame(symbol: &str, number: u64) -> String {
    format!(
        r#"{{"table":"spot/trade","data":[{{"price":"{number}","s_t":1700000000,"ms_t":1700000000000,"side":"buy","size":"0.00123","symbol":"{symbol}"}}]}}"#
    )
}

pub(crate) fn topic(number: u64) -> Topic<RawEvent> {
    Topic::public(Market::Spot, format!("spot/trade:S{number}_USDT"))
}
