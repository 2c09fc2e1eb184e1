//! Compares one subscription per topic with one stream for all topics.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bitmart_ws::topic::Topic;
use bitmart_ws::{ConnectionPolicy, Update, topic};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::server::Server;
use crate::{BoxError, client, resident, thread_processor_time};
use bitmart_ws::spot;

/// Connections that the exchange allows.
const CONNECTIONS: usize = 20;

fn topics(count: usize) -> impl Iterator<Item = Topic<spot::DepthUpdate>> {
    (0..count).map(|number| topic::spot::depth_updates(format!("S{number}_USDT")))
}

/// Measures the memory of a topic and the processor time of a frame. Needs a new process, because the
/// allocator keeps freed memory.
pub(crate) fn measure(
    server: &Server,
    together: bool,
    count: usize,
    seconds: u64,
) -> Result<(), BoxError> {
    let memory = memory(server, together, count)?;
    let (processor, frames) = processor(server, together, count, seconds)?;
    let what = if together { "one stream       " } else { "a stream for each" };
    println!(
        "  {what} {memory:>6} bytes a topic, {processor:>6} ns of processor a frame ({frames} frames)"
    );
    Ok(())
}

/// Returns the memory of a topic without that of its connection, which is measured with one topic
/// per connection.
fn memory(server: &Server, together: bool, count: usize) -> Result<usize, BoxError> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // The first connection also allocates what all share.
        let warm = client(server, "/idle").build()?;
        let _warm = subscribe(&warm, together, 1).await?;
        let policy = ConnectionPolicy::new().topics_per_connection(1);
        let before = resident()?;
        let few = client(server, "/idle").connection_policy(policy).build()?;
        let _few = subscribe(&few, together, CONNECTIONS).await?;
        let connections = resident()?.saturating_sub(before);
        let before = resident()?;
        let many = client(server, "/idle").build()?;
        let _many = subscribe(&many, together, count).await?;
        let all = resident()?.saturating_sub(before);
        let further = count.saturating_sub(CONNECTIONS).max(1);
        Ok(all.saturating_sub(connections) * 1024 / further)
    })
}

/// Subscribes and receives the first update of each topic. Returns the streams, to keep them alive.
async fn subscribe(
    client: &bitmart_ws::Client,
    together: bool,
    count: usize,
) -> Result<Box<dyn Send>, BoxError> {
    if together {
        let mut stream = client.fan_in(topics(count)).await?;
        for _ in 0..count {
            stream.next().await.ok_or("the stream ended")??;
        }
        return Ok(Box::new(stream));
    }
    let mut streams = Vec::with_capacity(count);
    for stream in client.subscribe_each(topics(count)).await {
        let mut stream = stream?;
        stream.next().await.ok_or("the stream ended")??;
        streams.push(stream);
    }
    Ok(Box::new(streams))
}

/// Returns the processor time of a small frame and the number of frames, with connections and readers
/// in one thread.
fn processor(
    server: &Server,
    together: bool,
    count: usize,
    seconds: u64,
) -> Result<(u128, u128), BoxError> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = client(server, "/paced?levels=1&each_second=200").build()?;
        let frames = Arc::new(AtomicU64::new(0));
        let mut readers = JoinSet::new();
        if together {
            let (mut stream, frames) = (client.fan_in(topics(count)).await?, frames.clone());
            readers.spawn(async move {
                while let Some(Ok(item)) = stream.next().await {
                    count_data(&item.update, &frames);
                }
            });
        } else {
            for stream in client.subscribe_each(topics(count)).await {
                let (mut stream, frames) = (stream?, frames.clone());
                readers.spawn(async move {
                    while let Some(Ok(update)) = stream.next().await {
                        count_data(&update, &frames);
                    }
                });
            }
        }
        // Until every topic is subscribed, and nothing of that is left.
        tokio::time::sleep(Duration::from_secs(seconds / 2)).await;
        let (begin, before) = (frames.load(Ordering::Relaxed), thread_processor_time()?);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let used = thread_processor_time()? - before;
        let counted = u128::from(frames.load(Ordering::Relaxed) - begin);
        Ok((used / counted.max(1), counted))
    })
}

fn count_data(update: &Update<spot::DepthUpdate>, frames: &AtomicU64) {
    if let Update::Data(book) = update {
        black_box(book);
        frames.fetch_add(1, Ordering::Relaxed);
    }
}
