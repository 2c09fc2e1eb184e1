//! The runs of the bench: a number of frames from the exchange to readers, directly or over NATS.

use std::collections::HashSet;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bitmart_fleet::collector::Collector;
use bitmart_fleet::nats::{Options, Source};
use bitmart_ws::event::RawEvent;
use bitmart_ws::{Client, FanIn, FanInOptions, Update};
use futures_util::StreamExt as _;
use futures_util::future::{join_all, try_join_all};
use tokio::task::JoinSet;

use super::exchange::{client, topic, trade_frame};
use super::pacer::Pacer;
use super::server::{Server, Usage};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Leases that have not moved for so long stay: longer than the interval of heartbeats.
const SETTLED: Duration = Duration::from_secs(2);

/// Longer than the default, so that a processor that is busy with frames does not make collectors look dead.
const LEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// How far a run is, for the case that its time is over.
pub(crate) struct Progress(Mutex<Box<dyn Fn() -> String + Send>>);

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Box::new(|| "nothing had begun".to_owned())))
    }

    fn set(&self, text: impl Fn() -> String + Send + 'static) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(text);
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)()
    }
}

/// Subscribes all topics of a run and waits until each delivers. Frames of a topic that is not subscribed yet would
/// not reach the reader, and nobody would count them.
async fn subscribe(client: &Client, topics: u64, progress: &Progress) -> Result<FanIn<RawEvent>> {
    let capacity = FanInOptions::new().capacity(1 << 16);
    let mut updates = client.fan_in_with((0..topics).map(topic), capacity).await?;
    let mut subscribed = HashSet::new();
    while (subscribed.len() as u64) < topics {
        let item = updates.next().await.ok_or("the stream has ended")??;
        match item.update {
            Update::Subscribed | Update::Resynced => {
                subscribed.insert(item.topic.name().to_owned())
            }
            Update::Reconnecting(_) => subscribed.remove(item.topic.name()),
            other => return Err(format!("{other:?} before the first frame").into()),
        };
        let count = subscribed.len();
        progress.set(move || format!("{count} of {topics} topics were subscribed"));
    }
    Ok(updates)
}

/// Reads so many frames. An error if one is lost: a rate at which frames are lost is no result.
async fn read(mut topics: FanIn<RawEvent>, frames: u64, pacer: Arc<Pacer>) -> Result<()> {
    let mut has_read = 0;
    while has_read < frames {
        match topics.next().await.ok_or("the stream has ended")??.update {
            Update::Data(_) => {
                has_read += 1;
                pacer.has_read(has_read);
            }
            Update::Lagged(missed) => return Err(format!("{missed} frames were lost").into()),
            Update::Reconnecting(reason) => return Err(format!("interrupted: {reason}").into()),
            _ => {}
        }
    }
    Ok(())
}

/// A client on the exchange itself. Returns what the frames cost.
pub(crate) async fn direct(frames: u64, progress: &Progress) -> Result<String> {
    let pacer = Pacer::new(frames, 1);
    let client = client(&pacer);
    let topics = subscribe(&client, 1, progress).await?;
    let usage = Usage::start(None)?;
    pacer.start();
    read(topics, frames, pacer).await?;
    usage.cells(frames)
}

/// The same frames over NATS without this crate. Returns what they cost.
pub(crate) async fn bare(frames: u64, progress: &Progress) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path())?;
    let client = async_nats::connect(&server.url).await?;
    let mut messages = client.subscribe("bare").await?;
    client.flush().await?;
    let pacer = Pacer::new(frames, 1);
    let (publisher, publishing) = (client.clone(), Arc::clone(&pacer));
    let usage = Usage::start(Some(&server))?;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Some(number) = publishing.send().await {
            let _ = publisher.publish("bare", trade_frame("S0_USDT", number).into()).await;
        }
    });
    let unsent = Arc::clone(&pacer);
    progress.set(move || format!("{} of {frames} frames were not sent yet", unsent.unsent()));
    pacer.start();
    for has_read in 1..=frames {
        messages.next().await.ok_or("the subscription has ended")?;
        pacer.has_read(has_read);
    }
    usage.cells(frames)
}

/// Collectors and readers of a number of topics.
#[derive(Clone, Copy)]
pub(crate) struct Fleet {
    pub(crate) topics: u64,
    pub(crate) collectors: u64,
    pub(crate) readers: u64,
}

/// Waits until all topics are held and no lease moves any more. Returns when the last one has moved.
async fn until_held(collectors: &[Collector], topics: u64, progress: &Progress) -> Instant {
    let (mut known, mut since) = (Vec::new(), Instant::now());
    loop {
        let status = collectors.iter().map(Collector::status);
        let held: Vec<_> = status.map(|status| (status.leases, status.topics)).collect();
        let total = held.iter().map(|(_, topics)| topics).sum::<u64>();
        if held != known {
            progress.set(move || format!("{total} of {topics} topics were held by collectors"));
            (known, since) = (held, Instant::now());
        }
        if total == topics && since.elapsed() >= SETTLED {
            return since;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Frames over NATS. Returns the time until all readers are subscribed to all topics, and what the frames cost, of
/// which each counts once for each reader.
pub(crate) async fn over_nats(
    fleet: Fleet,
    frames: u64,
    progress: &Progress,
) -> Result<(Duration, String)> {
    let Fleet { topics, collectors, readers } = fleet;
    // Of its own: what another run has left behind would count.
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path())?;
    let pacer = Pacer::new(frames, readers);
    progress.set(|| "collectors were starting".to_owned());
    let start = Instant::now();
    // At once, as the readers below: each listens for heartbeats first.
    let starting = (0..collectors).map(|id| {
        let options = Options::new(&server.url);
        let builder = Collector::builder(options, client(&pacer)).id(format!("c{id}"));
        let builder = (0..topics).fold(builder, |builder, number| builder.topic(topic(number)));
        builder.shards(32).lease_timeout(LEASE_TIMEOUT).start()
    });
    let collectors = try_join_all(starting).await?;
    let held_after = until_held(&collectors, topics, progress).await - start;
    let subscribing = Instant::now();
    let connecting = (0..readers).map(|_| async {
        let source = Source::connect(Options::new(&server.url)).await?;
        let client = Client::builder().source(source).queue_capacity(1 << 16).build()?;
        let topics = subscribe(&client, topics, progress).await?;
        Result::Ok((client, topics))
    });
    let clients = try_join_all(connecting).await?;
    let subscribed_after = held_after + subscribing.elapsed();
    let usage = Usage::start(Some(&server))?;
    pacer.start();
    let mut reading = JoinSet::new();
    for (client, topics) in clients {
        let pacer = Arc::clone(&pacer);
        reading.spawn(async move {
            // Dropped when all is read: its connection feeds the topics.
            let _client = client;
            read(topics, frames, pacer).await
        });
    }
    progress.set(move || format!("{} of {frames} frames were not sent yet", pacer.unsent()));
    while let Some(read) = reading.join_next().await {
        read??;
    }
    let cells = usage.cells(frames * readers)?;
    join_all(collectors.into_iter().map(Collector::stop)).await;
    Ok((subscribed_after, cells))
}
